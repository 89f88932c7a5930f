import type { FlowKey } from '@softnet/contract';
import { FlowKey as FlowKeyRecord } from '@softnet/contract';
import { isSameFlow, NO_RULE } from './flow-rules.ts';

/** Where a flow with a rule of its own goes. */
export class FlowEntry {
  readonly key: FlowKey = new FlowKeyRecord();
  hash = 0;
  /** The receive queue that its rule wants; -1: nowhere. {@link NO_RULE}: its rule is gone, as soon as it may be. */
  target = NO_RULE;
  /** Where its frames go now: see `ReceiveClassifier`. -1: nowhere. */
  current = 0;
  /** Of its last frame there: `ReceiveLine.put`. */
  tail = 0;
  next: FlowEntry | null = null;
}

/** A power of two. */
const CHAINS = 2048;

/** Exact flows by their hash. To find one allocates nothing. */
export class FlowTable {
  count = 0;
  readonly #chains: (FlowEntry | null)[] = new Array<FlowEntry | null>(CHAINS).fill(null);

  find(key: FlowKey, hash: number): FlowEntry | null {
    let entry: FlowEntry | null = this.#chains[hash & (CHAINS - 1)]!;
    while (entry !== null && !(entry.hash === hash && isSameFlow(entry.key, key))) entry = entry.next;
    return entry;
  }

  add(entry: FlowEntry): void {
    const at = entry.hash & (CHAINS - 1);
    entry.next = this.#chains[at]!;
    this.#chains[at] = entry;
    this.count++;
  }

  /** It is there. */
  remove(entry: FlowEntry): void {
    const at = entry.hash & (CHAINS - 1);
    let before: FlowEntry | null = null;
    for (let each: FlowEntry | null = this.#chains[at]!; each !== entry; each = each!.next) before = each;
    if (before === null) this.#chains[at] = entry.next;
    else before.next = entry.next;
    entry.next = null;
    this.count--;
  }

  /** For changes of the rules: allocates. */
  all(): FlowEntry[] {
    const entries: FlowEntry[] = [];
    for (const first of this.#chains) for (let entry = first; entry !== null; entry = entry.next) entries.push(entry);
    return entries;
  }
}

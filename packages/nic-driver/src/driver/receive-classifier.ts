import type { FlowKey, FlowRule, NetDevice, ReceiveSpread, Skb } from '@softnet/contract';
import { DEVICE_FEATURE, IPV4_WORD2 } from '@softnet/contract';
import { SkbReader, Toeplitz } from '@softnet/skb';
import { MAX_FLOW_RULES, NO_RULE } from './flow-rules.ts';
import { FlowEntry, FlowTable } from './flow-table.ts';
import { FrameHeaders, hasPorts } from './frame-headers.ts';
import { lineOf } from './receive-lines.ts';
import { verifyChecksum } from './verify-checksum.ts';

/** What a frame for no queue is answered by {@link ReceiveClassifier.classify}. */
export const DROPPED_BY_RULE = -1;

/** Rules, and as many that have given way for others. */
const MOST_ENTRIES = 2 * MAX_FLOW_RULES;
const FOR_THE_STACK = DEVICE_FEATURE.RX_CHECKSUM | DEVICE_FEATURE.RX_HASH;

/**
 * What a multi-queue network card does in hardware to what it receives: verifies checksums, hashes flows (Toeplitz), looks up exact flow
 * rules, then the indirection table (RSS). One for a device. Features in force say how much of it.
 *
 * A flow is moved without being reordered, as Linux's aRFS does it: each rule and each entry of the indirection table remembers the
 * queue that its frames go to now and its last frame there, and takes its new queue when the old one has handed that frame up.
 * DEVIATION: what waits when the key, or the size of the table, changes may be overtaken, as on any card: all flows change their entries.
 */
export class ReceiveClassifier {
  readonly #device: NetDevice;
  readonly #makeKey: () => Uint8Array;
  readonly #headers = new FrameHeaders();
  readonly #reader = new SkbReader();
  #toeplitz: Toeplitz | null = null;
  #spread: ReceiveSpread | null = null;
  /** By entry of the indirection table: the queue its frames go to, and its last frame there. */
  #current = new Uint8Array(0);
  #tail = new Int32Array(0);
  #table = new FlowTable();

  /** With what the device has. @param makeKey for one that hashes without spreading. */
  constructor(device: NetDevice, makeKey: () => Uint8Array) {
    this.#device = device;
    this.#makeKey = makeKey;
    this.setSpread(device.rss);
    this.setRules(device.flowRules);
  }

  /** The receive queue for a frame with `data` at the link header, or {@link DROPPED_BY_RULE}. Sets `hash` and `checksum` as features say. */
  classify(skb: Skb): number {
    const { features, rxQueues } = this.#device;
    const { length } = rxQueues;
    const spreads = length > 1 && this.#spread !== null;
    const hasRules = this.#table.count > 0 && (features & DEVICE_FEATURE.FLOW_STEERING) !== 0;
    if (!spreads && !hasRules && (features & FOR_THE_STACK) === 0) return 0;
    const headers = this.#headers;
    if (!headers.read(skb)) return 0;
    if ((features & DEVICE_FEATURE.RX_CHECKSUM) !== 0) verifyChecksum(skb, headers, this.#reader);
    const hash = this.#hash(headers.key, headers.ipv6, headers.ports);
    if ((features & DEVICE_FEATURE.RX_HASH) !== 0) skb.hash = hash;
    const entry = hasRules ? this.#entryOf(headers.key, hash) : null;
    const queue = entry === null ? this.#byTable(hash) : this.#byRule(entry);
    return queue < length ? queue : 0;
  }

  /** The device has another indirection table, or key. */
  setSpread(spread: ReceiveSpread | null): void {
    const before = this.#spread;
    this.#spread = spread;
    if (spread === null) return;
    const { key, indirection } = spread;
    const sameKey = before?.key.every((byte, at) => byte === key[at]) === true;
    if (sameKey && before?.indirection.length === indirection.length) return;
    this.#current = indirection.slice();
    this.#tail = Int32Array.from(indirection, (queue) => this.#putOf(queue));
    if (!sameKey) this.#rekey(new Toeplitz(key));
  }

  /** The device has other rules; of two for one flow the first counts. */
  setRules(rules: readonly FlowRule[]): void {
    if (rules.length === 0 && this.#table.count === 0) return;
    for (const entry of this.#table.all()) entry.target = NO_RULE;
    for (const { key, queue } of rules) {
      const hash = this.#hashOf(key);
      const entry = this.#table.find(key, hash) ?? this.#admit(key, hash);
      if (entry.target === NO_RULE) entry.target = queue;
    }
    this.#sweep();
  }

  /** One flow's rule is another, of a device that has many. @param queue or {@link NO_RULE}. */
  setRule(key: FlowKey, queue: number): void {
    const hash = this.#hashOf(key);
    const entry = this.#table.find(key, hash) ?? this.#admit(key, hash);
    entry.target = queue;
    if (this.#table.count > MOST_ENTRIES) this.#sweep();
  }

  /** What `before` did, down to the frames that wait. It may be of another build. */
  inherit(before: ReceiveClassifier): void {
    const { current, tail, entries } = before.state();
    if (current.length === this.#current.length) {
      this.#current = current;
      this.#tail = tail;
    }
    for (const old of entries) {
      // Not its hash: a device without RSS has another key in each generation.
      const hash = this.#hashOf(old.key);
      const entry = this.#table.find(old.key, hash) ?? this.#admit(old.key, hash);
      entry.current = old.current;
      entry.tail = old.tail;
    }
  }

  /** Of the last generation, for the next. */
  state(): { current: Uint8Array<ArrayBuffer>; tail: Int32Array<ArrayBuffer>; entries: FlowEntry[] } {
    return { current: this.#current, tail: this.#tail, entries: this.#table.all() };
  }

  /** Whose rule is gone, and who is in no queue any more, needs no entry. As many stay as frames wait, at most. */
  #sweep(): void {
    for (const entry of this.#table.all()) if (entry.target === NO_RULE && this.#hasPassed(entry)) this.#table.remove(entry);
  }

  /** Null: no rule (any more). */
  #entryOf(key: FlowKey, hash: number): FlowEntry | null {
    const entry = this.#table.find(key, hash);
    if (entry === null || entry.target !== NO_RULE || !this.#hasPassed(entry)) return entry;
    this.#table.remove(entry);
    return null;
  }

  #byRule(entry: FlowEntry): number {
    const { target } = entry;
    if (target !== entry.current && target !== NO_RULE && this.#hasPassed(entry)) entry.current = target;
    if (entry.current >= 0) entry.tail = this.#nextOf(entry.current);
    return entry.current;
  }

  #byTable(hash: number): number {
    const spread = this.#spread;
    if (spread === null) return 0;
    const at = hash & (spread.indirection.length - 1);
    const target = spread.indirection[at]!;
    let queue = this.#current[at]!;
    if (target !== queue && this.#passed(queue, this.#tail[at]!)) {
      this.#current[at] = target;
      queue = target;
    }
    this.#tail[at] = this.#nextOf(queue);
    return queue;
  }

  /** A flow gets a rule: it begins where the table has brought it. */
  #admit(key: FlowKey, hash: number): FlowEntry {
    const entry = new FlowEntry();
    Object.assign(entry.key, key);
    entry.hash = hash;
    const at = this.#spread === null ? -1 : hash & (this.#spread.indirection.length - 1);
    entry.current = at < 0 ? 0 : this.#current[at]!;
    entry.tail = at < 0 ? this.#putOf(0) : this.#tail[at]!;
    this.#table.add(entry);
    return entry;
  }

  #rekey(toeplitz: Toeplitz): void {
    this.#toeplitz = toeplitz;
    const entries = this.#table.all();
    this.#table = new FlowTable();
    for (const entry of entries) {
      entry.hash = this.#hashOf(entry.key);
      this.#table.add(entry);
    }
  }

  #hasPassed({ current, tail }: FlowEntry): boolean {
    return current < 0 || this.#passed(current, tail);
  }

  /** Has the queue handed up all its frames up to this one? */
  #passed(queue: number, tail: number): boolean {
    const { rxQueues } = this.#device;
    if (queue >= rxQueues.length) return true;
    const line = lineOf(rxQueues[queue]!);
    return line.frames.first === null || ((line.taken - tail) | 0) >= 0;
  }

  #putOf(queue: number): number {
    const line = this.#device.rxQueues[queue]?.ext;
    return line === undefined || line === null ? 0 : lineOf(this.#device.rxQueues[queue]!).put;
  }

  /** The place of the frame that is put into it next. */
  #nextOf(queue: number): number {
    return (this.#putOf(queue) + 1) | 0;
  }

  /** Of a rule's flow, as its frames hash. One of the two addresses may be 0.0.0.0, which has no word of IPv4. */
  #hashOf(key: FlowKey): number {
    const isIpv4 = (key.local2 === IPV4_WORD2 || key.remote2 === IPV4_WORD2) && (key.local0 | key.local1 | key.remote0 | key.remote1) === 0;
    return this.#hash(key, !isIpv4, hasPorts(key.protocol));
  }

  #hash(key: FlowKey, ipv6: boolean, ports: boolean): number {
    this.#toeplitz ??= new Toeplitz(this.#makeKey());
    const toeplitz = this.#toeplitz;
    const { remote0, remote1, remote2, remote3, local0, local1, local2, local3, remotePort, localPort } = key;
    if (!ipv6) return ports ? toeplitz.ofIpv4Ports(remote3, local3, remotePort, localPort) : toeplitz.ofIpv4(remote3, local3);
    const hash = toeplitz.ofIpv6(remote0, remote1, remote2, remote3, local0, local1, local2, local3);
    return ports ? hash ^ toeplitz.ofIpv6Ports(remotePort, localPort) : hash;
  }
}

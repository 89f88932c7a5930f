import type { Contributions, ModuleContext, Tally } from '@softnet/contract';
import { CurrentOwner, DropReason, DropWatch } from '@softnet/contract';

/** To whom the pools of one kernel say what they do. One for all of them. */
export class PoolAccount {
  /** Packets that are out. */
  skbs: Tally;
  /** Pages that are out as fragments. */
  pages: Tally;
  readonly noBuffer: DropReason;
  readonly noPage: DropReason;
  readonly noRecord: DropReason;
  readonly tooBig: DropReason;
  readonly current: CurrentOwner;
  readonly watches: Contributions<DropWatch>;

  /** @param ctx of the module; null: a pool without a kernel, for tests and tools. */
  constructor(ctx: ModuleContext | null) {
    const reason = ctx === null ? reasonsOfNobody() : (name: string, text: string) => ctx.dropReason(name, text);
    this.skbs = ctx?.tally('skb', 'skb.pool') ?? new PlainTally('skb');
    this.pages = ctx?.tally('page', 'skb.pool') ?? new PlainTally('page');
    this.noBuffer = reason('skb.no-buffer', 'no small buffer was idle: see net.core.skb_buffers');
    this.noPage = reason('skb.no-page', 'no page was idle: see net.core.skb_pages');
    this.noRecord = reason('skb.no-record', 'as many packets or fragments were out as the pool may have');
    this.tooBig = reason('skb.too-big', 'more bytes in a row were asked for than a page has');
    this.current = ctx?.current ?? new CurrentOwner();
    this.watches = ctx?.contributions(DropWatch) ?? { token: DropWatch, items: [], owners: [] };
  }

  /** The module is gone: what comes back later (a force wrote it off) is counted nowhere. */
  close(): void {
    this.skbs = new PlainTally('skb');
    this.pages = new PlainTally('page');
  }
}

/** Exhaustion: counted, and answered with null. */
export function refuse(reason: DropReason): null {
  reason.count++;
  return null;
}

/** A count that holds nobody up. */
class PlainTally implements Tally {
  readonly kind: string;
  readonly place = 'skb.pool';
  count = 0;

  constructor(kind: string) {
    this.kind = kind;
  }

  add(n = 1): void {
    this.count += n;
  }

  sub(n = 1): void {
    this.count -= n;
  }
}

function reasonsOfNobody(): (name: string, text: string) => DropReason {
  let id = 0;
  return (name, text) => new DropReason(++id, name, text);
}

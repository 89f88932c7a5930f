import type { CurrentOwner, Gro, ModuleContext, Skb, SkbQueue } from '@softnet/contract';
import { GRO, Protocol } from '@softnet/contract';
import { ProtocolTable } from '../protocol-table.ts';

/**
 * What a layer's GRO and GSO ask of those above it, by protocol number: of two generations the newer. Whoever contributes a {@link Protocol} with
 * `gro` and `segment` is merged and cut.
 */
export class ProtocolOffloads {
  readonly #protocols: ProtocolTable<Protocol>;
  readonly #current: CurrentOwner;

  constructor(ctx: ModuleContext) {
    this.#protocols = new ProtocolTable(ctx.contributions(Protocol));
    this.#current = ctx.current;
  }

  /** As {@link Gro}'s, at the protocol's header. */
  begin(number: number, skb: Skb, offset: number): boolean {
    const caller = this.#current.id;
    const may = this.#groOf(number)?.begin(skb, offset) === true;
    this.#current.id = caller;
    return may;
  }

  sameFlow(number: number, held: Skb, skb: Skb, offset: number): boolean {
    const caller = this.#current.id;
    const same = this.#groOf(number)?.sameFlow(held, skb, offset) !== false;
    this.#current.id = caller;
    return same;
  }

  merge(number: number, held: Skb, skb: Skb, offset: number): number {
    const caller = this.#current.id;
    const verdict = this.#groOf(number)?.merge(held, skb, offset) ?? GRO.FLUSH;
    this.#current.id = caller;
    return verdict;
  }

  finish(number: number, held: Skb, offset: number): void {
    const caller = this.#current.id;
    this.#groOf(number)?.finish(held, offset);
    this.#current.id = caller;
  }

  /** Null: nobody cuts such packets, and it is still the caller's. Else as `Segment` says. */
  segment(number: number, skb: Skb, features: number, out: SkbQueue): boolean | null {
    const { items, owners } = this.#protocols.of(number);
    for (let i = items.length - 1; i >= 0; i--) {
      const { segment } = items[i]!;
      if (segment === null) continue;
      const caller = this.#current.id;
      this.#current.id = owners[i]!;
      const done = segment(skb, features, out);
      this.#current.id = caller;
      return done;
    }
    return null;
  }

  /** Sets whose it is, for what is called next. */
  #groOf(number: number): Gro | null {
    const { items, owners } = this.#protocols.of(number);
    for (let i = items.length - 1; i >= 0; i--) {
      if (items[i]!.gro === null) continue;
      this.#current.id = owners[i]!;
      return items[i]!.gro;
    }
    return null;
  }
}

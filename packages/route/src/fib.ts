import type { Flow } from '@softnet/contract';
import { ROUTE_TYPE } from '@softnet/contract';
import { hashWords } from './address-hash.ts';
import type { Hop } from './hop.ts';
import type { RouteAlias } from './route-alias.ts';
import { pickHop } from './route-info.ts';
import type { RouteTable } from './route-table.ts';
import type { RuleBook } from './rules.ts';

/** DSCP, without ECN. */
const DSCP_MASK = 0xfc;

/** Asks rules and tables for one route and one of its next hops. Allocates nothing. Linux's `fib_lookup`. */
export class Fib {
  /** The next hop that the last {@link select} chose. Null: the route has none. */
  hop: Hop | null = null;
  /** The device that takes packets to this host; 0: none. */
  loopback = 0;
  readonly #book: RuleBook;
  readonly #seed: number;

  constructor(book: RuleBook, seed: number) {
    this.#book = book;
    this.#seed = seed;
  }

  /**
   * The route for a flow's destination, {@link hop} beside it; null: there is none.
   * @param ifindex only by this device; 0: by any.
   */
  select(flow: Flow, ifindex: number): RouteAlias | null {
    this.hop = null;
    const rules = this.#book.find(flow.family);
    if (rules === null) return null;
    if (flow.table !== 0) {
      const table = rules.tables.get(flow.table);
      return table === undefined ? null : thrown(this.#selectIn(table, flow, ifindex));
    }
    const { order } = rules;
    for (let i = 0; i < order.length; i++) {
      const alias = this.#selectIn(order[i]!, flow, ifindex);
      if (alias !== null && alias.info.type !== ROUTE_TYPE.THROW) return alias;
    }
    return null;
  }

  #selectIn(table: RouteTable, flow: Flow, ifindex: number): RouteAlias | null {
    const first = table.first(flow.dst0, flow.dst1, flow.dst2, flow.dst3);
    for (let chain = first; chain !== null; chain = table.next()) {
      for (let alias: RouteAlias | null = chain; alias !== null; alias = alias.next) {
        if (alias.tos !== 0 && ((alias.tos ^ flow.tos) & DSCP_MASK) !== 0) continue;
        const { info } = alias;
        if (info.hops.length === 0) return alias;
        const hash = info.hops.length === 1 ? 0 : this.#hash(flow);
        this.hop = pickHop(info, hash, ifindex, this.loopback);
        if (this.hop !== null) return alias;
      }
    }
    return null;
  }

  /** Of flows made here the source does not count: it is chosen by the way, which must not change for that. */
  #hash(flow: Flow): number {
    if (flow.hash !== 0) return flow.hash;
    const { dst0, dst1, dst2, dst3, src0, src1, src2, src3, srcPort, dstPort, protocol, label } = flow;
    const hash = hashWords(this.#seed, dst0, dst1, dst2, dst3, (srcPort << 16) | dstPort);
    if (flow.iif === 0) return hashWords(hash, protocol, label, 0, 0, 0);
    return hashWords(hash, src0, src1, src2, src3, (protocol << 20) ^ label);
  }
}

/** Outside of the rules there is no next table to go on with. */
function thrown(alias: RouteAlias | null): RouteAlias | null {
  return alias !== null && alias.info.type === ROUTE_TYPE.THROW ? null : alias;
}

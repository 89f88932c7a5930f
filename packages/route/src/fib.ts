import type { Flow } from '@softnet/contract';
import { ROUTE_TYPE, RULE_ACTION } from '@softnet/contract';
import { hashWords } from './address-hash.ts';
import type { Hop } from './hop.ts';
import type { Hops } from './hops.ts';
import { pickHop } from './next-hop/pick-hop.ts';
import type { RouteAlias } from './route-alias.ts';
import type { RouteTable } from './route-table.ts';
import type { RuleStep } from './rule/rule-step.ts';
import type { RuleBook } from './rules.ts';

/** DSCP, without ECN. */
const DSCP_MASK = 0xfc;

/** Asks rules and tables for one route and one of its next hops. Allocates nothing. Linux's `fib_lookup`. */
export class Fib {
  /** The next hop that the last {@link select} chose. Null: the route has none. */
  hop: Hop | null = null;
  /** Where the last {@link select} found none: the `ROUTE_TYPE` of the rule that refused; 0: no rule did. */
  refusal = 0;
  /** Of the rule that the last {@link select} went by, for hops without. */
  realms = 0;
  /** The device that takes packets to this host; 0: none. */
  loopback = 0;
  readonly #book: RuleBook;
  readonly #hops: Hops;
  /** Of the hash of flows: handed over, so that they stay on their ways. */
  seed: number;

  constructor(book: RuleBook, hops: Hops, seed: number) {
    this.#book = book;
    this.#hops = hops;
    this.seed = seed;
  }

  /**
   * The route for a flow's destination, {@link hop} beside it; null: there is none.
   * @param ifindex only by this device; 0: by any.
   */
  select(flow: Flow, ifindex: number): RouteAlias | null {
    this.hop = null;
    this.refusal = 0;
    this.realms = 0;
    const rules = this.#book.find(flow.family);
    if (rules === null) return null;
    if (flow.table !== 0) {
      const table = rules.tables.get(flow.table);
      return table === undefined ? null : thrown(this.#selectIn(table, flow, ifindex));
    }
    if (rules.stale) rules.settle();
    if (!rules.plain) return this.#selectBy(rules.steps, flow, ifindex);
    const { order } = rules;
    for (let i = 0; i < order.length; i++) {
      const alias = this.#selectIn(order[i]!, flow, ifindex);
      if (alias !== null && alias.info.type !== ROUTE_TYPE.THROW) return alias;
    }
    return null;
  }

  /** Linux's `fib_rules_lookup`. */
  #selectBy(steps: readonly RuleStep[], flow: Flow, ifindex: number): RouteAlias | null {
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (step.action === RULE_ACTION.NOP || !step.fits(flow, this.loopback)) continue;
      if (step.action === RULE_ACTION.GOTO) {
        // The loop goes on with the one behind.
        if (step.jump > i) i = step.jump - 1;
        continue;
      }
      if (step.action !== RULE_ACTION.TABLE) return this.#refuse(step.action);
      if (step.table === null) continue;
      const alias = this.#selectIn(step.table, flow, ifindex);
      if (alias === null || alias.info.type === ROUTE_TYPE.THROW) continue;
      if (this.hop === null) return alias;
      if (step.table.prefixLen > step.suppressPrefixLen) {
        this.realms = step.realms;
        if (step.realms !== 0) this.hop = this.#hops.withRealms(this.hop, step.realms);
        return alias;
      }
      this.hop = null;
    }
    return null;
  }

  /** Unreachable by a rule is what no route is (Linux: ENETUNREACH; a route's is EHOSTUNREACH). */
  #refuse(action: number): null {
    if (action === RULE_ACTION.BLACKHOLE) this.refusal = ROUTE_TYPE.BLACKHOLE;
    if (action === RULE_ACTION.PROHIBIT) this.refusal = ROUTE_TYPE.PROHIBIT;
    if (action === RULE_ACTION.UNREACHABLE) this.refusal = ROUTE_TYPE.UNREACHABLE;
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
    const hash = hashWords(this.seed, dst0, dst1, dst2, dst3, (srcPort << 16) | dstPort);
    if (flow.iif === 0) return hashWords(hash, protocol, label, 0, 0, 0);
    return hashWords(hash, src0, src1, src2, src3, (protocol << 20) ^ label);
  }
}

/** Outside of the rules there is no next table to go on with. */
function thrown(alias: RouteAlias | null): RouteAlias | null {
  return alias !== null && alias.info.type === ROUTE_TYPE.THROW ? null : alias;
}

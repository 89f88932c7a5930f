import type { Flow, PortRange, RoutingRule, RulePrefix } from '@softnet/contract';
import { ADDRESS_FAMILY, RULE_ACTION } from '@softnet/contract';
import { maskOf } from '../prefixes/bits.ts';
import type { RouteTable } from '../route-table.ts';

/** Gives a device's index by its name; 0: there is none. */
export type IndexOf = (name: string) => number;

/** DSCP, without ECN. */
const DSCP_MASK = 0xfc;
/** Of a rule that names a device that is not there: fits no packet. */
const NO_DEVICE = -1;

/** A rule as lookups read it: numbers only, all of one shape, what is absent fits all. Linux's `struct fib_rule`. */
export class RuleStep {
  readonly action: number;
  /** Null: there is no such table, or none is asked. */
  readonly table: RouteTable | null;
  /** The step to go on with; the last one and one more: there is none. */
  readonly jump: number;
  /** An answer by a prefix of so many bits or fewer does not count; -1: all count. */
  readonly suppressPrefixLen: number;
  readonly realms: number;
  readonly not: boolean;
  readonly from: PrefixTest;
  readonly to: PrefixTest;
  /** 0: any. */
  readonly iif: number;
  readonly oif: number;
  readonly mark: number;
  readonly markMask: number;
  readonly tos: number;
  readonly protocol: number;
  readonly srcPorts: PortRange;
  readonly dstPorts: PortRange;
  readonly uids: PortRange;

  /** @param list all rules of the family, in order. */
  constructor(rule: RoutingRule, list: readonly RoutingRule[], tables: ReadonlyMap<number, RouteTable>, indexOf: IndexOf) {
    this.action = rule.action;
    this.table = (rule.action === RULE_ACTION.TABLE ? tables.get(rule.table ?? 0) : undefined) ?? null;
    this.jump = rule.action === RULE_ACTION.GOTO ? list.findIndex(({ priority }) => priority === rule.goto) : -1;
    this.suppressPrefixLen = rule.suppressPrefixLen ?? -1;
    this.realms = rule.realms ?? 0;
    this.not = rule.not === true;
    this.from = new PrefixTest(rule.family, rule.from);
    this.to = new PrefixTest(rule.family, rule.to);
    this.iif = rule.iif ? indexOf(rule.iif) || NO_DEVICE : 0;
    this.oif = rule.oif ? indexOf(rule.oif) || NO_DEVICE : 0;
    this.mark = (rule.mark ?? 0) | 0;
    this.markMask = rule.mark === undefined && rule.markMask === undefined ? 0 : (rule.markMask ?? -1) | 0;
    this.tos = (rule.tos ?? 0) & DSCP_MASK;
    this.protocol = rule.ipProtocol ?? 0;
    this.srcPorts = rule.srcPorts ?? ANY;
    this.dstPorts = rule.dstPorts ?? ANY;
    this.uids = rule.uids ?? ANY;
  }

  /** Whether the rule is for this flow. @param loopback flows made here come in by this device. */
  fits(flow: Flow, loopback: number): boolean {
    return this.#agrees(flow, loopback) !== this.not;
  }

  #agrees(flow: Flow, loopback: number): boolean {
    if (this.iif !== 0 && this.iif !== (flow.iif === 0 ? loopback : flow.iif)) return false;
    if (this.oif !== 0 && this.oif !== flow.oif) return false;
    if (((flow.mark ^ this.mark) & this.markMask) !== 0) return false;
    if (this.tos !== 0 && ((flow.tos ^ this.tos) & DSCP_MASK) !== 0) return false;
    if (this.protocol !== 0 && this.protocol !== flow.protocol) return false;
    if (!this.from.covers(flow.src0, flow.src1, flow.src2, flow.src3)) return false;
    if (!this.to.covers(flow.dst0, flow.dst1, flow.dst2, flow.dst3)) return false;
    return has(this.srcPorts, flow.srcPort) && has(this.dstPorts, flow.dstPort) && has(this.uids, flow.uid);
  }
}

const ANY: PortRange = Object.freeze({ first: 0, last: 0xffffffff });

function has({ first, last }: PortRange, number: number): boolean {
  return number >= first && number <= last;
}

/** A prefix as masks. */
class PrefixTest {
  readonly #word0: number;
  readonly #word1: number;
  readonly #word2: number;
  readonly #word3: number;
  readonly #mask0: number;
  readonly #mask1: number;
  readonly #mask2: number;
  readonly #mask3: number;

  constructor(family: number, prefix: RulePrefix | undefined) {
    const bits = prefix === undefined || prefix.prefixLen === 0 ? 0 : prefix.prefixLen + (family === ADDRESS_FAMILY.INET ? 96 : 0);
    [this.#word0, this.#word1, this.#word2, this.#word3] = prefix?.address ?? [0, 0, 0, 0];
    this.#mask0 = maskOf(bits);
    this.#mask1 = maskOf(bits - 32);
    this.#mask2 = maskOf(bits - 64);
    this.#mask3 = maskOf(bits - 96);
  }

  covers(word0: number, word1: number, word2: number, word3: number): boolean {
    if (((word3 ^ this.#word3) & this.#mask3) !== 0 || ((word2 ^ this.#word2) & this.#mask2) !== 0) return false;
    return ((word1 ^ this.#word1) & this.#mask1) === 0 && ((word0 ^ this.#word0) & this.#mask0) === 0;
  }
}

/** Whether the rule only says which table is asked next: all flows fit, all answers count. */
export function isUnconditional(rule: RoutingRule): boolean {
  if (rule.action !== RULE_ACTION.TABLE || rule.not || rule.iif || rule.oif || rule.tos || rule.ipProtocol || rule.realms) return false;
  if (rule.from?.prefixLen || rule.to?.prefixLen || rule.mark !== undefined || rule.markMask !== undefined) return false;
  return !wantsPorts(rule) && rule.uids === undefined && rule.suppressPrefixLen === undefined;
}

export function wantsPorts({ srcPorts, dstPorts }: RoutingRule): boolean {
  return srcPorts !== undefined || dstPorts !== undefined;
}

import type { AddressWords } from './route-table.ts';
import { defineService } from './token.ts';

/** Both ends count, host order. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A prefix that a rule asks for. */
export interface RulePrefix {
  readonly address: AddressWords;
  readonly prefixLen: number;
}

/** What a rule does with a flow that fits. Linux's `FR_ACT_*`. */
export const RULE_ACTION = Object.freeze({
  /** Asks `table`; when that has no answer, the next rule is asked. */
  TABLE: 1,
  /** Goes on with the rule of priority `goto`. */
  GOTO: 2,
  NOP: 3,
  BLACKHOLE: 6,
  UNREACHABLE: 7,
  PROHIBIT: 8,
} as const);

/** Which table a flow is looked up in, by more than its destination. What is absent fits all. Linux's `ip rule`. */
export interface RoutingRule {
  readonly family: number;
  /** The lowest is asked first; those of one priority in the order in which they came. 0 to 2³² - 1. */
  readonly priority: number;
  /** One of {@link RULE_ACTION}. */
  readonly action: number;
  /** For TABLE. */
  readonly table?: number;
  /** For GOTO: a priority behind its own. A rule that is not there is passed over. */
  readonly goto?: number;
  /** Fits those that the rest does not fit. */
  readonly not?: boolean;
  readonly from?: RulePrefix;
  readonly to?: RulePrefix;
  /** Names of devices, which may come later; '' is none. Flows made here come in by the loopback device, 'lo'. */
  readonly iif?: string;
  readonly oif?: string;
  readonly mark?: number;
  /** Default: all bits. */
  readonly markMask?: number;
  /** DSCP << 2. 0 or absent: all. */
  readonly tos?: number;
  readonly ipProtocol?: number;
  readonly srcPorts?: PortRange;
  readonly dstPorts?: PortRange;
  readonly uids?: PortRange;
  /** An answer by a prefix of so many bits, or fewer, does not count: the next rule is asked. */
  readonly suppressPrefixLen?: number;
  /** Source << 16 | destination, for routes without realms of their own. */
  readonly realms?: number;
  /** Who made it, as of routes. */
  readonly source: number;
}

/**
 * Policy rules: `ip rule`. At first there are Linux's: 0 local, 32766 main, 32767 default (IPv6: local and main). A **door** of
 * route; which there are, `Route.rules` says.
 */
export interface RoutingRules {
  /** @throws NetError EEXIST for one that is there in all of its fields, EINVAL, EAFNOSUPPORT. */
  add(rule: RoutingRule): void;
  /** The first that agrees with all that is given; `priority` -1 and `action` 0: of any. @throws NetError ENOENT. */
  remove(rule: RoutingRule): void;
}
export const RoutingRules = defineService<RoutingRules>({ name: 'routing-rules', version: '1.0.0' });

import type { PortRange, RoutingRule, RulePrefix } from '@softnet/contract';
import { NetError, RULE_ACTION } from '@softnet/contract';
import { addressBits } from '@softnet/wire';
import { masked, sameWords } from '../route-checks.ts';

const ACTIONS: readonly number[] = Object.values(RULE_ACTION);
const MOST = 0xffffffff;

/** The rule with the bits behind its prefixes cleared. @throws NetError EINVAL. */
export function checkRule(rule: RoutingRule): RoutingRule {
  const { family, priority, action, table, from, to, srcPorts, dstPorts, uids } = rule;
  if (!isIn(priority, 0, MOST)) throw refuse(`its priority is ${priority}, not 0 to 4294967295`);
  if (!ACTIONS.includes(action)) throw refuse(`there is no action ${action}`);
  if (action === RULE_ACTION.TABLE && !isIn(table ?? 0, 1, MOST)) throw refuse('it wants a table, from 1 to 4294967295');
  if (action === RULE_ACTION.GOTO && !isIn(rule.goto ?? -1, priority + 1, MOST)) throw refuse('it goes on behind its own priority only');
  const bits = addressBits(family);
  for (const prefix of [from, to]) {
    if (prefix !== undefined && !isIn(prefix.prefixLen, 0, bits)) throw refuse(`a prefix has 0 to ${bits} bits, not ${prefix.prefixLen}`);
  }
  for (const range of [srcPorts, dstPorts]) if (range !== undefined && !isRange(range, 0xffff)) throw refuse('ports are 0 to 65535');
  if (uids !== undefined && !isRange(uids, MOST)) throw refuse('users are 0 to 4294967295');
  if (!isIn(rule.tos ?? 0, 0, 0xfc) || ((rule.tos ?? 0) & 3) !== 0) throw refuse(`its tos is ${rule.tos}: a DSCP, shifted left by two`);
  if (!isIn(rule.ipProtocol ?? 0, 0, 255)) throw refuse(`there is no IP protocol ${rule.ipProtocol}`);
  if (!isIn(rule.suppressPrefixLen ?? 0, 0, bits)) throw refuse(`a prefix has 0 to ${bits} bits, not ${rule.suppressPrefixLen}`);
  return { ...rule, ...(from && { from: cleared(family, from) }), ...(to && { to: cleared(family, to) }) };
}

/** Both say the same in all fields; who made them does not count. */
export function isSameRule(a: RoutingRule, b: RoutingRule): boolean {
  return a.priority === b.priority && a.action === b.action && agrees(a, b) && agrees(b, a);
}

/** The rule says all that is asked, and may say more; priority -1 and action 0 ask for none. */
export function isMeantRule(rule: RoutingRule, asked: RoutingRule): boolean {
  if (asked.priority !== -1 && asked.priority !== rule.priority) return false;
  if (asked.action !== 0 && asked.action !== rule.action) return false;
  return agrees(rule, asked);
}

function agrees(rule: RoutingRule, asked: RoutingRule): boolean {
  if (NUMBERS.some((name) => asked[name] !== undefined && (rule[name] ?? 0) !== asked[name])) return false;
  if (asked.suppressPrefixLen !== undefined && asked.suppressPrefixLen !== rule.suppressPrefixLen) return false;
  if (asked.mark !== undefined && ((rule.mark ?? 0) | 0) !== (asked.mark | 0)) return false;
  if (asked.markMask !== undefined && ((rule.markMask ?? -1) | 0) !== (asked.markMask | 0)) return false;
  if (asked.not && !rule.not) return false;
  if ((asked.iif && asked.iif !== rule.iif) || (asked.oif && asked.oif !== rule.oif)) return false;
  if (RANGES.some((name) => asked[name] !== undefined && !isSameRange(asked[name], rule[name]))) return false;
  return isSamePrefix(rule.from, asked.from) && isSamePrefix(rule.to, asked.to);
}

const NUMBERS = Object.freeze(['table', 'goto', 'tos', 'ipProtocol', 'realms'] as const);
const RANGES = Object.freeze(['srcPorts', 'dstPorts', 'uids'] as const);

function isSameRange(a: PortRange, b: PortRange | undefined): boolean {
  return b !== undefined && a.first === b.first && a.last === b.last;
}

/** A prefix of no bits asks for nothing. */
function isSamePrefix(rule: RulePrefix | undefined, asked: RulePrefix | undefined): boolean {
  if (asked === undefined || asked.prefixLen === 0) return true;
  return rule !== undefined && rule.prefixLen === asked.prefixLen && sameWords(rule.address, asked.address);
}

function cleared(family: number, { address, prefixLen }: RulePrefix): RulePrefix {
  return { address: masked(family, address, prefixLen), prefixLen };
}

function refuse(why: string): NetError {
  return new NetError('EINVAL', `the rule cannot be: ${why}`, { syscall: 'rule' });
}

function isRange({ first, last }: PortRange, most: number): boolean {
  return isIn(first, 0, most) && isIn(last, first, most);
}

function isIn(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

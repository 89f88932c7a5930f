import type { FlowKey, NetDevice } from '@softnet/contract';
import { FlowRule, NetError } from '@softnet/contract';

/** So many rules a card has room for; automatic ones give way first. */
export const MAX_FLOW_RULES = 1024;
/** Locations of automatic rules begin here: what somebody has ordered wins. */
export const AUTOMATIC_FROM = 0x10000;

/** Rules in order of their location, as many as there is room for: the oldest automatic ones have gone. @throws NetError ENOSPC. */
export function fittingRules({ name }: NetDevice, rules: readonly FlowRule[]): readonly FlowRule[] {
  let spare = rules.length - MAX_FLOW_RULES;
  if (spare <= 0) return rules;
  // Their locations rise with their age.
  const fitting = rules.filter(({ automatic }) => !automatic || spare-- <= 0);
  if (fitting.length <= MAX_FLOW_RULES) return fitting;
  throw new NetError('ENOSPC', `${name} has room for ${MAX_FLOW_RULES} flow rules: remove some first`);
}

/** With an automatic rule for this flow in the place of the one that there may be. Null: there is no room. */
export function withAutomaticRule(rules: readonly FlowRule[], key: FlowKey, queue: number): readonly FlowRule[] | null {
  const others = rules.filter((rule) => !rule.automatic || !isSameFlow(rule.key, key));
  if (others.length >= MAX_FLOW_RULES) {
    const oldest = others.findIndex(({ automatic }) => automatic);
    if (oldest < 0) return null;
    others.splice(oldest, 1);
  }
  const rule = new FlowRule();
  rule.location = Math.max(AUTOMATIC_FROM, (others.at(-1)?.location ?? 0) + 1);
  Object.assign(rule.key, key);
  rule.key.ifindex = 0;
  rule.queue = queue;
  rule.automatic = true;
  others.push(rule);
  return others;
}

/** Are both of one flow? `ifindex` does not count. */
export function isSameFlow(one: FlowKey, other: FlowKey): boolean {
  return (
    one.localPort === other.localPort &&
    one.remotePort === other.remotePort &&
    one.remote3 === other.remote3 &&
    one.local3 === other.local3 &&
    one.remote2 === other.remote2 &&
    one.local2 === other.local2 &&
    one.remote1 === other.remote1 &&
    one.local1 === other.local1 &&
    one.remote0 === other.remote0 &&
    one.local0 === other.local0 &&
    one.protocol === other.protocol
  );
}

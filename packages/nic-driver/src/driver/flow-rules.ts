import type { FlowKey } from '@softnet/contract';
import { FlowRule } from '@softnet/contract';

/** A flow without a rule: see `FlowRule.queue`. */
export const NO_RULE = -2;
/** So many rules a card has room for; automatic ones give way first: netdev sees to it where somebody orders one. */
export const MAX_FLOW_RULES = 1024;
/** Locations of automatic rules begin here: what somebody has ordered wins. */
const AUTOMATIC_FROM = 0x10000;

/** Rules of a device after a change, and the one that has given way for it. */
export interface ChangedRules {
  readonly rules: readonly FlowRule[];
  readonly evicted: FlowRule | null;
}

/** With an automatic rule for this flow in the place of the one that there may be. Null: there is no room. */
export function withAutomaticRule(rules: readonly FlowRule[], key: FlowKey, queue: number): ChangedRules | null {
  const others = rules.filter((rule) => !rule.automatic || !isSameFlow(rule.key, key));
  let evicted: FlowRule | null = null;
  if (others.length >= MAX_FLOW_RULES) {
    // Locations of automatic rules rise with their age.
    const oldest = others.findIndex(({ automatic }) => automatic);
    if (oldest < 0) return null;
    evicted = others.splice(oldest, 1)[0]!;
  }
  const rule = new FlowRule();
  rule.location = Math.max(AUTOMATIC_FROM, (others.at(-1)?.location ?? 0) + 1);
  Object.assign(rule.key, key);
  rule.key.ifindex = 0;
  rule.queue = queue;
  rule.automatic = true;
  others.push(rule);
  return { rules: others, evicted };
}

/** The queue that rules have for a flow: the first of them counts. {@link NO_RULE}: none has. */
export function queueByRules(rules: readonly FlowRule[], key: FlowKey): number {
  return rules.find((rule) => isSameFlow(rule.key, key))?.queue ?? NO_RULE;
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

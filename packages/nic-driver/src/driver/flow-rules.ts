import type { FlowKey } from '@softnet/contract';
import { FlowRule } from '@softnet/contract';

/** So many rules a card has room for; automatic ones give way first: netdev sees to it where somebody orders one. */
const MAX_FLOW_RULES = 1024;
/** Locations of automatic rules begin here: what somebody has ordered wins. */
const AUTOMATIC_FROM = 0x10000;

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

import type { NextHop, NextHopMember, NextHopObject, ResilientGroup } from '@softnet/contract';
import { BY_HAND, sourceName } from './names.ts';
import type { DeviceName } from './route-words.ts';
import { wayWords } from './route-words.ts';

/** A next-hop object as `ip nexthop` shows it. */
export function nextHopLine(object: NextHopObject, deviceName: DeviceName): string {
  const { id, hop, blackhole, group, resilient, source } = object;
  const parts = [
    ...['id', String(id)],
    ...(group === undefined ? [] : ['group', group.map(memberText).join('/')]),
    ...(resilient === undefined ? [] : resilientParts(resilient)),
    ...(hop === undefined ? [] : hopParts(hop, deviceName)),
    ...(blackhole ? ['blackhole'] : []),
    ...(source === BY_HAND ? [] : ['proto', sourceName(source)]),
    ...(hop?.onLink ? ['onlink'] : []),
  ];
  return parts.join(' ');
}

/** What stands behind it is nearer by one: its link, or its host. */
function hopParts(hop: NextHop, deviceName: DeviceName): string[] {
  const family = hop.gateway?.family ?? 0;
  return [...wayWords(hop, family, deviceName), 'scope', hop.gateway === undefined ? 'host' : 'link'];
}

function memberText({ id, weight = 1 }: NextHopMember): string {
  return weight === 1 ? String(id) : `${id},${weight}`;
}

function resilientParts({ buckets = 0, idleMs = 0, unbalancedMs = 0 }: ResilientGroup): string[] {
  const timers = ['idle_timer', String(idleMs / 1000), 'unbalanced_timer', String(unbalancedMs / 1000)];
  return ['type', 'resilient', 'buckets', String(buckets), ...timers];
}

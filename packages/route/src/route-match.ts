import type { RouteEntry } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import { isAppended, sameWords } from './route-checks.ts';
import type { RouteInfo } from './route-info.ts';

/** The route whose place the entry would take: one prefix, tos and priority; of the stack's own, one way. */
export function conflict(first: RouteAlias, entry: CheckedEntry, info: RouteInfo): RouteAlias | null {
  const device = info.hops[0]?.ifindex ?? 0;
  for (let alias: RouteAlias | null = first; alias !== null; alias = alias.next) {
    if (alias.tos !== entry.tos || alias.priority !== entry.priority) continue;
    if (!isAppended(entry) || alias.info === info) return alias;
    if (alias.info.source === info.source && alias.info.type === info.type && isOneLink(alias.info, device)) return alias;
  }
  return null;
}

/** Whether the entry is the route but for when it ends: lookups answer as before, and what is cached holds. */
export function isProlonged({ info, preference }: RouteAlias, entry: CheckedEntry, now: RouteInfo): boolean {
  return info === now && preference === (entry.preference ?? 0);
}

function isOneLink({ hops }: RouteInfo, ifindex: number): boolean {
  return hops.length === 1 && hops[0]!.ifindex === ifindex && hops[0]!.spec.gatewayFamily === 0;
}

/** What the entry leaves open does not count: metric, source, type, scope, next hops. */
export function isMeant({ info, tos, priority }: RouteAlias, entry: RouteEntry): boolean {
  if (tos !== (entry.tos ?? 0) || (entry.priority && entry.priority !== priority)) return false;
  if ((entry.type !== 0 && entry.type !== info.type) || (entry.source !== 0 && entry.source !== info.source)) return false;
  if (entry.nextHopId && entry.nextHopId !== info.nextHopId) return false;
  if (entry.scope !== undefined && entry.scope !== info.scope) return false;
  return entry.nextHops.every(({ ifindex, gateway }) =>
    info.hops.some(({ spec, ifindex: own }) => {
      if (ifindex !== 0 && ifindex !== own) return false;
      return gateway === undefined || (gateway.family === spec.gatewayFamily && sameWords(gateway.address, spec.gateway));
    }),
  );
}

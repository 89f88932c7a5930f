import type { RouteExceptionEntry } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { secondsUntil } from './route-lines.ts';
import type { DeviceName } from './route-words.ts';
import { wayWords } from './route-words.ts';

/** What is known of a single destination, as `ip route show cache` shows it: two lines. */
export function cacheLines(entry: RouteExceptionEntry, look: { readonly deviceName: DeviceName; readonly nowMs: number }): string[] {
  const { family, destination, ifindex, gateway, mtuBytes, mtuLocked, expiresMs } = entry;
  const way = { ifindex, ...(gateway === null ? {} : { gateway }) };
  const known = [
    ...(gateway === null ? [] : ['<redirected>']),
    ...['expires', secondsUntil(expiresMs, look.nowMs)],
    ...(mtuBytes === 0 ? [] : ['mtu', ...(mtuLocked ? ['lock'] : []), String(mtuBytes)]),
  ];
  return [[formatAddress(family, ...destination), ...wayWords(way, family, look.deviceName)].join(' '), `    cache ${known.join(' ')}`];
}

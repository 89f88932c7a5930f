import type { Neighbour, ProxyEntry } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { linkAddress } from './link-lines.ts';
import { neighbourStateName } from './names.ts';

/** A neighbour as `ip neigh` shows it. @param times as {@link neighbourTimes} says them. */
export function neighbourLine(neighbour: Neighbour, times: string = ''): string {
  const { family, address0, address1, address2, address3, device, state, isRouter } = neighbour;
  const known = neighbour.linkAddress.some((byte) => byte !== 0);
  return [
    formatAddress(family, address0, address1, address2, address3),
    `dev ${device.name}`,
    ...(known ? [`lladdr ${linkAddress(neighbour.linkAddress)}`] : []),
    ...(isRouter ? ['router'] : []),
    ...(times === '' ? [] : [times]),
    neighbourStateName(state),
  ].join(' ');
}

/** As `ip -s neigh` shows it: seconds since it was used, confirmed and changed; how many next hops lead by it, how often it was asked. */
export function neighbourTimes({ usedMs, confirmedMs, updatedMs, gatewayOf, probes }: Neighbour, nowMs: number): string {
  const seconds = [usedMs, confirmedMs, updatedMs].map((sinceMs) => Math.floor(((nowMs - sinceMs) | 0) / 1000));
  return `ref ${gatewayOf} used ${seconds.join('/')} probes ${probes}`;
}

/** An address that this host answers for, as `ip neigh show proxy` does. */
export function proxyLine({ family, device, address }: ProxyEntry): string {
  return `${formatAddress(family, ...address)} ${device === null ? '' : `dev ${device.name} `}proxy`;
}

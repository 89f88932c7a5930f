import type { Neighbour } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { linkAddress } from './link-lines.ts';
import { neighbourStateName } from './names.ts';

/** A neighbour as `ip neigh` shows it. */
export function neighbourLine(neighbour: Neighbour): string {
  const { family, address0, address1, address2, address3, device, state, isRouter } = neighbour;
  const known = neighbour.linkAddress.some((byte) => byte !== 0);
  return [
    formatAddress(family, address0, address1, address2, address3),
    `dev ${device.name}`,
    ...(known ? [`lladdr ${linkAddress(neighbour.linkAddress)}`] : []),
    ...(isRouter ? ['router'] : []),
    neighbourStateName(state),
  ].join(' ');
}

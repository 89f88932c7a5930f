import type { AddressWords, DeviceTraffic, Frozen, Neighbour, NetDevice } from '@softnet/contract';
import { NEIGHBOUR_STATE, NetError } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';

/** Version of the layout. */
export const FROZEN_NEIGHBOUR = 1;

const { NONE, STALE, NOARP, PERMANENT, INCOMPLETE, FAILED } = NEIGHBOUR_STATE;

interface NeighbourData {
  readonly ifindex: number;
  readonly family: number;
  readonly address: AddressWords;
  readonly linkAddress: Uint8Array;
  readonly state: number;
  readonly isRouter: boolean;
  readonly confirmedAgoMs: number;
  readonly usedAgoMs: number;
}

/** What the next generation is told of a neighbour; what waits for it is not. */
export function freezeNeighbour(neighbour: Neighbour, nowMs: number): Frozen {
  const { device, family, address0, address1, address2, address3, linkAddress, isRouter, confirmedMs, usedMs } = neighbour;
  return {
    version: FROZEN_NEIGHBOUR,
    data: {
      ...{ ifindex: device.ifindex, family, isRouter, state: stateToKeep(neighbour.state) },
      address: [address0, address1, address2, address3],
      linkAddress: linkAddress.slice(),
      confirmedAgoMs: (nowMs - confirmedMs) | 0,
      usedAgoMs: (nowMs - usedMs) | 0,
    },
  };
}

/** @param make an empty one on this device. */
export function thawNeighbour(frozen: Frozen, nowMs: number, make: (ifindex: number) => Neighbour): Neighbour {
  const data = frozen.data as unknown as NeighbourData;
  const neighbour = make(data.ifindex);
  neighbour.family = data.family;
  [neighbour.address0, neighbour.address1, neighbour.address2, neighbour.address3] = data.address;
  neighbour.linkAddress.set(data.linkAddress);
  neighbour.state = data.state;
  neighbour.isRouter = data.isRouter;
  neighbour.confirmedMs = (nowMs - data.confirmedAgoMs) | 0;
  neighbour.usedMs = (nowMs - data.usedAgoMs) | 0;
  return neighbour;
}

/** @throws NetError ENODEV: the hand-over is off. */
export function deviceOf(traffic: DeviceTraffic, ifindex: number): NetDevice {
  const device = traffic.byIndex(ifindex);
  if (device === null) throw new NetError('ENODEV', `a neighbour is on device ${ifindex}, which is gone`);
  return device;
}

/** '10.0.0.2 on eth0, stale', for lists of objects. */
export function describeNeighbour({ device, family, address0, address1, address2, address3, state }: Neighbour): string {
  const name =
    Object.entries(NEIGHBOUR_STATE)
      .find(([, number]) => number === state)?.[0]
      .toLowerCase() ?? `state ${state}`;
  return `${formatAddress(family, address0, address1, address2, address3)} on ${device.name}, ${name}`;
}

/** Who is asked for is asked for anew; who was reachable is confirmed when he is needed. */
function stateToKeep(state: number): number {
  if (state === PERMANENT || state === NOARP) return state;
  return state === NONE || state === FAILED || state === INCOMPLETE ? NONE : STALE;
}

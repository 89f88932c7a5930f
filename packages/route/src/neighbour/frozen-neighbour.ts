import type { AddressWords, Clock, DeviceTraffic, Frozen, Neighbour, NetDevice } from '@softnet/contract';
import { NEIGHBOUR_STATE, NetError } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';

/** Version of the layout. */
export const FROZEN_NEIGHBOUR = 2;

interface NeighbourData {
  readonly ifindex: number;
  readonly family: number;
  readonly address: AddressWords;
  readonly linkAddress: Uint8Array;
  readonly state: number;
  readonly isRouter: boolean;
  readonly probes: number;
  readonly confirmedAgoMs: number;
  readonly usedAgoMs: number;
  readonly updatedAgoMs: number;
  /** Until its timer fires; -1: it is not armed. */
  readonly leftUs: number;
  readonly isUnproven: boolean;
}

/** One of the last generation, and what becomes of it when it settles. */
export interface Thawed {
  readonly neighbour: Neighbour;
  readonly leftUs: number;
  /** Nobody has confirmed it yet. */
  readonly isUnproven: boolean;
}

/** What the next generation is told of a neighbour. What waits for it follows as packets. */
export function freezeNeighbour(neighbour: Neighbour, { nowMs, nowUs }: Clock): Frozen {
  const { device, family, address0, address1, address2, address3, linkAddress } = neighbour;
  const { state, isRouter, probes, confirmedMs, usedMs, updatedMs, timer, line } = neighbour;
  return {
    version: FROZEN_NEIGHBOUR,
    data: {
      ...{ ifindex: device.ifindex, family, isRouter, state, probes },
      address: [address0, address1, address2, address3],
      linkAddress: linkAddress.slice(),
      confirmedAgoMs: (nowMs - confirmedMs) | 0,
      usedAgoMs: (nowMs - usedMs) | 0,
      updatedAgoMs: (nowMs - updatedMs) | 0,
      leftUs: timer?.armed === true ? Math.max(0, timer.whenUs - nowUs) : -1,
      isUnproven: line !== null,
    },
  };
}

/** @param make an empty one on this device. */
export function thawNeighbour(frozen: Frozen, nowMs: number, make: (ifindex: number) => Neighbour): Thawed {
  const data = frozen.data as unknown as NeighbourData;
  const neighbour = make(data.ifindex);
  neighbour.family = data.family;
  [neighbour.address0, neighbour.address1, neighbour.address2, neighbour.address3] = data.address;
  neighbour.linkAddress.set(data.linkAddress);
  neighbour.state = data.state;
  neighbour.isRouter = data.isRouter;
  neighbour.probes = data.probes;
  neighbour.confirmedMs = (nowMs - data.confirmedAgoMs) | 0;
  neighbour.usedMs = (nowMs - data.usedAgoMs) | 0;
  neighbour.updatedMs = (nowMs - data.updatedAgoMs) | 0;
  return { neighbour, leftUs: data.leftUs, isUnproven: data.isUnproven };
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

import type { AddressWords, DeviceTraffic, Frozen } from '@softnet/contract';
import { ADDRESS_FAMILY, InterfaceAddress, NetError } from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';

/** Layout of {@link freezeAddress}. */
export const FROZEN_ADDRESS = 1;

interface AddressData {
  readonly ifindex: number;
  readonly address: AddressWords;
  readonly prefixLen: number;
  readonly scope: number;
  readonly flags: number;
}

/** An address as plain data for the next generation. */
export function freezeAddress({ device: { ifindex }, address, prefixLen, scope, flags }: InterfaceAddress): Frozen {
  const data = { ifindex, address, prefixLen, scope, flags } satisfies AddressData;
  return { version: FROZEN_ADDRESS, data };
}

/** @throws NetError ENODEV. */
export function thawAddress({ data }: Frozen, traffic: DeviceTraffic): InterfaceAddress {
  const { ifindex, address, prefixLen, scope, flags } = data as unknown as AddressData;
  const device = traffic.byIndex(ifindex);
  if (device === null) throw new NetError('ENODEV', `the address ${formatIpv6(...address)} is on device ${ifindex}, which is not there`);
  const thawed = new InterfaceAddress(ADDRESS_FAMILY.INET6, device, address, prefixLen);
  thawed.scope = scope;
  thawed.flags = flags;
  return thawed;
}

import type { AddressWords, NetDevice } from '@softnet/contract';
import { DEVICE_FLAG, NetError } from '@softnet/contract';
import { isLoopback, isMapped, isMulticast, isUnspecified } from '../machine/address-kind.ts';
import { IPV6_MIN_MTU } from '../machine/output.ts';

/** Why a device cannot have this address; null: it can. */
export function unfit(device: NetDevice, address: AddressWords, prefixLen: number): string | null {
  if (!Number.isInteger(prefixLen) || prefixLen < 0 || prefixLen > 128) return 'a prefix has 0 to 128 bits';
  if (isMulticast(address[0])) return 'that is a group, which is joined, not given';
  if (isUnspecified(...address)) return 'that is no address';
  if (isMapped(address[0], address[1], address[2])) return 'that is an IPv4 address: give it as one';
  if (isLoopback(...address) && (device.flags & DEVICE_FLAG.LOOPBACK) === 0) return 'only the loopback device has it (RFC 4291 §2.5.3)';
  if (device.mtuBytes < IPV6_MIN_MTU) return `its MTU is ${device.mtuBytes}, and IPv6 needs ${IPV6_MIN_MTU} (RFC 8200 §5)`;
  return null;
}

/** The error of `ip addr add`. */
export function refused(code: 'ENODEV' | 'EINVAL' | 'EEXIST' | 'EACCES', text: string, { name }: NetDevice, why: string): NetError {
  return new NetError(code, `${text} cannot be an address of ${name || 'it'}: ${why}`, { syscall: 'address' });
}

import type { InterfaceAddress } from '@softnet/contract';
import { maskOf } from './special-address.ts';

/**
 * The old forms of a broadcast address: all of this subnet, or of any, with zeros where ones should be (RFC 1122 §3.3.6). They are taken, where the
 * frame is to all too, and never sent.
 */
export function isZeroBroadcast(entries: readonly InterfaceAddress[], address: number, ifindex: number): boolean {
  if (address === 0) return true;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const { prefixLen, device } = entry;
    if (device.ifindex !== ifindex || prefixLen >= 31) continue;
    if (((entry.peer ?? entry.address)[3] & maskOf(prefixLen)) === address) return true;
  }
  return false;
}

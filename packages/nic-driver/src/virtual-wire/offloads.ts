import type { Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, SKB_FLAG } from '@softnet/contract';
import { GSO_FEATURES } from '../driver/gso-features.ts';

/** What the option `offloads` switches on. */
export const OFFLOADS: number =
  GSO_FEATURES | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.RX_CHECKSUM | DEVICE_FEATURE.RX_GSO | DEVICE_FEATURE.SCATTER;

/** A device that takes bursts, and checksums that nobody has finished, as they are. */
const TAKES_BURSTS: number = DEVICE_FEATURE.RX_GSO | DEVICE_FEATURE.RX_CHECKSUM;

export function takesBursts(features: number): boolean {
  return (features & TAKES_BURSTS) === TAKES_BURSTS;
}

/** Stands it for several frames? */
export function isBurst({ gsoSize, gsoSegs }: Skb): boolean {
  return gsoSize > 0 && gsoSegs > 1;
}

/** Gives a copy what its receiver has to know of a frame that crosses whole: what is left to be done to it. */
export function copyMarks(to: Skb, from: Skb): void {
  to.gsoSize = from.gsoSize;
  to.gsoSegs = from.gsoSegs;
  to.gsoType = from.gsoType;
  to.flags = from.flags & SKB_FLAG.FIXED_ID;
  if (from.checksum !== CHECKSUM.PARTIAL) return;
  to.checksum = CHECKSUM.PARTIAL;
  // Places are from the head, and the copy has another headroom.
  const startOffset = (from.csum >>> 16) - (from.data - from.head) + (to.data - to.head);
  to.csum = (startOffset << 16) | (from.csum & 0xffff);
}

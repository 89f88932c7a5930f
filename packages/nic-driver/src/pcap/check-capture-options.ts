import { NetError } from '@softnet/contract';
import type { CaptureOptions, RingSize } from './captures.ts';
import { MAX_SNAP_LEN_BYTES } from './running-capture.ts';

const MIN_RING_BYTES = 65_536;
const MAX_RING_BYTES = 2 ** 30;

/** All but the filter, which says itself what is wrong with it. @throws NetError EINVAL, saying which option. */
export function checkCaptureOptions({ device, write, ring, snapLenBytes, epochUs }: CaptureOptions): void {
  const refuse = (option: string, takes: string, got: unknown): NetError =>
    new NetError('EINVAL', `capture: ${option} takes ${takes}, got ${String(got)}`);
  if (write === undefined && ring === undefined) throw refuse('write', 'a function of the bytes, where there is no ring', write);
  if (write !== undefined && typeof write !== 'function') throw refuse('write', 'a function of the bytes', write);
  if (write !== undefined && ring !== undefined) throw refuse('ring', 'the place of write', 'both');
  if (ring !== undefined) checkRing(ring, refuse);
  if (device !== undefined && device !== null && !(device.ifindex > 0))
    throw refuse('device', 'one that is registered, or null', device.name);
  const isLength = Number.isInteger(snapLenBytes) && snapLenBytes! >= 1 && snapLenBytes! <= MAX_SNAP_LEN_BYTES;
  if (snapLenBytes !== undefined && !isLength) throw refuse('snapLenBytes', `1 to ${MAX_SNAP_LEN_BYTES}`, snapLenBytes);
  const isTime = Number.isSafeInteger(epochUs) && epochUs! >= 0;
  if (epochUs !== undefined && !isTime) throw refuse('epochUs', 'whole µs since 1970', epochUs);
}

function checkRing({ maxBytes, maxPackets }: RingSize, refuse: (option: string, takes: string, got: unknown) => NetError): void {
  const isSize = Number.isInteger(maxBytes) && maxBytes! >= MIN_RING_BYTES && maxBytes! <= MAX_RING_BYTES;
  if (maxBytes !== undefined && !isSize) throw refuse('ring.maxBytes', `${MIN_RING_BYTES} to ${MAX_RING_BYTES}`, maxBytes);
  if (maxPackets !== undefined && !(Number.isSafeInteger(maxPackets) && maxPackets >= 1))
    throw refuse('ring.maxPackets', '1 and up', maxPackets);
}

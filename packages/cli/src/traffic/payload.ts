import type { Random } from '@softnet/contract';

/** What is echoed: a sequence number, then bytes that follow from it, so that each can be checked. */

/** Of the sequence number. */
const LEAST_BYTES = 4;
/** Six fragments on Ethernet. */
export const MOST_BYTES = 8000;

/** Most are small, some fill a packet, some are cut into fragments. */
export function chooseLength(random: Random): number {
  const kind = random.below(8);
  const bound = kind === 0 ? MOST_BYTES : kind < 3 ? 1400 : 200;
  return LEAST_BYTES + random.below(bound - LEAST_BYTES);
}

export function writePayload(bytes: Uint8Array, from: number, to: number, sequence: number): void {
  bytes[from] = sequence >>> 24;
  bytes[from + 1] = sequence >>> 16;
  bytes[from + 2] = sequence >>> 8;
  bytes[from + 3] = sequence;
  for (let at = from + LEAST_BYTES; at < to; at++) bytes[at] = patternByte(sequence, at - from);
}

/** -1: it is too short to have one. */
export function readSequence(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < LEAST_BYTES) return -1;
  return ((bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!) >>> 0;
}

/** Bytes that are not as they were sent. */
export function countWrong(bytes: Uint8Array, from: number, to: number, sequence: number): number {
  let wrong = 0;
  for (let at = from + LEAST_BYTES; at < to; at++) if (bytes[at] !== patternByte(sequence, at - from)) wrong++;
  return wrong;
}

function patternByte(sequence: number, at: number): number {
  return (Math.imul(sequence, 31) + Math.imul(at, 7) + (at >>> 8)) & 0xff;
}

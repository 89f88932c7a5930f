import { ERRNO } from '@softnet/contract';

/** No timer waits for longer; nor does Linux count what is beyond its own longest. */
const MAX_WAIT_US = 2 ** 48;

// Values of options as Linux's ABI has them: an int is four bytes, little-endian; a long eight.

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Without a view of the bytes, which would be garbage for each packet. */
export function readInt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The same the other way. */
export function writeInt(bytes: Uint8Array, at: number, int: number): void {
  bytes[at] = int;
  bytes[at + 1] = int >>> 8;
  bytes[at + 2] = int >>> 16;
  bytes[at + 3] = int >>> 24;
}

/** A `struct timeval` or `timespec`: seconds, and a fraction of one in its unit. Neither is negative. */
export function writeTime(bytes: Uint8Array, at: number, seconds: number, fraction: number): void {
  writeInt(bytes, at, seconds % 2 ** 32);
  writeInt(bytes, at + 4, Math.floor(seconds / 2 ** 32));
  writeInt(bytes, at + 8, fraction);
  writeInt(bytes, at + 12, 0);
}

/** Bytes written: as many as there is room for. */
export function putInts(value: Uint8Array, ...ints: readonly number[]): number {
  const lenBytes = Math.min(value.length, 4 * ints.length);
  for (let i = 0; i < lenBytes; i++) value[i] = ints[i >> 2]! >>> (8 * (i & 3));
  return lenBytes;
}

/** A `struct timeval` that says how long somebody waits, in µs; 0: for ever, or longer than timers go; -errno. One that is negative waits not at all. */
export function timeoutUs(value: Uint8Array): number {
  if (value.length < 16) return -ERRNO.EINVAL;
  const view = viewOf(value);
  const seconds = Number(view.getBigInt64(0, true));
  const micros = Number(view.getBigInt64(8, true));
  if (micros < 0 || micros >= 1e6) return -ERRNO.EDOM;
  // The least that can be said: 0 is for ever.
  if (seconds < 0) return 1;
  const waitUs = seconds * 1e6 + micros;
  return waitUs > MAX_WAIT_US ? 0 : waitUs;
}

import type { ControlMessage } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';

// Fields of control messages and options: ints are little-endian as in Linux's ABI, ports and addresses big-endian.

export function putInt(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word & 0xff;
  bytes[at + 1] = (word >>> 8) & 0xff;
  bytes[at + 2] = (word >>> 16) & 0xff;
  bytes[at + 3] = word >>> 24;
}

export function intAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function putPort(bytes: Uint8Array, at: number, port: number): void {
  bytes[at] = port >>> 8;
  bytes[at + 1] = port & 0xff;
}

/** A word in network order. */
export function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = (word >>> 16) & 0xff;
  bytes[at + 2] = (word >>> 8) & 0xff;
  bytes[at + 3] = word & 0xff;
}

export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Four bytes for IPv4, sixteen for IPv6, where an IPv4 address stands in its mapped form. */
export function putAddress(
  bytes: Uint8Array,
  at: number,
  family: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): void {
  if (family === ADDRESS_FAMILY.INET) {
    putWord(bytes, at, word3);
    return;
  }
  putWord(bytes, at, word0);
  putWord(bytes, at + 4, word1);
  putWord(bytes, at + 8, word2);
  putWord(bytes, at + 12, word3);
}

/** An int, or a single byte, as Linux's SOL_IP takes either; null: neither. */
export function optionInt(value: Uint8Array): number | null {
  if (value.length >= 4) return intAt(value, 0);
  return value.length >= 1 ? value[0]! : null;
}

/** Writes an int as Linux's SOL_IP does: into less than four bytes a single one, where that is enough, and else the first of them. Bytes written. */
export function putOptionInt(value: Uint8Array, word: number): number {
  const roomBytes = word >= 0 && word <= 255 && value.length < 4 ? Math.min(1, value.length) : Math.min(4, value.length);
  for (let i = 0; i < roomBytes; i++) value[i] = word >>> (8 * i);
  return roomBytes;
}

/** A `struct cmsghdr`: length, level, type. */
const CONTROL_HEADER_BYTES = 16;

/** Control messages one after the other, as Linux has them in 64 bits: each begins at a multiple of 8, and the last is cut where there is no more room. Bytes written. */
export function putControlMessages(bytes: Uint8Array, first: ControlMessage | null): number {
  let at = 0;
  for (let each = first; each !== null; each = each.next) {
    const roomBytes = bytes.length - at - CONTROL_HEADER_BYTES;
    if (roomBytes < 0) return at;
    const data = each.data.length <= roomBytes ? each.data : each.data.subarray(0, roomBytes);
    const lenBytes = CONTROL_HEADER_BYTES + data.length;
    const end = Math.min((at + lenBytes + 7) & ~7, bytes.length);
    bytes.fill(0, at, end);
    putInt(bytes, at, lenBytes);
    putInt(bytes, at + 8, each.level);
    putInt(bytes, at + 12, each.type);
    bytes.set(data, at + CONTROL_HEADER_BYTES);
    at = end;
  }
  return at;
}

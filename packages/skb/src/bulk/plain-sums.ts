// What vectors.wat does, in TypeScript. RFC 1071: a sum is folded and not inverted, 0 to 0xffff, as the wire package's are.

const WORD = 0x100000000;

/** The sum of the bytes from `offset` to `end`, at most 256 KiB. */
export function plainSum(view: DataView, offset: number, end: number): number {
  // Little-endian words add up in a double, exactly; the result is turned: the carry goes round either way (RFC 1071 §2 B).
  let total = 0;
  let at = offset;
  for (const last = end - 32; at <= last; at += 32) {
    total +=
      view.getUint32(at, true) +
      view.getUint32(at + 4, true) +
      view.getUint32(at + 8, true) +
      view.getUint32(at + 12, true) +
      view.getUint32(at + 16, true) +
      view.getUint32(at + 20, true) +
      view.getUint32(at + 24, true) +
      view.getUint32(at + 28, true);
  }
  for (const last = end - 4; at <= last; at += 4) total += view.getUint32(at, true);
  if (end - at >= 2) {
    total += view.getUint16(at, true);
    at += 2;
  }
  if (at < end) total += view.getUint8(at);
  return foldAndTurn(total);
}

/** Copies `lenBytes`, at most 256 KiB and not overlapping, also from another memory, and returns their sum. Allocates nothing. */
export function plainCopyAndSum(from: DataView, offset: number, to: DataView, at: number, lenBytes: number): number {
  let total = 0;
  let done = 0;
  for (const last = lenBytes - 16; done <= last; done += 16) {
    const source = offset + done;
    const target = at + done;
    const a = from.getUint32(source, true);
    const b = from.getUint32(source + 4, true);
    const c = from.getUint32(source + 8, true);
    const d = from.getUint32(source + 12, true);
    to.setUint32(target, a, true);
    to.setUint32(target + 4, b, true);
    to.setUint32(target + 8, c, true);
    to.setUint32(target + 12, d, true);
    total += a + b + c + d;
  }
  for (; lenBytes - done >= 2; done += 2) {
    const word = from.getUint16(offset + done, true);
    to.setUint16(at + done, word, true);
    total += word;
  }
  if (done < lenBytes) {
    const byte = from.getUint8(offset + done);
    to.setUint8(at + done, byte);
    total += byte;
  }
  return foldAndTurn(total);
}

/** Two sums as one. */
export function addSums(a: number, b: number): number {
  return fold(a + b);
}

/** A sum of bytes as it counts when they begin at an odd place of the whole. */
export function turn(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

function fold(sum: number): number {
  return (sum & 0xffff) + (sum >>> 16);
}

function foldAndTurn(total: number): number {
  const low = total >>> 0;
  // Less than 2^18, so that folding twice is enough.
  return turn(fold(fold((low & 0xffff) + (low >>> 16) + ((total / WORD) | 0))));
}

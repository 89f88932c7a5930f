/**
 * Copies between memories, word by word, and allocates nothing: `Uint8Array.set` of a part of an array wants a view of it, 96 bytes
 * of garbage for each packet. A quarter slower than that at 256 bytes, three times at 1,400 (README.md).
 */
export function copyWords(to: DataView, at: number, from: DataView, offset: number, lenBytes: number): void {
  let done = 0;
  for (const last = lenBytes - 16; done <= last; done += 16) {
    // Loads before stores: a tenth faster, as the processor need not ask whether they overlap.
    const a = from.getInt32(offset + done, true);
    const b = from.getInt32(offset + done + 4, true);
    const c = from.getInt32(offset + done + 8, true);
    const d = from.getInt32(offset + done + 12, true);
    to.setInt32(at + done, a, true);
    to.setInt32(at + done + 4, b, true);
    to.setInt32(at + done + 8, c, true);
    to.setInt32(at + done + 12, d, true);
  }
  for (; done < lenBytes; done++) to.setUint8(at + done, from.getUint8(offset + done));
}

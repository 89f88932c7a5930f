/** Below this, a loop is faster than a call of `set` with the view that it wants. Measured: see README.md. */
const LOOP_BYTES = 32;

/** Copies bytes. A part of an array that is longer than some bytes costs a view of it; a whole one does not, nor does a copy within one memory. */
export function copyBytes(target: Uint8Array, at: number, source: Uint8Array, from: number, lenBytes: number): void {
  if (target === source) target.copyWithin(at, from, from + lenBytes);
  else if (lenBytes === source.length) target.set(source, at);
  else if (lenBytes <= LOOP_BYTES) for (let i = 0; i < lenBytes; i++) target[at + i] = source[from + i]!;
  else target.set(source.subarray(from, from + lenBytes), at);
}

/** The octet at place `at` of a stream that is known by its number: what came is checked without keeping what was sent. */
function octetAt(stream: number, at: number): number {
  const mixed = Math.imul(at ^ (stream << 7), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) & 0xff;
}

export function fillStream(into: Uint8Array, stream: number, at: number): void {
  for (let i = 0; i < into.length; i++) into[i] = octetAt(stream, at + i);
}

/** Where the first octet stands that is not the stream's; -1: all are. */
export function firstWrong(bytes: Uint8Array, lenBytes: number, stream: number, at: number): number {
  for (let i = 0; i < lenBytes; i++) if (bytes[i] !== octetAt(stream, at + i)) return at + i;
  return -1;
}

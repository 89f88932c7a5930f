/** One more word into a keyed hash of 32 bits. */
export function mixHash(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1 | 0);
  return (mixed << 13) | (mixed >>> 19);
}

/** The first `bits` of a word; fewer than 1: none, more than 31: all. */
export function maskOf(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : ~(0xffffffff >>> bits);
}

/** How many bits are set: by adding neighbours. */
export function popCount(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** How many of the first `most` bits of the key at `at` and another are the same. @param wide four words, else one. */
export function commonBits(
  words: Int32Array,
  at: number,
  wide: boolean,
  key0: number,
  key1: number,
  key2: number,
  key3: number,
  most: number,
): number {
  let common = Math.clz32(words[at]! ^ key0);
  if (wide) {
    if (common === 32) common += Math.clz32(words[at + 1]! ^ key1);
    if (common === 64) common += Math.clz32(words[at + 2]! ^ key2);
    if (common === 96) common += Math.clz32(words[at + 3]! ^ key3);
  }
  return Math.min(common, most);
}

/** Whether the first `bits` of the four words at `at` are those of an address. */
export function agrees(words: Int32Array, at: number, bits: number, word0: number, word1: number, word2: number, word3: number): boolean {
  if (bits === 0) return true;
  if (bits <= 32) return (words[at]! ^ word0) >>> (32 - bits) === 0;
  if (words[at] !== word0) return false;
  if (bits <= 64) return (words[at + 1]! ^ word1) >>> (64 - bits) === 0;
  if (words[at + 1] !== word1) return false;
  if (bits <= 96) return (words[at + 2]! ^ word2) >>> (96 - bits) === 0;
  return words[at + 2] === word2 && (words[at + 3]! ^ word3) >>> (128 - bits) === 0;
}

/** The eight bits from `from` on, a multiple of eight. */
export function octetAt(from: number, word0: number, word1: number, word2: number, word3: number): number {
  const word = from < 64 ? (from < 32 ? word0 : word1) : from < 96 ? word2 : word3;
  return (word >>> (24 - (from & 31))) & 0xff;
}

/** The 32 bits from `from` on, a multiple of eight; zeros behind the last. */
export function wordAt(from: number, word0: number, word1: number, word2: number, word3: number): number {
  const shift = from & 31;
  if (from < 64) {
    if (from < 32) return shift === 0 ? word0 : (word0 << shift) | (word1 >>> (32 - shift));
    return shift === 0 ? word1 : (word1 << shift) | (word2 >>> (32 - shift));
  }
  if (from < 96) return shift === 0 ? word2 : (word2 << shift) | (word3 >>> (32 - shift));
  return word3 << shift;
}

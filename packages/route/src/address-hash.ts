/**
 * A hash of four address words and one more, int32: murmur's mixing, seeded, so that who chooses addresses cannot choose
 * buckets.
 */
export function hashWords(seed: number, word0: number, word1: number, word2: number, word3: number, salt: number): number {
  let hash = mix(seed, word0);
  hash = mix(hash, word1);
  hash = mix(hash, word2);
  hash = mix(hash, word3);
  hash = mix(hash, salt);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593) ^ hash;
  mixed = (mixed << 13) | (mixed >>> 19);
  return (Math.imul(mixed, 5) + 0xe6546b64) | 0;
}

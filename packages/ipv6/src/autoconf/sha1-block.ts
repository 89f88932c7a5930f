const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;
const ROUNDS = 80;
const WORDS = 16;

/**
 * One step of SHA-1 (FIPS 180-4 §6.1.2) from its first state: 16 words in, 5 out, all int32. RFC 7217 wants a function that nobody can
 * turn round without the secret; by this one Linux's addresses are ours.
 */
export function sha1Block(block: Int32Array): Int32Array {
  const schedule = new Int32Array(ROUNDS);
  schedule.set(block.subarray(0, WORDS));
  for (let i = WORDS; i < ROUNDS; i++) {
    schedule[i] = rotate(schedule[i - 3]! ^ schedule[i - 8]! ^ schedule[i - 14]! ^ schedule[i - 16]!, 1);
  }
  let [a, b, c, d, e]: [number, number, number, number, number] = [...START];
  for (let i = 0; i < ROUNDS; i++) {
    const next: number = (rotate(a, 5) + mixed(i, b, c, d) + e + schedule[i]!) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  return Int32Array.of(START[0] + a, START[1] + b, START[2] + c, START[3] + d, START[4] + e);
}

function mixed(round: number, b: number, c: number, d: number): number {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

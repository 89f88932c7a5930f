/** Many prefixes, one after the other: `stride` words of the prefix (one for IPv4, four for IPv6), in parallel arrays with the rest. */
export interface PrefixList {
  readonly count: number;
  readonly stride: 1 | 4;
  readonly words: Int32Array;
  readonly lens: Uint8Array;
  /** Number of its next hop, from 0. */
  readonly hops: Uint16Array;
}

/** How many next hops a table has: a router with that many peers. */
export const NEXT_HOPS = 256;

/** Share of prefixes by length, in a thousand: as the Internet's tables have it (in rough figures of 2024). */
const SHARES_V4 = { 24: 590, 23: 98, 22: 112, 21: 52, 20: 46, 19: 27, 18: 15, 17: 9, 16: 14, 15: 3, 14: 3, 13: 2, 12: 1, 32: 18, 28: 10 };
const SHARES_V6 = {
  48: 470,
  47: 30,
  46: 35,
  45: 20,
  44: 100,
  42: 25,
  40: 85,
  38: 15,
  36: 50,
  35: 10,
  34: 12,
  33: 18,
  32: 95,
  29: 30,
  64: 5,
};

/** First octets of what is in use of IPv6's 2000::/3, by its registries. */
const REGISTRIES_V6 = [
  0x2001, 0x2400, 0x2401, 0x2402, 0x2403, 0x2404, 0x2406, 0x2407, 0x2600, 0x2602, 0x2604, 0x2605, 0x2607, 0x2620, 0x2800,
];
const MORE_REGISTRIES_V6 = [
  0x2801, 0x2803, 0x2804, 0x2806, 0x2a00, 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a0a, 0x2a0e, 0x2a10, 0x2c0f,
];

/** Numbers from a seed: 32 bits each (a counter, mixed). */
function numbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/** A length for each draw of a thousand. */
function lengthsOf(shares: Readonly<Record<number, number>>): number[] {
  return Object.entries(shares).flatMap(([len, share]) => new Array<number>(share).fill(Number(len)));
}

/** Different prefixes with the lengths of the Internet's, gathered in blocks as registries give them, of which most have one next hop. */
export function internetPrefixes(family: 4 | 6, count: number, seed: number): PrefixList {
  const stride = family === 4 ? 1 : 4;
  const list = { count, stride, words: new Int32Array(count * stride), lens: new Uint8Array(count), hops: new Uint16Array(count) } as const;
  const next = numbers(seed);
  const lengths = lengthsOf(family === 4 ? SHARES_V4 : SHARES_V6);
  const blocks = family === 4 ? blocksV4(next, count >> 4) : blocksV6(next, count >> 2);
  const seen = new Set<number | bigint>();
  for (let i = 0; i < count; ) {
    const block = blocks[next() % blocks.length]!;
    const len = Math.max(block.len, lengths[next() % lengths.length]!);
    const word0 = within(block.word0, block.len, len, next());
    const word1 = family === 4 ? 0 : within(block.word1, block.len - 32, len - 32, next());
    const key = family === 4 ? (word0 >>> 0) * 64 + len : (BigInt(word0 >>> 0) << 40n) | (BigInt(word1 >>> 0) << 8n) | BigInt(len);
    if (seen.has(key)) continue;
    seen.add(key);
    list.words[i * stride] = word0;
    if (family === 6) list.words[i * stride + 1] = word1;
    list.lens[i] = len;
    list.hops[i] = (next() & 7) === 0 ? next() % NEXT_HOPS : block.hop;
    i++;
  }
  return list;
}

interface Block {
  readonly word0: number;
  readonly word1: number;
  readonly len: number;
  readonly hop: number;
}

/** From 1.0.0.0 to 223.255.255.255, without 10/8 and 127/8: of /14 to /20. */
function blocksV4(next: () => number, count: number): Block[] {
  return Array.from({ length: count }, () => {
    let octet = 1 + (next() % 223);
    if (octet === 10 || octet === 127) octet++;
    const len = 14 + (next() % 7);
    return { word0: ((octet << 24) | (next() & 0xffffff)) & maskOf(len), word1: 0, len, hop: next() % NEXT_HOPS };
  });
}

function blocksV6(next: () => number, count: number): Block[] {
  const registries = [...REGISTRIES_V6, ...MORE_REGISTRIES_V6];
  return Array.from({ length: count }, () => {
    const len = (next() & 3) === 0 ? 29 : 32;
    const word0 = ((registries[next() % registries.length]! << 16) | (next() & 0x1fff)) & maskOf(len);
    return { word0, word1: 0, len, hop: next() % NEXT_HOPS };
  });
}

/** The word with other bits between two lengths. */
function within(word: number, from: number, to: number, random: number): number {
  return (word & maskOf(from)) | (random & ~maskOf(from) & maskOf(to));
}

/** The first `bits` of a word; fewer than 1: none, more than 31: all. */
function maskOf(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : ~(0xffffffff >>> bits);
}

/**
 * Addresses to look up, `stride` words each. `random`: any, each prefix as likely as the others; `skewed`: a few are most of the traffic (Zipf's law,
 * exponent 1, over the prefixes), as it is on the Internet.
 */
export function addressesIn(list: PrefixList, count: number, traffic: 'random' | 'skewed', seed: number): Int32Array {
  const { stride } = list;
  const addresses = new Int32Array(count * stride);
  const next = numbers(seed);
  for (let i = 0; i < count; i++) {
    // By the inverse of the logarithm, which the sum of 1/rank comes near.
    const prefix = traffic === 'random' ? next() % list.count : Math.floor(list.count ** (next() / 0x100000000)) % list.count;
    for (let word = 0; word < stride; word++) {
      const bits = list.lens[prefix]! - 32 * word;
      addresses[i * stride + word] = list.words[prefix * stride + word]! | (next() & ~maskOf(bits));
    }
  }
  return addresses;
}

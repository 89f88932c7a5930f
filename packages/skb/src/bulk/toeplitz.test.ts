import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makePool } from '../make-pool.ts';
import { TOEPLITZ_MAX_BYTES, Toeplitz } from './toeplitz.ts';
import { VectorToeplitz } from './vector-toeplitz.ts';

const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));

/** "Verifying the RSS Hash Calculation", Windows hardware documentation: its key. */
const KEY = hex('6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa');

/** The same page: destination, its port, source, its port; the hash of the addresses, and with ports. */
const IPV4: readonly (readonly [string, number, string, number, number, number])[] = [
  ['161.142.100.80', 1766, '66.9.149.187', 2794, 0x323e8fc2, 0x51ccc178],
  ['65.69.140.83', 4739, '199.92.111.2', 14230, 0xd718262a, 0xc626b0ea],
  ['12.22.207.184', 38024, '24.19.198.95', 12898, 0xd2d0a5de, 0x5c2b394a],
  ['209.142.163.6', 2217, '38.27.205.30', 48228, 0x82989176, 0xafc7327f],
  ['202.188.127.2', 1303, '153.39.163.191', 44251, 0x5d1809c5, 0x10e828a2],
];
const IPV6: typeof IPV4 = [
  ['3ffe:2501:200:3::1', 1766, '3ffe:2501:200:1fff::7', 2794, 0x2cc18cd5, 0x40207d3d],
  ['ff02::1', 4739, '3ffe:501:8::260:97ff:fe40:efab', 14230, 0x0f0c461c, 0xdde51bbf],
  ['fe80::200:f8ff:fe21:67cf', 38024, '3ffe:1900:4545:3:200:f8ff:fe21:67cf', 44251, 0x4b61e985, 0x02d1feef],
];

const ipv4 = (text: string): Uint8Array => Uint8Array.from(text.split('.').map(Number));

function ipv6(text: string): Uint8Array {
  const [before, after] = text.split('::').map((half) => half.split(':').map((group) => Number.parseInt(group, 16)));
  const gap = after === undefined ? [] : new Array<number>(8 - before!.length - after.length).fill(0);
  return Uint8Array.from([...before!, ...gap, ...(after ?? [])].flatMap((group) => [group >> 8, group & 0xff]));
}

function join(src: Uint8Array, dst: Uint8Array, srcPort: number, dstPort: number): Uint8Array {
  return Uint8Array.from([...src, ...dst, srcPort >> 8, srcPort & 0xff, dstPort >> 8, dstPort & 0xff]);
}

const word = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer).getInt32(at);

/** The definition: the key is shifted by a bit for each bit of the input. */
function bitByBit(key: Uint8Array, input: Uint8Array): number {
  let rest = BigInt(`0x${Buffer.from(key).toString('hex')}`);
  let hash = 0n;
  for (const byte of input) {
    for (let bit = 7; bit >= 0; bit--) {
      if (((byte >> bit) & 1) === 1) hash ^= (rest >> 288n) & 0xffffffffn;
      rest = (rest << 1n) & ((1n << 320n) - 1n);
    }
  }
  return Number(hash) | 0;
}

function ofBytes(toeplitz: Toeplitz, input: Uint8Array): number {
  return toeplitz.ofBytes(new DataView(input.buffer, input.byteOffset), 0, input.length);
}

function ofWords(toeplitz: Toeplitz, input: Uint8Array): number {
  const w = (at: number) => word(input, at);
  const port = (at: number) => w(at) >>> 16;
  switch (input.length) {
    case 8:
      return toeplitz.ofIpv4(w(0), w(4));
    case 12:
      return toeplitz.ofIpv4Ports(w(0), w(4), port(8), w(8) & 0xffff);
    case 32:
      return toeplitz.ofIpv6(w(0), w(4), w(8), w(12), w(16), w(20), w(24), w(28));
    default:
      return toeplitz.ofIpv6(w(0), w(4), w(8), w(12), w(16), w(20), w(24), w(28)) ^ toeplitz.ofIpv6Ports(port(32), w(32) & 0xffff);
  }
}

const pool = makePool();

/** In packet memory, in place. Its last bytes lie at `at` of a page. */
function byVectors(key: Uint8Array, input: Uint8Array, at: number): number {
  const vectors = VectorToeplitz.make(key, pool)!;
  const page = pool.page(4096)!;
  page.memory.bytes.fill(0xff, page.offset, page.offset + 4096);
  page.memory.bytes.set(input, page.offset + at);
  const hash = vectors.ofBytes(page.offset + at, input.length);
  page.source.release(page);
  vectors.release();
  return hash;
}

describe('Toeplitz', () => {
  const toeplitz = new Toeplitz(KEY);

  it.each([...IPV4, ...IPV6])('verifies: %s:%i from %s:%i', (dst, dstPort, src, srcPort, addresses, withPorts) => {
    const bytesOf = dst.includes(':') ? ipv6 : ipv4;
    const input = join(bytesOf(src), bytesOf(dst), srcPort, dstPort);
    const bare = input.slice(0, -4);
    for (const [bytes, hash] of [
      [bare, addresses | 0],
      [input, withPorts | 0],
    ] as const) {
      expect(ofBytes(toeplitz, bytes)).toBe(hash);
      expect(ofWords(toeplitz, bytes)).toBe(hash);
      expect(byVectors(KEY, bytes, 14)).toBe(hash);
    }
  });

  it('is what the definition says, of bytes, of words, and by vectors', () => {
    const key = fc.uint8Array({ minLength: 40, maxLength: 40 });
    const input = fc.constantFrom(8, 12, 32, 36).chain((lenBytes) => fc.uint8Array({ minLength: lenBytes, maxLength: lenBytes }));
    fc.assert(
      fc.property(key, input, fc.nat(20), (keyBytes, bytes, at) => {
        const made = new Toeplitz(keyBytes);
        const among = new Uint8Array(at + bytes.length + 5).fill(0xff);
        among.set(bytes, at);
        const hash = bitByBit(keyBytes, bytes);
        expect([made.ofBytes(new DataView(among.buffer), at, bytes.length), ofWords(made, bytes), byVectors(keyBytes, bytes, at)]).toEqual([
          hash,
          hash,
          hash,
        ]);
      }),
    );
  });

  it('hashes bytes of every length', () => {
    const bytes = Uint8Array.from({ length: TOEPLITZ_MAX_BYTES }, (_, i) => i * 37 + 200);
    for (let lenBytes = 0; lenBytes <= bytes.length; lenBytes++) {
      const hash = bitByBit(KEY, bytes.subarray(0, lenBytes));
      expect(ofBytes(toeplitz, bytes.subarray(0, lenBytes))).toBe(hash);
      if (lenBytes > 0 && lenBytes % 4 === 0) expect(byVectors(KEY, bytes.subarray(0, lenBytes), 1)).toBe(hash);
    }
  });

  it('keeps a copy of its key', () => {
    const key = KEY.slice();
    const made = new Toeplitz(key);
    key.fill(0);
    expect(made.ofIpv4(1, 2)).toBe(toeplitz.ofIpv4(1, 2));
  });

  it('wants 40 bytes of key', () => {
    for (const make of [() => new Toeplitz(KEY.subarray(1)), () => VectorToeplitz.make(KEY.subarray(1), pool)]) {
      expect(make).toThrow(/^EINVAL: .*40 bytes.*39/);
    }
  });

  it('by vectors gives its page back, and takes none where there are no vectors', () => {
    const plain = makePool(undefined, undefined, { vectors: false });
    expect(VectorToeplitz.make(KEY, plain)).toBeNull();
    const none = makePool({ buffers: 1, pages: 0 });
    expect(VectorToeplitz.make(KEY, none)).toBeNull();
    expect([pool.idle, plain.idle, none.idle]).toEqual([true, true, true]);
  });
});

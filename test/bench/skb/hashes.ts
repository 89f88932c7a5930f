import { makePool, Toeplitz, VectorToeplitz } from '@softnet/skb';
import type { Loop } from '../span.ts';

const KEY = Uint8Array.from({ length: 40 }, (_, i) => i * 37 + 11);
/** Flows that are hashed in turn, where their addresses and ports lie: a power of two. */
const FLOWS = 1024;
const FLOW_BYTES = 64;

function pageOf() {
  const pool = makePool({ buffers: 1, pages: (FLOWS * FLOW_BYTES) / 4096 + 1 });
  const { memory, offset } = pool.page(1)!;
  for (let i = 0; i < FLOWS * FLOW_BYTES; i++) memory.bytes[offset + i] = (i * i) >> 3;
  return { pool, memory, offset };
}

/** Words are read from a packet, as a driver does it that knows where they lie, and hashed. */
export function hashLoop(ipv6: boolean): Loop {
  const { memory, offset } = pageOf();
  const { view } = memory;
  const toeplitz = new Toeplitz(KEY);
  const word = (at: number): number => view.getInt32(at);
  const port = (at: number): number => view.getUint16(at);
  const ofIpv4 = (at: number): number => toeplitz.ofIpv4Ports(word(at), word(at + 4), port(at + 8), port(at + 10));
  const ofIpv6 = (at: number): number => {
    const addresses = toeplitz.ofIpv6(
      word(at),
      word(at + 4),
      word(at + 8),
      word(at + 12),
      word(at + 16),
      word(at + 20),
      word(at + 24),
      word(at + 28),
    );
    return addresses ^ toeplitz.ofIpv6Ports(port(at + 32), port(at + 34));
  };
  return loopOf(offset, ipv6 ? ofIpv6 : ofIpv4);
}

/** In place, by the same tables. */
export function bytesHashLoop(ipv6: boolean): Loop {
  const { memory, offset } = pageOf();
  const toeplitz = new Toeplitz(KEY);
  const lenBytes = ipv6 ? 36 : 12;
  return loopOf(offset, (at) => toeplitz.ofBytes(memory.view, at, lenBytes));
}

/** By vector instructions, in place. */
export function vectorHashLoop(ipv6: boolean): Loop {
  const { pool, offset } = pageOf();
  const vectors = VectorToeplitz.make(KEY, pool)!;
  const lenBytes = ipv6 ? 36 : 12;
  return loopOf(offset, (at) => vectors.ofBytes(at, lenBytes));
}

/** As Microsoft's page defines it: for each bit, with the key shifted by one. */
export function bitByBitLoop(ipv6: boolean): Loop {
  const { memory, offset } = pageOf();
  const { bytes } = memory;
  const lenBytes = ipv6 ? 36 : 12;
  return loopOf(offset, (at) => {
    let hash = 0;
    let window = (KEY[0]! << 24) | (KEY[1]! << 16) | (KEY[2]! << 8) | KEY[3]!;
    for (let i = 0; i < lenBytes; i++) {
      const byte = bytes[at + i]!;
      const next = KEY[i + 4]!;
      for (let bit = 7; bit >= 0; bit--) {
        if (((byte >> bit) & 1) === 1) hash ^= window;
        window = (window << 1) | ((next >> bit) & 1);
      }
    }
    return hash;
  });
}

function loopOf(offset: number, hash: (at: number) => number): Loop {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += hash(offset + (i & (FLOWS - 1)) * FLOW_BYTES);
    return sum;
  };
}

import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, it } from 'vitest';
import { copyAndSum, sumOf } from '../checksum.ts';
import { put } from '../edit.ts';
import { makePool } from '../make-pool.ts';
import { SkbReader } from '../reader.ts';
import { Toeplitz } from './toeplitz.ts';
import { VectorToeplitz } from './vector-toeplitz.ts';

const pool = makePool();
const other = makePool();
const skb = pool.alloc(0, 2000)!;
put(skb, 2000);
const page = pool.page(4096)!;
const foreign = other.page(4096)!;
const reader = new SkbReader();
const key = Uint8Array.from({ length: 40 }, (_, i) => i * 37);
const toeplitz = new Toeplitz(key);
const vectors = VectorToeplitz.make(key, pool)!;

/** Hashes are kept here, as they need not be small integers. */
const hashes = new Int32Array(1);

const works: Readonly<Record<string, (call: number) => void>> = {
  'a sum': () => {
    reader.open(skb, 3);
    sumOf(reader);
  },
  'a copy within the memory, summed': () => {
    reader.open(skb, 3);
    copyAndSum(reader, page.memory, page.offset);
  },
  'a copy to another memory, summed': () => {
    reader.open(skb, 3);
    copyAndSum(reader, foreign.memory, foreign.offset);
  },
  'a hash of words': (call) => {
    hashes[0] = toeplitz.ofIpv4Ports(call, -call, 80, 443);
  },
  'a hash of bytes': (call) => {
    hashes[0] = toeplitz.ofBytes(skb.memory.view, skb.data + (call & 63), 36);
  },
  'a hash by vectors': (call) => {
    hashes[0] = vectors.ofBytes(skb.data + (call & 63), 36);
  },
};

describe('once warm', () => {
  it.each(Object.entries(works))('nothing is allocated: %s', (_name, act) => {
    expect(heapPerCall(1, act)).toBeLessThan(1);
  });
});

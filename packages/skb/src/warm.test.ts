import type { Fragment } from '@softnet/contract';
import { Skb } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, it, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { sumOf } from './checksum.ts';
import { DEBUG } from './debug.ts';
import { appendFragment, cutFront, pull, push, put, split } from './edit.ts';
import { copyIn, gather } from './gather.ts';
import { makePool } from './make-pool.ts';
import { SkbReader } from './reader.ts';
import { FRAGMENT_BYTES, SKB_BYTES } from './records.ts';

const KEPT = 100_000;
const payload = new Uint8Array(1400).fill(0xab);
const big = new Uint8Array(9000).fill(0xcd);
const reader = new SkbReader();
const pool = makePool({ buffers: 64, pages: 64 });

function median(figures: readonly number[]): number {
  expect(figures.length).toBeGreaterThan(0);
  return figures.toSorted((a, b) => a - b)[figures.length >> 1]!;
}

/** Bytes that each of many things keeps. */
function keptEach(make: () => unknown): number {
  return median(Array.from({ length: 5 }, () => keep(make)));
}

/** Objects are of whole words; what is over is V8's. */
function words(bytes: number): number {
  return 8 * Math.round(bytes / 8);
}

function keep(make: () => unknown): number {
  const kept = new Array<unknown>(KEPT).fill(null);
  globalThis.gc!();
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < KEPT; i++) kept[i] = make();
  globalThis.gc!();
  globalThis.gc!();
  const bytes = (process.memoryUsage().heapUsed - before) / KEPT;
  expect(kept.includes(null)).toBe(false);
  return bytes;
}

const works: Readonly<Record<string, () => void>> = {
  'alloc, fill, free': () => {
    const skb = pool.alloc(64, 1400)!;
    skb.memory.bytes.set(payload, put(skb, 1400));
    push(skb, 8);
    skb.transport = skb.data;
    pull(skb, 8);
    pool.release(skb);
  },
  'alloc with pages, sum, gather, free': () => {
    const skb = pool.alloc(64, 0)!;
    put(skb, 1);
    for (let i = 0; i < 2; i++) appendFragment(skb, pool.page(4000)!);
    reader.open(skb);
    sumOf(reader);
    gather(skb, 100);
    pool.release(skb);
  },
  'clone, room, split, free': () => {
    const skb = pool.alloc(64, 100)!;
    put(skb, 100);
    appendFragment(skb, pool.page(1000)!);
    const clone = pool.clone(skb)!;
    pool.makeRoom(clone, 100, 0);
    const rest = split(skb, 200)!;
    cutFront(clone, 500);
    for (let each = 0; each < 3; each++) pool.release(each === 0 ? skb : each === 1 ? clone : rest);
  },
};

describe('once warm', () => {
  it('is what users run', () => expect(DEBUG).toBe(false));

  it.each(Object.entries(works))('nothing is allocated: %s', (_name, act) => {
    expect(heapPerCall(1, act)).toBeLessThan(1);
    expect(pool.idle).toBe(true);
  });

  it('the measure sees an allocation', () => {
    const kept: object[] = [];
    const allocate = (): void => {
      kept[0] = { a: 1 };
    };
    expect(heapPerCall(8, allocate)).toBeGreaterThan(8);
  });

  it('bounds are free, and so unchecked', () => {
    const skb = pool.alloc(0, 10)!;
    expect(push(skb, 5)).toBe(skb.head - 5);
    pool.release(skb);
    expect(() => pool.release(skb)).toThrow('freed twice');
  });

  it('a packet that is copied in on pages costs a view of the source for each, and nothing else', () => {
    const perCall = heapPerCall(3 * 200, () => {
      const skb = pool.alloc(0, 2048)!;
      copyIn(skb, big);
      pool.release(skb);
    });
    expect(perCall).toBeLessThan(3 * 200);
  });
});

describe('what a record takes (README.md has it beside Linux)', () => {
  it('is what truesize says', () => {
    expect(words(keptEach(() => new Skb(pool.memory)))).toBe(SKB_BYTES);
    const fragment = pool.page(1)!;
    const Record = fragment.constructor as new (...args: unknown[]) => Fragment;
    expect(words(keptEach(() => new Record(pool.memory, fragment.source)))).toBe(FRAGMENT_BYTES);
    fragment.source.release(fragment);
  });
});

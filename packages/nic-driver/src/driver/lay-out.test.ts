import { makePool, RECEIVE_HEADROOM_BYTES, SkbReader, trim } from '@softnet/skb';
import { describe, expect, it } from 'vitest';
import { layOutFrame } from './lay-out.ts';

const sizes = [0, 1, 60, 1514, 1981, 1982, 1983, 6078, 6079, 9014, 65_550];

describe('layOutFrame', () => {
  it.each(sizes)('has room for %i bytes, which are read where they were written', (lenBytes) => {
    const pool = makePool({ buffers: 8, pages: 32 });
    const skb = layOutFrame(pool, lenBytes)!;
    expect([skb.len, skb.data - skb.head, skb.mac]).toEqual([lenBytes, RECEIVE_HEADROOM_BYTES, skb.data]);
    let at = 0;
    const fill = (bytes: Uint8Array, offset: number, count: number): void => {
      for (let i = 0; i < count; i++) bytes[offset + i] = (at++ * 7) & 0xff;
    };
    fill(skb.memory.bytes, skb.data, skb.tail - skb.data);
    for (let each = skb.fragments; each !== null; each = each.next) fill(each.memory.bytes, each.offset, each.lenBytes);
    const read = new Uint8Array(lenBytes);
    const reader = new SkbReader();
    if (reader.open(skb)) reader.copyOut(read);
    expect(read.findIndex((byte, i) => byte !== ((i * 7) & 0xff))).toBe(-1);
    pool.release(skb);
    expect([pool.usage.skbsOut, pool.usage.buffersIdle, pool.usage.pagesIdle]).toEqual([0, 8, 32]);
  });

  it('gives pages back that a shorter frame leaves', () => {
    const pool = makePool({ buffers: 8, pages: 32 });
    const skb = layOutFrame(pool, 65_540)!;
    trim(skb, 100);
    expect([skb.len, skb.fragments, pool.usage.pagesIdle]).toEqual([100, null, 32]);
    pool.release(skb);
  });

  it.each([0, 1, 15])('gives all back where only %i pages are left', (pages) => {
    const pool = makePool({ buffers: 8, pages: Math.max(pages, 1) });
    const kept = pages === 0 ? pool.page(1) : null;
    expect(layOutFrame(pool, 65_540)).toBeNull();
    kept?.source.release(kept);
    expect([pool.usage.skbsOut, pool.usage.pagesIdle]).toEqual([0, Math.max(pages, 1)]);
  });
});

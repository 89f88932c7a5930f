import type { Skb } from '@softnet/contract';
import { Fragment as FragmentRecord, SKB_SLOTS, Skb as SkbRecord } from '@softnet/contract';
import { describe, expect, it, vi } from 'vitest';
import { PoolAccount } from './account.ts';
import { appendFragment, headroom, put, tailroom } from './edit.ts';
import { copyIn } from './gather.ts';
import { makePool } from './make-pool.ts';
import { PacketPool } from './pool.ts';
import { SKB_BYTES } from './records.ts';
import { BUFFER_BYTES, PAGE_BYTES, Slabs } from './slabs.ts';
import { Stock } from './stock.ts';

/** A pool, and what it counts. */
function counted(buffers: number, pages: number) {
  const account = new PoolAccount(null);
  const pool = new PacketPool('test', new Stock(new Slabs({ buffers, pages })), account);
  return { account, pool };
}

const NONE = new SkbRecord(makePool().memory);
const fields = (skb: Skb): Record<string, unknown> => ({ ...skb });

/** Every field but these has its initial value. */
function expectFresh(skb: Skb): void {
  const { memory, head, data, tail, end, truesize, slots, ...rest } = fields(skb);
  const initial = fields(NONE);
  for (const [name, value] of Object.entries(rest)) expect([name, value]).toEqual([name, initial[name]]);
  expect(slots === null || (slots as unknown[]).every((slot) => slot === null)).toBe(true);
}

/** Writes to every field. */
function soil(skb: Skb): void {
  for (const [name, value] of Object.entries(fields(skb))) {
    if (typeof value === 'number' && !['head', 'data', 'tail', 'end', 'len'].includes(name)) Object.assign(skb, { [name]: 7 });
  }
  skb.mac = skb.data;
  skb.network = skb.data;
  skb.transport = skb.data;
  skb.slots = new Array(SKB_SLOTS).fill('a value');
}

describe('alloc', () => {
  it.each([
    [0, 0, BUFFER_BYTES],
    [64, 1500, BUFFER_BYTES],
    [48, BUFFER_BYTES - 48, BUFFER_BYTES],
    [48, BUFFER_BYTES - 47, PAGE_BYTES],
    [PAGE_BYTES, 0, PAGE_BYTES],
  ])('of %i and %i bytes gives them in a buffer of %i', (headroomBytes, lenBytes, size) => {
    const { pool } = counted(3, 3);
    const skb = pool.alloc(headroomBytes, lenBytes)!;
    expectFresh(skb);
    expect([headroom(skb), skb.tail - skb.data, skb.end - skb.head]).toEqual([headroomBytes, 0, size]);
    expect(tailroom(skb)).toBeGreaterThanOrEqual(lenBytes);
    expect(skb.truesize).toBe(size + SKB_BYTES);
    expect(skb.head % size).toBe(0);
    expect(skb.memory.pool).toBe(pool);
  });

  it('gives a recycled packet as fresh as the first, its slots empty', () => {
    const { pool } = counted(1, 0);
    const skb = pool.alloc(10, 10)!;
    soil(skb);
    put(skb, 10);
    pool.release(skb);
    const again = pool.alloc(20, 20)!;
    expect(again).toBe(skb);
    expect(again.slots).toHaveLength(SKB_SLOTS);
    expectFresh(again);
  });

  it('never hands out a byte twice', () => {
    const { pool } = counted(20, 20);
    const spans: [number, number][] = [];
    for (let i = 0; i < 10; i++) {
      const small = pool.alloc(0, 2000)!;
      const page = pool.alloc(0, 4000)!;
      const fragment = pool.page(1)!;
      spans.push([small.head, small.end], [page.head, page.end], [fragment.offset, fragment.offset + PAGE_BYTES]);
      expect(fragment.offset % PAGE_BYTES).toBe(0);
    }
    spans.sort(([a], [b]) => a - b);
    for (let i = 1; i < spans.length; i++) expect(spans[i]![0]).toBeGreaterThanOrEqual(spans[i - 1]![1]);
    expect(spans.at(-1)![1]).toBeLessThanOrEqual(pool.memory.bytes.length);
  });
});

describe('exhaustion is null, counted under its reason, and over when something comes back', () => {
  it.each(['noBuffer', 'noPage', 'tooBig', 'noRecord'] as const)('%s', (what) => {
    const { account, pool } = counted(what === 'noPage' ? 4 : 1, 1);
    const out: Skb[] = [];
    const attempt = {
      noBuffer: () => pool.alloc(0, 10),
      noPage: () => pool.alloc(0, BUFFER_BYTES + 1),
      tooBig: () => pool.alloc(PAGE_BYTES, 1),
      noRecord: () => pool.clone(out[0]!),
    }[what];
    if (what === 'noRecord') out.push(pool.alloc(0, 10)!);
    for (let skb = attempt(); skb !== null; skb = attempt()) out.push(skb);
    expect(account[what].count).toBe(1);
    expect(attempt()).toBeNull();
    expect(account[what].count).toBe(2);
    expect(out).toHaveLength({ noBuffer: 1, noPage: 1, tooBig: 0, noRecord: 4 }[what]);
    for (const skb of out) pool.release(skb);
    expect(pool.idle).toBe(true);
    if (what !== 'tooBig') expect(what === 'noRecord' ? pool.alloc(0, 1) : attempt()).not.toBeNull();
  });

  it('of pages, and of copies that need some: the packet stays as it was', () => {
    const { account, pool } = counted(1, 2);
    const skb = pool.alloc(0, 2048)!;
    expect(copyIn(skb, new Uint8Array(3 * PAGE_BYTES))).toBe(false);
    expect(skb).toMatchObject({ len: 0, fragments: null, truesize: BUFFER_BYTES + SKB_BYTES });
    expect(skb.tail).toBe(skb.data);
    expect(account.noPage.count).toBe(1);
    expect(pool.page(PAGE_BYTES + 1)).toBeNull();
    expect(account.tooBig.count).toBe(1);
    expect(pool.makeRoom(skb, PAGE_BYTES, 1)).toBe(false);
    expect(headroom(skb)).toBe(0);
  });

  it('of a clone whose source has no record left: what was shared is given back', () => {
    const { pool } = counted(4, 1);
    const skb = pool.alloc(0, 10)!;
    appendFragment(skb, pool.page(100)!);
    const release = vi.fn();
    const none = new FragmentRecord(pool.memory, { share: () => null, release });
    appendFragment(skb, none);
    expect(pool.clone(skb)).toBeNull();
    expect(release).not.toHaveBeenCalled();
    pool.release(skb);
    expect(release).toHaveBeenCalledExactlyOnceWith(none);
    expect(pool.idle).toBe(true);
  });
});

describe('pages', () => {
  it('are out until the last who shows a piece of them lets go', () => {
    const { account, pool } = counted(1, 2);
    const page = pool.page(4000)!;
    const piece = page.source.share(page)!;
    piece.offset += 3000;
    piece.lenBytes -= 3000;
    expect(pool.page(1)).not.toBeNull();
    expect(account.pages.count).toBe(2);
    page.source.release(page);
    expect([account.pages.count, pool.page(1)]).toEqual([2, null]);
    piece.source.release(piece);
    expect(account.pages.count).toBe(1);
    expect(pool.page(1)!.offset).toBe(pool.stock.slabs.pagesFrom);
  });
});

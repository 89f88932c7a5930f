import { appendFragment, copyIn, makePool, pull } from '@softnet/skb';
import { describe, expect, it } from 'vitest';
import { MAX_RUNS, ScatterList } from './scatter-list.ts';

/** Where a list says that bytes lie. */
function runsOf({ iovecs, count }: ScatterList): { address: number; lenBytes: number }[] {
  return Array.from({ length: count }, (_, at) => ({
    address: iovecs[at * 4]! + iovecs[at * 4 + 1]! * 2 ** 32,
    lenBytes: iovecs[at * 4 + 2]! + iovecs[at * 4 + 3]! * 2 ** 32,
  }));
}

const BASE = 0x7fff_ffff_f000n;

describe('ScatterList', () => {
  it('says where head and pages lie, across 4 GiB too, and asks for each memory once', () => {
    const pools = [makePool({ buffers: 4, pages: 8 }), makePool({ buffers: 4, pages: 8 })] as const;
    const asked: Uint8Array[] = [];
    const list = new ScatterList((bytes) => {
      asked.push(bytes);
      return BASE + BigInt(asked.length - 1) * 0x1_0000_0000n;
    });
    for (let round = 0; round < 2; round++) {
      for (const [number, pool] of pools.entries()) {
        const skb = pool.alloc(64, 1000)!;
        copyIn(skb, new Uint8Array(8000));
        pull(skb, 10);
        expect(list.fill(skb)).toBe(true);
        const base = Number(BASE) + number * 2 ** 32;
        const wanted = [{ address: base + skb.data, lenBytes: skb.tail - skb.data }];
        for (let each = skb.fragments; each !== null; each = each.next)
          wanted.push({ address: base + each.offset, lenBytes: each.lenBytes });
        expect(runsOf(list)).toEqual(wanted);
        expect(wanted.reduce((sum, { lenBytes }) => sum + lenBytes, 0)).toBe(7990);
        pool.release(skb);
      }
    }
    expect(asked.map((bytes) => pools.findIndex(({ memory }) => memory.bytes === bytes))).toEqual([0, 1]);
  });

  it('leaves out what is empty, and says when there are too many runs', () => {
    const pool = makePool({ buffers: 4, pages: MAX_RUNS + 1 });
    const list = new ScatterList(() => BASE);
    const skb = pool.alloc(0, 10)!;
    for (let i = 0; i < MAX_RUNS; i++) appendFragment(skb, pool.page(1)!);
    expect([list.fill(skb), list.count]).toEqual([true, MAX_RUNS]);
    appendFragment(skb, pool.page(1)!);
    expect(list.fill(skb)).toBe(false);
    pool.release(skb);
  });

  it('has bytes of its own: for a header before a packet, and for what nobody wants', () => {
    const asked: Uint8Array[] = [];
    const list = new ScatterList((bytes) => {
      asked.push(bytes);
      return BASE + BigInt(asked.length - 1) * 0x1_0000_0000n;
    });
    list.fillScratch();
    expect([runsOf(list), asked[0]!.buffer === list.header.buffer]).toEqual([[{ address: Number(BASE), lenBytes: 16 }], true]);
    const skb = makePool().alloc(0, 100)!;
    copyIn(skb, new Uint8Array(100));
    list.fill(skb, 10);
    const packet = { address: Number(BASE) + 2 ** 32 + skb.data, lenBytes: 100 };
    expect([runsOf(list), asked.length]).toEqual([[{ address: Number(BASE), lenBytes: 10 }, packet], 2]);
    skb.memory.pool.release(skb);
  });
});

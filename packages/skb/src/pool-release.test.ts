import type { DropWatch, Skb, SockOps } from '@softnet/contract';
import { DropReason, enqueue, SkbQueue, SockCommon } from '@softnet/contract';
import { describe, expect, it, vi } from 'vitest';
import { PoolAccount } from './account.ts';
import { orphan, purge, put, trim } from './edit.ts';
import { copyIn } from './gather.ts';
import { PacketPool } from './pool.ts';
import { PAGE_TRUESIZE, SKB_BYTES } from './records.ts';
import { BUFFER_BYTES, PAGE_BYTES, Slabs } from './slabs.ts';
import { Stock } from './stock.ts';

/** A pool, and what it counts. */
function counted(buffers: number, pages: number) {
  const account = new PoolAccount(null);
  const pool = new PacketPool('test', new Stock(new Slabs({ buffers, pages })), account);
  return { account, pool };
}

function sockOf(released: SockOps['released']): SockCommon {
  const ops: SockOps = { name: 'test', type: 0, input: () => {}, error: () => {}, released, calls: null };
  return new SockCommon(ops);
}

describe('the end of a packet', () => {
  it('is told to its socket, with what was charged, also when fragments were cut off meanwhile', () => {
    const { pool } = counted(1, 2);
    const released = vi.fn((_sock: SockCommon, skb: Skb) => skb.truesize);
    const skb = pool.alloc(0, 2048)!;
    copyIn(skb, new Uint8Array(BUFFER_BYTES + PAGE_BYTES + 1));
    expect(skb.truesize).toBe(BUFFER_BYTES + SKB_BYTES + 2 * PAGE_TRUESIZE);
    const charged = skb.truesize;
    skb.sock = sockOf(released);
    trim(skb, 10);
    pool.release(skb);
    expect(released).toHaveReturnedWith(charged);
    expect(pool.idle).toBe(true);
  });

  it('comes also when the socket throws', () => {
    const { account, pool } = counted(1, 0);
    const skb = pool.alloc(0, 1)!;
    account.current.id = 3;
    skb.sock = sockOf(() => {
      throw new Error('a bad socket');
    });
    expect(() => pool.release(skb)).toThrow('a bad socket');
    expect(pool.idle).toBe(true);
  });

  it('is no more the business of a socket that it was taken from', () => {
    const { pool } = counted(1, 0);
    const released = vi.fn();
    const skb = pool.alloc(0, 1)!;
    skb.sock = sockOf(released);
    orphan(skb);
    orphan(skb);
    pool.release(skb);
    expect(released).toHaveBeenCalledTimes(1);
  });

  it('by drop is counted, and shown whole to those who watch', () => {
    const account = new PoolAccount(null);
    const seen: string[] = [];
    const watch: DropWatch = { dropped: (skb, { name }) => void seen.push(`${name} ${skb.len} by ${account.current.id}`) };
    const watched = Object.assign(Object.create(account) as PoolAccount, {
      watches: { token: account.watches.token, items: [watch], owners: [12] },
    });
    const pool = new PacketPool('test', new Stock(new Slabs({ buffers: 2, pages: 0 })), watched);
    const reason = new DropReason(5, 'test.reason', 'for the test');
    const queue = new SkbQueue();
    for (const lenBytes of [3, 4]) {
      const skb = pool.alloc(0, 10)!;
      put(skb, lenBytes);
      enqueue(queue, skb);
    }
    expect(purge(queue, reason)).toBe(2);
    expect(seen).toEqual(['test.reason 3 by 12', 'test.reason 4 by 12']);
    expect([reason.count, account.current.id, queue.lenPackets, pool.idle]).toEqual([2, 0, 0, true]);
  });

  it('happens in the pool that made it, whomever it is given to', () => {
    const [one, two] = [counted(2, 2).pool, counted(2, 2).pool];
    const skb = one.alloc(0, 10)!;
    copyIn(skb, new Uint8Array(3000));
    const clone = two.clone(skb)!;
    expect(clone.memory.pool).toBe(one);
    expect(two.makeRoom(clone, 100, 0)).toBe(true);
    two.release(skb);
    two.drop(clone, new DropReason(1, 'x', 'y'));
    expect([one.idle, two.idle, two.counters.cloned.value]).toEqual([true, true, 0]);
  });
});

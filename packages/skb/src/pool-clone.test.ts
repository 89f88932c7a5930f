import type { Fragment, Skb, SockOps } from '@softnet/contract';
import { CHECKSUM, SKB_SLOTS, SockCommon } from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import { headroom, put } from './edit.ts';
import { copyIn } from './gather.ts';
import { makePool } from './make-pool.ts';
import { BUFFER_BYTES } from './slabs.ts';

const fields = (skb: Skb): Record<string, unknown> => ({ ...skb });

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

function sockOf(released: SockOps['released']): SockCommon {
  const ops: SockOps = { name: 'test', type: 0, input: () => {}, error: () => {}, released, calls: null };
  return new SockCommon(ops);
}

describe('clone', () => {
  it('says what the original says, and has no owner, queue or re-entries', () => {
    const pool = makePool({ buffers: 2, pages: 2 });
    const skb = pool.alloc(10, 100)!;
    soil(skb);
    put(skb, 5);
    copyIn(skb, new Uint8Array(4000));
    skb.sock = sockOf(() => {});
    const clone = pool.clone(skb)!;
    const { sock, reentries, next, fragments, ...rest } = fields(clone);
    expect({ sock, reentries, next }).toEqual({ sock: null, reentries: 0, next: null });
    for (const [name, value] of Object.entries(rest)) expect([name, value]).toEqual([name, fields(skb)[name]]);
    expect(clone.slots).not.toBe(skb.slots);
    expect((fragments as Fragment).offset).toBe(skb.fragments!.offset);
    skb.sock = null;
    pool.release(skb);
    expect([pool.idle, pool.isShared(clone)]).toEqual([false, false]);
    pool.release(clone);
    expect(pool.idle).toBe(true);
  });

  it('gets a head of its own by makeRoom, and the payload on pages stays where it is', () => {
    const pool = makePool({ buffers: 3, pages: 2 });
    const skb = pool.alloc(60, 20)!;
    skb.network = put(skb, 20);
    copyIn(skb, new Uint8Array(BUFFER_BYTES + 500).fill(1));
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((skb.network - skb.head) << 16) | 6;
    const clone = pool.clone(skb)!;
    expect(pool.makeRoom(clone, 40, 0)).toBe(true);
    expect(clone.head).not.toBe(skb.head);
    expect(clone.fragments!.offset).toBe(skb.fragments!.offset);
    expect(clone.network).toBe(clone.data);
    expect(clone.head + (clone.csum >>> 16)).toBe(clone.network);
    expect(pool.counters.copiedBytes.value).toBe(BUFFER_BYTES - 60);
    clone.memory.bytes[clone.data] = 9;
    expect(skb.memory.bytes[skb.data]).toBe(0);
    for (const each of [skb, clone]) pool.release(each);
    expect(pool.idle).toBe(true);
  });

  it('moves headers before data along', () => {
    const pool = makePool({ buffers: 2, pages: 0 });
    const skb = pool.alloc(0, 100)!;
    skb.mac = put(skb, 34);
    skb.network = skb.mac + 14;
    skb.memory.bytes.set([1, 2, 3], skb.mac);
    skb.data += 34;
    skb.len = 0;
    expect(pool.makeRoom(skb, 200, 0)).toBe(true);
    expect([skb.data - skb.mac, skb.network - skb.mac, headroom(skb)]).toEqual([34, 14, 200]);
    expect([...skb.memory.bytes.subarray(skb.mac, skb.mac + 3)]).toEqual([1, 2, 3]);
  });
});

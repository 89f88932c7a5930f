import { SockCommon } from '@softnet/contract';
import { copyIn, makePool } from '@softnet/skb';
import { expect, test } from 'vitest';
import { joinPayload } from './join.ts';

test('a packet whose bytes others show is not joined, and both are as they were', () => {
  const pool = makePool({ buffers: 4, pages: 4 });
  const [held, skb] = [pool.alloc(64, 100)!, pool.alloc(64, 100)!];
  for (const each of [held, skb]) copyIn(each, new Uint8Array(100).fill(7));
  // As of a frame that came twice.
  const other = pool.clone(skb)!;
  const { data, len } = skb;
  expect(joinPayload(held, skb, 28)).toBe(false);
  expect([skb.data, skb.len, held.len, held.gsoSegs]).toEqual([data, len, 100, 0]);
  pool.release(other);
  expect(joinPayload(held, skb, 28)).toBe(true);
  expect([held.len, held.gsoSegs]).toEqual([172, 2]);
  pool.release(held);
  expect(pool.skbsOut).toBe(0);
});

test('what others show of the packet that is held stays as it was, whatever is written there', () => {
  const pool = makePool({ buffers: 4, pages: 4 });
  const [held, skb] = [pool.alloc(64, 100)!, pool.alloc(64, 100)!];
  for (const each of [held, skb]) copyIn(each, new Uint8Array(100).fill(7));
  // As of a frame that came twice, the second time later.
  const other = pool.clone(held)!;
  expect(joinPayload(held, skb, 28)).toBe(true);
  held.memory.view.setUint16(held.data + 2, held.len);
  expect(other.memory.bytes[other.data + 2]).toBe(7);
  pool.release(held);
  pool.release(other);
  expect(pool.idle).toBe(true);
});

test('nothing is lost where its sender throws when he is told', () => {
  const pool = makePool({ buffers: 4, pages: 4 });
  const [held, skb] = [pool.alloc(64, 100)!, pool.alloc(64, 100)!];
  for (const each of [held, skb]) copyIn(each, new Uint8Array(100).fill(7));
  const released = (): void => {
    throw new Error('a sender');
  };
  held.sock = new SockCommon({ name: 'test', type: 0, input: () => {}, error: () => {}, released, calls: null });
  expect(() => joinPayload(held, skb, 28)).toThrow('a sender');
  pool.release(held);
  pool.release(skb);
  expect(pool.idle).toBe(true);
});

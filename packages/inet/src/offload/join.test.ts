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

import type { Fragment, Skb, SkbQueue } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { claim, passOn } from './edit.ts';
import { makePool } from './make-pool.ts';

/** The fields of a record that lead to another packet, or to some of them. */
type LinksOf<T> = { [K in keyof T]-?: NonNullable<T[K]> extends Skb | SkbQueue | readonly Skb[] ? K : never }[keyof T];

describe('that a packet has one owner', () => {
  it('its type says: it hangs in one place by its one link, and nothing in it counts holders', () => {
    expectTypeOf<LinksOf<Skb>>().toEqualTypeOf<'next'>();
    expectTypeOf<Extract<keyof Skb, 'users' | 'refs' | 'references' | 'shares' | 'count'>>().toEqualTypeOf<never>();
    // Who shares, shares bytes: by a record of his own.
    expectTypeOf<LinksOf<Fragment>>().toEqualTypeOf<never>();
    const pool = makePool({ buffers: 1, pages: 1 });
    const skb = pool.alloc(0, 10)!;
    const clone = pool.clone(skb)!;
    expect([clone === skb, clone.head === skb.head, Object.values(skb).includes(clone)]).toEqual([false, true, false]);
  });

  it('a debug build checks without garbage', () => {
    const pool = makePool({ buffers: 1, pages: 1 });
    const bytes = heapPerCall(1, () => {
      const skb = pool.alloc(0, 10)!;
      claim(skb, 'qdisc.fifo');
      passOn(skb, 'qdisc.fifo');
      claim(skb, 'driver');
      pool.release(skb);
    });
    expect(bytes).toBeLessThan(1);
  });
});

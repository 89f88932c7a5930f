import type { Fragment, Skb } from '@softnet/contract';
import { SockCommon } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PoolAccount } from './account.ts';
import { appendFragment, split } from './edit.ts';
import { copyIn, gather } from './gather.ts';
import { PacketPool } from './pool.ts';
import { Slabs } from './slabs.ts';
import { Stock } from './stock.ts';

/** A pool of next to nothing, and what is out of it. */
class Scarcity {
  readonly account = new PoolAccount(null);
  readonly pool: PacketPool;
  readonly skbs: Skb[] = [];
  readonly fragments: Fragment[] = [];

  constructor(buffers: number, pages: number) {
    this.pool = new PacketPool('scarce', new Stock(new Slabs({ buffers, pages })), this.account);
  }

  /** How often it was said that memory is out. */
  get refusals(): number {
    const { noBuffer, noPage, noRecord, tooBig } = this.account;
    return noBuffer.count + noPage.count + noRecord.count + tooBig.count;
  }

  keep(skb: Skb | null): boolean {
    if (skb !== null) this.skbs.push(skb);
    return skb !== null;
  }

  keepFragment(fragment: Fragment | null): boolean {
    if (fragment !== null) this.fragments.push(fragment);
    return fragment !== null;
  }

  end(): void {
    for (const skb of this.skbs) this.pool.release(skb);
    for (const fragment of this.fragments) fragment.source.release(fragment);
    expect([this.pool.idle, this.account.skbs.count, this.account.pages.count]).toEqual([true, 0, 0]);
  }
}

/** Each answers whether it was done. What was not done for want of memory must have been counted, once. */
const works: Readonly<Record<string, (at: Scarcity, skb: Skb, n: number) => boolean>> = {
  alloc: (at, _skb, n) => at.keep(at.pool.alloc(n % 70, n)),
  page: (at, _skb, n) => at.keepFragment(at.pool.page(n)),
  clone: (at, skb) => at.keep(at.pool.clone(skb)),
  split: (at, skb, n) => at.keep(split(skb, n % (skb.len + 1))),
  makeRoom: (at, skb, n) => at.pool.makeRoom(skb, n, n >> 2),
  copyIn: (at, skb, n) => at.pool.isShared(skb) || copyIn(skb, new Uint8Array(2 * n)),
  gather: (_at, skb, n) => gather(skb, Math.min(n, skb.len)),
  share: (at, skb) => skb.fragments === null || at.keepFragment(skb.fragments.source.share(skb.fragments)),
  dissolve: (at, skb) => {
    if (skb.len === 0 || at.pool.isShared(skb)) return true;
    const first = at.pool.dissolve(skb);
    if (first === null) return false;
    at.skbs.splice(at.skbs.indexOf(skb), 1);
    for (let each: Fragment | null = first; each !== null; ) {
      const { next }: Fragment = each;
      each.next = null;
      at.keepFragment(each);
      each = next;
    }
    return true;
  },
  hang: (at, skb) => {
    const fragment = at.fragments.pop();
    if (fragment !== undefined) appendFragment(skb, fragment);
    return true;
  },
  release: (at, skb) => {
    at.skbs.splice(at.skbs.indexOf(skb), 1);
    at.pool.release(skb);
    return true;
  },
};

const command = fc.record({
  work: fc.constantFrom('alloc', 'alloc', 'page', 'clone', 'clone', ...Object.keys(works)),
  which: fc.nat(),
  n: fc.oneof(fc.nat(100), fc.nat(5000)),
});

test('whatever is asked of a pool that has run out: nothing is thrown, each refusal is counted, and all comes back', () => {
  const refused = { noBuffer: 0, noPage: 0, noRecord: 0, tooBig: 0 };
  const sizes = fc.record({ buffers: fc.integer({ min: 1, max: 4 }), pages: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(sizes, fc.array(command, { minLength: 30, maxLength: 80 }), ({ buffers, pages }, commands) => {
      const scarcity = new Scarcity(buffers, pages);
      for (const { work, which, n } of commands) {
        const skb = scarcity.skbs[which % Math.max(1, scarcity.skbs.length)];
        if (skb === undefined && work !== 'alloc' && work !== 'page') continue;
        const before = scarcity.refusals;
        const lenBytes = skb?.len;
        const done = works[work]!(scarcity, skb!, n);
        expect([work, scarcity.refusals - before]).toEqual([work, done ? 0 : 1]);
        if (!done) expect(skb?.len).toBe(lenBytes);
      }
      for (const name of Object.keys(refused) as (keyof typeof refused)[]) refused[name] += scarcity.account[name].count;
      scarcity.end();
    }),
    { numRuns: 150 },
  );
  // Else it says nothing.
  for (const [name, count] of Object.entries(refused)) expect(count, name).toBeGreaterThan(10);
});

test('a socket that throws when it is told of a packet which dissolves loses nothing', () => {
  const scarcity = new Scarcity(1, 2);
  const skb = scarcity.pool.alloc(0, 100)!;
  copyIn(skb, new Uint8Array(5000));
  const released = (_sock: SockCommon, { len, fragments }: Skb): void => {
    expect([len, fragments]).toEqual([0, null]);
    throw new Error('a bad socket');
  };
  skb.sock = new SockCommon({ name: 'test', type: 0, input: () => {}, error: () => {}, released, calls: null });
  expect(() => scarcity.pool.dissolve(skb)).toThrow('a bad socket');
  scarcity.end();
});

test('what is empty, or has a head that others see, does not dissolve and stays as it was', () => {
  const scarcity = new Scarcity(2, 2);
  const { pool } = scarcity;
  const empty = pool.alloc(0, 100)!;
  expect(pool.dissolve(empty)).toBeNull();
  const skb = pool.alloc(0, 2048)!;
  copyIn(skb, new Uint8Array(3000));
  const clone = pool.clone(skb)!;
  expect([pool.dissolve(skb), skb.len, skb.fragments !== null, clone.len]).toEqual([null, 3000, true, 3000]);
  pool.release(clone);
  const first = pool.dissolve(skb)!;
  expect([first.lenBytes, first.next!.lenBytes, first.next!.next, skb.head]).toEqual([2048, 952, null, -1]);
  scarcity.skbs.push(empty);
  scarcity.fragments.push(first, first.next!);
  expect(scarcity.refusals).toBe(0);
  scarcity.end();
});

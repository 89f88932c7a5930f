import type { Skb } from '@softnet/contract';
import { MEMORY_PRESSURE, MemoryAccounts, NetError } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Accounts } from './accounts.ts';
import { makePool } from './make-pool.ts';
import { pressureOf, roomOf } from './pressure.ts';

const { NONE, LOW, CRITICAL } = MEMORY_PRESSURE;

/** The port of a kernel without one: what is live, is what was set last. */
function emptyPort() {
  return { token: MemoryAccounts, current: MemoryAccounts.absent(() => new NetError('ENOBUFS', 'nobody')), present: false, owner: 1 };
}

/** Accounts that are live. */
function live(pressure: () => number, port = emptyPort()): Accounts {
  const accounts = new Accounts(port, pressure);
  port.current = accounts;
  port.present = true;
  return accounts;
}

describe('admit', () => {
  // bytes, held, limit → let in when there is none, little, hardly any memory.
  it.each<[string, number, number, number, boolean, boolean, boolean]>([
    ['within the limit, nothing held', 100, 0, 800, true, true, true],
    ['the first, over the limit', 900, 0, 800, true, true, false],
    ['an eighth held', 100, 100, 800, true, true, false],
    ['more than an eighth held', 100, 101, 800, true, false, false],
    ['up to the limit', 100, 700, 800, true, false, false],
    ['over the limit', 101, 700, 800, false, false, false],
    ['a little held, and over the limit', 800, 1, 800, false, false, false],
    ['what waits asks: nothing', 0, 0, 800, true, true, true],
    ['what waits asks: a little', 0, 100, 800, true, true, false],
    ['what waits asks: much', 0, 101, 800, true, false, false],
    ['what waits asks: too much', 0, 801, 800, false, false, false],
  ])('%s', (_name, bytes, held, limit, none, low, critical) => {
    let pressure: number = NONE;
    const account = live(() => pressure).open('udp');
    for (const [level, expected] of [
      [NONE, none],
      [LOW, low],
      [CRITICAL, critical],
    ] as const) {
      pressure = level;
      const before = account.bytes;
      const refused = account.refused.value;
      expect([level, account.admit(bytes, held, limit)]).toEqual([level, expected]);
      expect(account.bytes - before).toBe(expected ? bytes : 0);
      expect(account.refused.value - refused).toBe(expected ? 0 : 1);
    }
  });

  it('allocates nothing', () => {
    const pool = makePool();
    const account = live(() => pressureOf(pool, 10)).open('udp');
    const bytes = heapPerCall(1, () => {
      if (account.admit(2352, 0, 10_000)) account.sub(2352);
    });
    expect(bytes).toBeLessThan(1);
  });
});

describe('accounts', () => {
  it('are one for each name, and know their most', () => {
    const accounts = live(() => NONE);
    const udp = accounts.open('udp');
    expect([accounts.open('udp') === udp, accounts.open('ipv4') === udp]).toEqual([true, false]);
    udp.add(300);
    udp.sub(200);
    expect(accounts.all().map(({ name, bytes, peakBytes }) => [name, bytes, peakBytes])).toEqual([
      ['udp', 100, 300],
      ['ipv4', 0, 0],
    ]);
    expect(() => udp.sub(101)).toThrow('skb: udp gives back 101 bytes, but its account has 100');
  });

  it('are the next generation’s too, also those opened while it starts; and feel its pressure', () => {
    const port = emptyPort();
    const first = live(() => NONE, port);
    const udp = first.open('udp');
    udp.add(100);
    const second = new Accounts(port, () => CRITICAL);
    const late = first.open('late');
    expect(udp.admit(1, 100, 1000)).toBe(true);
    port.current = second;
    expect(second.all()).toEqual([udp, late]);
    expect([second.open('udp'), second.open('late')]).toEqual([udp, late]);
    expect(udp.admit(1, 101, 1000)).toBe(false);
    expect(port.current.pressure()).toBe(CRITICAL);
  });

  it('let everything in when nobody provides them any more', () => {
    const port = emptyPort();
    const udp = live(() => CRITICAL, port).open('udp');
    port.current = emptyPort().current;
    expect(udp.admit(1, 1, 1000)).toBe(true);
    expect(() => port.current.open('udp')).toThrow('nobody');
    expect(port.current.all()).toEqual([]);
  });
});

describe('pressureOf', () => {
  it.each([
    [100, 10, NONE],
    [100, 9, LOW],
    [100, 3, LOW],
    [100, 2, CRITICAL],
    [100, 0, CRITICAL],
    [4, 1, NONE],
    [4, 0, CRITICAL],
  ])('of %i buffers, %i are idle: %i', (buffers, idle, level) => {
    const pool = makePool({ buffers, pages: 1 });
    for (let i = idle; i < buffers; i++) pool.alloc(0, 1);
    expect(pressureOf(pool, 10)).toBe(level);
    expect(pressureOf(pool, 0)).toBe(NONE);
  });

  it('is that of what is scarcer, and does not count what was set apart', () => {
    const pool = makePool({ buffers: 100, pages: 100 });
    for (let i = 0; i < 95; i++) pool.page(1);
    expect(pressureOf(pool, 10)).toBe(LOW);
    // As a pool of somebody's own does it.
    pool.stock.pages.apart = 95;
    expect(pressureOf(pool, 10)).toBe(NONE);
  });
});

/** Who receives: the first never reads, the others at once. */
const arrival = fc.record({ who: fc.nat(4), big: fc.boolean() });
const situation = fc.record({
  buffers: fc.integer({ min: 3, max: 60 }),
  pages: fc.integer({ min: 3, max: 60 }),
  limitBytes: fc.integer({ min: 2000, max: 1 << 20 }),
  idlePercent: fc.integer({ min: 1, max: 50 }),
  arrivals: fc.array(arrival, { minLength: 50, maxLength: 300 }),
});

describe('one who never reads', () => {
  it('never keeps others from what comes for them, however large his limit', () => {
    fc.assert(
      fc.property(situation, ({ buffers, pages, limitBytes, idlePercent, arrivals }) => {
        const pool = makePool({ buffers, pages });
        const account = live(() => pressureOf(pool, idlePercent)).open('udp');
        const hoard: Skb[] = [];
        let hoardBytes = 0;
        for (const { who, big } of arrivals) {
          // A flood: each that comes for another is followed by some for him.
          for (const receiver of [who, 0, 0]) {
            const skb = pool.alloc(0, big ? 3000 : 100);
            expect(skb).not.toBeNull();
            const isFirst = receiver === 0;
            const admitted = account.admit(skb!.truesize, isFirst ? hoardBytes : 0, isFirst ? limitBytes : 1 << 16);
            if (admitted && isFirst) {
              hoard.push(skb!);
              hoardBytes += skb!.truesize;
              continue;
            }
            if (admitted) account.sub(skb!.truesize);
            expect(admitted || isFirst).toBe(true);
            pool.release(skb!);
          }
          expect(account.bytes).toBe(hoardBytes);
        }
        for (const skb of hoard) {
          account.sub(skb.truesize);
          pool.release(skb);
        }
        expect([account.bytes, pool.idle]).toEqual([0, true]);
      }),
      { numRuns: 100 },
    );
  });
});

it('says how much packets can take: small buffers or pages, whichever are less', () => {
  expect(roomOf(makePool({ buffers: 10, pages: 1000 }))).toBe(10 * (2048 + 304));
  expect(roomOf(makePool({ buffers: 1000, pages: 10 }))).toBe(10 * (4096 + 72));
});

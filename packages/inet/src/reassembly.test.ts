import type { Skb } from '@softnet/contract';
import { CHECKSUM, MEMORY_PRESSURE, MemoryAccounts, NetError } from '@softnet/contract';
import type { PacketPool } from '@softnet/skb';
import { Accounts, copyIn, makePool, pull, put, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reassembly } from './reassembly.ts';
import { FakeContext } from './testing/fake-context.ts';

const HEADER = 4;

/** A reassembly with packets to feed it; the header of a packet is its sender, the datagram's number and its offset. */
class Bench {
  readonly fake = new FakeContext();
  readonly pool: PacketPool;
  readonly expired: number[] = [];
  readonly table: Reassembly;
  limitBytes = 4 << 20;
  limitDatagrams = 1000;
  limitPieces = 256;
  limitDistance = 0;
  pressure: number = MEMORY_PRESSURE.NONE;
  readonly accounts: Accounts;

  constructor(buffers = 512, abandons = false) {
    this.pool = makePool({ buffers, pages: 64 });
    const reason = (name: string) => this.fake.dropReason(name);
    this.accounts = accountsOf(() => this.pressure);
    this.fake.provide(MemoryAccounts, this.accounts, 3);
    this.table = new Reassembly(this.fake.context, {
      readAddresses: (skb, key) => {
        key.remote3 = skb.memory.bytes[skb.network]!;
        key.local3 = 1;
      },
      timeoutMs: () => 30_000,
      limitBytes: () => this.limitBytes,
      limitDatagrams: () => this.limitDatagrams,
      limitPieces: () => this.limitPieces,
      limitDistance: () => this.limitDistance,
      abandons,
      maxBytes: 65_515,
      reasons: {
        overlap: reason('overlap'),
        duplicate: reason('duplicate'),
        tooBig: reason('too-big'),
        timeout: reason('timeout'),
        distance: reason('distance'),
        ecn: reason('ecn'),
        limit: reason('limit'),
        malformed: reason('malformed'),
      },
      expired: (first) => this.expired.push(first.memory.bytes[first.network]!),
    });
  }

  packet(sender: number, bytes: Uint8Array): Skb {
    const skb = this.pool.alloc(16, HEADER + 8)!;
    skb.network = put(skb, HEADER);
    skb.memory.bytes[skb.network] = sender;
    expect(copyIn(skb, bytes)).toBe(true);
    pull(skb, HEADER);
    return skb;
  }

  feed(sender: number, id: number, whole: Uint8Array, from: number, to: number, more = to < whole.length, ecn = 0): Uint8Array | null {
    const out = this.table.input(this.packet(sender, whole.subarray(from, to)), from, more, id, 17, ecn);
    if (out === null) return null;
    expect(out.network).toBe(out.data - HEADER);
    expect(out.memory.bytes[out.network]).toBe(sender);
    const bytes = new Uint8Array(out.len);
    new SkbReaderOf(out).copyOut(bytes);
    this.pool.release(out);
    return bytes;
  }
}

/** Accounts that read the pressure through their own port, as in a kernel. */
function accountsOf(pressure: () => number): Accounts {
  const port = { token: MemoryAccounts, current: MemoryAccounts.absent(() => new NetError('ENOBUFS', '')), present: false, owner: 3 };
  const accounts = new Accounts(port, pressure);
  port.current = accounts;
  return accounts;
}

class SkbReaderOf extends SkbReader {
  constructor(skb: Skb) {
    super();
    this.open(skb);
  }
}

const bytesOf = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31 + (i >> 8)) & 0xff);

describe('reassembly', () => {
  test('puts fragments together in any order, and leaves nothing behind', () => {
    const bench = new Bench();
    const whole = bytesOf(40, 1);
    expect(bench.feed(1, 9, whole, 16, 40)).toBeNull();
    expect(bench.feed(2, 9, whole, 0, 16)).toBeNull();
    expect(bench.feed(1, 8, whole, 0, 16)).toBeNull();
    expect(bench.table.datagrams).toBe(3);
    expect(bench.feed(1, 9, whole, 0, 16)).toEqual(whole);
    expect(bench.table.datagrams).toBe(2);
    bench.table.close();
    expect([bench.table.bytes, bench.table.datagrams, bench.pool.skbsOut]).toEqual([0, 0, 0]);
    expect(bench.fake.drops).toEqual({ limit: 2 });
    expect(bench.fake.timers.every(({ armed }) => !armed)).toBe(true);
  });

  test('an overlap takes the datagram along, a duplicate goes alone', () => {
    const bench = new Bench();
    const whole = bytesOf(48, 1);
    bench.feed(1, 1, whole, 0, 16);
    expect(bench.feed(1, 1, whole, 0, 16)).toBeNull();
    expect(bench.fake.drops).toEqual({ duplicate: 1 });
    expect(bench.feed(1, 1, whole, 8, 24)).toBeNull();
    expect(bench.fake.drops).toEqual({ duplicate: 1, overlap: 2 });
    expect(bench.table.datagrams).toBe(0);
    expect(bench.pool.skbsOut).toBe(0);
  });

  test('of an abandoned datagram nothing is kept but its number, and that within the bounds of all', () => {
    const bench = new Bench(512, true);
    const whole = bytesOf(48, 1);
    for (const [from, to] of [
      [0, 16],
      [8, 24],
      [0, 16],
      [16, 48],
    ] as const) {
      expect(bench.feed(1, 1, whole, from, to)).toBeNull();
    }
    expect([bench.fake.drops, bench.table.bytes, bench.table.datagrams, bench.pool.skbsOut]).toEqual([{ overlap: 4 }, 0, 1, 0]);
    expect(bench.feed(1, 2, whole, 0, 48)).toEqual(whole);
    bench.limitDatagrams = 2;
    for (const id of [3, 4, 5]) bench.feed(1, id, whole, 0, 16);
    expect(bench.table.datagrams).toBe(2);
    expect(bench.feed(1, 1, whole, 0, 48)).toEqual(whole);
    bench.table.close();
    expect([bench.table.bytes, bench.table.datagrams, bench.pool.skbsOut]).toEqual([0, 0, 0]);
  });

  test.each([
    [
      'a last one before another',
      [
        [16, 32, true],
        [0, 16, false],
      ],
    ],
    [
      'two ends',
      [
        [16, 32, false],
        [0, 8, false],
      ],
    ],
    [
      'more behind the end',
      [
        [8, 16, false],
        [16, 24, true],
      ],
    ],
    [
      'the same end twice, cut otherwise',
      [
        [16, 32, false],
        [24, 32, false],
      ],
    ],
  ] as const)('%s takes the datagram along', (_name, feeds) => {
    const bench = new Bench();
    const whole = bytesOf(64, 1);
    for (const [from, to, more] of feeds) expect(bench.feed(1, 1, whole, from, to, more)).toBeNull();
    expect(bench.fake.drops).toEqual({ overlap: 2 });
    expect(bench.pool.skbsOut).toBe(0);
  });

  test('what is malformed or reaches too far is dropped alone', () => {
    const bench = new Bench();
    const whole = bytesOf(64, 1);
    bench.feed(1, 1, whole, 0, 16);
    bench.feed(1, 1, whole, 16, 23, true);
    bench.feed(1, 1, whole, 16, 16, false);
    bench.table.input(bench.packet(1, bytesOf(40, 2)), 65_480, false, 1, 17, 0);
    expect(bench.fake.drops).toEqual({ malformed: 2, 'too-big': 1 });
    expect(bench.feed(1, 1, whole, 16, 64)).toEqual(whole);
  });

  test('time is over: dropped, and told only if the first fragment is there', () => {
    const bench = new Bench();
    const whole = bytesOf(32, 1);
    bench.feed(1, 1, whole, 0, 16);
    bench.fake.advance(10_000_000);
    bench.feed(2, 1, whole, 16, 32);
    bench.fake.advance(19_999_999);
    expect(bench.table.datagrams).toBe(2);
    bench.fake.advance(1);
    expect(bench.table.datagrams).toBe(1);
    bench.fake.advance(10_000_000);
    expect(bench.expired).toEqual([1]);
    expect(bench.fake.drops).toEqual({ timeout: 2 });
    expect([bench.table.bytes, bench.pool.skbsOut]).toEqual([0, 0]);
  });

  test('under pressure the oldest goes: bytes, datagrams, pieces', () => {
    const bench = new Bench();
    const whole = bytesOf(64, 1);
    bench.limitDatagrams = 3;
    for (let id = 0; id < 5; id++) bench.feed(1, id, whole, 0, 8);
    expect(bench.table.datagrams).toBe(3);
    expect(bench.feed(1, 0, whole, 8, 64)).toBeNull();
    expect(bench.feed(1, 4, whole, 8, 64)).toEqual(whole);
    bench.limitBytes = 10_000;
    for (let id = 10; id < 30; id++) bench.feed(1, id, whole, 0, 8);
    expect(bench.table.bytes).toBeLessThanOrEqual(10_000);
    expect(bench.table.datagrams).toBeGreaterThan(0);
    bench.table.close();
    bench.limitPieces = 2;
    bench.feed(1, 1, whole, 0, 8);
    bench.feed(1, 1, whole, 16, 24);
    bench.feed(1, 1, whole, 32, 40);
    expect([bench.table.bytes, bench.table.datagrams, bench.pool.skbsOut]).toEqual([0, 0, 0]);
  });

  test('what waits is charged to the layer, until it is whole, too old or refused', () => {
    const bench = new Bench();
    const [account] = bench.accounts.all();
    const whole = bytesOf(64, 1);
    for (const id of [1, 2, 3]) bench.feed(1, id, whole, 0, 32);
    expect([account!.name, account!.bytes]).toEqual(['test', bench.table.bytes]);
    const each = account!.bytes / 3;
    bench.feed(1, 1, whole, 32, 64);
    expect(account!.bytes).toBe(2 * each);
    bench.feed(1, 2, whole, 24, 64);
    expect(account!.bytes).toBe(each);
    bench.fake.advance(30_000_000);
    expect([account!.bytes, account!.peakBytes, account!.refused.value]).toEqual([0, 4 * each, 0]);
  });

  test('when memory is low, the oldest give way until an eighth is left; when it is critical, all do', () => {
    const bench = new Bench();
    const whole = bytesOf(64, 1);
    bench.feed(1, 0, whole, 0, 8);
    const each = bench.table.bytes;
    bench.limitBytes = 80 * each;
    for (let id = 1; id < 50; id++) bench.feed(1, id, whole, 0, 8);
    expect(bench.table.datagrams).toBe(50);
    bench.pressure = MEMORY_PRESSURE.LOW;
    bench.feed(1, 50, whole, 0, 8);
    expect([bench.table.datagrams, bench.fake.drops]).toEqual([10, { 'test.fragment-pressure': 41 }]);
    // The youngest are there.
    expect(bench.feed(1, 41, whole, 8, 64)).toEqual(whole);
    expect(bench.feed(1, 50, whole, 8, 64)).toEqual(whole);
    expect(bench.feed(1, 40, whole, 8, 64)).toBeNull();
    bench.pressure = MEMORY_PRESSURE.CRITICAL;
    bench.feed(1, 60, whole, 0, 8);
    expect([bench.table.datagrams, bench.table.bytes, bench.pool.skbsOut]).toEqual([0, 0, 0]);
    expect(bench.accounts.all().map(({ bytes, refused }) => [bytes, refused.value])).toEqual([[0, 51]]);
  });

  test('is verified only if every fragment is', () => {
    const bench = new Bench();
    const state = (first: number, second: number): number => {
      const a = bench.packet(1, bytesOf(8, 1));
      const b = bench.packet(1, bytesOf(8, 2));
      a.checksum = first;
      b.checksum = second;
      bench.table.input(a, 0, true, 1, 17, 0);
      const whole = bench.table.input(b, 8, false, 1, 17, 0)!;
      const { checksum } = whole;
      bench.pool.release(whole);
      return checksum;
    };
    expect(state(CHECKSUM.UNNECESSARY, CHECKSUM.UNNECESSARY)).toBe(CHECKSUM.UNNECESSARY);
    expect(state(CHECKSUM.UNNECESSARY, CHECKSUM.COMPLETE)).toBe(CHECKSUM.NONE);
    expect(state(CHECKSUM.COMPLETE, CHECKSUM.COMPLETE)).toBe(CHECKSUM.NONE);
  });

  test('a clone of the whole, or a part of it, keeps the bytes of all pieces', () => {
    const bench = new Bench();
    const whole = bytesOf(5000, 3);
    bench.table.input(bench.packet(1, whole.subarray(2000)), 2000, false, 1, 17, 0);
    const out = bench.table.input(bench.packet(1, whole.subarray(0, 2000)), 0, true, 1, 17, 0)!;
    const clone = bench.pool.clone(out)!;
    bench.pool.release(out);
    const bytes = new Uint8Array(clone.len);
    new SkbReaderOf(clone).copyOut(bytes);
    expect(bytes).toEqual(whole);
    expect(bench.pool.skbsOut).toBeGreaterThan(1);
    bench.pool.release(clone);
    expect(bench.pool.skbsOut).toBe(0);
    expect(bench.pool.usage.pagesIdle).toBe(64);
  });
});

/** A datagram, where it is cut, in which order the pieces come, and which come twice. */
const plan = fc.record({
  length: fc.integer({ min: 1, max: 3000 }),
  cuts: fc.array(fc.integer({ min: 1, max: 374 }), { maxLength: 12 }),
  order: fc.array(fc.integer({ min: 0, max: 1 << 20 }), { minLength: 20, maxLength: 20 }),
  twice: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
});
/** A fragment that lies: from, length, more, which datagram. */
const lie = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 400 }), fc.boolean(), fc.integer({ min: 0, max: 3 }));

describe('whatever comes', () => {
  test('cut anywhere, shuffled, some pieces twice: the same bytes when the last piece has come, and not before', () => {
    fc.assert(
      fc.property(fc.array(plan, { minLength: 1, maxLength: 4 }), (plans) => {
        const bench = new Bench();
        const pieces = plans.flatMap(({ length, cuts, order, twice }, id) => {
          const places = [...new Set([0, ...cuts.map((cut) => cut * 8).filter((cut) => cut < length), length])].sort((a, b) => a - b);
          const all = places.slice(1).map((to, i) => ({ id, length, of: places.length - 1, from: places[i]!, to, at: order[i]! }));
          return [...all, ...all.filter((_, i) => twice[i]).map((piece) => ({ ...piece, at: order[19]! ^ piece.at }))];
        });
        // The model: which pieces have come since the datagram was whole.
        const seen = plans.map(() => new Set<number>());
        for (const { id, length, of, from, to } of pieces.sort((a, b) => a.at - b.at)) {
          const bytes = bytesOf(length, id);
          const out = bench.feed(1, id, bytes, from, to);
          const whole = seen[id]!.add(from).size === of;
          expect(out).toEqual(whole ? bytes : null);
          if (whole) seen[id]!.clear();
        }
        expect(bench.table.datagrams).toBe(seen.filter(({ size }) => size > 0).length);
        bench.table.close();
        expect([bench.pool.skbsOut, bench.table.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  test('lies among them: the true bytes or nothing, and nothing is left', () => {
    fc.assert(
      fc.property(fc.array(lie, { maxLength: 60 }), (lies) => {
        const bench = new Bench(128);
        bench.limitBytes = 40_000;
        const bytes = bytesOf(6400, 5);
        for (const [from, length, more, id] of lies) {
          const to = Math.min(6400, from * 8 + length);
          const out = bench.feed(1, id, bytes, from * 8, to, more);
          // Whatever was put together is a beginning of the bytes: no piece lies over another.
          if (out !== null) expect(out).toEqual(bytes.subarray(0, out.length));
          expect(bench.table.bytes).toBeLessThanOrEqual(40_000);
        }
        bench.table.close();
        expect([bench.pool.skbsOut, bench.table.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('ECN (RFC 3168 §5.3)', () => {
  const whole = bytesOf(24, 3);
  test('one marked fragment marks the datagram, in whatever order they come', () => {
    const bench = new Bench();
    for (const [first, second] of [
      [2, 3],
      [3, 2],
      [1, 3],
    ] as const) {
      bench.feed(1, 1, whole, 8, 24, false, second);
      expect(bench.feed(1, 1, whole, 0, 8, true, first)).toEqual(whole);
      expect(bench.table.congested).toBe(true);
    }
    bench.feed(1, 1, whole, 8, 24, false, 2);
    expect(bench.feed(1, 1, whole, 0, 8, true, 2)).toEqual(whole);
    expect(bench.table.congested).toBe(false);
  });

  test('marked and not capable at once: nobody has sent that', () => {
    const bench = new Bench();
    bench.feed(1, 1, whole, 8, 24, false, 0);
    expect(bench.feed(1, 1, whole, 0, 8, true, 3)).toBeNull();
    expect([bench.fake.drops, bench.pool.skbsOut, bench.table.bytes]).toEqual([{ ecn: 2 }, 0, 0]);
  });
});

describe('fairness between senders', () => {
  test('an identification that comes round again after much else is another datagram (ipfrag_max_dist)', () => {
    const bench = new Bench();
    bench.limitDistance = 4;
    const [old, fresh] = [bytesOf(24, 1), bytesOf(24, 2)];
    bench.feed(1, 1, old, 0, 16);
    for (let i = 0; i < 5; i++) bench.feed(1, 100 + i, old, 0, 8);
    expect(bench.feed(1, 1, fresh, 16, 24)).toBeNull();
    expect(bench.fake.drops).toEqual({ distance: 1 });
    expect(bench.feed(1, 1, fresh, 0, 16)).toEqual(fresh);
    // What others send does not count, nor does what is within it.
    bench.feed(2, 1, old, 0, 16);
    for (let i = 0; i < 9; i++) bench.feed(3, 200 + i, old, 0, 8);
    for (let i = 0; i < 4; i++) bench.feed(2, 300 + i, old, 0, 8);
    expect(bench.feed(2, 1, old, 16, 24)).toEqual(old);
    bench.table.close();
  });

  test('who fills the table loses its own; another sender’s datagram waits on, though it is older', () => {
    const bench = new Bench();
    bench.limitDatagrams = 8;
    const whole = bytesOf(24, 1);
    bench.feed(2, 7, whole, 0, 16);
    for (let i = 0; i < 500; i++) bench.feed(1, i, whole, 0, 8);
    expect(bench.table.datagrams).toBe(8);
    expect(bench.feed(2, 7, whole, 16, 24)).toEqual(whole);
    // A newcomer finds room at the cost of the one who has the most.
    bench.feed(1, 1000, whole, 0, 8);
    bench.feed(3, 1, whole, 0, 8);
    bench.feed(3, 2, whole, 0, 8);
    expect(bench.table.datagrams).toBe(8);
    expect(bench.feed(3, 1, whole, 8, 24)).toEqual(whole);
    expect(bench.feed(3, 2, whole, 8, 24)).toEqual(whole);
    bench.table.close();
    expect([bench.table.bytes, bench.pool.skbsOut]).toEqual([0, 0]);
  });
});

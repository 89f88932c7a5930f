import type { Fragment, Skb } from '@softnet/contract';
import { DropReason } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PoolAccount } from './account.ts';
import { appendFragment, cutFront, headroom, linearBytes, pull, push, put, split, tailroom, trim } from './edit.ts';
import { copyIn, gather, linearize } from './gather.ts';
import { PacketPool } from './pool.ts';
import { SkbReader } from './reader.ts';
import { PAGE_BYTES, Slabs } from './slabs.ts';
import { Stock } from './stock.ts';

/** What a packet must be: its bytes, as a plain array. */
interface Pair {
  readonly skb: Skb;
  bytes: number[];
}

/** Packets of two small pools with memories of their own, each beside its model. Both are worked through the first. */
class Packets {
  readonly account = new PoolAccount(null);
  readonly pool = this.#make('one', 6, 8);
  readonly foreign = this.#make('two', 3, 3);
  readonly live: Pair[] = [];
  readonly reader = new SkbReader();
  readonly reason = new DropReason(1, 'test', 'the model says so');
  #seed = 1;

  #make(name: string, buffers: number, pages: number): PacketPool {
    return new PacketPool(name, new Stock(new Slabs({ buffers, pages })), this.account);
  }

  /** Fresh bytes, unlike at every place. */
  fill(count: number): number[] {
    return Array.from({ length: count }, () => {
      this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) | 0;
      return (this.#seed >>> 16) & 0xff;
    });
  }

  read(skb: Skb): number[] {
    const into = new Uint8Array(skb.len);
    if (skb.len > 0) expect(this.reader.open(skb)).toBe(true);
    if (skb.len > 0) expect(this.reader.copyOut(into)).toBe(true);
    return [...into];
  }

  check(): void {
    for (const { skb, bytes } of this.live) {
      expect(skb.len).toBe(bytes.length);
      expect(this.read(skb)).toEqual(bytes);
      expect(skb.head).toBeLessThanOrEqual(skb.data);
      expect(skb.data).toBeLessThanOrEqual(skb.tail);
      expect(skb.tail).toBeLessThanOrEqual(skb.end);
    }
    expect(this.pool.skbsOut + this.foreign.skbsOut).toBe(this.live.length);
    expect(this.account.skbs.count).toBe(this.live.length);
  }
}

type Step = (packets: Packets, at: Pair, n: number) => void;

const write = ({ skb }: Pair, offset: number, bytes: readonly number[]): void => skb.memory.bytes.set(bytes, offset);
const isShared = ({ skb }: Pair): boolean => (skb.memory.pool as PacketPool).isShared(skb);
const keep = (packets: Packets, skb: Skb | null, bytes: number[]): void => {
  if (skb !== null) packets.live.push({ skb, bytes });
};

/** What can be done to a packet; each does the same to the model. What memory does not allow must change nothing. */
const steps: Readonly<Record<string, Step>> = {
  push: (packets, at, n) => {
    if (isShared(at) || headroom(at.skb) < n) return;
    const fresh = packets.fill(n);
    write(at, push(at.skb, n), fresh);
    at.bytes = [...fresh, ...at.bytes];
  },
  put: (packets, at, n) => {
    if (isShared(at) || tailroom(at.skb) < n) return;
    const fresh = packets.fill(n);
    write(at, put(at.skb, n), fresh);
    at.bytes = [...at.bytes, ...fresh];
  },
  pull: (_packets, at, n) => {
    const count = Math.min(n, linearBytes(at.skb));
    expect(pull(at.skb, count)).toBe(at.skb.data);
    at.bytes = at.bytes.slice(count);
  },
  trim: (_packets, at, n) => {
    trim(at.skb, n);
    at.bytes = at.bytes.slice(0, n);
  },
  cutFront: (_packets, at, n) => {
    cutFront(at.skb, n);
    at.bytes = at.bytes.slice(n);
  },
  copyIn: (packets, at, n) => {
    if (isShared(at)) return;
    const fresh = packets.fill(n * 3);
    if (copyIn(at.skb, Uint8Array.from([0, ...fresh, 0]), 1, fresh.length)) at.bytes = [...at.bytes, ...fresh];
  },
  appendPage: (packets, at, n) => {
    const fragment = (n % 3 === 0 ? packets.foreign : packets.pool).page(Math.min(n, PAGE_BYTES));
    if (fragment === null) return;
    const fresh = packets.fill(fragment.lenBytes);
    fragment.memory.bytes.set(fresh, fragment.offset);
    appendFragment(at.skb, fragment);
    at.bytes = [...at.bytes, ...fresh];
  },
  clone: (packets, at) => keep(packets, packets.pool.clone(at.skb), at.bytes),
  split: (packets, at, n) => {
    const rest = split(at.skb, n);
    if (rest === null) return;
    keep(packets, rest, at.bytes.slice(n));
    at.bytes = at.bytes.slice(0, n);
  },
  makeRoom: (packets, at, n) => {
    if (!packets.pool.makeRoom(at.skb, n, n >> 1)) return;
    expect(isShared(at)).toBe(false);
    expect(headroom(at.skb)).toBeGreaterThanOrEqual(n);
    expect(at.skb.end - at.skb.tail).toBeGreaterThanOrEqual(n >> 1);
  },
  gather: (_packets, at, n) => {
    const done = gather(at.skb, n);
    if (n > at.bytes.length) expect(done).toBe(false);
    if (done) expect(linearBytes(at.skb)).toBeGreaterThanOrEqual(n);
  },
  linearize: (_packets, at) => {
    if (linearize(at.skb)) expect(at.skb.fragments === null || at.bytes.length === linearBytes(at.skb)).toBe(true);
  },
  /** What GRO does: its bytes go on in another packet; or are let go. */
  dissolve: (packets, at, n) => {
    const first = packets.pool.dissolve(at.skb);
    expect(first !== null || at.bytes.length === 0 || isShared(at) || packets.account.noRecord.count > 0).toBe(true);
    if (first === null) return;
    packets.live.splice(packets.live.indexOf(at), 1);
    const other = packets.live[n % Math.max(1, packets.live.length)];
    if (other !== undefined) other.bytes = [...other.bytes, ...at.bytes];
    hang(other?.skb ?? null, first);
  },
  /** What GRO takes back: the packet that was dissolved is one again, with the same bytes. */
  revive: (packets, at, n) => {
    const before = { data: at.skb.data, headroomBytes: headroom(at.skb) };
    const first = packets.pool.dissolve(at.skb);
    if (first === null) return;
    packets.live.splice(packets.live.indexOf(at), 1);
    const rest = first.next;
    const skb = packets.pool.revive(first, n % 100);
    if (skb === null) return hang(null, first);
    if (first.offset === -1 && skb.data === before.data) expect(headroom(skb)).toBe(before.headroomBytes);
    hang(skb, rest);
    keep(packets, skb, at.bytes);
  },
  release: (packets, at) => {
    packets.pool.release(at.skb);
    packets.live.splice(packets.live.indexOf(at), 1);
  },
  drop: (packets, at) => {
    packets.pool.drop(at.skb, packets.reason);
    packets.live.splice(packets.live.indexOf(at), 1);
  },
};

/** Hangs fragments behind a packet; null: nobody wants them. */
function hang(skb: Skb | null, first: Fragment | null): void {
  for (let fragment = first; fragment !== null; ) {
    const { next } = fragment;
    fragment.next = null;
    if (skb === null) fragment.source.release(fragment);
    else appendFragment(skb, fragment);
    fragment = next;
  }
}

/** Those whose number is a place in the packet, or just behind it. */
const within: ReadonlySet<string> = new Set(['pull', 'trim', 'cutFront', 'split', 'gather']);

const command = fc.record({
  step: fc.constantFrom('alloc', 'alloc', ...Object.keys(steps)),
  which: fc.nat(),
  n: fc.oneof(fc.nat(64), fc.nat(5000)),
});

test('whatever is done to packets, their bytes are those of plain arrays, and all memory comes back', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const packets = new Packets();
      for (const { step, which, n } of commands) {
        const at = packets.live[which % packets.live.length];
        if (step === 'alloc') keep(packets, (which % 4 === 0 ? packets.foreign : packets.pool).alloc(n, which % 3000), []);
        else if (at !== undefined) steps[step]!(packets, at, within.has(step) ? n % (at.bytes.length + 2) : n);
        packets.check();
      }
      for (const { skb } of packets.live) packets.pool.release(skb);
      expect([packets.pool.idle, packets.foreign.idle]).toEqual([true, true]);
      expect([packets.account.skbs.count, packets.account.pages.count]).toEqual([0, 0]);
    }),
    { numRuns: 400 },
  );
});

import { expect, test } from 'vitest';
import type { SkbPool } from './packet-memory.ts';
import { PacketMemory } from './packet-memory.ts';
import { Skb } from './skb.ts';
import { dequeue, enqueue, SkbQueue, splice } from './skb-queue.ts';
import { SockCommon } from './sock-common.ts';
import type { SockOps } from './sock-ops.ts';
import { heapPerCall } from './testing/once-warm.ts';

const memory = new PacketMemory(new Uint8Array(4096), {} as SkbPool);

/** Bytes of one more of them on the heap; the median of some rounds, for other things come there and go. */
function measureBytes(make: () => object): number {
  const count = 100_000;
  const all = new Array<object | null>(count).fill(null);
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) {
    all.fill(null);
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < count; i++) all[i] = make();
    globalThis.gc!();
    rounds.push((process.memoryUsage().heapUsed - before) / count);
  }
  return rounds.sort((a, b) => a - b)[2]!;
}

test('an skb is 304 bytes in Node: 24, and 8 for each of its 35 fields', () => {
  expect(Object.keys(new Skb(memory))).toHaveLength(35);
  expect(measureBytes(() => new Skb(memory)) / 8).toBeCloseTo(38, 0);
});

test('a socket is 304 bytes in Node, its hold included', () => {
  const ops = {} as SockOps;
  expect(measureBytes(() => new SockCommon(ops)) / 8).toBeCloseTo(38, 0);
});

test('small numbers of a socket share a field, and none moves another', () => {
  const sock = new SockCommon({} as SockOps);
  const most = { family: 255, error: 255, protocol: 0xffff, localPort: 0xffff, remotePort: 0xffff };
  const names = Object.keys(most) as (keyof typeof most)[];
  const read = () => Object.fromEntries(names.map((name) => [name, sock[name]]));
  for (const name of names) {
    sock[name] = most[name];
    expect(read()).toEqual({ family: 0, error: 0, protocol: 0, localPort: 0, remotePort: 0, [name]: most[name] });
    sock[name] = 0;
  }
  Object.assign(sock, most);
  for (const name of names) {
    sock[name] = 1;
    expect(read()).toEqual({ ...most, [name]: 1 });
    sock[name] = most[name];
  }
});

test('int32 extremes in its fields cost no heap number', () => {
  const skb = new Skb(memory);
  const bytes = heapPerCall(1, (i) => {
    skb.mark = (0x7fffffff - i) | 0;
    skb.timeUs = (-0x80000000 + i) | 0;
    skb.vlan = (0x88a8 << 16) | (i & 0xfff);
  });
  // A box for each would be 48.
  expect(bytes).toBeLessThan(1);
});

test('a queue keeps order and counts; splice moves all', () => {
  const make = (len: number) => Object.assign(new Skb(memory), { len });
  const one = new SkbQueue();
  const two = new SkbQueue();
  for (const len of [1, 2]) enqueue(one, make(len));
  splice(one, two);
  for (const len of [3, 4]) enqueue(two, make(len));
  splice(one, two);
  expect([one.lenPackets, one.lenBytes, two.lenPackets, two.lenBytes, dequeue(two)]).toEqual([4, 10, 0, 0, null]);
  const order: number[] = [];
  for (let skb = dequeue(one); skb !== null; skb = dequeue(one)) order.push(skb.len, skb.next === null ? 0 : -1);
  expect(order).toEqual([1, 0, 2, 0, 3, 0, 4, 0]);
  expect([one.first, one.last, one.lenPackets, one.lenBytes]).toEqual([null, null, 0, 0]);
  splice(two, one);
  enqueue(two, make(5));
  expect(dequeue(two)?.len).toBe(5);
});

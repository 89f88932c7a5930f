import type { DropReason, ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { CHECKSUM, DropWatch, MESSAGE_FLAG, Module } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { parseAddress, parseIpv4Packet, parseIpv6Packet, parseUdp, pseudoHeaderSum } from '@softnet/wire';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BurstHost, NEAR } from './burst-host.ts';
import { BurstSocket } from './burst-socket.ts';
import type { Shot } from './frames.ts';
import { arrivalOf, shot } from './frames.ts';

// What was merged, and comes to a socket that takes datagrams one by one: each looks as it was sent, to whoever sees it.

const reader = new SkbReader();
let host: BurstHost;
const dropped: Uint8Array[] = [];
beforeAll(async () => {
  host = await BurstHost.boot({ gro: true });
  class WatchModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const watch = { dropped: (skb: Skb, { name }: DropReason) => void (name === 'udp.full' && dropped.push(packetOf(skb))) };
      ctx.contribute(DropWatch, watch, 'corridor');
    }
  }
  Module({ name: 'test-watch', version: '1.0.0', provides: [DropWatch] })(WatchModule);
  await host.world.run(host.kernel.load(WatchModule));
});
afterEach(() => expect([host.skbsOut, host.memoryOut]).toEqual([0, 0]));
afterAll(() => host.end());

/** From its IP header on; a sum that was left to a device is finished, as captures do it. */
function packetOf(skb: Skb): Uint8Array {
  const bytes = new Uint8Array(skb.len + skb.data - skb.network);
  bytes.set(skb.memory.bytes.subarray(skb.network, skb.data));
  reader.open(skb);
  reader.copyOut(bytes.subarray(skb.data - skb.network));
  if (skb.checksum === CHECKSUM.PARTIAL) finish(bytes, skb.head + (skb.csum >>> 16) - skb.network, skb.csum & 0xffff);
  return bytes;
}

function finish(bytes: Uint8Array, start: number, field: number): void {
  let sum = 0;
  for (let at = start; at < bytes.length; at++) sum += bytes[at]! << (((at - start) & 1) === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  new DataView(bytes.buffer).setUint16(start + field, ~sum & 0xffff);
}

/** Lengths and sums of both headers are right, or it throws. */
function read(bytes: Uint8Array) {
  const isV4 = bytes[0]! >>> 4 === 4;
  const packet = (isV4 ? parseIpv4Packet : parseIpv6Packet)(bytes, 0, bytes.length);
  if (typeof packet === 'string') throw new Error(packet);
  const pseudo = pseudoHeaderSum(...parseAddress(packet.src)!.words, ...parseAddress(packet.dst)!.words, 17, packet.payload.length);
  const datagram = parseUdp(packet.payload, 0, packet.payload.length, pseudo);
  if (typeof datagram === 'string') throw new Error(datagram);
  return { id: 'id' in packet ? packet.id : 0, lenBytes: datagram.payload.length };
}

const FAMILIES: readonly [string, Partial<Shot>][] = [
  ['IPv4', { dst: '10.0.1.1' }],
  ['IPv6', { src: NEAR[1], dst: 'fd00:1::1' }],
];
const lengths = [1000, 1000, 1000, 700];
function arrivals({ dst, src }: Partial<Shot>) {
  return lengths.map((lenBytes, i) =>
    arrivalOf(shot({ dst: dst!, ...(src === undefined ? {} : { src }), dstPort: 7, lenBytes, id: 5 + i })),
  );
}

test.each(FAMILIES)('as one of a socket that is full, in a capture of drops: %s', (name, values) => {
  const single = new BurstSocket(host).bind(7);
  dropped.length = 0;
  while (dropped.length < lengths.length) host.receive(arrivals(values));
  const isV4 = name === 'IPv4';
  expect(dropped.slice(-lengths.length).map(read)).toEqual(lengths.map((lenBytes, i) => ({ id: isV4 ? 5 + i : 0, lenBytes })));
  single.close();
});

test.each(FAMILIES)('as the packet itself: %s', (_name, values) => {
  const single = new BurstSocket(host).bind(7);
  const merged = host.counter('gro.merged');
  host.receive(arrivals(values));
  expect(host.counter('gro.merged') - merged).toBe(lengths.length - 1);
  const taken = lengths.map(() => {
    single.message.flags = MESSAGE_FLAG.SKB;
    expect(single.calls.receive(single.sock, single.message)).toBeGreaterThan(0);
    const { skb } = single.message;
    const { lenBytes } = read(packetOf(skb!));
    skb!.memory.pool.release(skb!);
    return lenBytes;
  });
  expect(taken).toEqual(lengths);
  single.close();
});

test('as one of those that a device merged, extension headers and all', () => {
  const single = new BurstSocket(host).bind(7);
  const { bytes } = arrivalOf(shot({ src: NEAR[1], dst: 'fd00:1::1', dstPort: 7, lenBytes: 950, pagesFrom: 9999 }));
  // Destination options, of padding (RFC 8200 §4.2).
  const longer = Uint8Array.from([...bytes.subarray(0, 54), 17, 0, 1, 4, 0, 0, 0, 0, ...bytes.subarray(54)]);
  longer[14 + 6] = 60;
  new DataView(longer.buffer).setUint16(14 + 4, longer.length - 54);
  host.receive([{ bytes: longer, checksum: CHECKSUM.UNNECESSARY, gsoSize: 100 }]);
  expect(single.takeAll().map(({ data }) => data.length)).toEqual([...new Array(9).fill(100), 50]);
  single.close();
});

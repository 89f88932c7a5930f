import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, ETHERTYPE, IP_PROTOCOL, Module, SkbPool, SkbPools, Tap } from '@softnet/contract';
import { copyIn, SkbReader } from '@softnet/skb';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net, pattern } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { addSums, checksumOf, ipv4PseudoHeaderSum, ipv6PseudoHeaderSum, sumBytes } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** Frames of all sorts that the stack itself sends: what is mutated. */
const corpus: Uint8Array[] = [];

@Module({ name: 'collector', version: '1.0.0', provides: [Tap] })
class Collector implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reader = new SkbReader();
    const tap = (skb: Skb): void => {
      if (!reader.open(skb, skb.mac - skb.data)) return;
      const bytes = new Uint8Array(reader.remaining);
      reader.copyOut(bytes);
      corpus.push(bytes);
    };
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

/** One change of a frame; places and values are taken modulo what is there. */
const change = fc.record({
  sort: fc.constantFrom('flip', 'set', 'cut', 'extend', 'splice', 'zero', 'lie'),
  at: fc.nat(2000),
  value: fc.nat(0xffff),
});
/** `mends`: checksums are made right again, so that what lies behind them is tried too. */
const mutation = fc.record({ base: fc.nat(10_000), changes: fc.array(change, { minLength: 1, maxLength: 4 }), mends: fc.boolean() });
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** Where lengths, versions, offsets and next headers stand: lies are told there. */
const LYING_PLACES = Object.freeze([12, 13, 14, 16, 17, 20, 21, 23, 38, 39, 46, 47, 18, 19, 20, 54, 55, 58, 59]);

/** @param mac whom it is for, unless that is what changes. */
function mutate({ base, changes, mends }: Mutation, mac: Uint8Array): Uint8Array {
  let bytes = corpus[base % corpus.length]!.slice();
  if ((bytes[0]! & 1) === 0) bytes.set(mac);
  for (const { sort, at: place, value } of changes) {
    const at = bytes.length === 0 ? 0 : place % bytes.length;
    if (sort === 'cut') bytes = bytes.slice(0, at);
    else if (sort === 'extend') bytes = Uint8Array.of(...bytes, ...new Uint8Array(value % 1400)).subarray(0, 1514);
    else if (sort === 'splice')
      bytes = Uint8Array.of(...bytes.subarray(0, at), ...corpus[value % corpus.length]!.subarray(at)).subarray(0, 1514);
    else if (bytes.length === 0) continue;
    else if (sort === 'flip') bytes[at]! ^= 1 << (value & 7);
    else if (sort === 'zero') bytes.fill(0, at, at + (value & 15));
    else bytes[sort === 'lie' ? LYING_PLACES[place % LYING_PLACES.length]! % bytes.length : at] = value;
  }
  if (mends) mend(bytes);
  return bytes;
}

/** Writes right checksums wherever one belongs, as far as the headers can be believed. */
function mend(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 14 + 20) return;
  const ethertype = view.getUint16(12);
  if (ethertype === ETHERTYPE.IPV4) mendIpv4(view);
  else if (ethertype === ETHERTYPE.IPV6 && bytes.length >= 14 + 40) {
    const lenBytes = Math.min(view.getUint16(18), bytes.length - 54);
    mendUpper(view, 54, lenBytes, view.getUint8(20), ipv6PseudoHeaderSum(view, 14, view.getUint8(20), lenBytes));
  }
}

function mendIpv4(view: DataView): void {
  const headerBytes = (view.getUint8(14) & 15) * 4;
  if (headerBytes < 20 || 14 + headerBytes > view.byteLength) return;
  view.setUint16(24, 0);
  view.setUint16(24, checksumOf(sumBytes(view, 14, headerBytes)));
  const protocol = view.getUint8(23);
  const lenBytes = Math.min(view.getUint16(16), view.byteLength - 14) - headerBytes;
  mendUpper(
    view,
    14 + headerBytes,
    lenBytes,
    protocol,
    protocol === IP_PROTOCOL.UDP ? ipv4PseudoHeaderSum(view, 14, protocol, lenBytes) : 0,
  );
}

function mendUpper(view: DataView, offset: number, lenBytes: number, protocol: number, pseudoSum: number): void {
  if (lenBytes < 8) return;
  const isUdp = protocol === IP_PROTOCOL.UDP;
  if (!isUdp && protocol !== IP_PROTOCOL.ICMP && protocol !== IP_PROTOCOL.ICMPV6) return;
  const at = offset + (isUdp ? 6 : 2);
  view.setUint16(at, 0);
  view.setUint16(at, checksumOf(addSums(pseudoSum, sumBytes(view, offset, lenBytes))) || 0xffff);
}

/** Two hosts; what is collected goes over their wire: pings, datagrams of one and many fragments, refusals, of both families. */
async function collect(): Promise<void> {
  const net = new Net({ seed: 3, modules: [...HOST_STACK, Collector] });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
  );
  const ways = [
    [a, '10.0.0.2'],
    [a, 'fd00::2'],
    [b, '10.0.0.1'],
    [b, 'fd00::1'],
  ] as const;
  for (const host of [a, b]) await net.run(host.kernel.load(UdpEchoModule));
  for (const [host, address] of ways) {
    await net.run(host.ping(address, { lenBytes: 3000 }));
    const user = host.open();
    for (const size of [0, 10, 1400, 5000]) {
      await net.run(user.send(pattern(1, 0, size), address, 7));
      await net.run(user.receive());
    }
    await net.run(user.send(Uint8Array.of(1), address, 4711));
    await net.pass(100);
    user.close();
  }
  await net.dispose();
}

function inject(host: NetHost, frame: Uint8Array): void {
  const skb = host.kernel.port(SkbPool).current.alloc(64, 1514)!;
  copyIn(skb, frame);
  skb.mac = skb.data;
  host.kernel.port(DeviceTraffic).current.transmit(host.device('eth0'), skb);
}

test('100,000 mutated frames: counted drops, nothing thrown, nothing leaked, memory bounded', async () => {
  await collect();
  expect(corpus.length).toBeGreaterThan(80);
  const net = new Net({ seed: 4, modules: [...HOST_STACK, UdpEchoModule] });
  const target = await net.router('target');
  const sender = await new Net({ world: net.world, modules: HOST_STACK.slice(0, 7) }).host('sender');
  net.hosts.push(sender);
  await net.join(
    { host: target, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
    { host: sender, device: 'eth0' },
    { queueFrames: 4096 },
  );
  const usage = () => target.kernel.port(SkbPools).current.usage()[0]!;
  const mac = target.device('eth0').address;
  let sent = 0;
  let mostOut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 100, maxLength: 100 }), async (mutations) => {
      for (const each of mutations) inject(sender, mutate(each, mac));
      sent += mutations.length;
      await net.pass(20);
      mostOut = Math.max(mostOut, usage().skbsOut);
      expect(target.kernel.faults).toEqual([]);
    }),
    { numRuns: 1000, endOnFailure: true },
  );
  expect(sent).toBe(100_000);
  expect(target.device('eth0').stats.rxPackets).toBe(100_000);
  const drops = target.kernel.dropReasons().filter(({ count }) => count > 0);
  expect(drops.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(30_000);
  // Not one gate has stopped them all.
  expect(new Set(drops.map(({ name }) => name)).size, drops.map(({ name, count }) => `${name} ${count}`).join()).toBeGreaterThan(50);
  expect(mostOut).toBeLessThan(4000);
  // Reassembly and neighbours give up in their time; then nothing of all that is left.
  await net.pass(120_000);
  expect(usage().skbsOut).toBe(0);
  expect(target.kernel.modules().map(({ name, throws }) => [name, throws])).toEqual(target.kernel.modules().map(({ name }) => [name, 0]));
  const { leaks, faults } = await net.run(target.kernel.shutdown());
  expect([leaks, faults]).toEqual([[], []]);
  await net.dispose();
}, 120_000);

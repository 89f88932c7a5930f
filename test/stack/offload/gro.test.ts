import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, DeviceTraffic, ETHERTYPE, enqueue, Module, SKB_TYPE, SkbQueue, Tap } from '@softnet/contract';
import {
  finishIpv4,
  parseAddress,
  parseIpv4Packet,
  parseUdp,
  pseudoHeaderSum,
  setIpv4Id,
  setIpv4TotalBytes,
  setUdpLenBytes,
  viewOf,
} from '@softnet/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Arrival } from './burst-host.ts';
import { BurstHost, FAR, NEAR } from './burst-host.ts';
import type { Shot } from './frames.ts';
import { arrivalOf, payloadOf, shot } from './frames.ts';

let host: BurstHost;
let seen: { segs: number; size: number; checksum: number }[];
beforeAll(async () => {
  host = await BurstHost.boot({ gro: true });
  await host.world.run(host.kernel.load(tapModule((skb) => seen.push({ segs: skb.gsoSegs, size: skb.gsoSize, checksum: skb.checksum }))));
});
beforeEach(() => {
  seen = [];
  host.take();
});
afterEach(() => expect([host.skbsOut, host.memoryOut]).toEqual([0, 0]));
afterAll(() => host.end());

/** Sees what comes behind GRO. */
function tapModule(see: (skb: Skb) => void) {
  class SeeingModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const tap = (skb: Skb): void => {
        if (skb.type !== SKB_TYPE.OUTGOING) see(skb);
      };
      ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
    }
  }
  Module({ name: 'test-tap', version: '1.0.0', provides: [Tap] })(SeeingModule);
  return SeeingModule;
}

/** Shots of one flow, the identification one more each, with what is said of each. */
function run(...each: readonly Partial<Shot>[]): Shot[] {
  return each.map((values, i) => shot({ id: 10 + i, salt: i, ...values }));
}
const same = (count: number, values: Partial<Shot> = {}): Partial<Shot>[] => new Array<Partial<Shot>>(count).fill(values);

/** How many frames stand in each packet that goes up. */
function handedUp(shots: readonly Shot[]): number[] {
  seen.length = 0;
  const sent = shots.map((each) => arrivalOf(each));
  host.receive(sent);
  return seen.map(({ segs }) => Math.max(1, segs));
}

const CE = { tos: 3 };
const V6 = { src: NEAR[1], dst: FAR[2] };

describe('what is merged, and what is not', () => {
  test.each<[string, Shot[], number[]]>([
    ['datagrams of one size', run(...same(5)), [5]],
    ['… and a shorter one, which is the last', run(...same(3), { lenBytes: 7 }, ...same(2)), [4, 2]],
    ['no longer one', run(...same(2), { lenBytes: 101 }, { lenBytes: 101 }), [2, 1, 1]],
    ['64 at most', run(...same(70, { lenBytes: 10 })), [64, 6]],
    ['65,535 bytes at most', run(...same(50, { lenBytes: 1452 })), [45, 5]],
    ['one identification for all', run(...same(4, { id: 0, dontFragment: true })), [4]],
    ['one more each, over the end', run(...[0xfffe, 0xffff, 0, 1].map((id) => ({ id }))), [4]],
    ['not two more', run({ id: 1 }, { id: 3 }, { id: 4 }), [1, 1, 1]],
    ['not first the same, then one more', run({ id: 1 }, { id: 1 }, { id: 2 }), [2, 1]],
    ['no other type of service', run({}, {}, { tos: 8 }, {}), [2, 1, 1]],
    ['no mark of congestion among others', run({}, CE, {}), [1, 1, 1]],
    ['marks of congestion among themselves', run(CE, CE, CE), [3]],
    ['no other TTL, no other DF', run({}, { ttl: 63 }, {}, { dontFragment: true }), [1, 1, 1, 1]],
    ['nothing that goes no further', run(...same(3, { ttl: 1 })), [1, 1, 1]],
    ['no wrong sum', run({}, { quirk: 'bad-udp-sum' }, {}), [1, 1, 1]],
    ['none without a sum, whatever the device says', run(...same(3, { quirk: 'no-udp-sum', checksum: CHECKSUM.UNNECESSARY })), [1, 1, 1]],
    ['what the device has summed up', run(...same(3, { checksum: CHECKSUM.COMPLETE }), { checksum: CHECKSUM.UNNECESSARY }), [4]],
    ['no options, fragments, padding', run({}, { quirk: 'options' }, { quirk: 'first-fragment' }, { quirk: 'padding' }), [1, 1, 1, 1]],
    ['not the other form of a header sum of zero', run(...otherZeros()), [1, 1, 1]],
    ['IPv6', run(...same(3, V6), { ...V6, lenBytes: 1 }), [4]],
    ['no other traffic class, hop limit, flow label', run(V6, { ...V6, ...CE }, { ...V6, ttl: 9 }, { ...V6, flowLabel: 7 }), [1, 1, 1, 1]],
    ['eight flows side by side', Array.from({ length: 24 }, (_, i) => shot({ srcPort: i % 8, id: i >> 3 })), new Array(8).fill(3)],
    [
      'other flows meanwhile',
      run({}, { srcPort: 5, id: 1 }, { quirk: 'bad-udp-sum', srcPort: 6 }, { id: 11 }, { srcPort: 5, id: 2 }),
      [1, 2, 2],
    ],
    ['frames for another host are none of ours', run(...same(3, { quirk: 'other-host' })), [1, 1, 1]],
  ])('%s', (_name, shots, expected) => {
    expect(handedUp(shots)).toEqual(expected);
  });

  /** All the same header, whose sum is zero: the second says so in the other way. */
  function otherZeros(): Partial<Shot>[] {
    const id = viewOf(arrivalOf(shot({ quirk: 'other-zero' })).bytes).getUint16(14 + 4);
    return [{ id }, { id, quirk: 'other-zero' }, { id }];
  }

  test('by nobody’s wish nothing, by a socket’s its own datagrams: net.udp.gro', () => {
    const shots = run(...same(4));
    for (const [setting, expected] of [
      [0, 4],
      [1, 4],
      [2, 1],
    ] as const) {
      host.kernel.sysctl.set('net.udp.gro', setting);
      expect(handedUp(shots)).toHaveLength(expected);
    }
  });

  test('it is counted: packets into the layers for each on the wire', () => {
    const names = ['gro.offered', 'gro.merged', 'gso.cut', 'gso.segments'] as const;
    const before = names.map((name) => host.counter(name));
    handedUp(run(...same(32)));
    expect(seen).toHaveLength(1);
    expect(names.map((name, i) => host.counter(name) - before[i]!)).toEqual([32, 31, 1, 32]);
    expect(host.take().out).toHaveLength(32);
  });
});

describe('what is held', () => {
  test('goes up with the next batch, when somebody’s code throws in the midst of one', async () => {
    const own = await BurstHost.boot({ gro: true });
    let isBad = true;
    const see = (): void => {
      if (isBad) throw new Error('a tap');
    };
    await own.world.run(own.kernel.load(tapModule(see)));
    // What goes up first is of another flow than those that are held.
    const shots = run({}, {}, { dstPort: 10 }, { dstPort: 10, quirk: 'bad-udp-sum' });
    expect(() => own.poll(shots.map(arrivalOf))).toThrow('a tap');
    expect(own.take().out).toHaveLength(0);
    isBad = false;
    own.poll([]);
    expect(own.take().out).toHaveLength(2);
    // The one that the tap saw, and the one that came behind it.
    expect([own.drops['netdev.fault'], own.skbsOut, own.memoryOut]).toEqual([2, 0, 0]);
    await own.end();
  });

  test('is nobody’s, when the protocol or the layer has left', async () => {
    const own = await BurstHost.boot({ gro: true });
    const frames = run(...same(3)).map(arrivalOf);
    own.poll(frames);
    expect(own.take().out).toHaveLength(3);
    await own.world.run(own.kernel.unload('udp'));
    own.poll(frames);
    expect([own.take().out.length, own.counter('gro.merged')]).toEqual([3, 2]);
    await own.world.run(own.kernel.unload('ipv4', { cascade: true }));
    own.poll(frames);
    expect([own.skbsOut, own.memoryOut]).toEqual([0, 0]);
    await own.end();
  });
});

describe('the merged packet', () => {
  test('is one large datagram, with a sum that is to be finished', () => {
    const shots = run(...same(3), { lenBytes: 9 });
    handedUp(shots);
    expect(seen).toEqual([{ segs: 4, size: 100, checksum: CHECKSUM.PARTIAL }]);
    expect(host.take().out[0]).toHaveLength(14 + 28 + 100);
  });

  test('is not seen by a clone of its first frame, from a device that duplicates', () => {
    const [first, second] = run(...same(2)).map((each) => host.packet(arrivalOf(each)));
    const again = first!.memory.pool.clone(first!)!;
    const receive = (...packets: readonly Skb[]): Uint8Array[] => {
      const batch = new SkbQueue();
      for (const each of packets) enqueue(batch, each);
      host.kernel.port(DeviceTraffic).current.receive(host.in.rxQueues[0]!, batch);
      return host.take().out;
    };
    const frames = receive(first!, second!);
    expect([frames.length, seen.at(-1)!.segs]).toEqual([2, 2]);
    expect(receive(again)).toEqual([frames[0]]);
  });

  test('leaves whole by a device that cuts for itself', async () => {
    const whole = await BurstHost.boot({ gro: true, features: OFFLOADS });
    const shots = run(...same(3), { lenBytes: 9 });
    whole.receive(shots.map(arrivalOf));
    const [frame, ...others] = whole.take().out;
    expect([others.length, whole.sent.out.sizes]).toEqual([0, [100]]);
    const packet = parseIpv4Packet(frame!, 14, frame!.length - 14);
    if (typeof packet === 'string') throw new Error(packet);
    const datagram = parseUdp(packet.payload, 0, packet.payload.length);
    expect(packet).toMatchObject({ id: 10, ttl: 63, tos: 0 });
    expect(datagram).toMatchObject({ srcPort: 4000, dstPort: 9, payload: Uint8Array.from(shots.flatMap((each) => [...payloadOf(each)])) });
    await whole.end();
  });
});

const OFFLOADS = DEVICE_FEATURE.GSO_UDP | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.SCATTER;

describe('what a device hands up as several (RX_GSO)', () => {
  /** One large frame, as a peer that cuts nothing sends it. */
  function large(sizeBytes: number, lenBytes: number): Arrival {
    const { bytes } = arrivalOf(shot({ lenBytes, pagesFrom: 9999 }));
    return { bytes, pagesFrom: 700, checksum: CHECKSUM.UNNECESSARY, gsoSize: sizeBytes };
  }

  test('is cut for who is behind a device that does not', () => {
    host.receive([large(100, 950)]);
    const { out } = host.take();
    expect(out.map(({ length }) => length)).toEqual([...new Array(9).fill(142), 92]);
    for (const [i, frame] of out.entries()) expect(datagramOf(frame)).toMatchObject({ id: i });
  });

  test('does not overtake what is held of its flow, and is not merged with it', () => {
    const first = arrivalOf(shot({ id: 0xffff }));
    seen.length = 0;
    host.receive([first, large(100, 200), arrivalOf(shot({ id: 2 }))]);
    expect(seen.map(({ segs }) => segs)).toEqual([0, 2, 0]);
    expect(host.take().out.map((frame) => datagramOf(frame).id)).toEqual([0xffff, 0, 1, 2]);
  });

  test.each<[string, { gsoSize: number; protocol?: number; cut?: number }]>([
    ['a size that says nothing', { gsoSize: -5 }],
    ['of a protocol that nobody cuts', { gsoSize: 10, protocol: 99 }],
    ['headers that are not there', { gsoSize: 10, cut: 14 + 22 }],
    ['one byte each', { gsoSize: 1 }],
  ])('garbage is dropped, with a reason: %s', (_name, { gsoSize, protocol = 17, cut }) => {
    const bytes = arrivalOf(shot({ lenBytes: 1400 })).bytes.slice(0, cut);
    const view = viewOf(bytes);
    bytes[14 + 9] = protocol;
    setIpv4TotalBytes(view, 14, bytes.length - 14);
    if (cut === undefined) setUdpLenBytes(view, 34, bytes.length - 34);
    setIpv4Id(view, 14, 0);
    finishIpv4(view, 14);
    const before = host.drops;
    host.receive([{ bytes, gsoSize, checksum: CHECKSUM.UNNECESSARY }]);
    expect(host.take().out).toHaveLength(0);
    const after = Object.entries(host.drops).filter(([name, count]) => count !== (before[name] ?? 0));
    expect(after.map(([name]) => name)).toEqual([protocol === 17 ? 'udp.segment' : 'ipv4.segment']);
  });

  test('a fragment that stands for several is garbage, too', () => {
    const { bytes } = arrivalOf(shot({ ...V6, lenBytes: 950, pagesFrom: 9999 }));
    // A fragment header of the first, with more to come (RFC 8200 §4.5).
    const fragment = Uint8Array.from([...bytes.subarray(0, 54), 17, 0, 0, 1, 0, 0, 0, 7, ...bytes.subarray(54)]);
    fragment[14 + 6] = 44;
    viewOf(fragment).setUint16(14 + 4, fragment.length - 54);
    const before = host.drops['ipv6.segment'] ?? 0;
    host.receive([{ bytes: fragment, checksum: CHECKSUM.UNNECESSARY, gsoSize: 100 }]);
    expect([host.take().out.length, (host.drops['ipv6.segment'] ?? 0) - before]).toEqual([0, 1]);
  });

  function datagramOf(frame: Uint8Array) {
    const packet = parseIpv4Packet(frame, 14, frame.length - 14);
    if (typeof packet === 'string') throw new Error(packet);
    const pseudo = pseudoHeaderSum(...parseAddress(packet.src)!.words, ...parseAddress(packet.dst)!.words, 17, packet.payload.length);
    const datagram = parseUdp(packet.payload, 0, packet.payload.length, pseudo);
    if (typeof datagram === 'string') throw new Error(datagram);
    return { id: packet.id, ...datagram };
  }
});

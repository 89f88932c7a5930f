import type { Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE } from '@softnet/contract';
import { copyIn, finishChecksum, makePool, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeOffloads, readOffloads } from './offloads.ts';
import { VNET_BURST, VnetHeader } from './vnet-header.ts';

const { GSO_TCPV4, GSO_TCPV6, GSO_TCP_ECN, GSO_UDP } = DEVICE_FEATURE;
const pool = makePool({ buffers: 4, pages: 32 });
const reader = new SkbReader();

interface Shape {
  readonly linkBytes: number;
  readonly tags: number;
  readonly version: 4 | 6;
  readonly udp: boolean;
  /** Of the IPv4 header, or of extension headers behind IPv6's. */
  readonly optionBytes: number;
  readonly tcpOptionBytes: number;
  readonly payloadBytes: number;
}

/** A frame of that shape: headers as far as they are looked at. Returns it, and where its transport header begins. */
function frameOf(shape: Shape): { frame: Uint8Array; network: number; transport: number; headers: number } {
  const network = shape.linkBytes === 0 ? 0 : 14 + 4 * shape.tags;
  const transport = network + (shape.version === 4 ? 20 : 40) + shape.optionBytes;
  const headers = transport + (shape.udp ? 8 : 20 + shape.tcpOptionBytes);
  const frame = new Uint8Array(headers + shape.payloadBytes).fill(0x5a);
  const view = new DataView(frame.buffer);
  for (let tag = 0; tag < shape.tags; tag++) view.setUint16(12 + 4 * tag, 0x8100);
  if (shape.linkBytes > 0) view.setUint16(network - 2, shape.version === 4 ? 0x0800 : 0x86dd);
  frame[network] = shape.version === 4 ? 0x40 | ((transport - network) / 4) : 0x60;
  frame[network + (shape.version === 4 ? 9 : 6)] = shape.udp ? 17 : 6;
  if (!shape.udp) frame[transport + 12] = ((headers - transport) / 4) << 4;
  return { frame, network, transport, headers };
}

function skbOf(frame: Uint8Array): Skb {
  const skb = pool.alloc(66, Math.min(frame.length, 1982))!;
  copyIn(skb, frame);
  return skb;
}

const shape: fc.Arbitrary<Shape> = fc
  .record({
    linkBytes: fc.constantFrom(14, 0),
    tags: fc.nat(2),
    version: fc.constantFrom(4 as const, 6 as const),
    udp: fc.boolean(),
    optionBytes: fc.nat(4).map((words) => 4 * words),
    tcpOptionBytes: fc.nat(10).map((words) => 4 * words),
    payloadBytes: fc.integer({ min: 1, max: 20_000 }),
  })
  .map((each) => (each.linkBytes === 0 ? { ...each, tags: 0 } : each));

test('a burst that Linux sends is what we send back, and says what it stands for', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 8, max: 9000 }), fc.boolean(), (each, segmentBytes, ecn) => {
      const { frame, transport, headers } = frameOf(each);
      const tcp = (each.version === 4 ? VNET_BURST.TCPV4 : VNET_BURST.TCPV6) | (ecn ? VNET_BURST.ECN : 0);
      const burst = each.udp ? VNET_BURST.UDP : tcp;
      const fields = { flags: 1, burst, headerBytes: headers, segmentBytes, checksumStart: transport, checksumOffset: each.udp ? 6 : 16 };
      const header = Object.assign(new VnetHeader(), fields);
      const skb = skbOf(frame);
      expect(readOffloads(skb, header, each.linkBytes)).toBe(true);
      expect([skb.checksum, skb.head + (skb.csum >>> 16) - skb.data, skb.csum & 0xffff]).toEqual([3, transport, each.udp ? 6 : 16]);
      const isBurst = each.payloadBytes > segmentBytes;
      const type = each.udp ? GSO_UDP : (each.version === 4 ? GSO_TCPV4 : GSO_TCPV6) | (ecn ? GSO_TCP_ECN : 0);
      const gso = isBurst ? [segmentBytes, Math.ceil(each.payloadBytes / segmentBytes), type] : [0, 0, 0];
      expect([skb.gsoSize, skb.gsoSegs, skb.gsoType]).toEqual(gso);
      const back = new VnetHeader();
      expect(describeOffloads(skb, back)).toBe(true);
      expect(back).toEqual(isBurst ? header : Object.assign(new VnetHeader(), fields, { burst: 0, headerBytes: 0, segmentBytes: 0 }));
      pool.release(skb);
    }),
  );
});

/** A header that is right for its frame, but for some fields. */
const nearlyRight = shape.chain((each) => {
  const { frame, transport, headers } = frameOf({ ...each, payloadBytes: Math.min(each.payloadBytes, 3000) });
  const sort = each.udp ? VNET_BURST.UDP : each.version === 4 ? VNET_BURST.TCPV4 : VNET_BURST.TCPV6;
  const or = (right: number, ...others: readonly number[]): fc.Arbitrary<number> =>
    fc.oneof({ arbitrary: fc.constant(right), weight: 8 }, fc.constantFrom(...others), fc.nat(0xffff));
  const fields = fc.record({
    flags: or(1, 0, 2).map((flags) => flags & 0xff),
    burst: or(sort, 0, 1, 3, 4, 5, 0x81, 0x84, 0x85).map((burst) => burst & 0xff),
    headerBytes: or(headers, frame.length, frame.length + 1),
    segmentBytes: or(500, 0, 1, frame.length),
    checksumStart: or(transport, transport - 1, transport + 1, frame.length - 2),
    checksumOffset: or(each.udp ? 6 : 16, 6, 16, frame.length - transport - 2, frame.length - transport - 1),
  });
  return fc.record({ frame: fc.constant(frame), fields, linkBytes: fc.constant(each.linkBytes) });
});
const garbage = fc.record({
  frame: fc.uint8Array({ maxLength: 200 }),
  fields: fc.record({
    flags: fc.nat(3),
    burst: fc.constantFrom(0, 1, 4, 5),
    headerBytes: fc.nat(80),
    segmentBytes: fc.nat(80),
    checksumStart: fc.nat(80),
    checksumOffset: fc.nat(80),
  }),
  linkBytes: fc.constantFrom(14, 0),
});

test('whatever header and frame say, a packet that is let in can be worked on: its checksum finished, its segments counted', () => {
  let accepted = 0;
  let bursts = 0;
  fc.assert(
    fc.property(fc.oneof(nearlyRight, garbage), ({ frame, fields, linkBytes }) => {
      const skb = skbOf(frame);
      const header = Object.assign(new VnetHeader(), fields);
      if (!readOffloads(skb, header, linkBytes)) {
        expect([skb.checksum, skb.csum, skb.gsoSize, skb.gsoSegs, skb.gsoType]).toEqual([0, 0, 0, 0, 0]);
      } else {
        accepted++;
        if (skb.gsoSize > 0) {
          bursts++;
          expect([skb.checksum, skb.gsoSegs > 1, skb.gsoSegs <= 8192]).toEqual([CHECKSUM.PARTIAL, true, true]);
          expect(skb.gsoSize * skb.gsoSegs).toBeGreaterThanOrEqual(skb.len - header.checksumStart - 60);
          expect(skb.gsoSize * (skb.gsoSegs - 1)).toBeLessThan(skb.len - header.checksumStart);
        }
        expect(finishChecksum(skb, reader)).toBe(true);
      }
      pool.release(skb);
    }),
    { numRuns: 2000 },
  );
  expect([accepted > 300, bursts > 100]).toEqual([true, true]);
});

test.each([
  ['a header longer than the frame', { headerBytes: 2000 }],
  ['a checksum that begins in the link header', { checksumStart: 13 }],
  ['a checksum that begins behind the frame', { checksumStart: 1500 }],
  ['a field behind the frame', { checksumOffset: 1400 }],
  ['a burst whose checksum is not left to us', { flags: 0 }],
  ['segments of nothing', { segmentBytes: 0 }],
  ['more segments than can be', { segmentBytes: 1, payloadBytes: 9000 }],
  ['UDP fragments of old', { burst: 3 }],
  ['a sort that nobody knows', { burst: 7 }],
  ['UDP with ECN', { burst: 0x85 }],
  ['UDP that is TCP', { burst: VNET_BURST.UDP }],
  ['the other version of IP', { burst: VNET_BURST.TCPV6 }],
  ['a transport header that begins elsewhere', { checksumStart: 38 }],
])('refuses %s', (_what, { payloadBytes = 1000, ...lie }: Partial<VnetHeader> & { payloadBytes?: number }) => {
  const shape = { linkBytes: 14, tags: 0, version: 4, udp: false, optionBytes: 0, tcpOptionBytes: 0, payloadBytes } as const;
  const { frame, transport, headers } = frameOf(shape);
  const truth = { flags: 1, burst: 1, headerBytes: headers, segmentBytes: 400, checksumStart: transport, checksumOffset: 16 };
  const told = (fields: object): boolean => {
    const skb = skbOf(frame);
    const good = readOffloads(skb, Object.assign(new VnetHeader(), fields), 14);
    pool.release(skb);
    return good;
  };
  expect([told(truth), told({ ...truth, ...lie })]).toEqual([true, false]);
});

test('a checksum that would be summed from the link header on, or written into it, is refused', () => {
  const skb = skbOf(new Uint8Array(60));
  const told = (checksumStart: number, linkBytes: number): boolean =>
    readOffloads(skb, Object.assign(new VnetHeader(), { flags: 1, checksumStart, checksumOffset: 6 }), linkBytes);
  expect([told(13, 14), told(14, 14), told(0, 0), told(52, 14), told(53, 14)]).toEqual([false, true, true, true, false]);
  pool.release(skb);
});

test('a burst of just one segment is a packet', () => {
  const shape = { linkBytes: 14, tags: 0, version: 4, udp: true, optionBytes: 0, tcpOptionBytes: 0, payloadBytes: 1400 } as const;
  const { frame, transport, headers } = frameOf(shape);
  const fields = { flags: 1, burst: VNET_BURST.UDP, headerBytes: headers, checksumStart: transport, checksumOffset: 6 };
  for (const [segmentBytes, segments] of [
    [1399, 2],
    [1400, 0],
    [1401, 0],
  ] as const) {
    const skb = skbOf(frame);
    expect([readOffloads(skb, Object.assign(new VnetHeader(), { ...fields, segmentBytes }), 14), skb.gsoSegs]).toEqual([true, segments]);
    pool.release(skb);
  }
});

test('a packet that is verified is, and one of which nothing is said is not', () => {
  const skb = skbOf(new Uint8Array(60));
  expect([readOffloads(skb, new VnetHeader(), 14), skb.checksum]).toEqual([true, CHECKSUM.NONE]);
  expect([readOffloads(skb, Object.assign(new VnetHeader(), { flags: 2 }), 14), skb.checksum]).toEqual([true, CHECKSUM.UNNECESSARY]);
  pool.release(skb);
});

test('a burst that Linux does not take cannot be said', () => {
  const { frame, transport } = frameOf({
    linkBytes: 14,
    tags: 0,
    version: 4,
    udp: false,
    optionBytes: 0,
    tcpOptionBytes: 0,
    payloadBytes: 3000,
  });
  const skb = skbOf(frame);
  Object.assign(skb, { gsoSize: 1000, gsoSegs: 3, gsoType: GSO_TCPV4 });
  expect(describeOffloads(skb, new VnetHeader())).toBe(false);
  skb.checksum = CHECKSUM.PARTIAL;
  skb.csum = ((skb.data - skb.head + transport) << 16) | 16;
  expect(describeOffloads(skb, new VnetHeader())).toBe(true);
  skb.gsoType = GSO_TCPV4 | DEVICE_FEATURE.GSO_TUNNEL;
  expect(describeOffloads(skb, new VnetHeader())).toBe(false);
  pool.release(skb);
});

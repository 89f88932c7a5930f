import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INTACT, sumBytes } from './internet-checksum.ts';
import type { Ipv4Packet } from './ipv4.ts';
import * as ipv4 from './ipv4.ts';
import { emitIpv4Packet, finishIpv4, ipv4Fault, parseIpv4Packet } from './ipv4.ts';
import { headerOptions, int32, ipv4Text, payload, u8, u16 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const packet: fc.Arbitrary<Ipv4Packet> = fc.record({
  tos: u8,
  id: u16,
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffsetBytes: fc.nat(0x1fff).map((units) => units * 8),
  ttl: u8,
  protocol: u8,
  src: ipv4Text,
  dst: ipv4Text,
  options: headerOptions,
  payload,
});
const example: Ipv4Packet = {
  tos: 0,
  id: 111,
  dontFragment: false,
  moreFragments: false,
  fragmentOffsetBytes: 0,
  ttl: 123,
  protocol: 1,
  src: '192.0.2.1',
  dst: '192.0.2.2',
  options: [],
  payload: hex('61'),
};
/** RFC 791, appendix A, example 1 (figure 5). 4500 + 0015 + 006f + 7b01 + c000 + 0201 + c000 + 0202 = 24488: 448a, inverted. */
const exampleBytes = hex('4500 0015 006f 0000 7b01 bb75 c000 0201 c000 0202 61');
const mend = (bytes: Uint8Array) => {
  const view = viewOf(bytes);
  if (bytes.length >= 20 && ipv4.ipv4HeaderBytes(view, 0) <= bytes.length && ipv4.ipv4HeaderBytes(view, 0) >= 20) finishIpv4(view, 0);
};

test('RFC 791, appendix A, example 1', () => {
  expect(emitIpv4Packet(example)).toEqual(exampleBytes);
  expect(parseIpv4Packet(exampleBytes, 0, exampleBytes.length)).toEqual(example);
  refusesEveryCut(parseIpv4Packet, exampleBytes);
});

test('RFC 791, appendix A, example 3: options (figure 9)', () => {
  const bytes = new Uint8Array(576);
  bytes.set(hex('4800 0240 006f 0000 7b06 0000 c000 0201 c000 0202 8803aa88 04bbcc01 4403dd00'));
  finishIpv4(viewOf(bytes), 0);
  const options = [
    { kind: 0x88, data: hex('aa') },
    { kind: 0x88, data: hex('bbcc') },
    { kind: 1, data: hex('') },
    { kind: 0x44, data: hex('dd') },
  ];
  expect(parseIpv4Packet(bytes, 0, 576)).toEqual({ ...example, protocol: 6, options, payload: new Uint8Array(544) });
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(packet, (value) => {
      const bytes = emitIpv4Packet(value);
      expect(parseIpv4Packet(bytes, 0, bytes.length)).toEqual(value);
    }),
  );
});

test('the checksum is that of all header bytes, options too', () => {
  fc.assert(
    fc.property(packet, (value) => {
      const view = viewOf(emitIpv4Packet(value));
      expect(sumBytes(view, 0, ipv4.ipv4HeaderBytes(view, 0))).toBe(INTACT);
    }),
  );
});

test('what comes behind the total length is no payload (padding of the link)', () => {
  const padded = new Uint8Array(46);
  padded.set(exampleBytes);
  expect(parseIpv4Packet(padded, 0, 46)).toEqual(example);
});

test('the largest packet', () => {
  const value = { ...example, payload: new Uint8Array(65_515).fill(0xa5) };
  const bytes = emitIpv4Packet(value);
  expect(bytes).toHaveLength(65_535);
  expect(parseIpv4Packet(bytes, 0, bytes.length)).toEqual(value);
});

test('garbage', () => {
  toleratesGarbage(parseIpv4Packet, packet.map(emitIpv4Packet), mend);
});

test.each([
  ['5500', 'ipv4.version'],
  ['4400', 'ipv4.header-length'],
  ['4600', 'ipv4.truncated'],
  ['4501', 'ipv4.checksum'],
])('begins with %s: %s', (start, fault) => {
  const bytes = exampleBytes.slice();
  bytes.set(hex(start));
  expect(parseIpv4Packet(bytes, 0, bytes.length)).toBe(fault);
});

test.each([0, 19, 22, 0xffff])('a total length of %d lies', (totalBytes) => {
  const view = viewOf(exampleBytes.slice());
  ipv4.setIpv4TotalBytes(view, 0, totalBytes);
  finishIpv4(view, 0);
  expect(ipv4Fault(view, 0, 21, 21)).toBe('ipv4.total-length');
});

test('the payload may lie in fragments of the skb: only the header must be at hand', () => {
  const view = viewOf(exampleBytes.slice(0, 20));
  expect(ipv4Fault(view, 0, 20, 21)).toBeNull();
  expect(ipv4Fault(view, 0, 20, 20)).toBe('ipv4.total-length');
});

test('accessors touch their own field only', () => {
  const bytes = new Uint8Array(40).fill(0xff);
  const view = viewOf(bytes);
  bytes.set(exampleBytes, 7);
  const fields = [
    [ipv4.ipv4HeaderBytes, ipv4.setIpv4HeaderBytes, 24],
    [ipv4.ipv4Tos, ipv4.setIpv4Tos, 0xb9],
    [ipv4.ipv4TotalBytes, ipv4.setIpv4TotalBytes, 0xfedc],
    [ipv4.ipv4Id, ipv4.setIpv4Id, 0xabcd],
    [ipv4.ipv4Ttl, ipv4.setIpv4Ttl, 255],
    [ipv4.ipv4Protocol, ipv4.setIpv4Protocol, 136],
    [ipv4.ipv4Src, ipv4.setIpv4Src, -2],
    [ipv4.ipv4Dst, ipv4.setIpv4Dst, 0x7fffffff],
  ] as const;
  for (const [get, set, value] of fields) {
    const before = fields.map(([other]) => other(view, 7));
    set(view, 7, value);
    expect(fields.map(([other]) => other(view, 7))).toEqual(fields.map(([other], index) => (other === get ? value : before[index])));
  }
  expect(hex('ffffffffffffff')).toEqual(bytes.slice(0, 7));
  expect(bytes.slice(7, 27)).toEqual(hex('46b9 fedc abcd 0000 ff88 bb75 fffffffe 7fffffff'));
});

test('a hop: TTL less one, and the checksum is what computing anew gives', () => {
  fc.assert(
    fc.property(packet, fc.integer({ min: 1, max: 255 }), int32, (value, ttl, address) => {
      const bytes = emitIpv4Packet({ ...value, ttl });
      const view = viewOf(bytes);
      ipv4.setIpv4Src(view, 0, address);
      finishIpv4(view, 0);
      ipv4.decrementIpv4Ttl(view, 0);
      expect(ipv4.ipv4Ttl(view, 0)).toBe(ttl - 1);
      expect(ipv4.ipv4Protocol(view, 0)).toBe(value.protocol);
      const mended = bytes.slice();
      finishIpv4(view, 0);
      expect(mended).toEqual(bytes);
    }),
  );
});

test.each([
  { tos: 256 },
  { id: -1 },
  { ttl: 1.5 },
  { protocol: Number.NaN },
  { fragmentOffsetBytes: 4 },
  { fragmentOffsetBytes: 65536 },
  { src: '192.0.2' },
  { dst: '2001:db8::1' },
  { payload: new Uint8Array(65516) },
])('EINVAL: %#', (bad) => {
  expect(() => emitIpv4Packet({ ...example, ...bad })).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});

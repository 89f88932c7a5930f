import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IPV6_EXTENSION, isExtensionHeader } from './ipv6-extension.ts';
import type { ExtensionHeader } from './ipv6-extension-list.ts';
import type { Ipv6Packet } from './ipv6-packet.ts';
import { emitIpv6Packet, parseIpv6Packet } from './ipv6-packet.ts';
import { int32, ipv6Text, payload, u8 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';

const option = fc.record({ type: fc.integer({ min: 2, max: 255 }), data: fc.uint8Array({ maxLength: 20 }) });
const options = fc.array(option, { maxLength: 8 });
const hopByHop: fc.Arbitrary<ExtensionHeader> = fc.record({ type: fc.constant(IPV6_EXTENSION.HOP_BY_HOP), options });
const destination: fc.Arbitrary<ExtensionHeader> = fc.record({ type: fc.constant(IPV6_EXTENSION.DESTINATION_OPTIONS), options });
const routing: fc.Arbitrary<ExtensionHeader> = fc.record({
  type: fc.constant(IPV6_EXTENSION.ROUTING),
  routingType: u8,
  segmentsLeft: u8,
  data: fc.nat(3).chain((units) => fc.uint8Array({ minLength: 4 + units * 8, maxLength: 4 + units * 8 })),
});
const fragment = (units: number): fc.Arbitrary<ExtensionHeader> =>
  fc.record({
    type: fc.constant(IPV6_EXTENSION.FRAGMENT),
    offsetBytes: fc.nat(units).map((unit) => unit * 8),
    more: fc.boolean(),
    id: int32,
  });
const headers = fc.tuple(
  fc.array(hopByHop, { maxLength: 1 }),
  fc.array(fc.oneof(destination, routing, fragment(0)), { maxLength: 5 }),
  fc.array(fragment(0x1fff), { maxLength: 1 }),
);
const packet: fc.Arbitrary<Ipv6Packet> = fc.record({
  trafficClass: u8,
  flowLabel: fc.nat(0xfffff),
  hopLimit: u8,
  src: ipv6Text,
  dst: ipv6Text,
  headers: headers.map((parts) => parts.flat()),
  protocol: u8.filter((protocol) => !isExtensionHeader(protocol)),
  payload,
});
const example: Ipv6Packet = {
  trafficClass: 0,
  flowLabel: 0,
  hopLimit: 64,
  src: '2001:db8::1',
  dst: '2001:db8::2',
  headers: [],
  protocol: 17,
  payload: hex('0001 0002 0009 1ad5 61'),
};
const addresses = '20010db8000000000000000000000001 20010db8000000000000000000000002';

test('a packet by hand', () => {
  const bytes = hex(`60000000 0009 11 40 ${addresses} 0001 0002 0009 1ad5 61`);
  expect(emitIpv6Packet(example)).toEqual(bytes);
  expect(parseIpv6Packet(bytes, 0, bytes.length)).toEqual(example);
  refusesEveryCut(parseIpv6Packet, bytes);
});

test('every header of RFC 8200 §4.1, in its order, by hand', () => {
  const value: Ipv6Packet = {
    ...example,
    headers: [
      { type: 0, options: [{ type: 5, data: hex('0000') }] },
      { type: 60, options: [] },
      { type: 43, routingType: 4, segmentsLeft: 1, data: hex('00000000') },
      { type: 44, offsetBytes: 0, more: true, id: 0x01020304 },
      { type: 60, options: [{ type: 0x3e, data: hex('aabbcc') }] },
    ],
    payload: hex('ff'),
  };
  const bytes = hex(`60000000 0029 00 40 ${addresses}
    3c00 0502 0000 0100   2b00 0104 00000000   2c00 0401 00000000   3c00 0001 01020304   1100 3e03 aabbcc 00   ff`);
  expect(emitIpv6Packet(value)).toEqual(bytes);
  expect(parseIpv6Packet(bytes, 0, bytes.length)).toEqual(value);
  refusesEveryCut(parseIpv6Packet, bytes);
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(packet, (value) => {
      const bytes = emitIpv6Packet(value);
      expect(parseIpv6Packet(bytes, 0, bytes.length)).toEqual(value);
    }),
    { numRuns: 300 },
  );
});

test('garbage', () => {
  toleratesGarbage(parseIpv6Packet, packet.map(emitIpv6Packet));
});

test('what follows a later fragment is payload, though its number names an extension header', () => {
  const value = { ...example, headers: [{ type: IPV6_EXTENSION.FRAGMENT, offsetBytes: 8, more: false, id: -1 }], protocol: 60 };
  const bytes = emitIpv6Packet(value);
  expect(parseIpv6Packet(bytes, 0, bytes.length)).toEqual(value);
});

test.each<Partial<Ipv6Packet>>([
  { trafficClass: 256 },
  { flowLabel: 0x100000 },
  { hopLimit: -1 },
  { src: '192.0.2.1' },
  { dst: 'fe80::1%eth0' },
  { protocol: 256 },
  { protocol: 60 },
  { protocol: 60, headers: [{ type: 44, offsetBytes: 0, more: true, id: 0 }] },
  { payload: new Uint8Array(65536) },
  { headers: [{ type: 0, options: [{ type: 1, data: hex('00') }] }] },
  { headers: [{ type: 0, options: [{ type: 5, data: new Uint8Array(256) }] }] },
  { headers: [{ type: 60, options: new Array(9).fill({ type: 5, data: new Uint8Array(255) }) }] },
  { headers: [{ type: 43, routingType: 0, segmentsLeft: 0, data: hex('0000') }] },
  { headers: [{ type: 43, routingType: 256, segmentsLeft: 0, data: hex('00000000') }] },
  { headers: [{ type: 44, offsetBytes: 12, more: false, id: 0 }] },
  { headers: [{ type: 44, offsetBytes: 65536, more: false, id: 0 }] },
])('EINVAL: %#', (bad) => {
  expect(() => emitIpv6Packet({ ...example, ...bad })).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});

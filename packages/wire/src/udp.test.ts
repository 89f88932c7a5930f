import { IP_PROTOCOL } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipv4Words } from './ip-address.ts';
import { pseudoHeaderSum } from './pseudo-header.ts';
import { payload, u16 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import type { UdpDatagram } from './udp.ts';
import { emitUdp, parseUdp, setUdpLenBytes, udpChecksum, udpChecksumOf, udpFault, udpLenBytes } from './udp.ts';
import { viewOf } from './view-of.ts';

const datagram: fc.Arbitrary<UdpDatagram> = fc.record({ srcPort: u16, dstPort: u16, checksum: u16, payload });
const pseudo = pseudoHeaderSum(...ipv4Words(0xc0000201 | 0), ...ipv4Words(0xc0000202 | 0), IP_PROTOCOL.UDP, 9);
const example = { srcPort: 1, dstPort: 2, checksum: 0x1ad5, payload: hex('61') };
const exampleBytes = hex('0001 0002 0009 1ad5 61');

test('a datagram by hand (see pseudo-header.test.ts), checked and not', () => {
  expect(emitUdp({ ...example, checksum: 0 }, pseudo)).toEqual(exampleBytes);
  expect(emitUdp(example)).toEqual(exampleBytes);
  expect(parseUdp(exampleBytes, 0, 9, pseudo)).toEqual(example);
  refusesEveryCut(parseUdp, exampleBytes);
  const wrong = hex('0001 0002 0009 1ad4 61');
  expect(parseUdp(wrong, 0, 9, pseudo)).toBe('udp.checksum');
  expect(parseUdp(wrong, 0, 9)).toEqual({ ...example, checksum: 0x1ad4 });
});

test('RFC 768: a checksum of 0 is sent as ffff, and received as none', () => {
  expect([udpChecksumOf(0xffff), udpChecksumOf(0), udpChecksumOf(0x1234)]).toEqual([0xffff, 0xffff, 0xedcb]);
  // The example's sum is e52a; 1ad5 more makes ffff.
  const bytes = emitUdp({ srcPort: 1 + 0x1ad5, dstPort: 2, checksum: 0, payload: hex('61') }, pseudo);
  expect(udpChecksum(viewOf(bytes), 0)).toBe(0xffff);
  expect(parseUdp(bytes, 0, 9, pseudo)).toMatchObject({ checksum: 0xffff });
  expect(parseUdp(hex('0001 0002 0009 0000 61'), 0, 9, pseudo)).toMatchObject({ checksum: 0 });
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(datagram, u16, (value, anySum) => {
      const bytes = emitUdp(value);
      expect(parseUdp(bytes, 0, bytes.length)).toEqual(value);
      const sealed = emitUdp(value, anySum);
      expect(parseUdp(sealed, 0, sealed.length, anySum)).toEqual({ ...value, checksum: udpChecksum(viewOf(sealed), 0) });
    }),
  );
});

test('the largest datagram', () => {
  const value = { ...example, payload: new Uint8Array(65_527).fill(0xa5) };
  const bytes = emitUdp(value);
  expect(bytes).toHaveLength(65_535);
  expect(parseUdp(bytes, 0, bytes.length)).toEqual(value);
});

test('garbage', () => {
  toleratesGarbage(
    (bytes, offset, length) => parseUdp(bytes, offset, length),
    datagram.map((value) => emitUdp(value)),
  );
  toleratesGarbage(
    (bytes, offset, length) => parseUdp(bytes, offset, length, 0x1234),
    datagram.map((value) => emitUdp(value, 0x1234)),
  );
});

test.each([
  [7, 'udp.length'],
  [8, null],
  [9, null],
  [10, 'udp.length'],
  [0, 'udp.length'],
])('a length of %d, where 9 bytes have come', (lenBytes, fault) => {
  const view = viewOf(new Uint8Array(12));
  setUdpLenBytes(view, 2, lenBytes);
  expect(udpLenBytes(view, 2)).toBe(lenBytes);
  expect(udpFault(view, 2, 8, 9)).toBe(fault);
});

test.each([{ srcPort: 65536 }, { dstPort: -1 }, { checksum: 0.5 }, { payload: new Uint8Array(65528) }])('EINVAL: %#', (bad) => {
  expect(() => emitUdp({ ...example, ...bad })).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});

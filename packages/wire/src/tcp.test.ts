import { IP_PROTOCOL } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipv4Words } from './ip-address.ts';
import { pseudoHeaderSum } from './pseudo-header.ts';
import type { TcpSegment } from './tcp.ts';
import * as tcp from './tcp.ts';
import { emitTcp, parseTcp, TCP_FLAG, tcpFault } from './tcp.ts';
import { headerOptions, int32, payload, u16 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const segment: fc.Arbitrary<TcpSegment> = fc.record({
  srcPort: u16,
  dstPort: u16,
  seq: int32,
  ack: int32,
  flags: fc.nat(0x1ff),
  window: u16,
  checksum: u16,
  urgentPointer: u16,
  options: headerOptions,
  payload,
});
const example: TcpSegment = {
  srcPort: 1,
  dstPort: 2,
  seq: 1,
  ack: 0,
  flags: TCP_FLAG.SYN,
  window: 0,
  checksum: 0x2bdb,
  urgentPointer: 0,
  options: [],
  payload: hex(''),
};
/** c000 + 0201 + c000 + 0202 + 0006 + 0014, and 0001 + 0002 + 0001 + 5002: 1d423, which is d424, inverted. */
const exampleBytes = hex('0001 0002 00000001 00000000 5002 0000 2bdb 0000');
const pseudo = pseudoHeaderSum(...ipv4Words(0xc0000201 | 0), ...ipv4Words(0xc0000202 | 0), IP_PROTOCOL.TCP, 20);

test('a SYN by hand (RFC 9293 §3.1, figure 1)', () => {
  expect(emitTcp({ ...example, checksum: 0 }, pseudo)).toEqual(exampleBytes);
  expect(parseTcp(exampleBytes, 0, 20, pseudo)).toEqual(example);
  expect(parseTcp(exampleBytes, 0, 20, pseudo + 1)).toBe('tcp.checksum');
  refusesEveryCut(parseTcp, exampleBytes);
});

test('every field in its place', () => {
  const bytes = hex('1234 5678 89abcdef fedcba98 61ff 4321 8765 0bad 0204 05b4 aa');
  const value = {
    srcPort: 0x1234,
    dstPort: 0x5678,
    seq: 0x89abcdef,
    ack: 0xfedcba98,
    flags: 0x1ff,
    window: 0x4321,
    checksum: 0x8765,
    urgentPointer: 0x0bad,
    options: [{ kind: 2, data: hex('05b4') }],
    payload: hex('aa'),
  };
  expect(emitTcp(value)).toEqual(bytes);
  expect(parseTcp(bytes, 0, bytes.length)).toEqual({ ...value, seq: value.seq | 0, ack: value.ack | 0 });
});

test('reserved bits are not flags (RFC 9293 §3.1: ignored when received)', () => {
  const view = viewOf(hex('0001 0002 00000001 00000000 5e02 0000 0000 0000'));
  expect([tcp.tcpFlags(view, 0), tcp.tcpHeaderBytes(view, 0)]).toEqual([TCP_FLAG.SYN, 20]);
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(segment, u16, (value, anySum) => {
      const bytes = emitTcp(value);
      expect(parseTcp(bytes, 0, bytes.length)).toEqual(value);
      const sealed = emitTcp(value, anySum);
      expect(parseTcp(sealed, 0, sealed.length, anySum)).toEqual({ ...value, checksum: tcp.tcpChecksum(viewOf(sealed), 0) });
    }),
  );
});

test('garbage', () => {
  toleratesGarbage(
    (bytes, offset, length) => parseTcp(bytes, offset, length),
    segment.map((value) => emitTcp(value)),
  );
  toleratesGarbage(
    (bytes, offset, length) => parseTcp(bytes, offset, length, 0x1234),
    segment.map((value) => emitTcp(value, 0x1234)),
  );
});

test.each([
  [19, 5, 'tcp.truncated'],
  [20, 5, null],
  [20, 4, 'tcp.data-offset'],
  [20, 0, 'tcp.data-offset'],
  [20, 6, 'tcp.truncated'],
  [59, 15, 'tcp.truncated'],
  [60, 15, null],
])('%d bytes, data offset %d: %s', (headBytes, words, fault) => {
  const view = viewOf(new Uint8Array(64));
  tcp.setTcpHeaderBytesAndFlags(view, 3, words * 4, 0x1ff);
  expect(tcpFault(view, 3, headBytes)).toBe(fault);
});

test('an option that reaches over the header', () => {
  expect(parseTcp(hex('0001 0002 00000001 00000000 6002 0000 2bdb 0000 01010205 ffff'), 0, 26)).toBe('tcp.option');
});

test.each([
  { flags: 0x200 },
  { seq: 2 ** 32 },
  { ack: 0.1 },
  { window: 65536 },
  { options: new Array(41).fill({ kind: 1, data: hex('') }) },
])('EINVAL: %#', (bad) => {
  expect(() => emitTcp({ ...example, ...bad })).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});

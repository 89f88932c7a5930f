import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IcmpQuote, readIcmpv4Quote, readIcmpv6Quote } from './icmp-quote.ts';
import { emitIpv4Packet } from './ipv4.ts';
import { IPV6_EXTENSION } from './ipv6-extension.ts';
import { IPV6_LIMITS } from './ipv6-limits.ts';
import { emitIpv6Packet } from './ipv6-packet.ts';
import { toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const udp = hex('0001 0002 0009 1ad5 61');
const v4 = {
  ...{ tos: 0, id: 111, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 1, protocol: 17 },
  ...{ src: '192.0.2.1', dst: '192.0.2.2', options: [], payload: udp },
};
const v6 = { trafficClass: 0, flowLabel: 0, hopLimit: 1, src: '2001:db8::1', dst: '2001:db8::2', headers: [], protocol: 17, payload: udp };

function message(head: string, quoted: Uint8Array, behind = hex('')): Uint8Array {
  return Uint8Array.of(...hex(head), ...quoted, ...behind);
}

function read4(bytes: Uint8Array, offset: number, length: number) {
  const quote = new IcmpQuote();
  const fault = readIcmpv4Quote(viewOf(bytes), offset, offset + length, quote);
  return (
    fault ?? [quote.network, quote.protocol, quote.transport, quote.end].map((at, index) => (index === 1 || at < 0 ? at : at - offset))
  );
}

function read6(bytes: Uint8Array, offset: number, length: number) {
  const quote = new IcmpQuote();
  const fault = readIcmpv6Quote(viewOf(bytes), offset, offset + length, IPV6_LIMITS, quote);
  return (
    fault ?? [quote.network, quote.protocol, quote.transport, quote.end].map((at, index) => (index === 1 || at < 0 ? at : at - offset))
  );
}

const whole = (read: typeof read4, bytes: Uint8Array) => read(bytes, 0, bytes.length);
const port = '0303 0000 00000000';

test('a fresh record has found nothing', () => {
  expect(new IcmpQuote()).toMatchObject({ network: -1, protocol: 0, transport: -1, end: -1 });
});

test('IPv4: protocol and upper header; options are stepped over; padding behind the packet does not count', () => {
  expect(whole(read4, message(port, emitIpv4Packet(v4)))).toEqual([8, 17, 28, 37]);
  const nops = new Array(5).fill({ kind: 1, data: hex('') });
  expect(whole(read4, message(port, emitIpv4Packet({ ...v4, options: nops }), hex('0000')))).toEqual([8, 17, 36, 45]);
});

test('IPv4: of a later fragment no upper header is there', () => {
  expect(whole(read4, message(port, emitIpv4Packet({ ...v4, moreFragments: true })))).toEqual([8, 17, 28, 37]);
  expect(whole(read4, message(port, emitIpv4Packet({ ...v4, fragmentOffsetBytes: 8 })))).toEqual([8, 17, -1, 37]);
});

test('IPv4: RFC 792 quotes 8 bytes, whatever the total length says', () => {
  expect(read4(message(port, emitIpv4Packet(v4)), 0, 36)).toEqual([8, 17, 28, 36]);
  expect(read4(message(port, emitIpv4Packet(v4)), 0, 28)).toEqual([8, 17, 28, 28]);
  expect(read4(message(port, emitIpv4Packet(v4)), 0, 27)).toBe('icmp.quote-truncated');
});

test('RFC 4884: the length attribute ends the quote, where the type has one; it may lie', () => {
  const packet = emitIpv4Packet({ ...v4, payload: new Uint8Array(200) });
  const extensions = hex('2000 0000 0008 0101 00000000');
  const quoted = packet.slice(0, 128);
  expect(whole(read4, message('0b00 0000 0020 0000', quoted, extensions))).toEqual([8, 17, 28, 136]);
  expect(whole(read4, message('0b00 0000 00ff 0000', quoted, extensions))).toEqual([8, 17, 28, 148]);
  expect(whole(read4, message('0b00 0000 0004 0000', quoted))).toBe('icmp.quote-truncated');
  // A redirect's second word is the gateway: 192.32.0.1.
  expect(whole(read4, message('0501 0000 c0200001', quoted, extensions))).toEqual([8, 17, 28, 148]);
  const six = emitIpv6Packet({ ...v6, payload: new Uint8Array(200) }).slice(0, 128);
  expect(whole(read6, message('0300 0000 1000 0000', six, extensions))).toEqual([8, 17, 48, 136]);
  // Packet too big: 0x10000000 is the MTU.
  expect(whole(read6, message('0200 0000 1000 0000', six, extensions))).toEqual([8, 17, 48, 148]);
});

test('IPv6: behind the extension headers', () => {
  const options = { type: IPV6_EXTENSION.DESTINATION_OPTIONS, options: [] };
  const fragment = { type: IPV6_EXTENSION.FRAGMENT, offsetBytes: 0, more: true, id: 1 };
  const unreachable = '0104 0000 00000000';
  expect(whole(read6, message(unreachable, emitIpv6Packet(v6), hex('00')))).toEqual([8, 17, 48, 57]);
  expect(whole(read6, message(unreachable, emitIpv6Packet({ ...v6, headers: [fragment, options] })))).toEqual([8, 17, 64, 73]);
  expect(whole(read6, message(unreachable, emitIpv6Packet({ ...v6, headers: [{ ...fragment, offsetBytes: 8 }] })))).toEqual([
    8, 17, -1, 65,
  ]);
  expect(read6(message(unreachable, emitIpv6Packet({ ...v6, headers: [options] })), 0, 54)).toBe('icmp.quote-extension');
  expect(read6(message(unreachable, emitIpv6Packet(v6)), 0, 48)).toEqual([8, 17, 48, 48]);
  expect(read6(message(unreachable, emitIpv6Packet(v6)), 0, 47)).toBe('icmp.quote-truncated');
});

test('of another family, or with a header length that cannot be', () => {
  expect(whole(read4, message(port, emitIpv6Packet(v6)))).toBe('icmp.quote-version');
  expect(whole(read6, message('0104 0000 00000000', Uint8Array.of(...emitIpv4Packet(v4), ...new Uint8Array(40))))).toBe(
    'icmp.quote-version',
  );
  const short = emitIpv4Packet(v4);
  short[0] = 0x44;
  expect(whole(read4, message(port, short))).toBe('icmp.quote-version');
});

test('garbage', () => {
  const start = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const join = ([head, tail]: [Uint8Array, Uint8Array]) => Uint8Array.of(...head, ...tail);
  toleratesGarbage(read4, fc.tuple(start, fc.constant(emitIpv4Packet(v4))).map(join));
  const options = { type: IPV6_EXTENSION.HOP_BY_HOP, options: [{ type: 5, data: hex('0000') }] };
  const fragment = { type: IPV6_EXTENSION.FRAGMENT, offsetBytes: 0, more: true, id: 1 };
  toleratesGarbage(read6, fc.tuple(start, fc.constant(emitIpv6Packet({ ...v6, headers: [options, fragment] }))).map(join));
});

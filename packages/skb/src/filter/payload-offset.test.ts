import type { Skb } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendFragment, put } from '../edit.ts';
import { makePool } from '../make-pool.ts';
import { PayloadOffset } from './payload-offset.ts';

const pool = makePool({ buffers: 8, pages: 40 });
const ETHERNET_BYTES = 14;

/** A frame as a packet socket of type RAW has it, its last bytes on a page. */
function packetOf(bytes: Uint8Array, cut = bytes.length): Skb {
  const skb = pool.alloc(0, 200)!;
  skb.memory.bytes.set(bytes.subarray(0, cut), put(skb, Math.min(cut, bytes.length)));
  if (cut < bytes.length) {
    const fragment = pool.page(bytes.length - cut)!;
    fragment.memory.bytes.set(bytes.subarray(cut), fragment.offset);
    appendFragment(skb, fragment);
  }
  skb.mac = skb.data;
  skb.network = skb.data + ETHERNET_BYTES;
  skb.protocol = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  return skb;
}

const hex = (text: string): Uint8Array => Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const MACS = '00'.repeat(12);
const REST = '00'.repeat(40);
const ipv4 = (protocol: string, upper = REST, fragment = '0000', first = '45'): string =>
  `0800 ${first}00 00ff 0001 ${fragment} 40${protocol} 0000 0a000001 0a000002${upper}`;
const ipv6 = (next: string, upper = ''): string => `86dd 60000000 0040 ${next} 40${'00'.repeat(32)}${upper}${REST}`;
const inner = (frame: string): string => frame.slice(5);

// Sent over the loopback of Linux 6.18 to a packet socket with the filter `ld [SKF_AD_PAY_OFFSET]; ret a`: as many bytes came.
const ROWS: readonly (readonly [name: string, frame: string, expected: number])[] = [
  ['UDP', ipv4('11'), 42],
  ['TCP with options', ipv4('06', `1388005000000001000000008002${REST}`), 66],
  ['TCP that says too little', ipv4('06', `1388005000000001000000001002${REST}`), 54],
  ['TCP that is cut off', `0800 4500 0028 0001 0000 4006 0000 0a000001 0a000002 1388 0050`, 34],
  ['ICMP', ipv4('01'), 42],
  ['IGMP', ipv4('02'), 42],
  ['ESP', ipv4('32'), 34],
  ['SCTP', ipv4('84'), 46],
  ['DCCP', ipv4('21'), 46],
  ['UDP-Lite', ipv4('88'), 42],
  ['options of IPv4', ipv4('11', `01010100${REST}`, '0000', '46'), 46],
  ['a first fragment', ipv4('11', REST, '2000'), 42],
  ['a later one', ipv4('11', REST, '2010'), 34],
  ['UDP over IPv6', ipv6('11'), 62],
  ['ICMPv6', ipv6('3a'), 62],
  ['hop-by-hop options', ipv6('00', '11 00 010400000000'), 70],
  ['a routing header', ipv6('2b', '11 00 000000000000'), 70],
  ['destination options', ipv6('3c', '11 00 010400000000'), 70],
  ['a first fragment of IPv6', ipv6('2c', '11 00 0001 00000001'), 70],
  ['a later one of IPv6', ipv6('2c', '11 00 0009 00000001'), 62],
  ['no next header', ipv6('3b'), 54],
  ['an authentication header', ipv4('33', `11 04 0000${REST}`), 34],
  ['a tag', `8100 0005 ${ipv4('11')}`, 46],
  ['two tags', `88a8 0005 8100 0006 ${ipv4('11')}`, 50],
  ['IPv4 in IPv4', ipv4('04', inner(ipv4('11'))), 62],
  ['IPv6 in IPv4', ipv4('29', inner(ipv6('11'))), 82],
  ['IPv4 in IPv6', ipv6('04', inner(ipv4('11'))), 82],
  ['another ethertype', `88b5${REST}`, 0],
  ['half an IPv4 header', '0800 4500 0000', 0],
  ['an IPv4 header of four words', ipv4('11', REST, '0000', '44'), 0],
  ['an IPv4 header of another version', ipv4('11', REST, '0000', '65'), 42],
];

test.each(ROWS)('%s', (_name, frame, expected) => {
  const bytes = hex(MACS + frame);
  for (const cut of [bytes.length, 14, 20, 33, 36]) {
    const skb = packetOf(bytes, Math.min(cut, bytes.length));
    expect([cut, new PayloadOffset().of(skb)]).toEqual([cut, expected]);
    pool.release(skb);
  }
});

test('any bytes have one, or none', () => {
  const payload = new PayloadOffset();
  fc.assert(
    fc.property(fc.constantFrom(...ROWS), fc.uint8Array({ maxLength: 60 }), fc.nat(80), ([, frame], bytes, at) => {
      const mangled = hex(MACS + frame);
      mangled.set(bytes.subarray(0, Math.max(0, mangled.length - at)), Math.min(at, mangled.length));
      const skb = packetOf(mangled, Math.min(at, mangled.length));
      const found = payload.of(skb);
      expect(Number.isInteger(found) && found >= 0).toBe(true);
      pool.release(skb);
    }),
  );
});

test('without a network header there is none', () => {
  const skb = packetOf(hex(MACS + ipv4('11')));
  skb.network = -1;
  expect(new PayloadOffset().of(skb)).toBe(0);
  pool.release(skb);
});

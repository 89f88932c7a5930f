import { expect, test } from 'vitest';
import { Ipv6HeaderChain, isIpv6Fragment, walkExtensionHeaders } from './ipv6-extension-walk.ts';
import { IPV6_LIMITS } from './ipv6-limits.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const chain = new Ipv6HeaderChain();

/** The first Next Header stands at 3, the chain begins at 5. */
function walk(first: number, text: string, limits = IPV6_LIMITS) {
  const bytes = Uint8Array.of(0xee, 0xee, 0xee, first, 0xee, ...hex(text), 0xee);
  return walkExtensionHeaders(viewOf(bytes), first, 3, 5, bytes.length - 1, limits, chain);
}

const found = () => ({ ...chain });
const none = { hopByHop: -1, routing: -1, fragment: -1, destinationOptions: -1, headers: 0, fault: -1 };
const pad = '0104 00000000';

test('a fresh record has found nothing', () => {
  expect({ ...new Ipv6HeaderChain() }).toEqual({ ...none, protocol: 0, nextHeaderOffset: -1, end: -1, transport: -1 });
});

test('no extension header: the upper one begins at once', () => {
  expect(walk(17, '')).toBeNull();
  expect(found()).toEqual({ ...none, protocol: 17, nextHeaderOffset: 3, end: 5, transport: 5 });
});

test('all of them; and nothing of them is left for the next packet', () => {
  expect(walk(0, `3c00${pad} 2b00${pad} 2c00 0000 00000000 3c00 0001 00000001 0600${pad}`)).toBeNull();
  expect(found()).toEqual({
    ...{ hopByHop: 5, destinationOptions: 37, routing: 21, fragment: 29, headers: 5, fault: -1 },
    ...{ protocol: 6, nextHeaderOffset: 37, end: 45, transport: 45 },
  });
  expect(walk(58, '')).toBeNull();
  expect(found()).toEqual({ ...none, protocol: 58, nextHeaderOffset: 3, end: 5, transport: 5 });
});

test('fragments: the first one goes on, a later one ends, one that is all of the packet is none (RFC 6946)', () => {
  expect(walk(44, `3c00 0001 00000001 0600${pad}`)).toBeNull();
  expect([chain.protocol, chain.transport, isIpv6Fragment(viewOf(hex('0000000000 3c00 0001 00000001')), chain)]).toEqual([6, 21, true]);
  expect(walk(44, '3c00 0008 00000001 ffff')).toBeNull();
  expect([chain.protocol, chain.transport, chain.end]).toEqual([60, -1, 13]);
  expect(isIpv6Fragment(viewOf(hex('0000000000 3c00 0008 00000001')), chain)).toBe(true);
  expect(walk(44, '1100 0000 00000001')).toBeNull();
  expect([chain.protocol, chain.transport, isIpv6Fragment(viewOf(hex('0000000000 1100 0000 00000001')), chain)]).toEqual([17, 13, false]);
  expect(walk(17, '')).toBeNull();
  expect(isIpv6Fragment(viewOf(hex('')), chain)).toBe(false);
});

test.each([59, 50, 51, 41, 255, 135])('stops at %d', (protocol) => {
  expect(walk(60, `${protocol.toString(16).padStart(2, '0')}00${pad} ffff`)).toBeNull();
  expect([chain.protocol, chain.transport, chain.nextHeaderOffset]).toEqual([protocol, 13, 5]);
});

test.each([
  // fault, first number, bytes, where
  ['ipv6.extension-truncated', 0, '', 5],
  ['ipv6.extension-truncated', 0, '1100 0104 000000', 5],
  ['ipv6.extension-truncated', 60, `3c00${pad} 1101${pad}`, 13],
  ['ipv6.extension-truncated', 44, '1100 0000 000000', 5],
  ['ipv6.hop-by-hop-late', 60, `0000${pad} 1100${pad}`, 13],
  ['ipv6.hop-by-hop-late', 0, `0000${pad} 1100${pad}`, 13],
  ['ipv6.option', 60, '1100 0505 00000000', 5],
  ['ipv6.option-padding', 0, '1100 0104 00000001', 5],
] as const)('%s: first %d, %s', (fault, first, text, where) => {
  expect(walk(first, text)).toBe(fault);
  expect(chain.fault).toBe(where);
});

test('8 headers, not 9; and what a user allows', () => {
  const nine = `${`3c00${pad}`.repeat(8)}1100${pad}`;
  expect([walk(60, nine), chain.fault]).toEqual(['ipv6.extension-limit', 5 + 64]);
  expect([walk(60, nine, { ...IPV6_LIMITS, headers: 9 }), chain.fault]).toEqual([null, -1]);
  expect(walk(60, `${`3c00${pad}`.repeat(7)}1100${pad}`)).toBeNull();
});

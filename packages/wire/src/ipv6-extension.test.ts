import { expect, test } from 'vitest';
import * as extension from './ipv6-extension.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

test.each([
  // number, bytes at hand, second byte, length
  [0, 8, 0, 8],
  [60, 16, 1, 16],
  [43, 15, 1, 0],
  [0, 7, 0, 0],
  [44, 8, 0xff, 8],
  [44, 7, 0, 0],
  [60, 2048, 255, 2048],
  [60, 2047, 255, 0],
])('header %d, %d bytes at hand, length field %d', (protocol, atHand, field, lenBytes) => {
  const view = viewOf(new Uint8Array(3 + atHand));
  view.setUint8(4, field);
  expect(extension.extensionHeaderBytes(view, protocol, 3, 3 + atHand)).toBe(lenBytes);
});

test('a fragment header, each field in its place (RFC 8200 §4.5)', () => {
  const bytes = new Uint8Array(10).fill(0xee);
  const view = viewOf(bytes);
  extension.writeIpv6Fragment(view, 1, 58, 0xfff8, true, -2);
  expect(bytes).toEqual(hex('ee 3a00 fff9 fffffffe ee'));
  expect(extension.extensionNextHeader(view, 1)).toBe(58);
  expect([extension.ipv6FragmentOffsetBytes(view, 1), extension.hasIpv6MoreFragments(view, 1)]).toEqual([0xfff8, true]);
  expect(extension.ipv6FragmentId(view, 1)).toBe(-2);
  view.setUint16(3, 0x000e);
  expect([extension.ipv6FragmentOffsetBytes(view, 1), extension.hasIpv6MoreFragments(view, 1)]).toEqual([8, false]);
});

test('ESP and AH are protocols', () => {
  const all = Array.from({ length: 256 }, (_, protocol) => protocol);
  expect(all.filter(extension.isExtensionHeader)).toEqual([0, 43, 44, 60]);
});

import { ADDRESS_FAMILY } from '@softnet/contract';
import { expect, test } from 'vitest';
import { putAddress } from './ip-address.ts';
import * as ipv6 from './ipv6.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

test('fields, each in its place (RFC 8200 §3)', () => {
  const bytes = new Uint8Array(42).fill(0xee);
  const view = viewOf(bytes);
  ipv6.setIpv6TrafficClassAndFlowLabel(view, 1, 0xb8, 0x12345);
  ipv6.setIpv6PayloadBytes(view, 1, 0xfedc);
  ipv6.setIpv6NextHeader(view, 1, 58);
  ipv6.setIpv6HopLimit(view, 1, 255);
  putAddress(view, 1 + ipv6.IPV6_SRC, ADDRESS_FAMILY.INET6, 0x20010db8, 1, 2, -3);
  putAddress(view, 1 + ipv6.IPV6_DST, ADDRESS_FAMILY.INET6, -16777216, 4, 5, 6);
  const src = '20010db8 00000001 00000002 fffffffd';
  const dst = 'ff000000 00000004 00000005 00000006';
  expect(bytes).toEqual(hex(`ee 6b812345 fedc 3a ff ${src} ${dst} ee`));
  expect([ipv6.ipv6Version(view, 1), ipv6.ipv6TrafficClass(view, 1), ipv6.ipv6FlowLabel(view, 1)]).toEqual([6, 0xb8, 0x12345]);
  expect([ipv6.ipv6PayloadBytes(view, 1), ipv6.ipv6NextHeader(view, 1), ipv6.ipv6HopLimit(view, 1)]).toEqual([0xfedc, 58, 255]);
  expect(([0, 1, 2, 3] as const).map((word) => ipv6.ipv6Src(view, 1, word))).toEqual([0x20010db8, 1, 2, -3]);
  expect(([0, 1, 2, 3] as const).map((word) => ipv6.ipv6Dst(view, 1, word))).toEqual([-16777216, 4, 5, 6]);
});

test('extremes do not spill into one another', () => {
  const view = viewOf(new Uint8Array(40));
  ipv6.setIpv6TrafficClassAndFlowLabel(view, 0, 0xff, 0);
  expect([ipv6.ipv6Version(view, 0), ipv6.ipv6TrafficClass(view, 0), ipv6.ipv6FlowLabel(view, 0)]).toEqual([6, 0xff, 0]);
  ipv6.setIpv6TrafficClassAndFlowLabel(view, 0, 0, 0xfffff);
  expect([ipv6.ipv6Version(view, 0), ipv6.ipv6TrafficClass(view, 0), ipv6.ipv6FlowLabel(view, 0)]).toEqual([6, 0, 0xfffff]);
});

test.each([
  [6, 39, 39, 0, 'ipv6.truncated'],
  [6, 40, 40, 0, null],
  [4, 40, 40, 0, 'ipv6.version'],
  [6, 40, 48, 8, null],
  [6, 40, 47, 8, 'ipv6.payload-length'],
  [6, 40, 60, 8, null],
])('version %d, %d bytes at hand of %d, payload length %d: %s', (version, headBytes, packetBytes, payloadBytes, fault) => {
  const view = viewOf(new Uint8Array(64));
  view.setUint8(3, version << 4);
  ipv6.setIpv6PayloadBytes(view, 3, payloadBytes);
  expect(ipv6.ipv6Fault(view, 3, headBytes, packetBytes)).toBe(fault);
});

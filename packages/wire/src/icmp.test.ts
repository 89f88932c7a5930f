import { expect, test } from 'vitest';
import * as icmp from './icmp.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

test('fields, each in its place', () => {
  const bytes = new Uint8Array(10);
  const view = viewOf(bytes);
  icmp.setIcmpTypeAndCode(view, 1, 0x83, 0x04);
  icmp.setIcmpChecksum(view, 1, 0xbeef);
  icmp.setIcmpEchoId(view, 1, 0xf234);
  icmp.setIcmpEchoSequence(view, 1, 0xfedc);
  expect(bytes).toEqual(hex('00 8304 beef f234 fedc 00'));
  expect([icmp.icmpType(view, 1), icmp.icmpCode(view, 1), icmp.icmpChecksum(view, 1)]).toEqual([0x83, 4, 0xbeef]);
  expect([icmp.icmpEchoId(view, 1), icmp.icmpEchoSequence(view, 1)]).toEqual([0xf234, 0xfedc]);
  expect(icmp.icmpRest(view, 1)).toBe(icmp.echoRest(0xf234, 0xfedc));
  icmp.setIcmpRest(view, 1, -2);
  expect(bytes).toEqual(hex('00 8304 beef ffff fffe 00'));
});

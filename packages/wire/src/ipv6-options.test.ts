import { expect, test } from 'vitest';
import { IPV6_LIMITS } from './ipv6-limits.ts';
import {
  IPV6_OPTION_SCAN,
  ipv6OptionAction,
  ipv6OptionBytes,
  ipv6OptionsFault,
  isIpv6OptionMutable,
  scanIpv6Options,
} from './ipv6-options.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const fault = (text: string, limits = IPV6_LIMITS.hopByHop) => ipv6OptionsFault(viewOf(hex(text)), 0, hex(text).length, limits);

test('RFC 8200, appendix A: options X and Y in the three layouts', () => {
  const x = '1e0c 00000000 0000000000000000';
  const y = '1f07 00 0000 00000000';
  expect([`3b01 ${x}`, `3b01 00 ${y} 01020000`, `3b03 ${x} 010100 ${y} 01020000`].map((layout) => fault(layout))).toEqual([
    null,
    null,
    null,
  ]);
});

test.each([
  // RFC 8504 §5.3: up to 7 bytes of padding in a row; RFC 4942 §2.1.9.5: zeros.
  ['3b00 000000000000', null],
  ['3b00 0104 00000000', null],
  ['3b01 0500 00000000000000 0500 000000', null],
  ['3b01 0500 0000000000000000 0500 0000', 'ipv6.option-padding'],
  ['3b01 0500 0105 0000000000 0500 000000', null],
  ['3b01 0500 0106 000000000000 0500 0000', 'ipv6.option-padding'],
  ['3b01 0500 0102 0000 0102 0000 0500 0000', 'ipv6.option-padding'],
  ['3b00 0104 00000001', 'ipv6.option-padding'],
  ['3b00 0104 01000000', 'ipv6.option-padding'],
  // Lengths.
  ['3b00 0504 00000000', null],
  ['3b00 0505 00000000', 'ipv6.option'],
  ['3b00 0000000000 05', 'ipv6.option'],
  ['3b00 0105 00000000', 'ipv6.option'],
])('%s: %s', (text, wanted) => {
  expect(fault(text)).toBe(wanted);
});

test('options that are not padding: 8, not 9; and what a user allows', () => {
  const eight = `3b02 ${'0500'.repeat(8)} 01040000 0000`;
  const nine = `3b02 ${'0500'.repeat(9)} 0102 0000`;
  expect([fault(eight), fault(nine)]).toEqual([null, 'ipv6.option-limit']);
  expect(fault(nine, { ...IPV6_LIMITS.hopByHop, options: 9 })).toBeNull();
  expect(fault(eight, { ...IPV6_LIMITS.hopByHop, headerBytes: 16 })).toBe('ipv6.option-limit');
  expect(fault(eight, { ...IPV6_LIMITS.hopByHop, headerBytes: 24 })).toBeNull();
});

test.each([
  ['00', 1],
  ['05', 0],
  ['0500', 2],
  ['0501', 0],
  ['c204 00010000', 6],
])('%s is %d bytes', (text, lenBytes) => {
  expect(ipv6OptionBytes(viewOf(hex(text)), 0, hex(text).length)).toBe(lenBytes);
});

test('RFC 8200 §4.2: what the bits of the type say', () => {
  expect([0x05, 0x45, 0x85, 0xc2].map(ipv6OptionAction)).toEqual([0, 1, 2, 3]);
  expect([0x05, 0x25, 0xc2, 0xe2].map(isIpv6OptionMutable)).toEqual([false, true, false, true]);
});

test('a scan says where: eight times the offset, and which', () => {
  const scan = (text: string) => {
    const found = scanIpv6Options(viewOf(hex(text)), 0, hex(text).length, IPV6_LIMITS.hopByHop);
    return [found >> 3, found & 7];
  };
  expect(scan('3b00 0505 00000000')).toEqual([2, IPV6_OPTION_SCAN.CUT_OFF]);
  expect(scan('3b01 0500 0102 0000 0102 0000 0500 0000')).toEqual([8, IPV6_OPTION_SCAN.PADDING_LONG]);
  expect(scan('3b00 0104 00000001')).toEqual([2, IPV6_OPTION_SCAN.PADDING_NOT_ZERO]);
  expect(scan(`3b02 ${'0500'.repeat(9)} 0102 0000`)).toEqual([18, IPV6_OPTION_SCAN.LIMIT]);
  expect(scan('3b00 0104 00000000')).toEqual([0, 0]);
});

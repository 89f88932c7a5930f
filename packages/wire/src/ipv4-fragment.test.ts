import { expect, test } from 'vitest';
import {
  hasIpv4MoreFragments,
  ipv4FragmentField,
  ipv4FragmentOffsetBytes,
  isIpv4DontFragment,
  isIpv4Fragment,
  setIpv4FragmentField,
} from './ipv4-fragment.ts';
import { viewOf } from './view-of.ts';

test.each([
  // field, is a fragment, offset, more, don't (RFC 791 §3.1, and appendix A, example 2: offset 65)
  [0x0000, false, 0, false, false],
  [0x4000, false, 0, false, true],
  [0x8000, false, 0, false, false],
  [0x2000, true, 0, true, false],
  [0x0041, true, 520, false, false],
  [0x7fff, true, 65528, true, true],
])('%d', (field, isFragment, offsetBytes, more, dont) => {
  const bytes = new Uint8Array(24);
  const view = viewOf(bytes);
  setIpv4FragmentField(view, 3, field);
  expect(ipv4FragmentField(view, 3)).toBe(field);
  expect([isIpv4Fragment(view, 3), ipv4FragmentOffsetBytes(view, 3), hasIpv4MoreFragments(view, 3), isIpv4DontFragment(view, 3)]).toEqual([
    isFragment,
    offsetBytes,
    more,
    dont,
  ]);
  setIpv4FragmentField(view, 3, 0);
  expect(bytes).toEqual(new Uint8Array(24));
});

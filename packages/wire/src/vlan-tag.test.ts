import { ETHERTYPE } from '@softnet/contract';
import { expect, test } from 'vitest';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';
import {
  emitVlanTag,
  isVlanDropEligible,
  isVlanTpid,
  parseVlanTag,
  setVlanTag,
  vlanId,
  vlanPriority,
  vlanTag,
  vlanTpid,
} from './vlan-tag.ts';

test('one int32, as skb.vlan: TPID << 16 | TCI', () => {
  const bytes = hex('00 88a8 f123');
  const tag = vlanTag(viewOf(bytes), 1);
  expect(tag).toBe(0x88a8f123 | 0);
  expect([vlanTpid(tag), vlanPriority(tag), isVlanDropEligible(tag), vlanId(tag)]).toEqual([ETHERTYPE.QINQ, 7, true, 0x123]);
  const copy = new Uint8Array(5);
  setVlanTag(viewOf(copy), 1, tag);
  expect(copy).toEqual(bytes);
});

test('every bit of the TCI, plain and back', () => {
  for (let tci = 0; tci <= 0xffff; tci += 7) {
    const tag = (ETHERTYPE.VLAN << 16) | tci;
    expect(emitVlanTag(parseVlanTag(tag))).toBe(tag);
  }
});

test('which types open a tag', () => {
  expect([ETHERTYPE.VLAN, ETHERTYPE.QINQ, ETHERTYPE.IPV4, 0].map(isVlanTpid)).toEqual([true, true, false, false]);
});

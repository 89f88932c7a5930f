import type { DeviceOps, LinkLayer } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress, NetDevice } from '@softnet/contract';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { expect, test } from 'vitest';
import { AddressState, ORIGIN } from './address-state.ts';
import { usualLabelOf } from './label-table.ts';
import { isBetterSource, isCandidate, SourceWish } from './source-selection.ts';

function device(ifindex: number): NetDevice {
  const made = new NetDevice({} as DeviceOps, { addressLen: 6, headerBytes: 14 } as LinkLayer);
  made.ifindex = ifindex;
  return made;
}

const GATEWAY = 'fe80::9';

/** 'address/len', '%2' for another interface than 1, '!' deprecated, '?' tentative, '~' and optimistic, '*' temporary, '@' advertised by the gateway. */
function address(text: string): InterfaceAddress {
  const [words = '', len = '64'] = text.replace(/[!?~*@]|%\d/g, '').split('/');
  const made = new InterfaceAddress(ADDRESS_FAMILY.INET6, device(text.includes('%2') ? 2 : 1), parseIpv6(words)!, Number(len));
  if (text.includes('!')) made.flags |= ADDRESS_FLAG.DEPRECATED;
  if (text.includes('?')) made.flags |= ADDRESS_FLAG.TENTATIVE;
  if (text.includes('~')) made.flags |= ADDRESS_FLAG.OPTIMISTIC;
  if (text.includes('*')) made.flags |= ADDRESS_FLAG.TEMPORARY;
  const state = new AddressState(ORIGIN.PREFIX, 0);
  state.advertisedBy(parseIpv6(text.includes('@') ? GATEWAY : 'fe80::8')!);
  made.ext = state;
  return made;
}

function choose(destination: string, sources: readonly string[], more: Partial<SourceWish> = {}): string | null {
  const wish = Object.assign(new SourceWish(), more);
  [wish.word0, wish.word1, wish.word2, wish.word3] = parseIpv6(destination)!;
  wish.ifindex = 1;
  let best: InterfaceAddress | null = null;
  for (const each of sources.map(address)) if (isCandidate(each, wish) && (best === null || isBetterSource(each, best, wish))) best = each;
  return best === null ? null : formatIpv6(...best.address);
}

test.each<[string, string, string[], string | null]>([
  // RFC 6724 §10.1.
  ['the appropriate scope', '2001:db8:1::1', ['2001:db8:3::1', 'fe80::1'], '2001:db8:3::1'],
  ['the appropriate scope', 'ff05::1', ['2001:db8:3::1', 'fe80::1'], '2001:db8:3::1'],
  ['the same address', '2001:db8:1::1', ['2001:db8:1::1!', '2001:db8:2::1'], '2001:db8:1::1'],
  ['the appropriate scope, though deprecated', 'fe80::1', ['fe80::2!', '2001:db8:1::1'], 'fe80::2'],
  ['the longest match', '2001:db8:1::1', ['2001:db8:1::2', '2001:db8:3::2'], '2001:db8:1::2'],
  ['the label', '2002:c633:6401::1', ['2002:c633:6401::d5e3:7953:13eb:22e8', '2001:db8:1::2'], '2002:c633:6401:0:d5e3:7953:13eb:22e8'],
  // By each rule.
  ['rule 2: no scope that is too small', '2001:db8::9', ['fe80::1', 'fec0::1'], 'fec0::1'],
  ['rule 2: the smallest that reaches', 'fe80::9', ['2001:db8::1', 'fec0::1', 'fe80::1'], 'fe80::1'],
  ['rule 3: not deprecated, though it matches worse', '2001:db8:1::9', ['2001:db8:1::1!', '2001:db8:2::1'], '2001:db8:2::1'],
  ['rule 5: of the interface, though it matches worse', '2001:db8:1::9', ['2001:db8:1::1%2', '2001:db8:2::1'], '2001:db8:2::1'],
  ['rule 6: local to local', 'fd00:1::9', ['2001:db8::1', 'fd00:2::1'], 'fd00:2::1'],
  ['rule 6: global to global', '2001:db8::9', ['fd00:2::1', '2001:db9::1'], '2001:db9::1'],
  ['rule 8: no further than its prefix', '2001:db8:1::9', ['2001:db8:1::1/32', '2001:db8:8::1/64'], '2001:db8:8::1'],
  ['rule 8: a longer prefix matches further', '2001:db8:0:1::9', ['2001:db8::1/32', '2001:db8:0:3::1/64'], '2001:db8:0:3::1'],
  ['none that is tried still', '2001:db8:1::9', ['2001:db8:1::1?', '2001:db8:2::1'], '2001:db8:2::1'],
  ['no link-local address of another interface', '2001:db8:1::9', ['fe80::1%2'], null],
  ['to a link: only of that interface', 'fe80::9', ['2001:db8::1%2'], null],
])('%s: %s from %j', (_rule, destination, sources, wanted) => {
  expect(choose(destination, sources)).toBe(wanted);
  expect(choose(destination, sources.toReversed())).toBe(wanted);
});

const [gateway0, gateway1, gateway2, gateway3] = parseIpv6(GATEWAY)!;
const byGateway = { hasGateway: true, gateway0, gateway1, gateway2, gateway3 };
test.each<[string, string[], Partial<SourceWish>, string]>([
  ['rule 5.5: of a prefix of that router, though it matches worse', ['2001:db8:1::1', '2001:db8:2::1@'], byGateway, '2001:db8:2::1'],
  ['rule 5.5: only by a router', ['2001:db8:1::1', '2001:db8:2::1@'], {}, '2001:db8:1::1'],
  ['rule 5 before 5.5', ['2001:db8:1::1', '2001:db8:2::1@%2'], byGateway, '2001:db8:1::1'],
  ['rule 7: not temporary', ['2001:db8:1::1*', '2001:db8:2::1'], {}, '2001:db8:2::1'],
  ['rule 7: temporary, where that is preferred', ['2001:db8:1::1', '2001:db8:2::1*'], { prefersTemporary: true }, '2001:db8:2::1'],
  ['rule 3 before 7', ['2001:db8:1::1', '2001:db8:1::2*!'], { prefersTemporary: true }, '2001:db8:1::1'],
  ['rule 6 before 7', ['2001:db8:2::1', 'fd00::1*'], { prefersTemporary: true }, '2001:db8:2::1'],
  ['no optimistic one', ['2001:db8:1::1?~', '2001:db8:2::1'], {}, '2001:db8:2::1'],
  ['an optimistic one after the others (RFC 4429 §3.1)', ['2001:db8:1::1?~', '2001:db8:2::1'], { takesOptimistic: true }, '2001:db8:2::1'],
  ['an optimistic one, if there is no other', ['2001:db8:1::1?~', '2001:db8:2::1?'], { takesOptimistic: true }, '2001:db8:1::1'],
])('%s', (_rule, sources, more, wanted) => {
  expect(choose('2001:db8:1::9', sources, more)).toBe(wanted);
  expect(choose('2001:db8:1::9', sources.toReversed(), more)).toBe(wanted);
});

test('labels are those of RFC 6724 §2.1', () => {
  const labels = ['::1', '::', '2001:db8::1', '::ffff:10.0.0.1', '2002::1', '2001::1', 'fd00::1', 'fc00::1', 'fec0::1', '3ffe::1'];
  expect(labels.map((text) => usualLabelOf(...parseIpv6(text)!))).toEqual([0, 3, 1, 4, 2, 5, 13, 13, 11, 12]);
});

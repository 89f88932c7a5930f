import { isIPv6, SocketAddress } from 'node:net';
import { ADDRESS_FAMILY, ERRNO, SockAddress } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressText, fillAddress } from './address-text.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const scopeOf = (name: string): number => (name === 'lo' ? 1 : Number(name) || 0);

function round(family: number, text: string): string {
  const address = new SockAddress();
  expect(fillAddress(address, family, text, 7, scopeOf)).toBe(0);
  expect([address.family, address.port]).toEqual([family, 7]);
  return addressText(address);
}

test('addresses come back as Node writes them', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), (v4, v6) => {
      expect(round(INET, v4)).toBe(v4);
      if (isIPv6(v6))
        expect(round(INET6, v6)).toBe(
          new SocketAddress({ address: v6, family: 'ipv6' }).address.replace(/^::(\d+\.\d+\.\d+\.\d+)$/, () => round(INET6, v6)),
        );
    }),
  );
});

test.each([
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:db8::1', '2001:db8::1'],
  ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['fe80::1%lo', 'fe80::1'],
])('%s is written %s', (text, written) => expect(round(INET6, text)).toBe(written));

test('what is no address of the family is EINVAL; a zone is an interface by name or number', () => {
  const address = new SockAddress();
  for (const text of ['::1', 'x', '', '1.2.3', '1.2.3.4%1']) expect(fillAddress(address, INET, text, 0, scopeOf)).toBe(-ERRNO.EINVAL);
  for (const text of ['1.2.3.4', 'x', '', ':::', '1.2.3.4%1']) expect(fillAddress(address, INET6, text, 0, scopeOf)).toBe(-ERRNO.EINVAL);
  const scopes = ['fe80::1%lo', 'fe80::1%12', 'fe80::1'].map((text) => [fillAddress(address, INET6, text, 0, scopeOf), address.ifindex]);
  expect(scopes).toEqual([
    [0, 1],
    [0, 12],
    [0, 0],
  ]);
});

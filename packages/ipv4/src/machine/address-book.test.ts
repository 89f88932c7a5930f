import type { DeviceOps, LinkLayer } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, ADDRESS_TYPE, DEVICE_FLAG, InterfaceAddress, NetDevice } from '@softnet/contract';
import { parseIpv4 } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressBook, broadcastOf } from './address-book.ts';

const link = { addressLen: 6, headerBytes: 14 } as LinkLayer;
const { LOCAL, UNICAST, BROADCAST, MULTICAST, INVALID, UNSPECIFIED } = ADDRESS_TYPE;

function device(ifindex: number, flags = 0): NetDevice {
  const made = new NetDevice({} as DeviceOps, link);
  made.ifindex = ifindex;
  made.flags = flags;
  return made;
}
const lo = device(1, DEVICE_FLAG.LOOPBACK);
const eth0 = device(2);
const eth1 = device(3);

const ip = (text: string): number => parseIpv4(text)!;
function entry(on: NetDevice, text: string, prefixLen: number, scope: number = ADDRESS_SCOPE.UNIVERSE): InterfaceAddress {
  const made = new InterfaceAddress(2, on, [0, 0, 0xffff, ip(text)], prefixLen);
  made.scope = scope;
  return made;
}
function bookOf(...entries: readonly InterfaceAddress[]): AddressBook {
  const book = new AddressBook();
  for (const each of entries) book.add(each);
  return book;
}

describe('what an address is to this host', () => {
  const book = bookOf(entry(lo, '127.0.0.1', 8), entry(eth0, '10.0.0.1', 24), entry(eth1, '192.0.2.0', 31));
  test.each([
    ['0.0.0.0', 0, UNSPECIFIED],
    ['0.0.0.1', 0, INVALID],
    ['127.0.0.1', 0, LOCAL],
    ['127.9.9.9', 0, LOCAL],
    ['127.9.9.9', 2, INVALID],
    ['10.0.0.1', 0, LOCAL],
    ['10.0.0.1', 2, LOCAL],
    ['10.0.0.1', 3, UNICAST],
    ['10.0.0.2', 0, UNICAST],
    ['10.0.0.255', 0, BROADCAST],
    ['10.0.0.255', 3, UNICAST],
    ['192.0.2.0', 0, LOCAL],
    ['192.0.2.1', 0, UNICAST],
    ['127.255.255.255', 0, LOCAL],
    ['255.255.255.255', 3, BROADCAST],
    ['224.0.0.1', 0, MULTICAST],
    ['239.255.255.255', 0, MULTICAST],
    ['240.0.0.1', 0, UNICAST],
  ])('%s on interface %i', (text, ifindex, type) => {
    expect(book.typeOf(ip(text), ifindex)).toBe(type);
  });
});

describe('the source', () => {
  const book = bookOf(
    entry(lo, '127.0.0.1', 8, ADDRESS_SCOPE.HOST),
    entry(eth0, '169.254.1.1', 16, ADDRESS_SCOPE.LINK),
    entry(eth0, '10.0.0.1', 24),
    entry(eth0, '10.0.0.2', 24),
    entry(eth0, '192.168.0.1', 16),
  );
  test.each([
    ['on the subnet of the next hop', eth0, '192.168.7.7', '192.168.0.1'],
    ['the first of the subnet', eth0, '10.0.0.9', '10.0.0.1'],
    ['the first of the device, where no subnet fits', eth0, '8.8.8.8', '169.254.1.1'],
    ['of another device, known beyond its link', eth1, '8.8.8.8', '10.0.0.1'],
    ['on a device without any', null, '8.8.8.8', '10.0.0.1'],
  ])('is %s', (_what, on, target, source) => {
    expect(book.sourceFor(on, ip(target))).toBe(ip(source));
  });

  test('is none where there is none', () => {
    expect(bookOf(entry(lo, '127.0.0.1', 8, ADDRESS_SCOPE.HOST)).sourceFor(eth0, ip('10.0.0.1'))).toBe(0);
  });
});

test('the second of a subnet is secondary, until the first goes', () => {
  const [first, second, third] = [entry(eth0, '10.0.0.1', 24), entry(eth0, '10.0.0.2', 24), entry(eth0, '10.0.0.3', 24)];
  const book = bookOf(first, second, third, entry(eth1, '10.0.0.4', 24), entry(eth0, '10.0.0.5', 25));
  const secondary = (): boolean[] => book.entries.map(({ flags }) => (flags & ADDRESS_FLAG.SECONDARY) !== 0);
  expect(secondary()).toEqual([false, true, true, false, false]);
  book.remove(third);
  expect(secondary()).toEqual([false, true, false, false]);
  book.remove(first);
  expect(secondary()).toEqual([false, false, false]);
  book.remove(first);
  expect(book.entries.length).toBe(3);
});

test('the broadcast address is in the subnet, the last, and no other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 1 << 24, max: 0x7fffffff }), (prefixLen, word) => {
      const address = new InterfaceAddress(2, eth0, [0, 0, 0xffff, word], prefixLen);
      const broadcast = broadcastOf(address);
      if (prefixLen >= 31) expect(broadcast).toBe(0);
      else expect(broadcast >>> 0).toBe(((word >>> 0) - ((word >>> 0) % 2 ** (32 - prefixLen)) + 2 ** (32 - prefixLen) - 1) >>> 0);
    }),
  );
});

import type { DeviceOps, LinkLayer } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, ADDRESS_TYPE, DEVICE_FLAG, InterfaceAddress, NetDevice } from '@softnet/contract';
import { formatIpv4, parseIpv4 } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressBook, broadcastOf, wordOf } from './address-book.ts';

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
  const { UNIVERSE, LINK } = ADDRESS_SCOPE;
  const deprecated = entry(eth0, '172.16.0.1', 16);
  deprecated.flags |= ADDRESS_FLAG.DEPRECATED;
  const tentative = entry(eth0, '172.17.0.1', 16);
  tentative.flags |= ADDRESS_FLAG.TENTATIVE;
  const pointToPoint = entry(eth0, '10.9.9.1', 32);
  pointToPoint.peer = [0, 0, 0xffff, ip('10.9.9.2')];
  const book = bookOf(
    ...[entry(lo, '127.0.0.1', 8, ADDRESS_SCOPE.HOST), deprecated, tentative],
    ...[entry(eth0, '10.0.0.1', 24), entry(eth0, '10.0.0.2', 24), entry(eth0, '192.168.0.1', 16), pointToPoint],
    entry(eth0, '169.254.1.1', 16, ADDRESS_SCOPE.LINK),
  );
  test.each([
    ['on the subnet of the next hop', eth0, '192.168.7.7', UNIVERSE, '192.168.0.1'],
    ['the primary one of the subnet', eth0, '10.0.0.9', UNIVERSE, '10.0.0.1'],
    ['the other end’s neighbour', eth0, '10.9.9.2', UNIVERSE, '10.9.9.1'],
    ['the first of the device, where no subnet fits', eth0, '8.8.8.8', UNIVERSE, '10.0.0.1'],
    ['of the link, on the link', eth0, '169.254.9.9', LINK, '169.254.1.1'],
    ['not of the link, beyond it', eth0, '169.254.9.9', UNIVERSE, '10.0.0.1'],
    ['not deprecated where there is another', eth0, '172.16.0.9', UNIVERSE, '10.0.0.1'],
    ['not tentative', eth0, '172.17.0.9', UNIVERSE, '10.0.0.1'],
    ['of another device, known beyond its link', eth1, '8.8.8.8', UNIVERSE, '10.0.0.1'],
    ['on a device without any', null, '8.8.8.8', UNIVERSE, '10.0.0.1'],
  ])('is %s', (_what, on, target, scope, source) => {
    expect(formatIpv4(book.sourceFor(on, ip(target), scope))).toBe(source);
  });

  test('is deprecated where there is no other, and none where there is none', () => {
    expect(bookOf(deprecated).sourceFor(eth0, ip('8.8.8.8'), UNIVERSE)).toBe(ip('172.16.0.1'));
    expect(bookOf(tentative).sourceFor(eth0, ip('172.17.0.9'), LINK)).toBe(0);
    expect(bookOf(entry(lo, '127.0.0.1', 8, ADDRESS_SCOPE.HOST)).sourceFor(eth0, ip('10.0.0.1'), LINK)).toBe(0);
  });

  test('of another device is none of its link', () => {
    expect(bookOf(entry(eth0, '169.254.1.1', 16, LINK)).sourceFor(eth1, ip('8.8.8.8'), LINK)).toBe(0);
  });
});

describe('the order of addresses', () => {
  const lines = (book: AddressBook): string[] =>
    book.entries.map((e) => `${formatIpv4(wordOf(e))}${(e.flags & ADDRESS_FLAG.SECONDARY) !== 0 ? ' secondary' : ''}`);
  const many = (): readonly InterfaceAddress[] => [
    entry(eth0, '10.0.0.1', 24),
    entry(eth0, '10.0.0.2', 24),
    entry(eth0, '10.0.0.3', 24),
    entry(eth1, '10.0.0.4', 24),
    entry(eth0, '10.0.0.5', 25),
    entry(eth0, '169.254.0.6', 16, ADDRESS_SCOPE.LINK),
    entry(eth0, '10.0.0.7', 32),
  ];
  const ORDER = ['169.254.0.6', '10.0.0.1', '10.0.0.5', '10.0.0.7', '10.0.0.2 secondary', '10.0.0.3 secondary', '10.0.0.4'];

  test('is Linux’s: primary ones by scope, as they came; then the secondary ones', () => {
    const book = bookOf(...many());
    expect([...lines(book)].sort()).toEqual([...ORDER].sort());
    expect(lines(book).filter((line) => line !== '10.0.0.4')).toEqual(ORDER.slice(0, -1));
  });

  test('a secondary one goes alone; it takes the place of the first where it is promoted', () => {
    const all = many();
    const book = bookOf(...all);
    expect(book.remove(all[2]!, true)).toEqual([all[2]]);
    expect(book.remove(all[0]!, true)).toEqual([all[0]]);
    expect(lines(book).filter((line) => line !== '10.0.0.4')).toEqual(['169.254.0.6', '10.0.0.5', '10.0.0.7', '10.0.0.2']);
    expect(book.remove(all[0]!, true)).toEqual([]);
  });

  test('else all of the subnet go with the first', () => {
    const all = many();
    const book = bookOf(...all);
    expect(book.remove(all[0]!, false)).toEqual([all[0], all[1], all[2]]);
    expect(lines(book).filter((line) => line !== '10.0.0.4')).toEqual(['169.254.0.6', '10.0.0.5', '10.0.0.7']);
    expect(lines(book)).toContain('10.0.0.4');
  });
});

test('what is tentative is nobody’s here: neither it nor its broadcast', () => {
  const tentative = entry(eth0, '10.0.0.1', 24);
  tentative.flags |= ADDRESS_FLAG.TENTATIVE;
  const book = bookOf(tentative);
  expect([book.isLocal(ip('10.0.0.1'), 0), book.isOwn(ip('10.0.0.1')), book.isBroadcast(ip('10.0.0.255'), 0)]).toEqual([
    false,
    false,
    false,
  ]);
  tentative.flags = 0;
  book.changed();
  expect([book.isLocal(ip('10.0.0.1'), 0), book.isOwn(ip('10.0.0.1')), book.isBroadcast(ip('10.0.0.255'), 0)]).toEqual([true, true, true]);
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

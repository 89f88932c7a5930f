import { ADDRESS_FAMILY, SockAddress } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressText, readSockaddr, socketAddress, writeSockaddr } from './socket-address.ts';

test.each<[text: string, port: number, bytes: readonly number[]]>([
  ['192.0.2.1', 258, [2, 0, 1, 2, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['0.0.0.0', 7, [2, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['2001:db8::1', 7, [10, 0, 0, 7, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]],
  ['fe80::1%2', 7, [10, 0, 0, 7, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0]],
])('%s port %i, as Linux lays it out', (text, port, bytes) => {
  const address = socketAddress(text, port)!;
  expect([...writeSockaddr(address)]).toEqual(bytes);
  const read = readSockaddr(Uint8Array.from(bytes))!;
  expect([addressText(read), read.port]).toEqual([text, port]);
});

test('what is no address is null', () => {
  expect(['', '10.0.0', 'localhost', 'fe80::1%eth0', '1.2.3.4%', '::1%2%3'].map((text) => socketAddress(text, 7))).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
  const short = [
    new Uint8Array(1),
    Uint8Array.of(2, 0, 0, 7, 1, 2, 3),
    Uint8Array.of(10, 0),
    Uint8Array.of(17, 0),
    Uint8Array.of(99, 0, 0, 0),
  ];
  expect(short.map((bytes) => readSockaddr(bytes))).toEqual([null, null, null, null, null]);
  expect(readSockaddr(new Uint8Array(2))).toMatchObject({ family: ADDRESS_FAMILY.UNSPEC });
});

const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });

test('what is written is read, of each family', () => {
  const { INET, INET6, PACKET } = ADDRESS_FAMILY;
  const record = fc.record({ port: fc.nat(65535), ifindex: fc.nat(1000), words: fc.array(int32, { minLength: 4, maxLength: 4 }) });
  fc.assert(
    fc.property(fc.constantFrom(INET, INET6, PACKET), record, (family, { port, ifindex, words }) => {
      const [address0, address1, address2, address3] = words as [number, number, number, number];
      const address = Object.assign(new SockAddress(), { family, port });
      if (family === INET) Object.assign(address, { address2: address3 === 0 ? 0 : 0xffff, address3 });
      else if (family === INET6) Object.assign(address, { ifindex, address0, address1, address2, address3 });
      else Object.assign(address, { ifindex, address0, address1, address2 });
      expect(readSockaddr(writeSockaddr(address))).toEqual(address);
    }),
  );
});

test('any bytes are an address or none', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void readSockaddr(bytes)));
});

import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, SOL, SockAddress } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawHosts } from './raw-hosts.ts';
import type { RawUser } from './raw-user.ts';

const { INET6 } = ADDRESS_FAMILY;
const byte = fc.nat(255);

test('whatever is sent as whole IPv4 packets: nobody throws, what is whole is read by all who ask for its protocol, and nothing is left', async () => {
  const net = await rawHosts();
  const header = fc
    .tuple(
      fc.constantFrom(0x45, 0x46, 0x40, 0x4f, 0x65, 0),
      byte,
      fc.constantFrom(0, 0x2000, 0x4000, 0x1fff, 0x00b9),
      byte,
      fc.constantFrom(1, 6, 17, 253, 255),
    )
    .map(([first, tos, field, ttl, protocol]) => [first, tos, 0, 0, 0, 0, field >>> 8, field & 0xff, ttl, protocol, 0, 0]);
  const ends = fc.constantFrom(
    [10, 0, 0, 1, 10, 0, 0, 2],
    [0, 0, 0, 0, 10, 0, 0, 2],
    [10, 0, 0, 9, 224, 0, 0, 1],
    [1, 2, 3, 4, 10, 0, 0, 255],
  );
  const packet = fc.oneof(
    fc.tuple(header, ends, fc.array(byte, { maxLength: 60 })).map((parts) => parts.flat()),
    fc.array(byte, { maxLength: 60 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 12 }), async (packets) => {
      const from = net.near(255);
      const readers = [1, 6, 17, 253, 255].map((protocol) => [protocol, net.far(protocol), net.far(protocol)] as const);
      for (const one of packets) {
        const said = from.send(one, '10.0.0.2:0');
        const isWhole = one.length >= 20 && (one[0]! & 0xf) >= 5 && (one[0]! & 0xf) * 4 <= one.length;
        expect(said).toBe(isWhole ? one.length : -ERRNO.EINVAL);
      }
      await net.settle();
      for (const [protocol, one, two] of readers) {
        const seen = one.all();
        expect(two.all()).toEqual(seen);
        for (const bytes of seen) expect([bytes[0]! >>> 4, bytes[9], (bytes[2]! << 8) | bytes[3]!]).toEqual([4, protocol, bytes.length]);
        one.close();
        two.close();
      }
      from.close();
    }),
    { numRuns: 60 },
  );
  expect(await net.end()).toEqual([]);
});

test('whatever users call in whatever order, nothing throws and nothing is left', async () => {
  const net = await rawHosts();
  const call = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('bind', 'connect', 'apart', 'send', 'sendto', 'receive', 'take', 'option', 'shut', 'close', 'settle'),
    end: fc.constantFrom(
      '10.0.0.1:0',
      '10.0.0.2:0',
      '0.0.0.0:0',
      '224.0.0.1:0',
      '[fd00::2]:0',
      '[::]:0',
      '[ff02::1%1]:0',
      '[::ffff:10.0.0.2]:0',
    ),
    bytes: fc.array(byte, { maxLength: 80 }),
    number: fc.integer({ min: -2, max: 70 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
      const users = [net.near(253), net.far(253), net.near(58, INET6), net.near(255)];
      for (const each of calls) {
        if (each.what === 'settle') await net.settle();
        else one(users[each.who]!, each);
      }
      for (const user of users) user.close();
      await net.settle();
    }),
    { numRuns: 60 },
  );
  expect(await net.end()).toEqual([]);
});

function one(user: RawUser, { what, end, bytes, number }: { what: string; end: string; bytes: number[]; number: number }): void {
  if (what === 'bind') user.bind(end);
  else if (what === 'connect') user.connect(end);
  else if (what === 'apart') user.calls.connect(user.sock, new SockAddress());
  else if (what === 'send') user.send(bytes);
  else if (what === 'sendto') user.send(bytes, end);
  else if (what === 'receive') user.all();
  else if (what === 'take') user.take();
  else if (what === 'shut') user.calls.shutdown(user.sock, number & 3);
  else if (what === 'close') user.close();
  else {
    user.set(SOL.IP, IP_OPTION.HDRINCL, number & 1);
    user.set(SOL.RAW, IPV6_OPTION.CHECKSUM, number);
    user.set(SOL.ICMPV6, 1, bytes);
  }
}

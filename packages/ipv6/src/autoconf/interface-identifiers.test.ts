import { createHash } from 'node:crypto';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { formatIpv6, parseIpv6, putAddress, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isReservedIdentifier, randomIdentifier, stableIdentifier } from './interface-identifiers.ts';
import { sha1Block } from './sha1-block.ts';

function secretOf(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  putAddress(viewOf(bytes), 0, ADDRESS_FAMILY.INET6, ...parseIpv6(text)!);
  return bytes;
}

describe('one block of SHA-1', () => {
  test('is what a whole hash does with a message that fits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 55 }), (message) => {
        const bytes = new Uint8Array(64);
        bytes.set(message);
        bytes[message.length] = 0x80;
        const view = viewOf(bytes);
        view.setUint32(60, message.length * 8);
        const digest = sha1Block(Int32Array.from({ length: 16 }, (_, index) => view.getInt32(index * 4)));
        const text = [...digest].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
        expect(text).toBe(createHash('sha1').update(message).digest('hex'));
      }),
    );
  });
});

describe('stable identifiers (RFC 7217)', () => {
  // What Linux 6 made on a veth, whose permanent address is zeros, by this secret.
  test('are those of Linux', () => {
    const identifier = stableIdentifier(secretOf('2001:db8::5ec:e7'), parseIpv6('fe80::')!, new Uint8Array(6), 0);
    expect(formatIpv6(0xfe800000 | 0, 0, ...identifier)).toBe('fe80::a6cd:6eb0:9b5d:4f66');
  });

  test('depend on each bit of what goes in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 31, maxLength: 31 }), fc.nat(31 * 8 - 1), (bytes, bit) => {
        const make = (from: Uint8Array): string => {
          const view = viewOf(from);
          const prefix = [view.getInt32(16), view.getInt32(20), 0, 0] as const;
          return stableIdentifier(from.subarray(0, 16), prefix, from.subarray(24, 30), from[30]!).join();
        };
        const other = bytes.slice();
        other[bit >>> 3]! ^= 1 << (bit & 7);
        expect(make(other)).not.toBe(make(bytes));
        expect(make(bytes.slice())).toBe(make(bytes));
      }),
    );
  });
});

test.each([
  ['::', true],
  ['::1', false],
  ['::200:5eff:fe00:0', true],
  ['::200:5eff:feff:ffff', true],
  ['::200:5eff:fd00:0', false],
  ['::200:5eff:ff00:0', false],
  ['::fdff:ffff:ffff:ff80', true],
  ['::fdff:ffff:ffff:ffff', true],
  ['::fdff:ffff:ffff:ff7f', false],
  ['::ff:fe00:1', false],
])('%s is reserved (RFC 5453): %s', (text, reserved) => {
  const [, , word2, word3] = parseIpv6(text)!;
  expect(isReservedIdentifier([word2, word3])).toBe(reserved);
});

test('one by chance is none of the reserved', () => {
  const words = [0, 0, 0xfdffffff, 0xffffffa0, 7, 8];
  const random = { u32: () => words.shift()!, below: () => 0, fraction: () => 0, fill: () => {} };
  expect(randomIdentifier(random)).toEqual([7, 8]);
});

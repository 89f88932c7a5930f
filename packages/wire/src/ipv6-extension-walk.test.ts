import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ipv6HeaderChain, isIpv6Fragment, walkExtensionHeaders } from './ipv6-extension-walk.ts';
import { IPV6_LIMITS } from './ipv6-limits.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const chain = new Ipv6HeaderChain();

/** The first Next Header stands at 3, the chain begins at 5. */
function walk(first: number, text: string, limits = IPV6_LIMITS) {
  const bytes = Uint8Array.of(0xee, 0xee, 0xee, first, 0xee, ...hex(text), 0xee);
  return walkExtensionHeaders(viewOf(bytes), first, 3, 5, bytes.length - 1, limits, chain);
}

const found = () => ({ ...chain });
const none = { hopByHop: -1, routing: -1, fragment: -1, destinationOptions: -1, headers: 0, fault: -1 };
const pad = '0104 00000000';

test('a fresh record has found nothing', () => {
  expect({ ...new Ipv6HeaderChain() }).toEqual({ ...none, protocol: 0, nextHeaderOffset: -1, end: -1, transport: -1 });
});

test('no extension header: the upper one begins at once', () => {
  expect(walk(17, '')).toBeNull();
  expect(found()).toEqual({ ...none, protocol: 17, nextHeaderOffset: 3, end: 5, transport: 5 });
});

test('all of them; and nothing of them is left for the next packet', () => {
  expect(walk(0, `3c00${pad} 2b00${pad} 2c00 0000 00000000 3c00 0001 00000001 0600${pad}`)).toBeNull();
  expect(found()).toEqual({
    ...{ hopByHop: 5, destinationOptions: 37, routing: 21, fragment: 29, headers: 5, fault: -1 },
    ...{ protocol: 6, nextHeaderOffset: 37, end: 45, transport: 45 },
  });
  expect(walk(58, '')).toBeNull();
  expect(found()).toEqual({ ...none, protocol: 58, nextHeaderOffset: 3, end: 5, transport: 5 });
});

test('fragments: the first one goes on, a later one ends, one that is all of the packet is none (RFC 6946)', () => {
  expect(walk(44, `3c00 0001 00000001 0600${pad}`)).toBeNull();
  expect([chain.protocol, chain.transport, isIpv6Fragment(viewOf(hex('0000000000 3c00 0001 00000001')), chain)]).toEqual([6, 21, true]);
  expect(walk(44, '3c00 0008 00000001 ffff')).toBeNull();
  expect([chain.protocol, chain.transport, chain.end]).toEqual([60, -1, 13]);
  expect(isIpv6Fragment(viewOf(hex('0000000000 3c00 0008 00000001')), chain)).toBe(true);
  expect(walk(44, '1100 0000 00000001')).toBeNull();
  expect([chain.protocol, chain.transport, isIpv6Fragment(viewOf(hex('0000000000 1100 0000 00000001')), chain)]).toEqual([17, 13, false]);
  expect(walk(17, '')).toBeNull();
  expect(isIpv6Fragment(viewOf(hex('')), chain)).toBe(false);
});

test.each([59, 50, 51, 41, 255, 135])('stops at %d', (protocol) => {
  expect(walk(60, `${protocol.toString(16).padStart(2, '0')}00${pad} ffff`)).toBeNull();
  expect([chain.protocol, chain.transport, chain.nextHeaderOffset]).toEqual([protocol, 13, 5]);
});

test.each([
  // fault, first number, bytes, where
  ['ipv6.extension-truncated', 0, '', 5],
  ['ipv6.extension-truncated', 0, '1100 0104 000000', 5],
  ['ipv6.extension-truncated', 60, `3c00${pad} 1101${pad}`, 13],
  ['ipv6.extension-truncated', 44, '1100 0000 000000', 5],
  ['ipv6.hop-by-hop-late', 60, `0000${pad} 1100${pad}`, 13],
  ['ipv6.hop-by-hop-late', 0, `0000${pad} 1100${pad}`, 13],
  ['ipv6.option', 60, '1100 0505 00000000', 5],
  ['ipv6.option-padding', 0, '1100 0104 00000001', 5],
] as const)('%s: first %d, %s', (fault, first, text, where) => {
  expect(walk(first, text)).toBe(fault);
  expect(chain.fault).toBe(where);
});

test('8 headers, not 9; and what a user allows', () => {
  const nine = `${`3c00${pad}`.repeat(8)}1100${pad}`;
  expect([walk(60, nine), chain.fault]).toEqual(['ipv6.extension-limit', 5 + 64]);
  expect([walk(60, nine, { ...IPV6_LIMITS, headers: 9 }), chain.fault]).toEqual([null, -1]);
  expect(walk(60, `${`3c00${pad}`.repeat(7)}1100${pad}`)).toBeNull();
});

/** The same in plain words, header by header: where the upper header begins and what it is, or the fault. */
function model(bytes: readonly number[], protocol: number, at: number, seen: number): string | readonly [number, number] {
  const rest = bytes.slice(at);
  if (![0, 43, 44, 60].includes(protocol)) return [protocol, at];
  if (seen === 8) return 'ipv6.extension-limit';
  if (protocol === 0 && seen > 0) return 'ipv6.hop-by-hop-late';
  const length = protocol === 44 ? 8 : 8 * (1 + (rest[1] ?? 0));
  if (rest.length < 8 || rest.length < length) return 'ipv6.extension-truncated';
  if (protocol === 0 || protocol === 60) {
    const fault = optionsModel(rest.slice(2, length), 0, 0);
    if (fault !== null) return fault;
  }
  if (protocol === 44 && (rest[2]! << 8) + (rest[3]! & 0xf8) > 0) return [rest[0]!, -1];
  return model(bytes, rest[0]!, at + length, seen + 1);
}

function optionsModel(bytes: readonly number[], padding: number, options: number): string | null {
  if (bytes.length === 0) return null;
  const [type, length] = bytes as [number, number | undefined];
  const size = type === 0 ? 1 : length === undefined ? Number.NaN : 2 + length;
  if (!(size <= bytes.length)) return 'ipv6.option';
  if (type > 1) return options === 8 ? 'ipv6.option-limit' : optionsModel(bytes.slice(size), 0, options + 1);
  if (padding + size > 7 || bytes.slice(2, size).some((byte) => byte !== 0)) return 'ipv6.option-padding';
  return optionsModel(bytes.slice(size), padding + size, options);
}

test('random chains: as a plain model says, and nothing is thrown', () => {
  const byte = fc.oneof(fc.constantFrom(0, 0, 0, 1, 2, 4, 5), fc.nat(255));
  const header = fc.tuple(
    fc.constantFrom(0, 43, 44, 60, 60, 59, 17, 200),
    fc.constantFrom(0, 0, 0, 1, 2),
    fc.array(byte, { minLength: 6, maxLength: 22 }),
  );
  const chains = fc
    .array(header, { maxLength: 11 })
    .map((headers) => headers.flatMap(([next, units, rest]) => [next, units, ...rest.slice(0, 6 + 8 * units)]));
  fc.assert(
    fc.property(fc.constantFrom(0, 43, 44, 60, 17), fc.oneof(chains, fc.array(byte, { maxLength: 64 })), (first, bytes) => {
      const fault = walkExtensionHeaders(viewOf(Uint8Array.from(bytes)), first, -1, 0, bytes.length, IPV6_LIMITS, chain);
      expect(fault ?? [chain.protocol, chain.transport]).toEqual(model(bytes, first, 0, 0));
    }),
    { numRuns: 3000 },
  );
});

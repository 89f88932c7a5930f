import type { AddressWords } from '@softnet/contract';
import { ICMPV6_TYPE, parseIcmpv6, parseIpv6, pseudoHeaderSum } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MldMessage } from './wire.ts';
import { decodeMldDelay, decodeQqic, emitMld, encodeMldDelay, encodeQqic, MLD_FAULT, parseMld } from './wire.ts';

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const address: fc.Arbitrary<AddressWords> = fc.tuple(word, word, word, word);
const sources = fc.array(address, { maxLength: 6 });
const delay = fc.integer({ min: 0, max: 8_387_584 }).map((ms) => decodeMldDelay(encodeMldDelay(ms)));
const interval = fc.integer({ min: 0, max: 31_744 }).map((seconds) => decodeQqic(encodeQqic(seconds)));
const older = { type: ICMPV6_TYPE.MLD_QUERY, version: 1, suppress: false, robustness: 0, intervalS: 0, sources: [] } as const;
const record = fc.record({ type: fc.integer({ min: 1, max: 6 }), group: address, sources });
const message: fc.Arbitrary<MldMessage> = fc.oneof(
  fc.record({ group: address, maxResponseMs: fc.nat(0xffff) }).map((rest) => ({ ...older, ...rest })),
  fc
    .record({ group: address, maxResponseMs: delay, suppress: fc.boolean(), robustness: fc.nat(7), intervalS: interval, sources })
    .map((rest) => ({ type: ICMPV6_TYPE.MLD_QUERY, version: 2 as const, ...rest })),
  fc.record({ type: fc.constantFrom(ICMPV6_TYPE.MLD_REPORT, ICMPV6_TYPE.MLD_DONE), group: address }),
  fc.array(record, { maxLength: 4 }).map((records) => ({ type: ICMPV6_TYPE.MLD2_REPORT, records })),
);
const ENDS = [...parseIpv6('fe80::1')!, ...parseIpv6('ff02::1')!] as const;
const pseudo = (lenBytes: number): number => pseudoHeaderSum(...ENDS, 58, lenBytes);

describe('a message', () => {
  test('is read as it was written, wherever it stands, and its checksum is right', () => {
    fc.assert(
      fc.property(message, fc.nat(3), (each, at) => {
        const bytes = emitMld(each, pseudo);
        const padded = new Uint8Array(at + bytes.length);
        padded.set(bytes, at);
        expect(parseMld(padded, at, bytes.length)).toEqual(each);
        expect(parseIcmpv6(bytes, 0, bytes.length, pseudo(bytes.length))).toMatchObject({ type: each.type, code: 0 });
      }),
    );
  });

  test('garbage of each type, and what is cut off, never throws', () => {
    const type = fc.constantFrom<number>(ICMPV6_TYPE.MLD_QUERY, ICMPV6_TYPE.MLD_REPORT, ICMPV6_TYPE.MLD_DONE, ICMPV6_TYPE.MLD2_REPORT);
    fc.assert(
      fc.property(type, fc.uint8Array({ minLength: 8, maxLength: 90 }), (first, bytes) => {
        bytes[0] = first;
        const read = parseMld(bytes, 0, bytes.length);
        expect(typeof read !== 'string' || read in MLD_FAULT).toBe(true);
      }),
    );
    fc.assert(
      fc.property(message, fc.nat(), (each, n) => {
        const bytes = emitMld(each, pseudo);
        parseMld(bytes, 0, Math.max(8, n % bytes.length));
      }),
    );
  });

  test.each([24, 28])('a query of %i bytes has a version; those beside it have none (RFC 3810 §8.1)', (length) => {
    const bytes = new Uint8Array(40);
    bytes[0] = ICMPV6_TYPE.MLD_QUERY;
    expect(parseMld(bytes, 0, length)).toMatchObject({ version: length === 24 ? 1 : 2 });
    expect(parseMld(bytes, 0, length - 1)).toBe('mld.query-length');
  });
});

describe('times', () => {
  test('as RFC 3810 §5.1.3 and §5.1.9 draw them', () => {
    expect([0, 10_000, 0x7fff, 0x8000, 0x8001, 0x9000, 0xffff].map(decodeMldDelay)).toEqual([
      0, 10_000, 32_767, 32_768, 32_776, 65_536, 8_387_584,
    ]);
    expect([0, 125, 128, 0x8f, 0x90, 0xff].map(decodeQqic)).toEqual([0, 125, 128, 248, 256, 31_744]);
  });

  test.each([
    ['delays', encodeMldDelay, decodeMldDelay, 8_387_584, 0xffff],
    ['intervals', encodeQqic, decodeQqic, 31_744, 0xff],
  ] as const)('%s: the largest code that is not above', (_, encode, decode, max, last) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max }), (value) => {
        const code = encode(value);
        expect(decode(code)).toBeLessThanOrEqual(value);
        if (code < last) expect(decode(code + 1)).toBeGreaterThan(value);
      }),
    );
  });
});

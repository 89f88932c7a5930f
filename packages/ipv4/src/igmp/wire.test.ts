import type { AddressWords } from '@softnet/contract';
import { checksumOf, ipv4Words, sumBytes } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IgmpMessage, IgmpRecord } from './wire.ts';
import { decodeIgmpTime, emitIgmp, encodeIgmpTime, IGMP_BYTES, IGMP_TYPE, parseIgmp } from './wire.ts';

const group: fc.Arbitrary<AddressWords> = fc.integer({ min: 0xe0000001 | 0, max: 0xefffffff | 0 }).map(ipv4Words);
const source: fc.Arbitrary<AddressWords> = fc.integer({ min: 1, max: 0x7fffffff }).map(ipv4Words);
const sources = fc.array(source, { maxLength: 6 });
const time = fc.integer({ min: 0, max: 31_744 }).map((value) => decodeIgmpTime(encodeIgmpTime(value)));
const older = { type: IGMP_TYPE.QUERY, suppress: false, robustness: 0, intervalS: 0, sources: [] } as const;
const record: fc.Arbitrary<IgmpRecord> = fc.record({ type: fc.integer({ min: 1, max: 6 }), group, sources });
const message: fc.Arbitrary<IgmpMessage> = fc.oneof(
  fc.constant({ ...older, version: 1 as const, group: ipv4Words(0), maxResponseDs: 0 }),
  fc.record({ group, maxResponseDs: fc.integer({ min: 1, max: 255 }) }).map((rest) => ({ ...older, version: 2 as const, ...rest })),
  fc
    .record({ group, maxResponseDs: time, suppress: fc.boolean(), robustness: fc.nat(7), intervalS: time, sources })
    .map((rest) => ({ type: IGMP_TYPE.QUERY, version: 3 as const, ...rest })),
  fc.record({ type: fc.constantFrom(IGMP_TYPE.REPORT_V1, IGMP_TYPE.REPORT_V2, IGMP_TYPE.LEAVE), group }),
  fc.array(record, { maxLength: 4 }).map((records) => ({ type: IGMP_TYPE.REPORT_V3, records })),
);

describe('a message', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(message, fc.nat(3), (each, at) => {
        const bytes = emitIgmp(each);
        const padded = new Uint8Array(at + bytes.length);
        padded.set(bytes, at);
        expect(parseIgmp(padded, at, bytes.length)).toEqual(each);
      }),
    );
  });

  test('cut off or with a bit turned it is told apart; garbage never throws', () => {
    fc.assert(
      fc.property(message, fc.nat(), (each, n) => {
        const bytes = emitIgmp(each);
        const cut = bytes.subarray(0, n % bytes.length);
        expect(typeof parseIgmp(cut, 0, cut.length) === 'string' || cut.length >= IGMP_BYTES).toBe(true);
        bytes[n % bytes.length]! ^= 1 << (n & 7);
        expect(parseIgmp(bytes, 0, bytes.length)).toBe('igmp.checksum');
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 60 }), (bytes) => {
        new DataView(bytes.buffer).setUint16(2, 0);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        view.setUint16(2, checksumOf(sumBytes(view, 0, bytes.length)));
        parseIgmp(bytes, 0, bytes.length);
      }),
    );
  });

  test('codes of times as RFC 3376 §4.1.1 draws them', () => {
    expect([0, 127, 128, 129, 0x8f, 0x90, 0xff].map(decodeIgmpTime)).toEqual([0, 127, 128, 136, 248, 256, 31_744]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31_744 }), (value) => {
        const code = encodeIgmpTime(value);
        expect(decodeIgmpTime(code)).toBeLessThanOrEqual(value);
        if (code < 255) expect(decodeIgmpTime(code + 1)).toBeGreaterThan(value);
      }),
    );
  });
});

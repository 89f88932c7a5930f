import type { AddressWords } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packRecords } from './pack-records.ts';

const address: fc.Arbitrary<AddressWords> = fc.nat(0xffff).map((word) => [0, 0, 0xffff, word] as const);
const record = fc.record({ type: fc.integer({ min: 1, max: 6 }), group: address, sources: fc.array(address, { maxLength: 60 }) });
const sizes = fc.constantFrom({ reportBytes: 8, recordBytes: 8, sourceBytes: 4 }, { reportBytes: 8, recordBytes: 20, sourceBytes: 16 });

test('reports fit, and say all but what of an EXCLUDE has no room (RFC 3376 §4.2.16, RFC 3810 §5.2.15)', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), fc.integer({ min: 60, max: 300 }), sizes, (records, maxBytes, size) => {
      const { reportBytes, recordBytes, sourceBytes } = size;
      const reports = packRecords(records, maxBytes, size);
      for (const report of reports) {
        const lenBytes = report.reduce<number>((sum, { sources }) => sum + recordBytes + sourceBytes * sources.length, reportBytes);
        expect(lenBytes).toBeLessThanOrEqual(maxBytes);
      }
      const most = Math.floor((maxBytes - reportBytes - recordBytes) / sourceBytes);
      const expected = records.flatMap(({ type, group, sources }) => {
        const said = type === 2 || type === 4 ? sources.slice(0, most) : sources;
        return said.length === 0 ? [[type, group]] : said.map((each) => [type, group, each]);
      });
      const said = (reports.flat() as typeof records).flatMap(({ type, group, sources }) => {
        return sources.length === 0 ? [[type, group]] : sources.map((each) => [type, group, each]);
      });
      expect(said).toEqual(expected);
    }),
  );
});

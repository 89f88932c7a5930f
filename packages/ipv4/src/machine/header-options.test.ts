import { emitIpv4Packet, parseOptions } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blankUncopied, checkOptions, OPTIONS_GOOD, OPTIONS_SOURCE_ROUTE } from './header-options.ts';

const option = fc.record({ kind: fc.integer({ min: 2, max: 255 }), data: fc.uint8Array({ maxLength: 8 }) });

test('good options are good, but for source routes', () => {
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), (options) => {
      const base = { tos: 0, id: 0, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 1, protocol: 1 };
      const bytes = emitIpv4Packet({ ...base, src: '10.0.0.1', dst: '10.0.0.2', options, payload: new Uint8Array(0) });
      const view = new DataView(bytes.buffer);
      const routes = options.some(({ kind }) => kind === 131 || kind === 137);
      expect(checkOptions(view, 0, 20, bytes.length)).toBe(routes ? OPTIONS_SOURCE_ROUTE : OPTIONS_GOOD);
      blankUncopied(view, 20, bytes.length);
      const left = parseOptions(bytes, view, 20, bytes.length)!.filter(({ kind }) => kind !== 1);
      expect(left).toEqual(options.filter(({ kind }) => (kind & 0x80) !== 0));
    }),
  );
});

test('any bytes: read within bounds, and what is wrong is pointed at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 60 }), (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const found = checkOptions(view, 0, 20, bytes.length);
      const parsed = parseOptions(bytes, view, 20, bytes.length);
      if (found > 0) expect([found >= 20, found < bytes.length, parsed]).toEqual([true, true, null]);
      if (found === OPTIONS_GOOD) expect(parsed).not.toBeNull();
      const before = bytes.slice(0, 20);
      blankUncopied(view, 20, bytes.length);
      expect(bytes.subarray(0, 20)).toEqual(before);
    }),
  );
});

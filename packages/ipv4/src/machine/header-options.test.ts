import { emitIpv4Packet, parseOptions } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blankUncopied, checkOptions, FoundOptions, OPTIONS_GOOD } from './header-options.ts';

const base = { tos: 0, id: 0, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 1, protocol: 1 };
const ends = { src: '10.0.0.1', dst: '10.0.0.2', payload: new Uint8Array(0) };
/** Not those that are looked into. */
const option = fc.record({
  kind: fc.integer({ min: 2, max: 255 }).filter((kind) => ![7, 68, 131, 137, 148].includes(kind)),
  data: fc.uint8Array({ maxLength: 8 }),
});

test('what is not known is good; options that are not copied become nothing', () => {
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), (options) => {
      const bytes = emitIpv4Packet({ ...base, ...ends, options });
      const view = new DataView(bytes.buffer);
      const found = new FoundOptions();
      expect(checkOptions(view, 0, bytes.length, found)).toBe(OPTIONS_GOOD);
      expect(found).toEqual(new FoundOptions());
      blankUncopied(view, 20, bytes.length);
      const left = parseOptions(bytes, view, 20, bytes.length)!.filter(({ kind }) => kind !== 1);
      expect(left).toEqual(options.filter(({ kind }) => (kind & 0x80) !== 0));
    }),
  );
});

/** What a plain reading of RFC 791 §3.1 says of options as a list: the offset of the first wrong byte, or 0. */
function model(options: readonly { readonly kind: number; readonly data: Uint8Array }[]): number {
  const seen = new Set<string>();
  let at = 20;
  for (const { kind, data } of options) {
    const lenBytes = data.length + 2;
    const name = kind === 131 || kind === 137 ? 'route' : String(kind);
    const isRoute = kind === 7 || name === 'route';
    if (isRoute || kind === 68) {
      if (seen.has(name)) return at;
      seen.add(name);
      if (lenBytes < (isRoute ? 3 : 4)) return at + 1;
      const pointer = data[0]!;
      const form = (data[1] ?? 0) & 15;
      if (pointer < (isRoute ? 4 : 5)) return at + 2;
      const isFull = pointer > lenBytes;
      const unit = isRoute || form === 0 ? 4 : 8;
      if (kind === 68 && isFull && data[1]! >> 4 === 15) return at + 3;
      if (kind === 68 && !isFull && ![0, 1, 3].includes(form)) return at + 3;
      if (!isFull && pointer - 1 + unit > lenBytes) return at + 2;
    }
    if (kind === 148 && lenBytes < 4) return at + 1;
    at += lenBytes;
  }
  return 0;
}

test('what is acted upon is looked into, as a plain model does it', () => {
  const small = fc.integer({ min: 0, max: 12 });
  const data = fc
    .tuple(small, fc.constantFrom(0, 1, 2, 3, 0xf0, 0xe1), fc.uint8Array({ maxLength: 9 }))
    .chain(([pointer, form, rest]) =>
      fc.nat({ max: 11 }).map((length) => Uint8Array.of(pointer, form, ...rest, ...new Array(9).fill(0)).slice(0, length)),
    );
  const some = fc.array(fc.record({ kind: fc.constantFrom(7, 68, 131, 137, 148, 130), data }), { minLength: 1, maxLength: 3 });
  let good = 0;
  fc.assert(
    fc.property(some, (options) => {
      const bytes = emitIpv4Packet({ ...base, ...ends, options });
      const found = new FoundOptions();
      const wrong = checkOptions(new DataView(bytes.buffer), 0, bytes.length, found);
      expect(wrong).toBe(model(options));
      if (wrong === OPTIONS_GOOD) good++;
    }),
    { numRuns: 1000 },
  );
  expect(good).toBeGreaterThan(50);
});

test('any bytes: read within bounds, and what is wrong is pointed at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 60 }), (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const found = checkOptions(view, 0, bytes.length, new FoundOptions());
      const parsed = parseOptions(bytes, view, 20, bytes.length);
      if (found > 0) expect([found >= 20, found < bytes.length]).toEqual([true, true]);
      if (found === OPTIONS_GOOD) expect(parsed).not.toBeNull();
      const before = bytes.slice(0, 20);
      blankUncopied(view, 20, bytes.length);
      expect(bytes.subarray(0, 20)).toEqual(before);
    }),
  );
});

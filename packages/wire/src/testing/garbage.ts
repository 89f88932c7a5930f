import fc from 'fast-check';
import { expect } from 'vitest';

/** What `parse` of a header looks like. */
export type Parse = (bytes: Uint8Array, offset: number, length: number) => unknown;

/**
 * Hostile bytes: at random; valid ones cut short, and with some bytes changed. `parse` must not throw, and must not read
 * outside of [offset, offset + length): the result may depend neither on what stands around, nor on whether anything does.
 * @param mend makes a checksum right again, so that what stands behind that check is reached.
 */
export function toleratesGarbage(parse: Parse, valid: fc.Arbitrary<Uint8Array>, mend: (bytes: Uint8Array) => void = () => {}): void {
  const mended = hostile(valid).map((bytes) => {
    const copy = bytes.slice();
    mend(copy);
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(mended, hostile(valid)), fc.integer({ min: 1, max: 9 }), (bytes, offset) => {
      const amongZeros = parse(surrounded(bytes, offset, 0x00), offset, bytes.length);
      const amongOnes = parse(surrounded(bytes, offset, 0xff), offset, bytes.length);
      const alone = parse(bytes, 0, bytes.length);
      expect(amongZeros).toEqual(alone);
      expect(amongOnes).toEqual(alone);
    }),
    { numRuns: 2000 },
  );
}

/** `parse` gives a value for every valid one, and a reason for every one that ends too early. */
export function refusesEveryCut(parse: Parse, bytes: Uint8Array): void {
  expect(parse(bytes, 0, bytes.length)).not.toBeTypeOf('string');
  for (let length = 0; length < bytes.length; length++) expect(parse(bytes, 0, length), `of ${length} bytes`).toBeTypeOf('string');
}

function hostile(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0xff), fc.nat(255))), { minLength: 1, maxLength: 6 });
  return fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.tuple(valid, fc.nat()).map(([bytes, length]) => bytes.slice(0, length % (bytes.length + 1))),
    fc.tuple(valid, changes).map(([bytes, all]) => changed(bytes, all)),
  );
}

/** Changes fall on the header more often than on the payload. */
function changed(bytes: Uint8Array, changes: readonly (readonly [at: number, value: number])[]): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) if (copy.length > 0) copy[at % Math.min(copy.length, at % 2 === 0 ? 64 : copy.length)] = value;
  return copy;
}

/** A copy with `offset` bytes of `fill` before it, and some behind. */
function surrounded(bytes: Uint8Array, offset: number, fill: number): Uint8Array {
  const all = new Uint8Array(offset + bytes.length + 300).fill(fill);
  all.set(bytes, offset);
  return all;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SkeletonPacket } from './wire.ts';
import { emit, parse } from './wire.ts';

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const packets: fc.Arbitrary<SkeletonPacket> = fc.record({
  type: fc.constantFrom('request' as const, 'reply' as const),
  connection: u32,
  sequence: u32,
  payload: fc.uint8Array({ maxLength: 2000 }),
});

describe('the packet', () => {
  test('comes back as it went', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        expect(parse(emit(packet))).toEqual(packet);
      }),
    );
  });

  test('is read where it stands, also inside of other bytes', () => {
    fc.assert(
      fc.property(packets, fc.nat(64), (packet, before) => {
        const bytes = emit(packet);
        const around = new Uint8Array(before + bytes.length + 7).fill(0xff);
        around.set(bytes, before);
        expect(parse(around.subarray(before, before + bytes.length))).toEqual(packet);
      }),
    );
  });

  test('garbage never throws: it is no packet, or the very bytes of one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const packet = parse(bytes);
        if (packet !== undefined) expect(emit(packet)).toEqual(bytes);
      }),
    );
  });

  test('a header cut short, or of an unknown type, is no packet', () => {
    const bytes = emit({ type: 'reply', connection: 1, sequence: 2, payload: new Uint8Array() });
    for (let length = 0; length < bytes.length; length++) expect(parse(bytes.subarray(0, length))).toBeUndefined();
    bytes[0] = 7;
    expect(parse(bytes)).toBeUndefined();
  });
});

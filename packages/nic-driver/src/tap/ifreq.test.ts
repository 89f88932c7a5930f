import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkInterfaceName, hardwareAddressOf, IFF_NO_PI, IFF_TAP, IFREQ_BYTES, interfaceNameOf, packIfreq } from './ifreq.ts';

const letters = [...'abcxyz019._-%'];

describe('ifreq', () => {
  it('has the name, terminated, and the flags behind it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 15 }), fc.nat(0xffff), (name, flags) => {
        const bytes = packIfreq(name, flags);
        expect(bytes).toHaveLength(IFREQ_BYTES);
        expect(bytes[name.length]).toBe(0);
        expect(interfaceNameOf(bytes)).toBe(name);
        expect(new Uint16Array(bytes.buffer)[8]).toBe(flags);
      }),
    );
  });

  it('is what the kernel reads, byte for byte', () => {
    const bytes = packIfreq('tap0', IFF_TAP | IFF_NO_PI);
    expect(Array.from(bytes.subarray(0, 18))).toEqual([0x74, 0x61, 0x70, 0x30, ...new Array(12).fill(0), 0x02, 0x10]);
  });

  it('reads a name without end, and an address', () => {
    const bytes = new Uint8Array(IFREQ_BYTES).fill(0x61);
    bytes.set([1, 2, 3, 4, 5, 6], 18);
    expect(interfaceNameOf(bytes)).toBe('a'.repeat(16));
    expect(hardwareAddressOf(bytes)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  });

  it.each(['tap0', 'tap%d', 'a'.repeat(15)])('takes %s for a name', (name) => expect(checkInterfaceName(name)).toBe(name));

  it.each(['', 'a'.repeat(16), 'a b', 'a/b', 'a:b', '.', '..', 'täp', 'a\0', 7, null])('refuses %j', (name) =>
    expect(() => checkInterfaceName(name)).toThrow(/EINVAL: tap: ifname takes 1 to 15 characters/),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArpPacket } from './wire.ts';
import { ARP_BYTES, ARP_FAULT, emitArp, parseArp } from './wire.ts';

const link = fc.uint8Array({ minLength: 6, maxLength: 6 });
const address = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const packet = fc.record<ArpPacket>({
  operation: fc.constantFrom(1, 2),
  senderLink: link.map((bytes) => bytes.map((byte, i) => (i === 0 ? (byte & 0xfe) | 2 : byte))),
  // Of hosts, and none: a probe.
  sender: fc.oneof(
    fc.constant(0),
    address.map((word) => (word & 0x1fffffff) | 0x20000000),
  ),
  targetLink: link,
  target: address,
});

test('what was written is read', () => {
  fc.assert(
    fc.property(packet, fc.nat(20), (value, offset) => {
      const bytes = new Uint8Array(offset + ARP_BYTES + 18).fill(0xee);
      bytes.set(emitArp(value), offset);
      expect(parseArp(bytes, offset, ARP_BYTES + 18)).toEqual(value);
    }),
  );
});

test('the figure of RFC 826, by hand', () => {
  const bytes = Uint8Array.from([...[0, 1, 8, 0, 6, 4, 0, 1], ...[2, 0, 0, 0, 0, 1, 10, 0, 0, 1], ...[0, 0, 0, 0, 0, 0, 10, 0, 0, 2]]);
  const value = {
    operation: 1,
    senderLink: Uint8Array.of(2, 0, 0, 0, 0, 1),
    sender: 0x0a000001,
    targetLink: new Uint8Array(6),
    target: 0x0a000002,
  };
  expect(parseArp(bytes, 0, bytes.length)).toEqual(value);
  expect(emitArp(value)).toEqual(bytes);
});

test('any bytes are a packet or a fault that has a name', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const read = parseArp(bytes, 0, bytes.length);
      if (typeof read === 'string') expect(Object.keys(ARP_FAULT)).toContain(read);
      else expect(emitArp(read)).toEqual(bytes.subarray(0, ARP_BYTES));
    }),
  );
});

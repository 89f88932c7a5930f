import { PARSER_LEVEL, ParsedHeader } from '@softnet/contract';
import { emitIpv4Packet, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IPV4_PARSER } from './header-parser.ts';

const packets = fc.record({
  ...{ tos: fc.nat(255), id: fc.nat(0xffff), dontFragment: fc.boolean(), moreFragments: fc.boolean(), ttl: fc.nat(255) },
  ...{ protocol: fc.nat(255), src: fc.constant('10.0.0.1'), dst: fc.constant('10.0.0.2'), payload: fc.uint8Array({ maxLength: 20 }) },
  fragmentOffsetBytes: fc.constantFrom(0, 0, 8, 64),
  options: fc.array(fc.record({ kind: fc.constant(0x88), data: fc.uint8Array({ maxLength: 8 }) }), { maxLength: 3 }),
});

test('the header with its options, then the protocol; in later fragments payload', () => {
  fc.assert(
    fc.property(packets, fc.nat(100), (packet, endOffset) => {
      const bytes = emitIpv4Packet(packet);
      const end = Math.min(endOffset, bytes.length);
      const lenBytes = bytes.length - packet.payload.length;
      const found = new ParsedHeader();
      expect(IPV4_PARSER.parse(viewOf(bytes), 0, end, found)).toBe(end >= lenBytes);
      if (end < lenBytes) return;
      const nextLevel = packet.fragmentOffsetBytes === 0 ? PARSER_LEVEL.IP_PROTOCOL : PARSER_LEVEL.END;
      expect({ ...found }).toEqual({ lenBytes, nextLevel, nextNumber: packet.protocol, otherNumber: -1 });
    }),
  );
});

test('garbage is understood or not; nothing is read behind the end, nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, at) => {
      const offset = Math.min(at, bytes.length);
      const found = new ParsedHeader();
      // A view that ends at `endOffset` throws when more is read.
      if (IPV4_PARSER.parse(viewOf(bytes), offset, bytes.length, found)) {
        expect(found.lenBytes).toBeGreaterThanOrEqual(20);
        expect(offset + found.lenBytes).toBeLessThanOrEqual(bytes.length);
      }
    }),
    { numRuns: 1000 },
  );
});

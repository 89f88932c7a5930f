import { PARSER_LEVEL, ParsedHeader } from '@softnet/contract';
import { emitUdp, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UDP_PARSER } from './header-parser.ts';

const u16 = fc.nat(0xffff);

test('eight bytes, then whoever has either port', () => {
  fc.assert(
    fc.property(u16, u16, fc.uint8Array({ maxLength: 20 }), fc.nat(30), (srcPort, dstPort, payload, endOffset) => {
      const bytes = emitUdp({ srcPort, dstPort, checksum: 0, payload });
      const found = new ParsedHeader();
      const end = Math.min(endOffset, bytes.length);
      expect(UDP_PARSER.parse(viewOf(bytes), 0, end, found)).toBe(end >= 8);
      if (end < 8) return;
      expect({ ...found }).toEqual({ lenBytes: 8, nextLevel: PARSER_LEVEL.UDP_PORT, nextNumber: dstPort, otherNumber: srcPort });
    }),
  );
});

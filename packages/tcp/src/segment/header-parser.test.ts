import { PARSER_LEVEL, ParsedHeader } from '@softnet/contract';
import { emitTcp, timestampsOption, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TCP_PARSER } from './header-parser.ts';

const u16 = fc.nat(0xffff);

test('header and options, then whoever has either port', () => {
  fc.assert(
    fc.property(u16, u16, fc.boolean(), fc.nat(60), (srcPort, dstPort, hasOptions, endOffset) => {
      const options = hasOptions
        ? [timestampsOption(1, 2), { kind: 1, data: new Uint8Array(0) }, { kind: 1, data: new Uint8Array(0) }]
        : [];
      const rest = { seq: 1, ack: 2, flags: 16, window: 3, checksum: 0, urgentPointer: 0, payload: new Uint8Array(9) };
      const bytes = emitTcp({ srcPort, dstPort, options, ...rest });
      const headerBytes = hasOptions ? 32 : 20;
      const found = new ParsedHeader();
      const end = Math.min(endOffset, bytes.length);
      expect(TCP_PARSER.parse(viewOf(bytes), 0, end, found)).toBe(end >= headerBytes);
      if (end < headerBytes) return;
      expect({ ...found }).toEqual({ lenBytes: headerBytes, nextLevel: PARSER_LEVEL.TCP_PORT, nextNumber: dstPort, otherNumber: srcPort });
      bytes[12] = 0x40;
      expect(TCP_PARSER.parse(viewOf(bytes), 0, bytes.length, found)).toBe(false);
    }),
  );
});

import { PARSER_LEVEL, ParsedHeader } from '@softnet/contract';
import type { ExtensionHeader } from '@softnet/wire';
import { emitIpv6Packet, IPV6_LIMITS, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ipv6Parser } from './header-parser.ts';

const parser = new Ipv6Parser(IPV6_LIMITS);
const options = fc.constantFrom<ExtensionHeader>({ type: 60, options: [] }, { type: 60, options: [{ type: 30, data: new Uint8Array(9) }] });
const routing = fc.constant<ExtensionHeader>({ type: 43, routingType: 4, segmentsLeft: 0, data: new Uint8Array(4) });
const hop = fc.constant<ExtensionHeader>({ type: 0, options: [] });

function packetOf(headers: readonly ExtensionHeader[], protocol: number, payload: Uint8Array): Uint8Array {
  const head = { trafficClass: 0, flowLabel: 0, hopLimit: 64, src: 'fd00::1', dst: 'fd00::2' };
  return emitIpv6Packet({ ...head, headers, protocol, payload });
}

test('the header with its extension headers, then the protocol', () => {
  const chains = fc.tuple(fc.array(hop, { maxLength: 1 }), fc.array(fc.oneof(options, routing), { maxLength: 3 }));
  fc.assert(
    fc.property(
      chains,
      fc.constantFrom(6, 17, 58, 59, 250),
      fc.nat(20),
      fc.nat(150),
      ([first, rest], protocol, payloadBytes, endOffset) => {
        const bytes = packetOf([...first, ...rest], protocol, new Uint8Array(payloadBytes));
        const lenBytes = bytes.length - payloadBytes;
        const end = Math.min(endOffset, bytes.length);
        const found = new ParsedHeader();
        expect(parser.parse(viewOf(bytes), 0, end, found)).toBe(end >= lenBytes);
        if (end < lenBytes) return;
        expect({ ...found }).toEqual({ lenBytes, nextLevel: PARSER_LEVEL.IP_PROTOCOL, nextNumber: protocol, otherNumber: -1 });
      },
    ),
  );
});

test.each([
  [0, PARSER_LEVEL.IP_PROTOCOL],
  [64, PARSER_LEVEL.END],
])('a fragment from byte %d on', (offsetBytes, nextLevel) => {
  const bytes = packetOf([{ type: 44, offsetBytes, more: true, id: 5 }], 17, new Uint8Array(8));
  const found = new ParsedHeader();
  expect(parser.parse(viewOf(bytes), 0, bytes.length, found)).toBe(true);
  expect({ ...found }).toEqual({ lenBytes: 48, nextLevel, nextNumber: 17, otherNumber: -1 });
});

test('garbage is understood or not; nothing is read behind the end, nothing throws', () => {
  const heads = fc.tuple(fc.constantFrom(0, 43, 44, 60, 17), fc.uint8Array({ maxLength: 80 })).map(([next, rest]) => {
    const bytes = Uint8Array.from([0x60, 0, 0, 0, 0, rest.length, next, 64, ...new Uint8Array(32), ...rest]);
    return bytes;
  });
  fc.assert(
    fc.property(heads, fc.nat(120), (bytes, endOffset) => {
      const end = Math.min(endOffset, bytes.length);
      const found = new ParsedHeader();
      if (parser.parse(viewOf(bytes.subarray(0, end)), 0, end, found)) expect(found.lenBytes).toBeLessThanOrEqual(end);
    }),
    { numRuns: 1000 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_COLLECTED_BYTES, PcapngWriter } from './pcapng-writer.ts';
import { parsePcapng } from './testing/parse-pcapng.ts';

const encoder = new TextEncoder();

test('what is written is read again, whatever it is, and however it is flushed', () => {
  const packetArb = fc.record({
    interfaceId: fc.nat(2),
    timeUs: fc.maxSafeNat(),
    bytes: fc.uint8Array({ maxLength: 100 }),
    more: fc.nat(1000),
    flags: fc.nat(31),
    comment: fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined }),
    flush: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 3, maxLength: 3 }), fc.array(packetArb), (names, packets) => {
      const pieces: Uint8Array[] = [];
      const writer = new PcapngWriter((bytes) => pieces.push(bytes), 'söftnet');
      for (const name of names) expect(writer.describeInterface(name.length, name, 1000 + name.length)).toBe(true);
      for (const { interfaceId, timeUs, bytes, more, flags, comment, flush } of packets) {
        const said = comment === undefined ? null : encoder.encode(comment);
        const at = writer.beginPacket(interfaceId, timeUs, bytes.length, bytes.length + more, said?.length ?? 0);
        for (const [i, byte] of bytes.entries()) writer.view.setUint8(at + i, byte);
        writer.endPacket(flags, said);
        if (flush) writer.flush();
      }
      writer.flush();
      const read = parsePcapng(new Uint8Array(Buffer.concat(pieces)));
      expect(read.application).toBe('söftnet');
      expect(read.interfaces).toEqual(names.map((name) => ({ linkType: name.length, name, snapLenBytes: 1000 + name.length })));
      expect(read.packets).toEqual(
        packets.map(({ interfaceId, timeUs, bytes, more, flags, comment }) => {
          return { interfaceId, timeUs, lenBytes: bytes.length + more, bytes, flags, comment };
        }),
      );
    }),
  );
});

test('a section header as the draft draws it', () => {
  let file: Uint8Array = new Uint8Array(0);
  const writer = new PcapngWriter((bytes) => {
    file = bytes;
  }, 'abc');
  writer.flush();
  expect(Buffer.from(file).toString('hex')).toBe(
    ['0a0d0d0a', '28000000', '4d3c2b1a', '01000000', 'ffffffffffffffff', '0400', '0300', '61626300', '00000000', '28000000'].join(''),
  );
});

test('says when no room is left, and has it again after a flush', () => {
  let written = 0;
  const writer = new PcapngWriter((bytes) => {
    written += bytes.length;
  }, 'test');
  writer.describeInterface(1, 'eth0', 1);
  let count = 0;
  while (writer.beginPacket(0, 0, 200_000, 200_000, 0) >= 0) {
    writer.endPacket(0, null);
    count++;
  }
  expect(count).toBe(Math.floor(MAX_COLLECTED_BYTES / 200_060));
  expect(written).toBe(0);
  writer.flush();
  expect(written).toBeGreaterThan(count * 200_000);
  expect(writer.beginPacket(0, 0, 200_000, 200_000, 0)).toBeGreaterThan(0);
});

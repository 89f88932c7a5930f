import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVnetHeader, VNET_HEADER_BYTES, VnetHeader, writeVnetHeader } from './vnet-header.ts';

const header = fc.record({
  flags: fc.nat(0xff),
  burst: fc.nat(0xff),
  headerBytes: fc.nat(0xffff),
  segmentBytes: fc.nat(0xffff),
  checksumStart: fc.nat(0xffff),
  checksumOffset: fc.nat(0xffff),
});

test('what is written is read, wherever it stands, and nothing beside it is touched', () => {
  fc.assert(
    fc.property(header, fc.nat(7), (fields, offset) => {
      const bytes = new Uint8Array(offset + VNET_HEADER_BYTES + 5).fill(0xaa);
      const view = new DataView(bytes.buffer);
      writeVnetHeader(view, offset, Object.assign(new VnetHeader(), fields));
      const read = new VnetHeader();
      readVnetHeader(view, offset, read);
      expect(read).toEqual(Object.assign(new VnetHeader(), fields));
      expect([...bytes.subarray(0, offset), ...bytes.subarray(offset + VNET_HEADER_BYTES)]).toEqual(new Array(offset + 5).fill(0xaa));
    }),
  );
});

test('is what Linux reads, byte for byte', () => {
  const bytes = new Uint8Array(VNET_HEADER_BYTES);
  const fields = { flags: 1, burst: 0x84, headerBytes: 0x0102, segmentBytes: 0x0304, checksumStart: 0x0506, checksumOffset: 0x0708 };
  writeVnetHeader(new DataView(bytes.buffer), 0, Object.assign(new VnetHeader(), fields));
  expect([...bytes]).toEqual([1, 0x84, 2, 1, 4, 3, 6, 5, 8, 7]);
});

import { ControlMessage, MESSAGE_FLAG } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chainOf, controlLen, controlSpace, fillControl, readControl, writeControl } from './control-data.ts';

const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const items = fc.array(fc.record({ level: int32, type: int32, data: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 5 });

test('as CMSG_LEN, CMSG_SPACE and Linux’s headers have it', () => {
  expect([controlLen(0), controlLen(4), controlSpace(0), controlSpace(1), controlSpace(8), controlSpace(9)]).toEqual([
    16, 20, 16, 24, 24, 32,
  ]);
  const bytes = writeControl([{ level: 1, type: 2, data: Uint8Array.of(9, 8, 7, 6) }]);
  expect([...bytes]).toEqual([20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 8, 7, 6, 0, 0, 0, 0]);
});

test('what is written is read, and what a chain holds fills the same bytes', () => {
  fc.assert(
    fc.property(items, (list) => {
      const bytes = writeControl(list);
      expect(readControl(bytes)).toEqual(list);
      const room = new Uint8Array(bytes.length + 8);
      expect(fillControl(chainOf(list), room)).toEqual({ lenBytes: bytes.length, flags: 0 });
      expect(room.subarray(0, bytes.length)).toEqual(bytes);
    }),
  );
});

test('what does not fit is cut and said; nothing is written behind the room', () => {
  fc.assert(
    fc.property(items, fc.nat(200), (list, roomBytes) => {
      const all = writeControl(list);
      const memory = new Uint8Array(roomBytes + 8).fill(0xee);
      const { lenBytes, flags } = fillControl(chainOf(list), memory.subarray(0, roomBytes));
      const needed = list.length === 0 ? 0 : all.length - controlSpace(list.at(-1)!.data.length) + controlLen(list.at(-1)!.data.length);
      expect(flags).toBe(roomBytes < needed ? MESSAGE_FLAG.CTRUNC : 0);
      expect(lenBytes).toBeLessThanOrEqual(roomBytes);
      expect(memory.subarray(roomBytes)).toEqual(new Uint8Array(8).fill(0xee));
      const read = readControl(memory.subarray(0, lenBytes))!;
      expect(list.slice(0, read.length).map(({ data }, i) => data.subarray(0, read[i]!.data.length))).toEqual(read.map(({ data }) => data));
    }),
  );
});

test('any bytes are control messages or none', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void readControl(bytes)));
  expect(readControl(Uint8Array.of(15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toBeNull();
  expect(readControl(Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toBeNull();
  expect([readControl(new Uint8Array(15)), chainOf([])]).toEqual([[], null]);
  expect(fillControl(new ControlMessage(1, 2, new Uint8Array(0)), new Uint8Array(3))).toEqual({ lenBytes: 0, flags: MESSAGE_FLAG.CTRUNC });
});

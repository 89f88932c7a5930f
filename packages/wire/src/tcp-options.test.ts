import { expect, test } from 'vitest';
import { emitOptions, optionBytes } from './option-list.ts';
import * as options from './tcp-options.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

test('a SYN as Linux sends it, by hand, read by walking', () => {
  const bytes = emitOptions('test', [
    options.mssOption(1460),
    options.sackPermittedOption(),
    options.timestampsOption(0xfedcba98, 7),
    { kind: options.TCP_OPTION.NOP, data: hex('') },
    options.windowScaleOption(7),
  ]);
  expect(bytes).toEqual(hex('0204 05b4 0402 080a fedcba98 00000007 01 030307'));
  const view = viewOf(bytes);
  const found: number[][] = [];
  for (let at = 0, step = 0; at < bytes.length; at += step) {
    step = optionBytes(view, at, bytes.length);
    found.push([view.getUint8(at), at, step]);
  }
  const { MSS, SACK_PERMITTED, TIMESTAMPS, NOP, WINDOW_SCALE } = options.TCP_OPTION;
  expect(found).toEqual([
    [MSS, 0, 4],
    [SACK_PERMITTED, 4, 2],
    [TIMESTAMPS, 6, 10],
    [NOP, 16, 1],
    [WINDOW_SCALE, 17, 3],
  ]);
  expect([options.tcpOptionMss(view, 0), options.tcpOptionTimestamp(view, 6), options.tcpOptionTimestampEcho(view, 6)]).toEqual([
    1460,
    0xfedcba98 | 0,
    7,
  ]);
  expect(options.tcpOptionWindowScale(view, 17)).toBe(7);
});

test('the largest there are', () => {
  const bytes = emitOptions('test', [options.mssOption(0xffff), options.windowScaleOption(0xff)]);
  expect([options.tcpOptionMss(viewOf(bytes), 0), options.tcpOptionWindowScale(viewOf(bytes), 4)]).toEqual([0xffff, 0xff]);
});

test('RFC 7323, appendix A: aligned timestamps', () => {
  const nop = { kind: options.TCP_OPTION.NOP, data: hex('') };
  const bytes = emitOptions('test', [nop, nop, options.timestampsOption(1, 2)]);
  expect(viewOf(bytes).getInt32(0)).toBe(options.TCP_ALIGNED_TIMESTAMPS);
});

test('RFC 2018 §4, case 2: blocks', () => {
  const bytes = emitOptions('test', [
    options.sackOption([
      [5500, 9000],
      [-1, 0xfffffffe],
    ]),
  ]);
  expect(bytes).toEqual(hex('0512 0000157c 00002328 ffffffff fffffffe 0000'));
  const view = viewOf(bytes);
  expect(options.tcpSackBlocks(optionBytes(view, 0, bytes.length))).toBe(2);
  expect([0, 1].map((block) => [options.tcpSackLeft(view, 0, block), options.tcpSackRight(view, 0, block)])).toEqual([
    [5500, 9000],
    [-1, -2],
  ]);
});

test('four blocks, the most that fit', () => {
  const blocks = [1, 2, 3, 4].map((block) => [block * 10, block * 10 + 5] as const);
  const bytes = emitOptions('test', [options.sackOption(blocks)]);
  const view = viewOf(bytes);
  expect(options.tcpSackBlocks(optionBytes(view, 0, bytes.length))).toBe(4);
  expect([0, 1, 2, 3].map((block) => [options.tcpSackLeft(view, 0, block), options.tcpSackRight(view, 0, block)])).toEqual(blocks);
});

test('lengths that are none of SACK', () => {
  expect([2, 3, 9, 10, 11, 18, 26, 34, 40].map(options.tcpSackBlocks)).toEqual([-1, -1, -1, 1, -1, 2, 3, 4, -1]);
});

test.each([
  () => options.mssOption(65536),
  () => options.windowScaleOption(256),
  () => options.timestampsOption(2 ** 32, 0),
  () => options.sackOption([]),
  () => options.sackOption(new Array(5).fill([1, 2])),
])('EINVAL: %#', (make) => {
  expect(make).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { receiveWindow, toldWindow, updatesWindow, windowField, windowShift } from './receive-window.ts';

test.each([
  [65535, 0],
  [65536, 1],
  [6 * 1024 * 1024, 7],
  [2 ** 30, 14],
  [2 ** 31, 14],
])('RFC 7323 §2.3: a buffer of %i wants a shift of %i', (bytes, shift) => {
  expect(windowShift(bytes)).toBe(shift);
});

test.each([
  ['opens by a segment', 1000, 2460, 65536, 2460],
  ['not by less', 1000, 2459, 65536, 1000],
  ['by half of a small buffer', 100, 600, 1000, 600],
  ['not by less than that', 100, 599, 1000, 100],
  ['never shrinks', 5000, 10, 65536, 5000],
  ['is shut', 0, 0, 65536, 0],
])('RFC 1122 §4.2.3.3: %s', (_, told, free, buffer, window) => {
  expect(receiveWindow(told, free, buffer, 1460, 0)).toBe(window);
});

test('RFC 9293 §3.8.6, RFC 7323 §2.4: the right edge never moves left, whatever the shift', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 0, max: 2 ** 20 }));
  fc.assert(
    fc.property(sizes, ([shift, told, free]) => {
      fc.pre(told <= 0xffff << shift);
      const window = receiveWindow(told, free, 2 ** 21, 1460, shift);
      expect(window).toBeGreaterThanOrEqual(told);
      expect(window).toBeLessThanOrEqual(Math.max(free, told + (1 << shift) - 1));
      expect(toldWindow(windowField(window, shift, false), shift, false)).toBe(window);
    }),
  );
});

test('RFC 7323 §2.2: a SYN’s window is not scaled', () => {
  expect([windowField(70000, 7, true), windowField(70000, 7, false), toldWindow(500, 7, true), toldWindow(500, 7, false)]).toEqual([
    65535, 546, 500, 64000,
  ]);
});

test('RFC 9293 §3.10.7.4: a window is news by SND.WL1 and SND.WL2', () => {
  const rows = [
    [11, 0],
    [10, 20],
    [10, 21],
    [10, 19],
    [9, 99],
  ] as const;
  expect(rows.map(([seq, ack]) => updatesWindow(seq, ack, 10, 20))).toEqual([true, true, true, false, false]);
});

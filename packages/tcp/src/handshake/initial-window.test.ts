import { expect, test } from 'vitest';
import { InitialWindow } from './initial-window.ts';

const LARGEST = 6_291_456;

/** What Linux tells: room, MSS, clamp, whether it is scaled, the largest buffer; window, shift, what can be told at most. */
test.each([
  ['Ethernet', 65_536, 1460, 0, true, LARGEST, 64_240, 7, 65_535 << 7],
  ['Ethernet, with timestamps in all segments', 65_536, 1448, 0, true, LARGEST, 65_160, 7, 65_535 << 7],
  ['IPv6', 65_536, 1440, 0, true, LARGEST, 64_800, 7, 65_535 << 7],
  ['loopback: the field has no more', 65_536, 65_495, 0, true, LARGEST, 65_495, 7, 65_535 << 7],
  ['not scaled', 65_536, 1460, 0, false, LARGEST, 64_240, 0, 65_535],
  ['a buffer that is large', 3_000_000, 1460, 0, true, LARGEST, 65_535, 7, 65_535 << 7],
  ['a buffer that is set to more than is usual', 20_000_000, 1460, 0, true, LARGEST, 65_535, 9, 65_535 << 9],
  ['less than a segment', 1000, 1460, 0, true, LARGEST, 1000, 7, 65_535 << 7],
  ['nothing', 0, 1460, 0, true, LARGEST, 0, 7, 65_535 << 7],
  ['TCP_WINDOW_CLAMP', 65_536, 1460, 10_000, true, LARGEST, 8760, 0, 10_000],
  ['the largest there is', 65_536, 1460, 0, true, 0x7fffffff, 64_240, 14, 65_535 << 14],
] as [string, number, number, number, boolean, number, number, number, number][])(
  '%s',
  (_, full, mss, clamp, isScaled, largest, windowBytes, shift, clampBytes) => {
    const window = new InitialWindow();
    window.choose(full, mss, clamp, isScaled, largest);
    expect({ ...window }).toEqual({ windowBytes, shift, clampBytes });
  },
);

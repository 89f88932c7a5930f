import { windowShift } from '../machine/receive-window.ts';
import { MAX_WINDOW_SCALE } from '../wire/received-options.ts';

const MAX_FIELD = 0xffff;
const SEGMENTS_WHEN_SHORT = 4;

/** The window that a SYN, or SYN-ACK, tells, and how later ones are shifted. Kept, and filled anew. */
export class InitialWindow {
  windowBytes = 0;
  shift = 0;
  /** What can be told at most. */
  clampBytes = 0;

  /**
   * As Linux's `tcp_select_initial_window`: whole segments of what the buffer has room for, and a shift for the largest buffer that it may come to (RFC 7323 §2.3).
   * @param fullBytes of window that the buffer has room for. @param mssBytes of what comes, without options that all segments have. @param clampBytes TCP_WINDOW_CLAMP; 0: none.
   * @param largestBytes the last of `tcp_rmem`. @param isShort memory is: a few segments are promised.
   */
  choose(fullBytes: number, mssBytes: number, clampBytes: number, isScaled: boolean, largestBytes: number, isShort = false): void {
    const clamp = clampBytes > 0 ? clampBytes : MAX_FIELD * 2 ** MAX_WINDOW_SCALE;
    const space = Math.max(0, Math.min(fullBytes, clamp));
    const whole = space > mssBytes ? space - (space % mssBytes) : space;
    this.windowBytes = Math.min(whole, isShort ? SEGMENTS_WHEN_SHORT * mssBytes : MAX_FIELD, MAX_FIELD);
    this.shift = isScaled ? windowShift(Math.min(Math.max(space, largestBytes), clamp)) : 0;
    this.clampBytes = Math.min(clamp, MAX_FIELD * 2 ** this.shift);
  }
}

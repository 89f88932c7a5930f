import type { CableRandom } from './cable-random.ts';
import type { LineSettings } from './line-settings.ts';

/** What of one direction, of a cable or a fault injector, says how long a frame takes. */
export interface LinePace {
  readonly settings: LineSettings;
  readonly random: CableRandom;
  /** The settings' fraction, for `random.happens`. */
  readonly reorder: number;
  readonly counts: { reordered: number };
  /** When the frame that is on the line has left it, µs of the sender's clock. */
  busyUntilUs: number;
  /** Bits · 10⁶ that are not a whole µs yet: so rates are exact. */
  rest: number;
}

/** What a frame that is overtaken takes longer at least, µs. */
const OVERTAKEN_US = 1000;

/** Puts a frame on the line, which is free from `freeUs` on. */
export function occupyLine(line: LinePace, lenBytes: number, freeUs: number): void {
  const { rateBps } = line.settings;
  let wholeUs = 0;
  if (rateBps > 0) {
    const work = lenBytes * 8_000_000 + line.rest;
    wholeUs = Math.floor(work / rateBps);
    line.rest = work - wholeUs * rateBps;
  }
  line.busyUntilUs = freeUs + wholeUs;
}

/** How long the next frame takes behind the line, µs. */
export function flightUs({ settings, random, counts, reorder }: LinePace): number {
  const takesUs = settings.delayUs + random.below(settings.jitterUs + 1);
  if (!random.happens(reorder)) return takesUs;
  counts.reordered++;
  return takesUs + Math.max(3 * settings.delayUs, OVERTAKEN_US);
}

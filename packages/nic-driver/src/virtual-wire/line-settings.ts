import { NetError } from '@softnet/contract';

/** What one direction of a cable does to frames. It may be changed while they fly. */
export interface LineSettings {
  /** Bits of frames (without preamble, FCS and gap) in a second; 0: as fast as they come. */
  readonly rateBps: number;
  /** From end to end, µs. */
  readonly delayUs: number;
  /** Up to so much more, evenly spread, µs: frames overtake one another by it. */
  readonly jitterUs: number;
  /** Fractions of frames, 0 to 1: never arrive, */
  readonly loss: number;
  /** arrive twice, */
  readonly duplicate: number;
  /** are overtaken (they take `delayUs` four times, at least 1 ms more), */
  readonly reorder: number;
  /** arrive with one bit changed. */
  readonly corrupt: number;
  /** How many are under way, waiting for the line or flying; more wait in the sender's device. 1 to 65,536. */
  readonly queueFrames: number;
}

export const PERFECT_LINE: LineSettings = Object.freeze({
  rateBps: 0,
  delayUs: 0,
  jitterUs: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  queueFrames: 1024,
});

const MAX_US = 2 ** 30;

/** What each setting takes. */
export type SettingRanges<S> = Readonly<Record<keyof S & string, readonly [min: number, max: number, integer: boolean, what: string]>>;

export const FRACTION: readonly [number, number, boolean, string] = Object.freeze([0, 1, false, 'a fraction, 0 to 1']);
export const LINE_RANGES: SettingRanges<LineSettings> = Object.freeze({
  rateBps: [0, 1e12, true, 'bits a second, a whole number from 0 (no limit) to 10¹²'],
  delayUs: [0, MAX_US, true, 'whole µs, 0 to 2³⁰'],
  jitterUs: [0, MAX_US, true, 'whole µs, 0 to 2³⁰'],
  loss: FRACTION,
  duplicate: FRACTION,
  reorder: FRACTION,
  corrupt: FRACTION,
  queueFrames: [1, 65536, true, 'a whole number, 1 to 65536'],
});

/** `before`, with what is given. @throws NetError EINVAL, saying which. */
export function changedSettings(before: LineSettings, given: Partial<LineSettings>): LineSettings {
  return settingsWithin('cable', LINE_RANGES, before, given);
}

/** The same for other settings. @param kind whose they are, for the sentence. @throws NetError EINVAL, saying which. */
export function settingsWithin<S extends object>(kind: string, ranges: SettingRanges<S>, before: S, given: Partial<S>): S {
  const settings = { ...before };
  for (const name of Object.keys(ranges) as (keyof S & string)[]) {
    const value: unknown = given[name];
    if (value === undefined) continue;
    const [min, max, integer, what] = ranges[name];
    if (typeof value !== 'number' || !(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
      throw new NetError('EINVAL', `${kind}: ${name} takes ${what}; got ${String(value)}`);
    }
    settings[name] = value as S[typeof name];
  }
  return Object.freeze(settings);
}

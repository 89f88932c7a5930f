import type { LineSettings, SettingRanges } from '../../virtual-wire/line-settings.ts';
import { FRACTION, LINE_RANGES, PERFECT_LINE, settingsWithin } from '../../virtual-wire/line-settings.ts';

/**
 * What one direction of a fault injector does to frames: all that a cable may do, and loss that comes in bursts (Gilbert and Elliott): while the
 * burst goes on, `burstLoss` stands in the place of `loss`.
 */
export interface FaultSettings extends LineSettings {
  /** With what chance a burst begins at a frame, 0 to 1; 0: there are none. */
  readonly burstBegin: number;
  /** With what chance it ends at a frame, 0 to 1: 0.25 makes bursts of four on average. */
  readonly burstEnd: number;
  /** Fraction of frames that are lost in a burst, 0 to 1. */
  readonly burstLoss: number;
}

/** Settings of both directions by their names, and those of one by `tx` or `rx` before them: `loss`, `txLoss`, `rxDelayUs`. The latter prevail. */
export type FaultChanges = Partial<
  FaultSettings & { readonly [Name in keyof FaultSettings as `${'tx' | 'rx'}${Capitalize<Name>}`]: number }
>;

export const NO_FAULTS: FaultSettings = Object.freeze({ ...PERFECT_LINE, burstBegin: 0, burstEnd: 0.25, burstLoss: 1 });

const RANGES: SettingRanges<FaultSettings> = Object.freeze({
  ...LINE_RANGES,
  burstBegin: FRACTION,
  burstEnd: FRACTION,
  burstLoss: FRACTION,
});
const NAMES = Object.freeze(Object.keys(RANGES) as (keyof FaultSettings)[]);

/** Names of all that {@link FaultChanges} may have. */
export const FAULT_OPTIONS: readonly string[] = Object.freeze(NAMES.flatMap((name) => [name, ofOneWay('tx', name), ofOneWay('rx', name)]));

/** `before`, with what is given of this direction. @throws NetError EINVAL, saying which. */
export function changedFaults(direction: 'tx' | 'rx', before: FaultSettings, given: FaultChanges): FaultSettings {
  const values = given as Readonly<Record<string, number | undefined>>;
  const own = Object.fromEntries(NAMES.map((name) => [name, values[ofOneWay(direction, name)]]));
  return settingsWithin('fault', RANGES, settingsWithin('fault', RANGES, before, given), own);
}

function ofOneWay(direction: 'tx' | 'rx', name: string): string {
  return `${direction}${name[0]!.toUpperCase()}${name.slice(1)}`;
}

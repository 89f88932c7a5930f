import { SkbQueue } from '@softnet/contract';
import { CableRandom, chanceOf } from '../../virtual-wire/cable-random.ts';
import { Flight } from '../../virtual-wire/flight.ts';
import type { LinePace } from '../../virtual-wire/line-pace.ts';
import type { FaultSettings } from './fault-settings.ts';
import { NO_FAULTS } from './fault-settings.ts';

/** What has become of frames of one direction so far. */
export interface FaultCounts {
  /** Taken. */
  frames: number;
  lost: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  /** Not taken: as many were under way as may be. Received ones only: sent ones wait in the device's queue. */
  refused: number;
}

/**
 * One direction of a fault injector: settings, chance, and the frames that are under way. A record: a generation of the module leaves it to the
 * next one.
 */
export class FaultLine implements LinePace {
  settings: FaultSettings = NO_FAULTS;
  /** The settings' fractions, for `random.happens`. */
  loss = 0;
  duplicate = 0;
  reorder = 0;
  corrupt = 0;
  burstBegin = 0;
  burstEnd = 0;
  burstLoss = 0;
  /** A burst of losses goes on. */
  inBurst = false;
  readonly random: CableRandom;
  readonly counts: FaultCounts = { frames: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0, refused: 0 };
  /** Frames that wait for the line, the first of which is on it until `busyUntilUs`. */
  readonly waiting = new SkbQueue();
  busyUntilUs = 0;
  rest = 0;
  /** Those that have left the line, by when they come out. */
  readonly flight = new Flight();

  /** @param stream 0 or 1: each direction of a seed has chance of its own. */
  constructor(seed: number, stream: number) {
    this.random = new CableRandom(seed, stream);
  }
}

/** From the next frame on. */
export function changeLine(line: FaultLine, settings: FaultSettings): void {
  line.settings = settings;
  line.loss = chanceOf(settings.loss);
  line.duplicate = chanceOf(settings.duplicate);
  line.reorder = chanceOf(settings.reorder);
  line.corrupt = chanceOf(settings.corrupt);
  line.burstBegin = chanceOf(settings.burstBegin);
  line.burstEnd = chanceOf(settings.burstEnd);
  line.burstLoss = chanceOf(settings.burstLoss);
  if (line.burstBegin === 0) line.inBurst = false;
}

/** Whether the next frame is lost; a burst begins or ends with it. */
export function isLost(line: FaultLine): boolean {
  const { random } = line;
  if (line.inBurst) line.inBurst = !random.happens(line.burstEnd);
  else line.inBurst = random.happens(line.burstBegin);
  return random.happens(line.inBurst ? line.burstLoss : line.loss);
}

import type { Clock, Counter, DropReason, Neighbour, Random, Timer } from '@softnet/contract';
import { NeighbourGarbage } from './neighbour-garbage.ts';
import { NeighbourHash } from './neighbour-hash.ts';
import { NeighbourLines } from './neighbour-lines.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';
import { ReachableTimes } from './reachable-times.ts';
import { WaitingPackets } from './waiting-packets.ts';

export interface FamilyTableSpec {
  readonly clock: Clock;
  readonly random: Pick<Random, 'u32' | 'fraction'>;
  readonly settings: NeighbourSettings;
  readonly timer: (fire: () => void) => Timer;
  readonly queueFull: DropReason;
  readonly visited: Counter;
  /** Collects one. */
  readonly remove: (neighbour: Neighbour) => void;
}

/** What there is for each family: its neighbours, who goes first, what waits, who collects. */
export class FamilyTable {
  readonly settings: NeighbourSettings;
  readonly hash: NeighbourHash;
  readonly lines = new NeighbourLines();
  readonly waiting: WaitingPackets;
  readonly garbage: NeighbourGarbage;
  readonly times: ReachableTimes;

  constructor({ clock, random, settings, timer, queueFull, visited, remove }: FamilyTableSpec) {
    const { lines } = this;
    this.settings = settings;
    this.hash = new NeighbourHash(random.u32() | 0, settings.limit);
    this.waiting = new WaitingPackets(settings, lines, queueFull);
    this.garbage = new NeighbourGarbage({ clock, lines, settings, remove, timer, visited, hash: this.hash });
    this.times = new ReachableTimes(clock, random);
  }
}

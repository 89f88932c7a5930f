import type { Random } from '@softnet/contract';
import type { FaultInfo } from '../api.ts';
import type { Switchboard } from '../compose/switchboard.ts';
import type { Counters } from '../registries/counters.ts';
import type { DropReasons } from '../registries/drop-reasons.ts';
import type { Journal } from '../registries/journal.ts';
import type { SkbSlots } from '../registries/skb-slots.ts';
import type { SysctlTree } from '../settings/sysctl-tree.ts';
import type { Executive } from '../time/executive.ts';
import type { Generation } from './generation.ts';
import type { Alarm } from './hook-call.ts';
import type { Phase } from './states.ts';

/** The parts of one kernel that its generations work with; composed in compose/composition.ts. */
export interface Parts {
  readonly executive: Executive;
  readonly board: Switchboard;
  readonly settings: SysctlTree;
  readonly dropReasons: DropReasons;
  readonly skbSlots: SkbSlots;
  readonly counters: Counters;
  readonly journal: Journal;
  readonly random: Random & { fork(label: string): Random };
  readonly alarm: Alarm;
  /** The count of stages 1 so far, of all modules. */
  readonly epochs: { now: number };
  /** Keep stacks, guard providers. */
  readonly debug: boolean;
  /** How long a hook may take, ms of kernel time. */
  readonly hookDeadlineMs: number;
  readonly watcher: Watcher;
}

/** Who is told what happens to generations: the kernel. */
interface Watcher {
  phaseChanged(generation: Generation, from: Phase): void;
  /** Something was released, or a generation is gone: what waits may go on. */
  holdsChanged(generation: Generation): void;
  faulted(fault: FaultInfo): void;
}

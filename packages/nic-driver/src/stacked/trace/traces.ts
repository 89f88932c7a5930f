import type { NetDevice } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import type { StackedOptions } from '../stacked-options.ts';

/** Options of `DeviceKind.create` of kind 'trace'. */
export interface TraceOptions extends StackedOptions {
  /** Is given each line, soon after the frame and never amid its way. When it throws, the trace ends, and frames go on passing. Default: lines are kept. */
  readonly write?: (line: string) => void;
  /** How many of the last lines are kept where there is no `write`; 1 to 1,000,000, default 1,000. */
  readonly keepLines?: number;
}

/** How a trace goes. */
export interface TraceCounts {
  /** Frames told of. */
  readonly lines: number;
  /** Frames not told of: more passed in a turn than 4,096, or `write` had thrown. */
  readonly missed: number;
  /** What `write` threw, which ended it; null: nothing. */
  readonly error: unknown;
}

/** What devices of kind 'trace' have seen. A **corridor**. @throws NetError EINVAL for another device. */
export interface Traces {
  /** The last lines, oldest first; none where they are given to `write`. */
  lines(device: NetDevice): string[];
  counts(device: NetDevice): TraceCounts;
}
export const Traces = defineService<Traces>({ name: 'traces', version: '1.0.0' });

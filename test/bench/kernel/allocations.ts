import { bytesPerOperation } from '../heap.ts';
import type { Loop } from '../span.ts';
import type { Work } from '../work.ts';
import { holdLoop } from './holds.ts';
import { portCallLoop } from './port-call.ts';
import { pollLoop } from './softirq.ts';
import { rearmLoop } from './timers.ts';

/** What must not allocate once warm, by name: the rules of the fast path (also a test: `bench.test.ts`). */
export function quietLoops(): Readonly<Record<string, () => Promise<Loop>>> {
  return {
    'timer-rearm': rearmLoop,
    hold: holdLoop,
    'port-call': () => portCallLoop('cell'),
    'port-call-record': () => portCallLoop('record'),
    'softirq-poll': pollLoop,
  };
}

export function allocationWorks(): Work[] {
  return Object.entries(quietLoops()).map(([name, loop]) => ({
    name: `allocations-${name}`,
    summary: `bytes that an operation of ${name} allocates once warm`,
    units: { 'B/op': 'less' as const },
    subjects: [{ name: 'softnet', measure: async () => ({ 'B/op': await bytesPerOperation(await loop()) }) }],
  }));
}

import type { ModuleState } from '../api.ts';

/** The life of a generation: from each state, the states that may follow (docs/architecture.md has the picture). */
export const FOLLOWING: Readonly<Record<ModuleState, readonly ModuleState[]>> = Object.freeze({
  starting: ['live', 'gone'],
  live: ['withdrawing'],
  withdrawing: ['draining', 'live'],
  draining: ['gone', 'live'],
  gone: [],
} as const);

/** Between stage 1 and the end. */
export function isLeaving(state: ModuleState): boolean {
  return state === 'withdrawing' || state === 'draining';
}

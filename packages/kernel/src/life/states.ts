import type { ModuleState } from '../api.ts';

/**
 * Where a generation stands. Two phases are finer than the state that outsiders see: `returning`, an abort whose hook has
 * not resolved, and `stopping`, the end of draining, from which there is no return.
 */
export type Phase = ModuleState | 'returning' | 'stopping';

/** The life of a generation: from each phase, those that may follow (docs/architecture.md has the picture). */
export const FOLLOWING: Readonly<Record<Phase, readonly Phase[]>> = Object.freeze({
  starting: ['live', 'gone'],
  live: ['withdrawing'],
  withdrawing: ['draining', 'returning'],
  draining: ['stopping', 'returning'],
  returning: ['live', 'draining'],
  stopping: ['gone'],
  gone: [],
} as const);

/** The state that outsiders see. */
export function outward(phase: Phase): ModuleState {
  return phase === 'returning' || phase === 'stopping' ? 'draining' : phase;
}

/** From stage 1 on, up to the end. */
export function isLeaving(phase: Phase): boolean {
  return phase === 'withdrawing' || phase === 'draining' || phase === 'returning' || phase === 'stopping';
}

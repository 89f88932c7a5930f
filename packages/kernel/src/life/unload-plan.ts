import { NetError } from '@softnet/contract';
import type { DryRun, UnloadOptions } from '../api.ts';
import type { Generation } from './generation.ts';
import type { Roster } from './roster.ts';
import { isLeaving } from './states.ts';

/** What an unload would take along, and whether it may. */
export interface UnloadPlan {
  readonly target: Generation;
  /** Who would enter stage 1, dependents first; those that leave already are not in it. */
  readonly order: readonly Generation[];
  /** Live dependents, which need `cascade`. */
  readonly cascade: readonly Generation[];
  readonly refusal: NetError | undefined;
}

/** Plans without touching anything: an unload does what its dry run said because both begin here. */
export function planUnload(target: Generation, { dependence }: Roster, options: UnloadOptions): UnloadPlan {
  const cascade = dependence.dependents(target).filter((dependent) => !isLeaving(dependent.state));
  const order = [...cascade, target].filter((generation) => !isLeaving(generation.state));
  return { target, order, cascade, refusal: refusalOf(target, cascade, options) };
}

function refusalOf(target: Generation, cascade: readonly Generation[], options: UnloadOptions): NetError | undefined {
  const starting = [target, ...cascade].find(({ state }) => state === 'starting');
  const details = { syscall: 'unload', module: target.label };
  if (starting !== undefined) {
    return new NetError('EBUSY', `${target.label} cannot be unloaded while ${starting.label} is starting: await its load first`, details);
  }
  if (cascade.length === 0 || options.cascade === true) return undefined;
  const names = cascade.map(({ label }) => label).join(', ');
  return new NetError('EBUSY', `${target.label} is needed by ${names}: unload them first, or unload with cascade`, details);
}

/** The plan as its dry run shows it. */
export function describePlan(plan: UnloadPlan): DryRun {
  const { order, cascade, refusal } = plan;
  const parks = order.flatMap((generation) => generation.objectsOf('park'));
  return {
    order: order.map(({ label }) => label),
    cascade: cascade.map(({ label }) => label),
    doors: order.flatMap((generation) => generation.publications.names('door').map((name) => `${generation.label}: ${name}`)),
    parks,
    holders: order.flatMap((generation) => generation.holders()),
    closes: parks.length + order.reduce((sum, generation) => sum + generation.objectsOf('keep').length, 0),
    refusal: refusal === undefined ? undefined : { code: refusal.code, message: refusal.message },
  };
}

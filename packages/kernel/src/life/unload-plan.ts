import type { Held } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { DryRun, HolderInfo, UnloadOptions } from '../api.ts';
import { objectInfo } from '../holds/holder-info.ts';
import type { ObjectList } from '../holds/object-list.ts';
import { rootOf } from '../holds/root-of.ts';
import type { Generation } from './generation.ts';
import { checkMs } from './milliseconds.ts';
import type { Roster } from './roster.ts';
import { isLeaving } from './states.ts';

/** What an unload would take along, and whether it may. */
export interface UnloadPlan {
  /** Who would go, dependents first, the one asked for last. Those of them that leave already are joined. */
  readonly order: readonly Generation[];
  /** Dependents among them that stay as yet, and so need `cascade`. */
  readonly cascade: readonly Generation[];
  readonly refusal: NetError | undefined;
}

/**
 * Plans without touching anything: an unload does what its dry run said because both begin here.
 * @throws NetError EINVAL for a bad deadline.
 */
export function planUnload(target: Generation, { dependence }: Roster, options: UnloadOptions): UnloadPlan {
  checkMs('deadlineMs', options.deadlineMs);
  const staying = dependence.dependents(target).filter(({ phase }) => phase === 'returning' || !isLeaving(phase));
  return { order: [...staying, target], cascade: staying, refusal: refusalOf(target, staying, options) };
}

function refusalOf(target: Generation, cascade: readonly Generation[], options: UnloadOptions): NetError | undefined {
  const refuse = (why: string): NetError => new NetError('EBUSY', `${target.label} ${why}`, { syscall: 'unload', module: target.label });
  const [starting, returning] = (['starting', 'returning'] as const).map((phase) =>
    [target, ...cascade].find((each) => each.phase === phase),
  );
  if (starting !== undefined) return refuse(`cannot be unloaded while ${starting.label} is starting: await its load first`);
  if (returning !== undefined)
    return refuse(`cannot be unloaded while ${returning.label} is coming back to live: unload it again when it is`);
  if (cascade.length === 0 || options.cascade === true) return undefined;
  return refuse(`is needed by ${cascade.map(({ label }) => label).join(', ')}: unload them first, or unload with cascade`);
}

/** The plan as its dry run shows it. */
export function describePlan(plan: UnloadPlan, force: boolean): DryRun {
  const { order, cascade, refusal } = plan;
  const parks = order.flatMap((generation) => generation.objectsOf('park'));
  return {
    order: order.map(({ label }) => label),
    cascade: cascade.map(({ label }) => label),
    doors: order
      .filter(({ phase }) => !isLeaving(phase))
      .flatMap(({ label, publications }) => publications.names('door').map((name) => `${label}: ${name}`)),
    parks,
    holders: order.flatMap((generation) => generation.holders()),
    breaks: force ? breaksOf(order) : [],
    closes: parks.length + order.reduce((sum, generation) => sum + generation.objectsOf('keep').length, 0),
    refusal: refusal === undefined ? undefined : { code: refusal.code, message: refusal.message },
  };
}

/** Whom force would close: who stands at the start of each hold, of whatever module. */
function breaksOf(order: readonly Generation[]): HolderInfo[] {
  const lists = order.flatMap(({ kinds }) => [...kinds.values()]).filter((list) => list.spec.drain === 'wait');
  const roots = new Set<Held>(lists.flatMap((list) => Array.from(list, rootOf)));
  const [first] = order;
  return first === undefined ? [] : Array.from(roots, (root) => objectInfo(root.holdKind as ObjectList<Held>, root, first.nowCs()));
}

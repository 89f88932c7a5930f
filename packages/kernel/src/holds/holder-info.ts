import type { Held } from '@softnet/contract';
import type { HolderInfo } from '../api.ts';
import type { ObjectList } from './object-list.ts';
import type { TallyCount } from './tally-count.ts';

/** Says who holds: one object as plain data. */
export function objectInfo(list: ObjectList<Held>, object: Held, nowCs: number): HolderInfo {
  const stack = list.stackOf(object);
  return {
    module: list.module,
    kind: list.kind,
    sort: object.holdHolder === null ? 'root' : 'derived',
    count: 1,
    owner: object.holdOwner?.name ?? '',
    place: object.holdPlace,
    ageMs: ((nowCs - object.holdSinceCs) | 0) * 10,
    description: describe(list, object),
    ...(stack === undefined ? {} : { stack }),
  };
}

/** Says who holds: a tally that is not zero. */
export function tallyInfo(module: string, tally: TallyCount): HolderInfo {
  const { kind, place, count } = tally;
  return { module, kind, sort: 'tally', count, owner: module, place, ageMs: 0, description: `${count} ${kind}` };
}

/** A module's line about its object must not break the list that it stands in. */
function describe(list: ObjectList<Held>, object: Held): string {
  try {
    return list.spec.describe?.(object) ?? list.kind;
  } catch (error) {
    return `${list.kind} (describe threw: ${String(error)})`;
  }
}

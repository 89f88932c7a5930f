import type { FaultInfo, HolderInfo, Kernel } from '@softnet/kernel';

/** Holders that are named; of the rest, how many. */
const NAMED = 5;

/** Who still holds something, in any of the kernels; undefined where nobody does. */
export function stillHeld(kernels: readonly Kernel[]): string | undefined {
  const groups = new Map<string, { count: number; kind: string; rest: string }>();
  for (const kernel of kernels) {
    for (const holder of kernel.holders()) {
      const rest = placeOf(holder, kernels.length > 1 ? ` in kernel ${kernel.name}` : '');
      const key = `${holder.kind} ${rest}`;
      const group = groups.get(key) ?? { count: 0, kind: holder.kind, rest };
      group.count += holder.count;
      groups.set(key, group);
    }
  }
  if (groups.size === 0) return undefined;
  const named = [...groups.values()].slice(0, NAMED).map(({ count, kind, rest }) => `${count} ${kind}${count > 1 ? 's' : ''} ${rest}`);
  return `still held by ${named.join('; ')}${groups.size > NAMED ? `; and ${groups.size - NAMED} more` : ''}`;
}

/**
 * What is behind the doors that stage 1 took: `name#generation: Token`, as a dry run gives them.
 * @param refusal what newcomers were told: the door that it names is theirs.
 */
export function takenAtStage1(doors: readonly string[], refusal = ''): string | undefined {
  const words = new Set(refusal.split(/\W+/));
  const names = [...new Set(doors.map((door) => door.replace(/^.*?: /, '')))].filter((name) => !words.has(name));
  if (names.length === 0) return undefined;
  if (names.length === 1) return `${names[0]} was taken at stage 1: should it be a corridor?`;
  return `${names.join(', ')} were taken at stage 1: which of them do those inside need? It should be a corridor`;
}

/** A hook that failed, as a sentence. */
export function describeFault({ hook, module, message }: FaultInfo): string {
  return hook === 'packet' ? `threw on the packet path: ${message}` : `${hook} of ${module} failed: ${message}`;
}

function placeOf({ module, owner, place, sort }: HolderInfo, where: string): string {
  return `of ${module}${where}: ${sort === 'tally' ? '' : `owner ${owner}, `}place ${place}`;
}

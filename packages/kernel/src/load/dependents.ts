import type { Requirement } from '@softnet/contract';
import type { Known } from './requirements.ts';
import { meets } from './requirements.ts';

/**
 * Who could not stay if `leaving` left: whose `one` it provides, or to whose `some` it is the last live contributor; and
 * who could not stay without those. In the order in which they must leave, dependents first; without `leaving` itself.
 *
 * A module that leaves already keeps nobody alive, but is a dependent as long as it is there. A module's own contribution
 * does not meet its own `some`.
 *
 * @param leaving in whatever state it is; told from others by identity, as two generations bear one name.
 * @param known in the order in which they went live.
 */
export function dependentsOf<T extends Known>(leaving: T, known: readonly T[]): T[] {
  const present = known.filter(({ state }) => state !== 'gone' && state !== 'offered');
  const going = new Set([leaving]);
  for (const gone of going) {
    for (const module of present) {
      if (!going.has(module) && isBereft(module, going, present) && needs(module, gone)) {
        going.add(module); // a Set's iteration reaches what is added meanwhile
      }
    }
  }
  return sortLeaving(leaving, going, present);
}

/**
 * The requirements of `module` that `provider` meets, alone or with others: whom it needs now.
 */
export function needs(module: Known, provider: Known): boolean {
  return module !== provider && hardRequirements(module).some((requirement) => meets(provider, requirement));
}

/** True where one of those who go met a requirement, and nobody who stays does. */
function isBereft<T extends Known>(module: T, going: ReadonlySet<T>, present: readonly T[]): boolean {
  const others = present.filter((other) => other !== module);
  return hardRequirements(module).some(
    (requirement) =>
      [...going].some((other) => other !== module && meets(other, requirement)) &&
      !others.some((other) => other.state === 'live' && !going.has(other) && meets(other, requirement)),
  );
}

function hardRequirements({ manifest }: Known): Requirement[] {
  return manifest.requires.filter(({ need }) => need !== 'optional');
}

/**
 * Each leaves at a moment when nobody who is still there would be bereft by it. Where they hold one another up in a circle
 * (two contributors that each require the point), the youngest goes first.
 */
function sortLeaving<T extends Known>(leaving: T, going: ReadonlySet<T>, present: readonly T[]): T[] {
  const order: T[] = [];
  const left = new Set<T>();
  const remaining = present.filter((module) => going.has(module) && module !== leaving).reverse();
  while (remaining.length > 0) {
    const free = remaining.findIndex((module) => {
      const without = new Set([...left, module]);
      const staying = present.filter((other) => !without.has(other));
      return !staying.some((other) => needs(other, module) && isBereft(other, without, present));
    });
    const [next] = remaining.splice(Math.max(0, free), 1) as [T];
    left.add(next);
    order.push(next);
  }
  return order;
}

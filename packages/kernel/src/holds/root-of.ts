import type { Held } from '@softnet/contract';

/** The object at the start of a chain of derived holds: who must end so that the chain does. */
export function rootOf(object: Held): Held {
  let root = object;
  while (root.holdHolder !== null) root = root.holdHolder;
  return root;
}

import type { PointToken, ServiceToken } from './token.ts';

/**
 * The way to a service: a cell that always holds its present provider. Read `current` at each use and never keep
 * what it gave; cross it once a batch where you can. It is never undefined: an absent provider is a stand-in that
 * answers errno or drop.
 */
export interface Port<T extends object> {
  readonly token: ServiceToken<T>;
  readonly current: T;
  /** True while a module provides it. */
  readonly present: boolean;
  /** Integer of the providing module, for `CurrentOwner`; 0 when absent. */
  readonly owner: number;
}

/** All that live modules contribute to a point: an immutable array in a cell, replaced whole at each change. */
export interface Contributions<T extends object> {
  readonly token: PointToken<T>;
  /** In the order in which the modules went live. Read it at each use. */
  readonly items: readonly T[];
  /** `owners[i]` is the integer of the module that contributed `items[i]`. */
  readonly owners: readonly number[];
}

/**
 * Who runs now, on the packet's way. What calls into another module's packet code sets `id` to that module's integer
 * before and back after; when a batch throws, the kernel knows the culprit from it.
 */
export class CurrentOwner {
  /** 0: the kernel itself. */
  id = 0;
}

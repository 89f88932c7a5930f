import type { ResolveBuiltin } from '../load/bundle-require.ts';

/**
 * Hands Node's built-ins to bundles (`node:fs` and `fs`). A host that gives this lets plugins do whatever the process may.
 */
export const nodeBuiltins: ResolveBuiltin = (name) => process.getBuiltinModule(name);

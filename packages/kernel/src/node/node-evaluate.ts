import type { ModuleClass } from '@softnet/contract';
import type { Bundle } from '../api.ts';
import { evaluateBundle } from '../load/evaluate-bundle.ts';
import { nodeBuiltins } from './node-builtins.ts';
import { nodeCompile } from './node-compile.ts';

/** For `KernelOptions.evaluate` in Node: real file names in stack traces, and `node:` built-ins for bundles. */
export function nodeEvaluate(bundle: Bundle, libraries: Readonly<Record<string, unknown>>): ModuleClass {
  return evaluateBundle(bundle, libraries, nodeCompile, nodeBuiltins);
}

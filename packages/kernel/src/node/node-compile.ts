import { compileFunction } from 'node:vm';
import type { Compile } from '../load/function-compile.ts';

/**
 * Compiles with `vm.compileFunction`: stack traces show the file, errors of parsing say where, and the code is collected
 * once nothing refers to it. `import()` in it is refused by Node, as what it loads never would be.
 */
export const nodeCompile: Compile = (code, filename, parameters) =>
  compileFunction(code, [...parameters], { filename }) as ReturnType<Compile>;

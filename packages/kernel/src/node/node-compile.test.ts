import * as contract from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import { evaluateBundle } from '../load/evaluate-bundle.ts';
import type { Compile } from '../load/function-compile.ts';
import { functionCompile } from '../load/function-compile.ts';
import { checkModule } from '../load/module-check.ts';
import { nodeCompile } from './node-compile.ts';

const libraries = { '@softnet/contract': contract };
const LOADS = 30;

/** A bundle that is about as large as a real one, and each time another text. */
function bundleText(index: number): string {
  const fillers = Array.from({ length: 500 }, (_, i) => `function filler${i}() { return '${index}.${i} ${'x'.repeat(100)}'; }`);
  return `const { Module, one, defineService } = require('@softnet/contract');
    ${fillers.join('\n')}
    const Talk = defineService({ name: 'Talk', version: '1.0.0' });
    class Echo { start() { return filler0() + filler499(); } }
    Module({ name: 'echo', version: '1.0.${index}', provides: [Talk] })(Echo);
    module.exports = Echo;`;
}

/** Loads, uses and drops a bundle. */
function loadOnce(index: number, compile: Compile): WeakRef<object> {
  const moduleClass = evaluateBundle({ code: bundleText(index), filename: `/plugins/echo-${index}.cjs` }, libraries, compile);
  expect(checkModule(moduleClass, 'echo').version).toBe(`1.0.${index}`);
  expect(new moduleClass().start({} as never)).toContain(`${index}.0`);
  return new WeakRef(moduleClass);
}

async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    globalThis.gc?.();
  }
}

describe.each([
  ['nodeCompile', nodeCompile],
  ['functionCompile', functionCompile],
])('the code of a bundle compiled with %s', (_name, compile) => {
  it('is collected once it is dropped: 30 of 30', async () => {
    expect(globalThis.gc, 'run with --expose-gc').toBeTypeOf('function');
    const classes = Array.from({ length: LOADS }, (_, index) => loadOnce(index, compile));
    await collectGarbage();
    expect(classes.filter((ref) => ref.deref() === undefined)).toHaveLength(LOADS);
  });
});

describe('nodeCompile', () => {
  it('leaves import() refused: what it loads would stay for ever', async () => {
    const load = nodeCompile("return import('node:os')", 'echo.cjs', []) as () => Promise<unknown>;
    await expect(load()).rejects.toThrow(/dynamic import/i);
  });
});

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as contract from '@softnet/contract';
import { NetError } from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import { nodeBuiltins } from '../node/node-builtins.ts';
import { nodeCompile } from '../node/node-compile.ts';
import { evaluateBundle } from './evaluate-bundle.ts';
import { functionCompile } from './function-compile.ts';

const libraries = { '@softnet/contract': contract, '@softnet/skb': { SLAB: 1 } };
const HEAD = "const { Module } = require('@softnet/contract');\n";
const mark = (name: string): string => `Module({ name: '${name}', version: '1.0.0' })`;
const ECHO = `${HEAD}class Echo { start() {} }\n${mark('echo')}(Echo);\n`;

function evaluate(code: string, compile = functionCompile): unknown {
  return evaluateBundle({ code, filename: '/plugins/echo.cjs' }, libraries, compile);
}

function refusal(code: string, compile = functionCompile): NetError {
  try {
    evaluate(code, compile);
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    expect((error as NetError).message).toContain('/plugins/echo.cjs');
    return error as NetError;
  }
  throw new Error('the bundle was accepted');
}

describe("a bundle's require", () => {
  it.each([
    ['a package', "require('left-pad')", 'ENOENT', /requires 'left-pad'.*one CommonJS file.*noExternal: \['left-pad'\]/],
    ['a file', "require('./chunk.js')", 'ENOENT', /requires '.\/chunk\.js'.*splitting: false/],
    ['a built-in', "require('node:fs')", 'EACCES', /requires 'node:fs'.*gives plugins no built-ins.*nodeBuiltins/],
    ['a built-in without node:', "require('fs/promises')", 'EACCES', /requires 'fs\/promises'.*built-ins/],
    ['no string', 'require(7)', 'EINVAL', /requires 7, but the name of a library must be a string/],
    ['a name of Object.prototype', "require('constructor')", 'ENOENT', /requires 'constructor'/],
  ])('refuses %s', (_what, code, errno, sentence) => {
    const error = refusal(code);
    expect(error.code).toBe(errno);
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/the host hands in '@softnet\/contract', '@softnet\/skb'/);
  });

  it('may be refused, and the bundle goes on without', () => {
    const code = `${ECHO}try { require('fsevents') } catch { Echo.without = true }; module.exports = Echo;`;
    expect(evaluate(code)).toHaveProperty('without', true);
  });

  it('hands in built-ins where the host allows it', () => {
    const code = `${ECHO}Echo.os = [require('node:os'), require('os')]; module.exports = Echo;`;
    const found = evaluateBundle({ code, filename: 'echo.cjs' }, libraries, nodeCompile, nodeBuiltins) as unknown as { os: unknown[] };
    expect(found.os[0]).toHaveProperty('hostname');
    expect(found.os[1]).toBe(found.os[0]);
    const call = (): unknown =>
      evaluateBundle({ code: "require('node:none')", filename: 'echo.cjs' }, libraries, nodeCompile, nodeBuiltins);
    expect(call).toThrow(/ENOENT: bundle echo\.cjs requires 'node:none'/);
  });
});

describe('a bundle that brings its own copy', () => {
  it('of the contract is refused before it runs', () => {
    const error = refusal(`globalThis.copyRan = true; const MANIFEST = Symbol.for("softnet:manifest");`);
    expect(error.code).toBe('ELIBBAD');
    expect(error.message).toMatch(/its own copy of @softnet\/contract, but must use the host's.*external: \['@softnet\/contract'\]/);
    expect('copyRan' in globalThis).toBe(false);
  });

  it('of the contract is refused when it hid its marks, as it never asked for the host’s', () => {
    const code = `class Echo { start() {} }
      Reflect.defineMetadata(Symbol.for(['softnet', 'manifest'].join(':')), { name: 'echo', version: '1.0.0' }, Echo);
      module.exports = Echo;`;
    const error = refusal(code);
    expect(error.code).toBe('ELIBBAD');
    expect(error.message).toMatch(/its own copy of @softnet\/contract.*Leave it out/);
  });

  it('of reflect-metadata is refused before it runs', () => {
    const source = readFileSync(createRequire(import.meta.url).resolve('reflect-metadata'), 'utf8');
    const error = refusal(`(function () {\n${source}\n})();\n${ECHO}module.exports = Echo;`);
    expect(error.code).toBe('ELIBBAD');
    expect(error.message).toMatch(/its own copy of reflect-metadata.*in memory for ever.*@softnet\/contract brings it along/);
  });

  it('is not seen in a text that only speaks of it', () => {
    expect(evaluate(`// like softnet:manifest, or @reflect-metadata:registry\n${ECHO}module.exports = Echo;`)).toBeTypeOf('function');
  });
});

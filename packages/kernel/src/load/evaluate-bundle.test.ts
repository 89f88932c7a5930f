import * as contract from '@softnet/contract';
import { manifestOf, NetError } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

describe.each([
  ['functionCompile', functionCompile],
  ['nodeCompile', nodeCompile],
])('evaluateBundle with %s', (_name, compile) => {
  it.each([
    ['module.exports', 'module.exports = Echo;'],
    ['default', 'exports.default = Echo; exports.version = 1;'],
    ['its only marked class', 'exports.Helper = class {}; exports.Echo = Echo;'],
    ['one class by two names', 'exports.Echo = Echo; exports.Same = Echo;'],
    ['default among several', `exports.default = Echo; exports.Other = class {}; ${mark('other')}(exports.Other);`],
    ['a function that is not marked, with the class on it', 'module.exports = () => 1; module.exports.Echo = Echo;'],
  ])('takes the class from %s', (_what, exported) => {
    const found = evaluate(ECHO + exported, compile) as object;
    expect(manifestOf(found)).toMatchObject({ name: 'echo' });
  });

  it('makes other classes at each call', () => {
    const code = `${ECHO}module.exports = Echo;`;
    expect(evaluate(code, compile)).not.toBe(evaluate(code, compile));
  });

  it('hands in libraries by identity, file names, and this', () => {
    const code = `${ECHO}Echo.seen = [require('@softnet/contract'), require('@softnet/skb'), __filename, __dirname, this === exports];
      module.exports = Echo;`;
    const { seen } = evaluate(code, compile) as { seen: unknown[] };
    expect(seen).toEqual([contract, libraries['@softnet/skb'], '/plugins/echo.cjs', '/plugins', true]);
    expect(seen[0]).toBe(contract);
  });

  it('shows the file in stack traces', () => {
    const found = evaluate(`${ECHO}Echo.trace = new Error('x').stack; module.exports = Echo;`, compile) as { trace: string };
    expect(found.trace).toContain('/plugins/echo.cjs');
  });

  it('accepts a hashbang', () => {
    expect(evaluate(`#!/usr/bin/env node\n${ECHO}module.exports = Echo;`, compile)).toBeTypeOf('function');
  });

  it('refuses what does not parse', () => {
    const error = refusal(`${ECHO}\nlet b = = 2;\n`, compile);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/does not parse: SyntaxError: Unexpected token '='/);
    expect(error.message).toMatch(/must be one CommonJS file.*Build it again/);
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  it.each([
    ["import { Module } from '@softnet/contract';"],
    ['import def, { a } from "x"'],
    ['import "x";'],
    ['const a = 1;\nexport { a as default };'],
    ['export default class {}'],
  ])('says how to build CommonJS when it is the ES module `%s`', (code) => {
    const error = refusal(code, compile);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/does not parse.*ES module.*never be collected.*--format cjs/);
  });

  it('does not let the text end the function that it is the body of', () => {
    expect(refusal('} ); globalThis.escaped = true; (function () {', compile).code).toBe('EINVAL');
    expect('escaped' in globalThis).toBe(false);
  });

  it.each([
    ['an error', 'throw new TypeError("no slab")', /threw TypeError: no slab/],
    ['undefined', 'throw undefined', /threw undefined/],
    [
      'an object that cannot be read',
      'throw new Proxy(new Error(), { get() { throw 1 } , getPrototypeOf() { throw 1 } })',
      /cannot be read/,
    ],
    [
      'by a getter of its exports',
      `${ECHO}Object.defineProperty(exports, 'x', { enumerable: true, get() { throw new Error('late') } })`,
      /Error: late/,
    ],
    ['by a getter of module', "Object.defineProperty(module, 'exports', { get() { throw new Error('gone') } })", /Error: gone/],
    ['a NetError of its own', "throw new (require('@softnet/contract').NetError)('EBUSY', 'not now')", /NetError: EBUSY: not now/],
  ])('refuses what throws while it is evaluated: %s', (_what, code, sentence) => {
    const error = refusal(code, compile);
    expect(error.code).toBe('EIO');
    expect(error.message).toMatch(/bundle \/plugins\/echo\.cjs must evaluate without an error/);
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/belongs in start\(ctx\)/);
  });

  it('keeps what was thrown as the cause', () => {
    expect(refusal('throw new RangeError("r")', compile).cause).toBeInstanceOf(RangeError);
  });

  it.each([
    ['an empty text', '', /exports nothing/],
    ['no exports', ECHO, /exports nothing/],
    ['undefined', 'module.exports = undefined;', /exports nothing/],
    ['null', 'module.exports = null;', /exports nothing/],
    ['a number', 'module.exports = 7;', /exports 7/],
    ['a string', 'module.exports = "Echo";', /exports 'Echo'/],
    ['an unmarked class', 'module.exports = class {};', /a function or class without a manifest/],
    ['an object of other things', 'exports.a = 1; exports.B = class {};', /exports a \(1\), B \(a function or class without a manifest\)/],
    ['a class that inherits from a marked one', `${ECHO}module.exports = class extends Echo {};`, /without a manifest/],
  ])('refuses %s', (_what, code, found) => {
    const error = refusal(code, compile);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(found);
    expect(error.message).toMatch(/must export one class marked with @Module/);
    expect(error.message).toMatch(/Write `export default class|Mark the class/);
  });

  it('refuses several modules, and lists them', () => {
    const error = refusal(`${ECHO}class Two {}; ${mark('two')}(Two); exports.Echo = Echo; exports.Two = Two;`, compile);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/exports 2 modules \(Echo, Two\).*Export the one to load as default/);
  });
});

describe('evaluateBundle says where a text does not parse', () => {
  it('with line, column and text', () => {
    expect(refusal(`${HEAD}let b = = 2;\n`, nodeCompile).message).toContain('/plugins/echo.cjs:2:9 does not parse');
    expect(refusal(`${HEAD}let b = = 2;\n`, nodeCompile).message).toContain('at `let b = = 2;`');
  });

  it('with a part of the line where that is long', () => {
    const error = refusal(`${'a = 1;'.repeat(100)}let b = = 2;${'a = 1;'.repeat(2000)}`, nodeCompile);
    expect(error.message).toContain('/plugins/echo.cjs:1:609 does not parse');
    expect(error.message).toMatch(/at `….*let b = = 2;.*…`/);
    expect(error.message.length).toBeLessThan(600);
  });

  it('with the line alone, and advice, where Node does not tell the column: minified bundles', () => {
    const error = refusal(`${HEAD}${'a = 1;'.repeat(2000)}let b = = 2;`, nodeCompile);
    expect(error.message).toMatch(/\/plugins\/echo\.cjs:2 does not parse: SyntaxError: Unexpected token '=';.*without minifying/);
  });

  it('at its end', () => {
    expect(refusal('function f() {', nodeCompile).message).toMatch(/echo\.cjs:1:15 does not parse.*Unexpected end of input/);
  });
});

describe('evaluateBundle with garbage', () => {
  const snippet = fc.constantFrom(
    "require('@softnet/contract')",
    'module.exports',
    'exports.a',
    'class A {}',
    '=',
    ';',
    '{',
    '}',
    '(',
    ')',
    '`',
    "'",
    '\n',
    '\u2028',
    '//',
    '/*',
    'return',
    'throw',
    'this',
    'new Proxy({}, {})',
    'import',
    'export default',
    '#!',
    'null',
    '0',
    '=>',
    'Symbol()',
    'arguments',
    'Object.freeze(module)',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(snippet, { maxLength: 12 }).map((parts) => parts.join(' ')),
  );

  it('throws NetErrors and nothing else', () => {
    fc.assert(
      fc.property(text, fc.string({ unit: 'binary' }), fc.boolean(), (code, filename, inNode) => {
        try {
          evaluateBundle({ code, filename }, libraries, inNode ? nodeCompile : functionCompile);
        } catch (error) {
          expect(error).toBeInstanceOf(NetError);
          expect((error as NetError).message).toContain(filename);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('does not run a file name', () => {
    const filename = 'echo.cjs\nglobalThis.nameRan = true;\u2028globalThis.nameRan = true;';
    evaluateBundle({ code: `${ECHO}module.exports = Echo;`, filename }, libraries);
    expect('nameRan' in globalThis).toBe(false);
  });
});

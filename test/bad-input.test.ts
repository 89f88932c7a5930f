import { defineService, NetError, one } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { nodeEvaluate, readBundle } from '@softnet/kernel/node';
import { expect, test } from 'vitest';
import { makeModule } from './guarantees/inn.ts';

const Route = defineService<object>({ name: 'Route', version: '1.2.0' });
const RouteTwo = defineService<object>({ name: 'Route', version: '2.0.0' });
const Socket = defineService<object>({ name: 'Socket', version: '1.0.0' });
const bundle = (code: string) => ({ code, filename: 'plugin.cjs' });
const marked = (manifest: string): string =>
  `const { Module } = require('@softnet/contract'); class M { start() {} } Module(${manifest})(M); module.exports = M;`;

/** What is done, the errno, and what its one sentence names: the module or file, what was expected, what to do. */
const CASES: [string, (kernel: Kernel) => unknown, string, RegExp[]][] = [
  ['an unknown module', (kernel) => kernel.load('rout'), 'ENOENT', [/'rout'/, /known are route/, /Offer it first/]],
  [
    'a path that leads nowhere',
    (kernel) => kernel.load(readBundle('./no-such-plugin.cjs')),
    'ENOENT',
    [/no-such-plugin\.cjs/, /Is it built/],
  ],
  ['a version conflict', (kernel) => kernel.load(makeModule('udp', [one(RouteTwo)])), 'ELIBBAD', [/'udp'/, /2\.0\.0/, /1\.2\.0/]],
  [
    'a requirement that nobody meets',
    (kernel) => kernel.load(makeModule('udp', [one(Socket)])),
    'ENOENT',
    [/'udp'/, /Socket/, /[Ll]oad|offer/],
  ],
  [
    'a cycle',
    (kernel) => {
      kernel.offer(makeModule('a', [one(Socket)], [defineService({ name: 'A', version: '1.0.0' })]));
      kernel.offer(makeModule('b', [one(defineService({ name: 'A', version: '1.0.0' }))], [Socket]));
      return kernel.load('a');
    },
    'ELOOP',
    [/a → b → a/, /optional/],
  ],
  ['a bundle that does not parse', (kernel) => kernel.load(bundle('class {')), 'EINVAL', [/plugin\.cjs/, /CommonJS/, /Build it again/]],
  ['one that throws', (kernel) => kernel.load(bundle('throw new Error("too early")')), 'EIO', [/plugin\.cjs/, /too early/]],
  ['one that exports nothing', (kernel) => kernel.load(bundle('')), 'EINVAL', [/plugin\.cjs/, /export default class/]],
  ['one that exports no module', (kernel) => kernel.load(bundle('module.exports = 42')), 'EINVAL', [/plugin\.cjs/, /42/]],
  [
    'one that asks for another library',
    (kernel) => kernel.load(bundle('require("lodash")')),
    'ENOENT',
    [/plugin\.cjs/, /lodash/, /bundle/i],
  ],
  [
    'one for another contract',
    (kernel) => kernel.load(bundle(marked("{ name: 'x', version: '1.0.0', contract: '^9.0.0' }"))),
    'ELIBBAD',
    [/x/, /\^9\.0\.0/, /1\.0\.0/],
  ],
  [
    'a manifest with a typo',
    (kernel) => kernel.load(bundle(marked("{ name: 'x', version: '1.0.0', provide: [] }"))),
    'EINVAL',
    [/x/, /provide/, /misspelt/],
  ],
  [
    'a name that cannot be',
    (kernel) => kernel.load(bundle(marked("{ name: 'My Module', version: '1.0.0' }"))),
    'EINVAL',
    [/My Module/, /my-module/],
  ],
  ['what is no module at all', (kernel) => kernel.load(null as never), 'EINVAL', [/must be a class/]],
  ['a module that is there already', (kernel) => kernel.load('route'), 'EEXIST', [/route#1/, /replace it/]],
  ['an unload of what is not there', (kernel) => kernel.unload('udp'), 'ENOENT', [/no module udp/, /route#1/]],
];

test.each(CASES)('%s: one error, with the module, what was expected, what to do', async (_what, act, code, sentences) => {
  const kernel = new Kernel({ world: new World(), evaluate: nodeEvaluate });
  kernel.offer(makeModule('route', [], [Route]));
  await kernel.load('route');
  const error = await Promise.resolve()
    .then(() => act(kernel))
    .then(
      () => undefined,
      (failure: unknown) => failure,
    );
  expect(error).toBeInstanceOf(NetError);
  const { code: errno, message } = error as NetError;
  expect(errno).toBe(code);
  for (const sentence of sentences) expect(message).toMatch(sentence);
  expect(message).not.toContain('\n');
  expect(kernel.modules().map(({ name }) => name)).toEqual(['route']);
});

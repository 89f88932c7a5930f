import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** Violations as 'rule: from -> to'. */
function cruise(cwd: string, ...args: string[]): { violations: string[]; modules: number } {
  const config = join(root, '.dependency-cruiser.cjs');
  const command = [cruiser, ...args, '--config', config, '--output-type', 'json'];
  // Its answer names every module: more than the megabyte that Node lets pass by itself.
  const result = spawnSync(process.execPath, command, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!result.stdout) throw new Error(`dependency-cruiser said nothing: ${result.stderr}`);
  const { summary } = JSON.parse(result.stdout) as { summary: { violations: Violation[]; totalCruised: number } };
  return { violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`), modules: summary.totalCruised };
}

/** A tree of packages as ours: those that stand in the tables, two modules, and a driver. */
const packages = ['contract', 'skb', 'wire', 'kernel', 'posix', 'node', 'testkit', 'cli', 'tcp', 'udp', 'nic-driver'];
const strangers = ['inversify', 'reflect-metadata', 'valibot'];

/** What may be written. */
const sound: Record<string, string> = {
  'packages/contract/src/x.ts': `import 'reflect-metadata';`,
  'packages/contract/src/x.test.ts': `import 'valibot'; import 'node:fs';`,
  // Types alone may refer to one another.
  'packages/contract/src/flow.ts': `import type { Dst } from './dst.ts'; export interface Flow { dst: Dst }`,
  'packages/contract/src/dst.ts': `import type { Flow } from './flow.ts'; export interface Dst { flow: Flow }`,
  // Rooms are for protocols: the contract has a file of that name for another reason.
  'packages/contract/src/module.ts': 'export const Module = 1;',
  'packages/contract/src/wire.ts': `import './module.ts';`,
  'packages/skb/src/x.ts': `import '@softnet/contract';`,
  'packages/wire/src/x.ts': `import '@softnet/contract';`,
  'packages/kernel/src/x.ts': `import '@softnet/contract'; import 'inversify'; import 'valibot';`,
  'packages/kernel/src/node.ts': `import 'node:fs'; import './node/clock.ts';`,
  'packages/kernel/src/node/clock.ts': `import 'node:perf_hooks'; import '../x.ts';`,
  'packages/posix/src/x.ts': `import '@softnet/contract';`,
  'packages/node/src/x.ts': `import '@softnet/contract'; import '@softnet/posix'; import 'node:stream';`,
  'packages/testkit/src/x.ts': `import '@softnet/kernel'; import '@softnet/tcp'; import 'node:fs';`,
  'packages/cli/src/x.ts': `import '@softnet/kernel'; import '@softnet/testkit';`,
  'packages/nic-driver/src/tap/device.ts': `import 'node:fs'; import '@softnet/contract';`,
  'packages/udp/src/wire.ts': `import '@softnet/contract'; import '@softnet/wire';`,
  'packages/udp/src/machine.ts': `import './wire.ts'; import '@softnet/skb';`,
  'packages/udp/src/socket.ts': `import './machine.ts'; import './wire.ts';`,
  'packages/udp/src/module.ts': `import './socket.ts'; import './machine.ts'; import './wire.ts';`,
  'test/x.test.ts': `import '@softnet/kernel'; import '@softnet/tcp'; import 'node:fs';`,
};

/** What may not: the file, what it says, and the rules that must refuse it. */
const planted: [file: string, content: string, ...refusals: string[]][] = [
  ['packages/contract/src/a.ts', `import '@softnet/kernel';`, 'layer-contract -> packages/kernel/src/index.ts'],
  [
    'packages/contract/src/b.ts',
    `import type { X } from '@softnet/wire'; export type Y = X;`,
    'layer-contract -> packages/wire/src/index.ts',
  ],
  ['packages/contract/src/c.ts', `import 'valibot';`, 'outside-contract -> node_modules/valibot/index.js'],
  ['packages/contract/src/d.ts', `import 'node:fs';`, 'no-node-builtin -> fs'],
  ['packages/skb/src/a.ts', `import '@softnet/wire';`, 'layer-skb -> packages/wire/src/index.ts'],
  ['packages/wire/src/a.ts', `import '@softnet/skb';`, 'layer-wire -> packages/skb/src/index.ts'],
  ['packages/kernel/src/a.ts', `import '@softnet/tcp';`, 'layer-kernel -> packages/tcp/src/index.ts'],
  ['packages/kernel/src/b.ts', `export const later = () => import('node:timers');`, 'no-node-builtin -> timers'],
  ['packages/kernel/src/c.ts', `export * from './node.ts';`, 'kernel-without-node -> packages/kernel/src/node.ts'],
  ['packages/kernel/src/x.test.ts', `import '@softnet/testkit';`, 'layer-kernel -> packages/testkit/src/index.ts'],
  ['packages/posix/src/a.ts', `import '@softnet/kernel';`, 'layer-posix -> packages/kernel/src/index.ts'],
  ['packages/posix/src/b.ts', `import 'node:net';`, 'no-node-builtin -> net'],
  ['packages/node/src/a.ts', `import '@softnet/kernel';`, 'layer-node -> packages/kernel/src/index.ts'],
  ['packages/tcp/src/a.ts', `import '@softnet/udp';`, 'layer-module -> packages/udp/src/index.ts'],
  ['packages/tcp/src/b.ts', `import '@softnet/kernel';`, 'layer-module -> packages/kernel/src/index.ts'],
  ['packages/tcp/src/c.ts', `import '@softnet/posix';`, 'layer-module -> packages/posix/src/index.ts'],
  ['packages/tcp/src/d.ts', `import '@softnet/ghost';`, 'layer-module -> @softnet/ghost', 'no-unresolvable -> @softnet/ghost'],
  ['packages/tcp/src/e.ts', `import 'inversify';`, 'only-kernel-imports-inversify -> node_modules/inversify/index.js'],
  ['packages/tcp/src/f.ts', `import 'node:crypto';`, 'no-node-builtin -> crypto'],
  ['packages/tcp/src/g.ts', `import '../../contract/src/x.ts';`, 'no-path-into-a-package -> packages/contract/src/x.ts'],
  [
    'packages/tcp/src/wire.ts',
    `import './aside.ts';`,
    'room-wire -> packages/tcp/src/machine/input.ts',
    'room-wire -> packages/tcp/src/device.ts',
  ],
  ['packages/tcp/src/aside.ts', `import './machine/input.ts';`],
  [
    'packages/tcp/src/machine/input.ts',
    `import type { S } from '../device.ts'; export type T = S;`,
    'room-machine -> packages/tcp/src/device.ts',
  ],
  ['packages/tcp/src/device.ts', 'export type S = 1;'],
  ['packages/tcp/src/socket.ts', `import './module.ts';`, 'room-socket -> packages/tcp/src/module.ts'],
  ['packages/tcp/src/module.ts', 'export class Tcp {}'],
  ['packages/testkit/src/a.ts', `import 'inversify';`, 'only-kernel-imports-inversify -> node_modules/inversify/index.js'],
  ['packages/cli/src/a.ts', `import '../../../test/x.test.ts';`, 'no-package-imports-tests -> test/x.test.ts'],
  ['packages/udp/src/a.ts', `import './b.ts';`, 'no-circular -> packages/udp/src/b.ts'],
  ['packages/udp/src/b.ts', `import './a.ts';`],
  ['test/a.test.ts', `import 'inversify';`, 'only-kernel-imports-inversify -> node_modules/inversify/index.js'],
  ['test/b.test.ts', `import '../packages/kernel/src/x.ts';`, 'no-path-into-a-package -> packages/kernel/src/x.ts'],
];

function write(dir: string, file: string, content: string): void {
  mkdirSync(dirname(join(dir, file)), { recursive: true });
  writeFileSync(join(dir, file), `${content}\n`);
}

function build(dir: string): void {
  write(dir, 'package.json', JSON.stringify({ private: true }));
  mkdirSync(join(dir, 'node_modules/@softnet'), { recursive: true });
  const exports = { '.': { '@softnet/source': './src/index.ts', import: './dist/index.js' } };
  const dependencies = Object.fromEntries([...strangers, ...packages.map((name) => `@softnet/${name}`)].map((name) => [name, '*']));
  for (const name of packages) {
    write(dir, `packages/${name}/package.json`, JSON.stringify({ name: `@softnet/${name}`, type: 'module', exports, dependencies }));
    write(dir, `packages/${name}/src/index.ts`, 'export type X = 1;');
    symlinkSync(`../../packages/${name}`, join(dir, 'node_modules/@softnet', name));
  }
  for (const name of strangers) {
    write(dir, `node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(dir, `node_modules/${name}/index.js`, '');
  }
  for (const [file, content] of [...Object.entries(sound), ...planted]) write(dir, file, content);
}

describe('who imports whom', () => {
  let dir: string;
  let violations: string[];

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'softnet-layers-'));
    build(dir);
    violations = cruise(dir, 'packages', 'test').violations;
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  for (const [file, content, ...refusals] of planted) {
    const what = refusals.length > 0 ? `refuses in ${file}: ${content}` : `lets ${file} be, which others use wrongly`;
    it(what, () => {
      const here = violations.filter((violation) => violation.includes(`: ${file} -> `));
      const expected = refusals.map((refusal) => refusal.replace(' -> ', `: ${file} -> `));
      expect(here.sort()).toEqual(expected.sort());
    });
  }

  it('lets pass what the design allows', () => {
    const files = Object.keys(sound);
    expect(violations.filter((violation) => files.some((file) => violation.includes(`: ${file} -> `)))).toEqual([]);
  });

  it('holds in this repository', () => {
    const here = cruise(root, 'packages', 'test');
    expect(here.modules).toBeGreaterThan(5);
    expect(here.violations).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kernel, World } from '@softnet/kernel';
import { nodeEvaluate, readBundle } from '@softnet/kernel/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageFolder } from '../package-folder.ts';
import { UsageError } from '../usage-error.ts';
import { className, newModule } from './new-module.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-new-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command as a user would: without what vitest, npm and npx leave in the environment. */
function run(command: string, args: readonly string[], cwd: string): { status: number | null; text: string } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS|TEST)/.test(name)));
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 120_000 });
  return { status, text: `${stdout}${stderr}` };
}

/** Beside a module, others whose names are those of things in the source, or look odd as a class: the compiler is to take them too. */
function withOddNames(written: string): void {
  for (const name of ['module', 'softnet', 'held', 'x-1-y', 'a--']) {
    cpSync(join(newModule(name, join(folder, name)).folder, 'src'), join(written, 'src', name), { recursive: true });
  }
}

describe('softnet new-module', () => {
  test('writes a plugin whose tests pass, that builds, is checked whatever its name, loads from its folder and unloads', async () => {
    const { folder: written } = newModule('my-echo', join(folder, 'plugin'));
    const tested = run('npm', ['test'], written);
    expect(tested.text).toMatch(/Test Files .*4 passed/);
    expect(tested.status, tested.text).toBe(0);
    // Names of the compliance checks are not cut.
    const listed = run('npx', ['vitest', 'list', 'src/module.test.ts'], written);
    expect(listed.text).toContain('compliance: quarantine is not triggered by traffic\n');
    const built = run('npm', ['run', 'build'], written);
    expect(built.status, built.text).toBe(0);
    withOddNames(written);
    const checked = run('npm', ['run', 'typecheck'], written);
    expect(checked.status, checked.text).toBe(0);

    const kernel = new Kernel({ world: new World(), evaluate: nodeEvaluate });
    expect(await kernel.load(readBundle(written))).toMatchObject({ name: 'my-echo', version: '0.1.0', state: 'live' });
    expect(kernel.sysctl.list('net.my-echo.')).toHaveLength(1);
    // Somebody inside, of another bundle: they talk on through a replace.
    await kernel.load(readBundle(join(written, 'dist', 'my-echo-user.cjs')));
    await kernel.world.advance(1_002_000);
    expect(kernel.holders('my-echo')).toMatchObject([{ owner: 'guest 1' }, { owner: 'guest 2' }]);
    const replaced = await kernel.world.run(kernel.replace('my-echo', readBundle(written)));
    expect(replaced).toMatchObject({ mode: 'handover', adopted: { connection: 2 } });
    await kernel.world.advance(10_000);
    expect(kernel.counters().find(({ name }) => name === 'replies')?.value).toBe(3);
    const unloaded = await kernel.world.run(kernel.unload('my-echo', { cascade: true }));
    expect(unloaded).toMatchObject({ gone: ['my-echo-user#1', 'my-echo#2'], leaks: [], faults: [] });
    expect(kernel.modules()).toEqual([]);
  }, 180_000);

  test('leaves nothing of the template behind', () => {
    const { folder: written, files } = newModule('my-echo', join(folder, 'plugin'));
    expect(files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'package.json', join('src', 'module.ts')]));
    for (const file of files) expect(`${file}\n${readFileSync(join(written, file), 'utf8')}`).not.toMatch(/skeleton/i);
    const json = JSON.parse(readFileSync(join(written, 'package.json'), 'utf8'));
    expect(json.softnet).toEqual({ bundle: './dist/my-echo.cjs' });
    for (const range of Object.values({ ...json.devDependencies, ...json.peerDependencies })) expect(range).toMatch(/^\^\d+\.\d+\.\d+/);
  });

  test('has at most 150 lines of source, beside imports; the plugin that uses it has less than 100', () => {
    const { folder: written } = newModule('my-echo', join(folder, 'plugin'));
    const sources = readdirSync(join(written, 'src')).filter((file) => !file.endsWith('.test.ts'));
    expect(sources.sort()).toEqual(['index.ts', 'machine.ts', 'module.ts', 'socket.ts', 'user.ts', 'wire.ts']);
    const linesOf = (files: readonly string[]) =>
      files
        .flatMap((file) => readFileSync(join(written, 'src', file), 'utf8').split('\n'))
        .filter((line) => !/^\s*(?:$|\/\/|\/?\*|import )/.test(line)).length;
    expect(linesOf(sources.filter((file) => file !== 'user.ts'))).toBeLessThanOrEqual(150);
    expect(linesOf(['user.ts'])).toBeLessThan(100);
  });

  test('writes into an empty folder that is there already', () => {
    mkdirSync(join(folder, 'empty'));
    expect(newModule('my-echo', join(folder, 'empty')).files).toContain('package.json');
  });

  test.each(['', 'Echo', '1echo', 'my_echo', 'my echo', '../echo', '-x', `a${'b'.repeat(58)}`])('refuses the name %j', (name) => {
    expect(() => newModule(name, join(folder, 'plugin'))).toThrow(UsageError);
    expect(existsSync(join(folder, 'plugin'))).toBe(false);
  });

  test('refuses a folder with something in it, and a file', () => {
    writeFileSync(join(folder, 'file'), 'x');
    expect(() => newModule('my-echo', folder)).toThrow(/is not empty: nothing was written/);
    expect(() => newModule('my-echo', join(folder, 'file'))).toThrow(/is a file/);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('the built command does it from any folder', () => {
    const command = join(packageFolder, 'bin', 'softnet.mjs');
    const { status, text } = run(process.execPath, [command, 'new-module', 'my-echo'], folder);
    expect(status, text).toBe(0);
    expect(text).toMatch(/^wrote the module my-echo into my-echo \(\d+ files\)$/m);
    const again = run(process.execPath, [command, 'new-module', 'my-echo'], folder);
    expect(again.text).toMatch(/^softnet: .*my-echo is not empty: nothing was written; give another folder with --dir\n$/);
    expect(again.status).toBe(2);
  }, 60_000);
});

test('class names', () => {
  expect(['echo', 'my-echo', 'x-1-y', 'a--', 'h2o'].map(className)).toEqual(['Echo', 'MyEcho', 'X1Y', 'A', 'H2o']);
});

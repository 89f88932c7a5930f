import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as contract from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import * as inet from '@softnet/inet';
import { nodeEvaluate, readBundle } from '@softnet/kernel/node';
import * as skb from '@softnet/skb';
import { HOST_STACK, Net, pattern } from '@softnet/testkit';
import * as wire from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PLUGIN = join(ROOT, 'examples/plugin-udplite');
const TOOLS = ['tsup', 'typescript', 'vitest', '@types/node'];
const UDPLITE = 136;
const libraries = { '@softnet/contract': contract, '@softnet/skb': skb, '@softnet/wire': wire, '@softnet/inet': inet };

let folder: string;

/** As a stranger has it: a folder of its own somewhere, with what `npm install` would bring. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-udplite-'));
  cpSync(PLUGIN, folder, { recursive: true, filter: (path) => !/\/(?:node_modules|dist)$/.test(path) });
  for (const scope of ['@softnet', '@types', '.bin']) mkdirSync(join(folder, 'node_modules', scope), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'packages')))
    symlinkSync(join(ROOT, 'packages', name), join(folder, 'node_modules/@softnet', name));
  for (const tool of TOOLS) symlinkSync(join(ROOT, 'node_modules', tool), join(folder, 'node_modules', tool));
  for (const command of ['tsup', 'tsc', 'vitest'])
    symlinkSync(join(ROOT, 'node_modules/.bin', command), join(folder, 'node_modules/.bin', command));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command as a user would: without what vitest, npm and npx leave in the environment. */
function run(...args: readonly string[]): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS|TEST)/.test(name)));
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, env, encoding: 'utf8', timeout: 150_000 });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

test('it is less than 150 lines of source, and imports the contract and the libraries alone', () => {
  const sources = readdirSync(join(PLUGIN, 'src')).filter((name) => !name.endsWith('.test.ts'));
  const lines = sources.flatMap((name) =>
    readFileSync(join(PLUGIN, 'src', name), 'utf8')
      .trimEnd()
      .split('\n'),
  );
  expect(lines.length).toBeLessThan(150);
  const imported = lines.flatMap((line) => / from '([^.'][^']*)'/.exec(line)?.[1] ?? []);
  expect([...new Set(imported)].sort()).toEqual(Object.keys(libraries).sort());
});

test('its own tests pass, the compliance kit among them', () => run('test'), 160_000);

test('built to one file, it is loaded at run time, carries datagrams, and is unloaded', async () => {
  run('run', 'build');
  expect(readdirSync(join(folder, 'dist'))).toEqual(['udplite.cjs']);
  const net = new Net({ kernel: { evaluate: nodeEvaluate, libraries }, modules: [...HOST_STACK, readBundle(folder)] });
  const host = await net.host('a');
  await net.pass(1);
  const open = (name: string) => host.open({ name, family: ADDRESS_FAMILY.INET, protocol: UDPLITE });
  const [server, client] = [open('server'), open('client')];
  server.bind('127.0.0.1', 80);
  client.connect('127.0.0.1', 80);
  await net.run(client.send(pattern(1, 0, 3000)));
  expect((await net.run(server.receive())).data).toEqual(pattern(1, 0, 3000));
  const unload = host.kernel.unload('udplite');
  await net.pass(10);
  expect(
    host.kernel
      .holders('udplite')
      .map(({ owner }) => owner)
      .sort(),
  ).toEqual(['client', 'server']);
  for (const user of [server, client]) user.close();
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  await net.dispose();
}, 60_000);

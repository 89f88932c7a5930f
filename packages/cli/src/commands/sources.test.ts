import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '@softnet/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { talkSession } from '../session/test-session.ts';

const before = process.cwd();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-sources-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

const codeOf = ({ session }: Awaited<ReturnType<typeof talkSession>>): string => (session.catalogue.talk2 as Bundle).code;

describe('where a module came from', () => {
  test('is said of a path, and of a name that was found at one', async () => {
    const session = await talkSession();
    writeFileSync('talk.cjs', codeOf(session));
    mkdirSync('my-talk');
    writeFileSync('my-talk/package.json', '{"main": "./talk.cjs"}');
    writeFileSync('my-talk/talk.cjs', codeOf(session));
    const text = await session.type('replace talk ./talk.cjs');
    expect(text).toMatch(/^talk#2 has taken the place of talk#1 \(handover\); adopted: /);
    expect(text).toMatch(/^talk#2 \(2\.0\.0\) comes from \.\/talk\.cjs$/m);
    await session.type('rmmod --force talk');
    expect(await session.type('modprobe my-talk')).toBe('talk#3 (2.0.0) is live, from ./my-talk/talk.cjs\n');
  });

  test('is not said of a name that is known', async () => {
    const { type } = await talkSession();
    expect(await type('replace talk talk2')).not.toMatch(/comes from/);
    await type('rmmod --force talk');
    expect(await type('modprobe talk2')).toBe('talk#3 (2.0.0) is live\n');
  });

  test('is remembered: modprobe takes the build that was put in last, read anew', async () => {
    const session = await talkSession();
    const { type } = session;
    writeFileSync('talk.cjs', codeOf(session));
    await type('replace talk ./talk.cjs');
    await type('rmmod --force talk');
    writeFileSync('talk.cjs', codeOf(session).replace('2.0.0', '2.0.1'));
    expect(await type('modprobe talk')).toBe('talk#3 (2.0.1) is live, from ./talk.cjs (the last build of talk)\n');
    await type('replace talk talk2');
    await type('rmmod --force talk');
    expect(await type('modprobe talk')).toBe('talk#5 (2.0.0) is live, from talk2 (the last build of talk)\n');
    await type('replace talk talk');
    await type('rmmod --force talk');
    expect(await type('modprobe talk')).toBe('talk#7 (1.0.0) is live\n');
    // The other kernel has not seen any of this.
    await type('use b');
    await type('rmmod --force talk');
    expect(await type('modprobe talk')).toBe('talk#2 (1.0.0) is live\n');
  });

  test('a refused replace is not remembered', async () => {
    const session = await talkSession();
    writeFileSync('talk.cjs', codeOf(session));
    expect(await session.type('replace test-link ./talk.cjs')).toMatch(/^softnet: EINVAL/);
    await session.type('rmmod --force talk');
    expect(await session.type('modprobe talk')).toBe('talk#2 (1.0.0) is live\n');
  });

  test('~ is the home folder', async () => {
    const { type } = await talkSession();
    const text = await type('modprobe ~/softnet-no-such/echo.cjs');
    expect(text).toContain(join(homedir(), 'softnet-no-such', 'echo.cjs'));
    expect(text).toMatch(/^softnet: ENOENT: /);
  });
});

describe('Tab completes paths', () => {
  beforeEach(() => {
    mkdirSync('dist');
    for (const file of ['echo.cjs', 'echo.js', 'echo.d.ts', 'dist/echo.cjs', '.hidden.cjs', 'two words.cjs']) writeFileSync(file, '');
  });

  test.each([
    ['modprobe ./', ['./dist/', './echo.cjs', './echo.js'], './'],
    ['modprobe ./dist/e', ['./dist/echo.cjs'], './dist/e'],
    ['modprobe ./.', ['./.hidden.cjs'], './.'],
    ['replace talk ./e', ['./echo.cjs', './echo.js'], './e'],
    ['replace --mode drain talk ./e', ['./echo.cjs', './echo.js'], './e'],
    ['replace ./e', [], './e'],
    ['modprobe ./nowhere/x', [], './nowhere/x'],
    ['modprobe echo.c', [], 'echo.c'],
    ['modprobe dist/', ['dist/echo.cjs'], 'dist/'],
  ])('%s', async (line, expected, end) => {
    const { session } = await talkSession();
    expect(session.complete(line)).toEqual([expected, end]);
  });

  test('absolute ones, and from the home folder', async () => {
    const { session } = await talkSession();
    expect(session.complete(`modprobe ${folder}/dist/`)).toEqual([[`${folder}/dist/echo.cjs`], `${folder}/dist/`]);
    const home = process.env.HOME;
    process.env.HOME = folder;
    try {
      expect(session.complete('modprobe ~/di')).toEqual([['~/dist/'], '~/di']);
    } finally {
      process.env.HOME = home;
    }
  });
});

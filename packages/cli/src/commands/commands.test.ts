import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';
import { holderTable } from '../text/holders.ts';
import { commands } from './commands.ts';

test('lsmod shows each module with its state, holds and dependents', async () => {
  const { type } = await testSession();
  const text = await type('lsmod');
  expect(text).toMatch(/^MODULE +VERSION +STATE +HOLDS/);
  expect(text).toMatch(/^test-exchange#1 +1\.0\.0 +live +\d+ +\d+ +talk#1/m);
  expect(text).toMatch(/^traffic#1 +1\.0\.0 +live +0 /m);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

describe('modprobe', () => {
  test('loads by name, first what is required', async () => {
    const { type } = await testSession();
    await type('rmmod --force --cascade test-link');
    expect(await type('modprobe talk')).toBe('talk#2 (1.0.0) is live; 2 modules loaded first: test-link#2, test-exchange#2\n');
    expect(await type('modprobe talk')).toMatch(/^softnet: EEXIST: talk#2 is loaded/);
  });

  test('lists what can be loaded', async () => {
    const { type } = await testSession();
    expect(await type('modprobe')).toMatch(/^test-link {2}test-exchange {2}talk {2}traffic/);
  });

  test.each([
    [
      'modprobe nonsense',
      /^softnet: ENOENT: .*nonsense.*\(here: modprobe PATH, or one of: test-link, test-exchange, talk, traffic, talk2\)\n$/,
    ],
    ['modprobe ./no/such.cjs', /^softnet: ENOENT: .*such\.cjs/],
    ['modprobe ./package.json', /^softnet: EINVAL: .*must be a CommonJS file/],
  ])('%s is one line', async (line, expected) => {
    const { type } = await testSession();
    const text = await type(line);
    expect(text).toMatch(expected);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('holders', () => {
  test('of one module, with owner, place and age', async () => {
    const { type } = await testSession();
    const text = await type('holders talk');
    expect(text).toMatch(/^talk#1 +connection +1 +client 1 +talk\.connect +\d+ ms/m);
    expect(text).toMatch(/^talk: held by \d+ connections\n$/m);
  });

  test('of all are 20; of one module all', async () => {
    const { type, pass } = await testSession();
    await type('sysctl traffic.clients=30');
    await pass(1000);
    expect(await type('holders')).toMatch(/^and \d+ more \(holders NAME\)$/m);
    expect((await type('holders talk')).match(/^talk#1 +connection/gm)?.length).toBeGreaterThan(20);
  });

  test('what a tally counts is said in its number', async () => {
    const { session, scene } = await testSession({ ms: 0 });
    const info = { sort: 'tally', kind: 'frame', module: 'test-link#1', owner: 'test-link#1', place: 'x', ageMs: 0 } as const;
    const lines = [1, 3].map((count) => holderTable([{ ...info, count, description: `${count} frame` }], session.output)[2]);
    expect(lines[0]).toMatch(/ 1 frame$/);
    expect(lines[1]).toMatch(/ 3 frames$/);
    expect(scene.kernels).toHaveLength(2);
  });

  test('of all, and of a module that is not there', async () => {
    const { type } = await testSession();
    expect(await type('holders')).toMatch(/^modules of a: held by .*flows.*connections/m);
    expect(await type('holders nobody')).toMatch(/^softnet: ENOENT: /);
  });
});

test('stat shows counters and why packets were dropped; dump is the same', async () => {
  const { type } = await testSession();
  const text = await type('stat');
  expect(text).toMatch(/^traffic#1 +bytes-checked +[1-9]\d*$/m);
  expect(text).toMatch(/^talk\.no-listener +\d+ +of no connection/m);
  expect(await type('dump')).toBe(text);
  const one = await type('stat talk');
  expect(one).toMatch(/^talk#1 +segments-in/m);
  expect(one).not.toMatch(/^traffic/m);
  expect(await type('stat talk#1')).toBe(one);
  expect(await type('stat foo')).toBe(
    'softnet: ENOENT: no module foo is loaded (loaded: test-link#1, test-exchange#1, talk#1, traffic#1)\n',
  );
});

describe('sysctl', () => {
  test('lists, sets and refuses', async () => {
    const { type, scene } = await testSession();
    expect(await type('sysctl talk.')).toMatch(/^talk\.retries +10 +talk#1 /m);
    expect(await type('sysctl talk.retries=5')).toBe('talk.retries = 5\n');
    expect(scene.a.sysctl.get('talk.retries')).toBe(5);
    expect(await type('sysctl talk.retries = 6')).toBe('talk.retries = 6\n');
    expect(await type('sysctl talk.retries=99')).toMatch(/^softnet: EINVAL: talk\.retries takes an integer from 1 to 30/);
    expect(await type('sysctl talk.retrys')).toMatch(/^softnet: ENOENT: there is no setting talk\.retrys; there is talk\.retries/);
  });

  test('a change takes effect at once', async () => {
    const { type, pass } = await testSession();
    await type('sysctl traffic.clients=0');
    await pass(5000);
    await type('use b');
    await type('sysctl traffic.clients=0');
    await pass(5000);
    expect(await type('holders')).toBe('modules of b: held by nothing\n');
  });
});

test('use sends commands to the other kernel', async () => {
  const { type, session } = await testSession();
  expect(await type('use b')).toBe('commands go to kernel b now\n');
  expect(session.kernel.name).toBe('b');
  expect(await type('use c')).toMatch(/^softnet: ENOENT: there is no kernel 'c': there is a, b/);
});

test('log shows the newest entries', async () => {
  const { type } = await testSession();
  expect(await type('log')).toMatch(/the log of a is empty|^ +\d+\.\d{6} /);
  expect(await type('log many')).toMatch(/^softnet: log takes a number of lines, got 'many'/);
});

test('log shows what became of modules, too, in the order of time', async () => {
  const { type, pass } = await testSession();
  await type('rmmod --force talk');
  await pass(100);
  await type('modprobe talk');
  const text = await type('log');
  expect(text).toMatch(/^ +\d+\.\d{6} state talk#1: live -> withdrawing$/m);
  expect(text).toMatch(/talk#1: \w+ -> gone$[\s\S]*talk#2: starting -> live$/m);
  expect((await type('log 1')).trimEnd().split('\n')).toHaveLength(1);
  for (let turn = 0; turn < 60; turn++) {
    await type('rmmod --force talk');
    await type('modprobe talk');
  }
  expect((await type('log 9999')).match(/ state /g)?.length).toBe(200);
  await type('use b');
  expect(await type('log')).not.toMatch(/talk#1: live/);
});

test('top draws modules and rates once where there is no live screen', async () => {
  const { type } = await testSession();
  const text = await type('top');
  expect(text).toMatch(/^kernel a: up 0\.5 s, 4 modules, \d+ holds$/m);
  expect(text).toMatch(/^talk#1 +1\.0\.0 +live/m);
  expect(text).toMatch(/^traffic#1 bytes-checked +0\.0 +\d+$/m);
});

describe('help', () => {
  test('names every command, in lines that fit', async () => {
    const { type } = await testSession();
    const text = await type('help');
    for (const { name } of commands) expect(text).toMatch(new RegExp(`^${name} `, 'm'));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test.each(commands.map(({ name }) => name))('says more of %s', async (name) => {
    const { type } = await testSession({ ms: 0 });
    expect(await type(`help ${name}`)).toMatch(new RegExp(`^${name}`));
  });

  test('lsmod: what HOLDS and OBJECTS are', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('help lsmod')).toMatch(/HOLDS[\s\S]*OBJECTS/);
  });

  test('of what is not there', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('help frob')).toBe("softnet: unknown command 'frob': 'help' lists those that there are\n");
  });
});

test('quit ends the session', async () => {
  const { type, session } = await testSession({ ms: 0 });
  expect(session.over).toBe(false);
  await type('quit');
  expect(session.over).toBe(true);
});

import { describe, expect, test } from 'vitest';
import { talkSession, testSession } from '../session/test-session.ts';
import { holderTable } from '../text/holders.ts';
import { commands } from './commands.ts';

test('lsmod shows each module with its state, holds and dependents', async () => {
  const { type } = await testSession();
  const text = await type('lsmod');
  expect(text).toMatch(/^MODULE +VERSION +STATE +HOLDS/);
  expect(text).toMatch(/^socket#1 +1\.0\.0 +live +\d+ +\d+ +ipv4#1, ipv6#1, udp#1/m);
  expect(text).toMatch(/^traffic#1 +1\.0\.0 +live +0 /m);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

describe('modprobe', () => {
  test('loads by name, first what is required', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('rmmod --force --cascade route');
    expect(await type('modprobe udp')).toMatch(/^udp#2 \(1\.0\.0\) is live; 2 modules loaded first: route#2, ipv4#2\n$/);
    expect(await type('modprobe udp')).toMatch(/^softnet: EEXIST: udp#2 is loaded/);
  });

  test('lists what can be loaded', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('modprobe')).toMatch(/^kernel-time {2}skb {2}netdev .* udp {2}.* replay {2}message-port {2}udp-echo {2}traffic$/m);
  });

  test.each([
    [
      'modprobe nonsense',
      /^softnet: ENOENT: .*nonsense.*\(here: modprobe PATH, or one of: kernel-time, skb, .*, udp, .*, udp-echo, traffic\)\n$/,
    ],
    ['modprobe ./no/such.cjs', /^softnet: ENOENT: .*such\.cjs/],
    ['modprobe ./package.json', /^softnet: EINVAL: .*must be a CommonJS file/],
  ])('%s is one line', async (line, expected) => {
    const { type } = await testSession({ ms: 0 });
    const text = await type(line);
    expect(text).toMatch(expected);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('holders', () => {
  test('of one module, with owner, place and age', async () => {
    const { type } = await testSession();
    const text = await type('holders udp');
    expect(text).toMatch(/^udp#1 +socket +1 +client IPv4 1 +udp\.open +[\d.]+ m?s +udp 10\.0\.1\.2:\d+ <- 10\.0\.2\.2:7$/m);
    expect(text).toMatch(/^udp: held by \d+ sockets\n$/m);
  });

  test('of all are 20; of one module all', async () => {
    const { type, pass } = await testSession();
    await type('sysctl traffic.clients=15');
    await pass(1000);
    expect(await type('holders')).toMatch(/^and \d+ more \(holders NAME\)$/m);
    expect((await type('holders udp')).match(/^udp#1 +socket/gm)?.length).toBeGreaterThan(20);
  });

  test('what a tally counts is said in its number', async () => {
    const { session, scene } = await testSession({ ms: 0 });
    const info = { sort: 'tally', kind: 'frame', module: 'test-link#1', owner: 'test-link#1', place: 'x', ageMs: 0 } as const;
    const lines = [1, 3].map((count) => holderTable([{ ...info, count, description: `${count} frame` }], session.output)[2]);
    expect(lines[0]).toMatch(/ 1 frame$/);
    expect(lines[1]).toMatch(/ 3 frames$/);
    expect(scene.kernels).toHaveLength(3);
  });

  test('of all, and of a module that is not there', async () => {
    const { type } = await testSession();
    expect(await type('holders')).toMatch(/^modules of a: held by .*dsts.*sockets/m);
    expect(await type('holders nobody')).toMatch(/^softnet: ENOENT: /);
  });
});

test('sysctl takes the options and the slashes of procps', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('sysctl -w net.ipv4.ip_forward=1')).toBe('net.ipv4.ip_forward = 1\n');
  expect(await type('sysctl -n net/ipv4/ip_forward')).toBe('1\n');
  expect(await type('sysctl net/ipv4/ip_forward=0')).toBe('net.ipv4.ip_forward = 0\n');
  expect(await type('sysctl -a')).toMatch(/^net\.ipv4\.ip_forward +0 /m);
  expect(await type('sysctl net/ipv4/nosuch')).toMatch(/^softnet: ENOENT: there is no setting net\.ipv4\.nosuch/);
});

test('mem shows pools, who has how much waiting, and that nothing is scarce', async () => {
  const { type } = await testSession();
  const text = await type('mem');
  expect(text).toMatch(/^POOL +BUFFERS +IDLE +PAGES +IDLE +PACKETS OUT\n.*\nshared +2048 +\d+ +1024 +\d+ +\d+$/m);
  expect(text).toMatch(/^udp +\d+ +\d+ +0$/m);
  expect(text).toMatch(/^pressure: none/m);
});

test('stat shows counters and why packets were dropped; dump is the same', async () => {
  const { type } = await testSession();
  await type('sysctl net.ipv4.ip_default_ttl=1');
  await type('udp 10.0.1.2 9 hello');
  const text = await type('stat');
  expect(text).toMatch(/^traffic#1 +udp4\.answered +[1-9]\d*$/m);
  expect(text).toMatch(/^udp\.no-port +1 +nobody has this port/m);
  expect(text).not.toMatch(/^[\w.-]+ +0 +\w/m);
  expect(await type('dump')).toBe(text);
  const one = await type('stat --all udp');
  expect(one).toMatch(/^udp\.checksum +0 +its checksum is wrong/m);
  expect(one).not.toMatch(/^traffic/m);
  expect(await type('stat --all udp#1')).toBe(one);
  expect(await type('stat foo')).toMatch(/^softnet: ENOENT: no module foo is loaded \(loaded: kernel-time#1, .*traffic#1\)\n$/);
});

describe('sysctl', () => {
  test('lists, sets and refuses', async () => {
    const { type, scene } = await testSession({ ms: 0 });
    expect(await type('sysctl net.ipv4.ip_def')).toMatch(/^net\.ipv4\.ip_default_ttl +64 +ipv4#1 /m);
    expect(await type('sysctl net.ipv4.ip_default_ttl=5')).toBe('net.ipv4.ip_default_ttl = 5\n');
    expect(scene.kernels[0]!.sysctl.get('net.ipv4.ip_default_ttl')).toBe(5);
    expect(await type('sysctl net.ipv4.ip_default_ttl = 6')).toBe('net.ipv4.ip_default_ttl = 6\n');
    expect(await type('sysctl net.ipv4.ip_default_ttl=999')).toMatch(
      /^softnet: EINVAL: net\.ipv4\.ip_default_ttl takes an integer from 1 to 255/,
    );
    expect(await type('sysctl net.ipv4.ip_default_tt1')).toMatch(
      /^softnet: ENOENT: there is no setting net\.ipv4\.ip_default_tt1; there is net/,
    );
  });

  test('a change takes effect at once', async () => {
    const { type, pass } = await testSession();
    await type('sysctl traffic.clients=0');
    await type('rmmod udp-echo');
    await type('use b');
    await type('sysctl traffic.clients=0');
    await type('rmmod udp-echo');
    await pass(100);
    expect(await type('holders udp')).toBe('udp: held by nothing\n');
  });
});

test('use sends commands to the other kernel', async () => {
  const { type, session } = await talkSession();
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
  await type('rmmod --force udp');
  await pass(100);
  await type('modprobe udp');
  const text = await type('log');
  expect(text).toMatch(/^ +\d+\.\d{6} state udp#1: live -> withdrawing$/m);
  expect(text).toMatch(/udp#1: \w+ -> gone$[\s\S]*udp#2: starting -> live$/m);
  expect((await type('log 1')).trimEnd().split('\n')).toHaveLength(1);
  for (let turn = 0; turn < 55; turn++) {
    await type('rmmod --force udp');
    await type('modprobe udp');
  }
  expect((await type('log 9999')).match(/ state /g)?.length).toBe(200);
  await type('use b');
  expect(await type('log')).not.toMatch(/udp#1: live/);
});

test('top draws modules and rates once where there is no live screen', async () => {
  const { type } = await testSession();
  const text = await type('top');
  expect(text).toMatch(/^kernel a: up \d\.\d s, 16 modules, \d+ holds$/m);
  expect(text).toMatch(/^udp#1 +1\.0\.0 +live/m);
  expect(text).toMatch(/^traffic#1 udp4\.answered +0\.0 +\d+$/m);
});

describe('help', () => {
  test('names every command, in lines that fit', async () => {
    const { type } = await testSession();
    const text = await type('help');
    for (const { name } of commands) expect(text).toMatch(new RegExp(`^${name} `, 'm'));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('says more of each', async () => {
    const { type } = await talkSession();
    for (const { name } of commands) expect(await type(`help ${name}`)).toMatch(new RegExp(`^${name}`));
  });

  test('lsmod: what HOLDS and OBJECTS are', async () => {
    const { type } = await talkSession();
    expect(await type('help lsmod')).toMatch(/HOLDS[\s\S]*OBJECTS/);
  });

  test('of what is not there', async () => {
    const { type } = await talkSession();
    expect(await type('help frob')).toBe("softnet: unknown command 'frob': 'help' lists those that there are\n");
  });
});

test('quit ends the session', async () => {
  const { type, session } = await talkSession();
  expect(session.over).toBe(false);
  await type('quit');
  expect(session.over).toBe(true);
});

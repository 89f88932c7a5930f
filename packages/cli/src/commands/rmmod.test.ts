import { DatagramUser } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import type { TestSession } from '../session/test-session.ts';
import { testSession } from '../session/test-session.ts';

const INET = 2;

/** A program of the test's own, with a socket of udp. */
function openSocket({ scene }: TestSession, name: string): DatagramUser {
  const user = new DatagramUser(scene.kernels[0]!, { name, family: INET });
  user.connect('10.0.2.2', 7);
  return user;
}

describe('rmmod', () => {
  test('shows the stages, who holds, and a bar; ends when the last one has let go', async () => {
    const session = await testSession();
    const { type, scene, statuses } = session;
    await type('sysctl traffic.linger_ms=300');
    const text = await type('rmmod udp');
    expect(text).toMatch(/^udp#1: stage 2, draining; waiting for \d+ sockets of udp#1: owner client IPv[46] \d place udp\.open/m);
    expect(text).toMatch(/^udp#1 is unloaded$/m);
    expect(scene.kernels[0]!.module('udp')).toBeUndefined();
    expect(statuses.some((line) => /^udp#1 draining \[[#-]+\] \d+\/\d+; waiting for \d+ sockets? of udp#1/.test(line))).toBe(true);
    expect(statuses.some((line) => /\[#+-*\] [1-9]\d*\/\d+/.test(line))).toBe(true);
    for (const line of [...text.split('\n'), ...statuses]) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--dry-run changes nothing', async () => {
    const { type, scene } = await testSession();
    const text = await type('rmmod --dry-run udp');
    expect(text).toMatch(/^ +withdraw +udp#1$/m);
    expect(text).toMatch(/^ +shut doors +udp#1: protocol-door/m);
    expect(text).toMatch(/^ +park +nothing$/m);
    expect(text).toMatch(/^ +wait for +\d+ sockets$/m);
    expect(scene.kernels[0]!.module('udp')?.state).toBe('live');
  });

  test('--dry-run leaves out what would not be, and wraps what is long', async () => {
    const { type } = await testSession();
    expect(await type('rmmod --dry-run traffic')).not.toMatch(/close at last/);
    const text = await type('rmmod --dry-run --force netdev');
    expect(text).toMatch(/^ {2}be refused {4}EBUSY: netdev#1 is needed by .*(?:\n {16}.*)*\(here: rmmod\s+--cascade netdev\)$/m);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--dry-run --force says what it would break', async () => {
    const { type, scene } = await testSession();
    const text = await type('rmmod --dry-run --force udp');
    expect(text).toMatch(/^ {2}break {9}\d+ sockets of udp#1: owner /m);
    expect(text).not.toMatch(/wait for/);
    expect(text).toMatch(/^udp#1 +socket +1 +client IPv4 1 /m);
    expect(scene.kernels[0]!.module('udp')?.state).toBe('live');
    expect(await type('rmmod --dry-run --force traffic')).toMatch(/^ {2}break {9}nothing$/m);
  });

  test('who holds is counted where there is no room for all', async () => {
    const { type, statuses, pass } = await testSession();
    await type('sysctl traffic.clients=15');
    await pass(1000);
    const dry = await type('rmmod --dry-run udp');
    expect(dry).not.toMatch(/\.\.\. and/);
    const text = await type('rmmod udp');
    expect(text).toMatch(/and \d+ more \(holders udp#1\)$/m);
    expect(text).not.toMatch(/\.\.\.$/m);
    expect(statuses.some((line) => /\d+ sockets of udp#1$/.test(line) || /more \(holders udp#1\)$/.test(line))).toBe(true);
    expect(statuses.every((line) => !line.endsWith('...'))).toBe(true);
  });

  test('a module that others need is refused in one line, and goes with --cascade', async () => {
    const { type, scene } = await testSession();
    expect(await type('rmmod netdev')).toMatch(/^softnet: EBUSY: netdev#1 is needed by [^\n]* \(here: rmmod --cascade netdev\)\n$/);
    expect(await type('rmmod --cascade netdev')).toMatch(/netdev#1 is unloaded, and before it .*ipv4#1/);
    const left = scene.kernels[0]!.modules().map(({ name }) => name);
    expect(left).toEqual(['kernel-time', 'skb', 'socket', 'reno', 'cubic', 'udp-echo', 'traffic']);
  });

  test('--force says what it broke', async () => {
    const { type } = await testSession();
    const text = await type('rmmod --force udp');
    expect(text).toMatch(/^broken by force: \d+ sockets$/m);
    expect(text).toMatch(/^udp#1 +socket +1 +client IPv4 \d +udp\.open/m);
  });

  test('--deadline calls it off', async () => {
    const session = await testSession();
    const user = openSocket(session, 'me');
    const text = await session.type('rmmod --deadline 100 udp');
    expect(text).toMatch(/^udp#1 is live again \(the deadline passed\)$/m);
    expect(session.scene.kernels[0]!.module('udp')?.state).toBe('live');
    user.close();
  });

  test('Ctrl-C calls it off, and says what was closed meanwhile', async () => {
    const net = await testSession();
    const { session, scene, pass, printed } = net;
    const [mine, other] = [openSocket(net, 'me'), openSocket(net, 'one who stays')];
    printed();
    const done = session.execute('rmmod udp');
    await pass(50);
    mine.close();
    await pass(50);
    expect(session.interrupt()).toBe(true);
    expect(session.interrupt()).toBe(false);
    expect(await scene.net.run(done)).toBe(true);
    const text = printed();
    expect(text).toMatch(/^udp#1 is live again \(interrupted\)$/m);
    expect(text).toMatch(/^closed meanwhile, and so not back: \d+ sockets?$/m);
    expect(text).toMatch(/^udp#1 +socket +1 +me +udp\.open/m);
    expect(session.interrupt()).toBe(false);
    expect(other.leaving).toBe(false);
    openSocket(net, 'me again').close();
  });

  test('--no-wait gives the prompt back; abort calls it off; abort of nothing is refused', async () => {
    const { type, scene } = await testSession();
    expect(await type('rmmod --no-wait udp')).toMatch(/^udp#1 is (withdrawing|draining); /);
    expect(await type('abort udp')).toBe('udp#1 is live again\n');
    expect(scene.kernels[0]!.module('udp')?.state).toBe('live');
    expect(await type('abort udp')).toMatch(/^softnet: EINVAL: udp#1 is live: there is no unload to abort\n$/);
    expect(await type('rmmod --no-wait netdev')).toMatch(/^softnet: EBUSY: /);
  });

  test('each of these is one line', async () => {
    const { type } = await testSession({ ms: 0 });
    for (const [line, expected] of [
      ['rmmod', /^softnet: missing required argument 'module'\. Usage: rmmod \[--dry-run\]/],
      ['rmmod nobody', /^softnet: ENOENT: [^\n]*nobody/],
      ['rmmod --forse udp', /^softnet: unknown option '--forse'/],
      ['rmmod a b', /^softnet: too many arguments/],
      ['rmmod --deadline soon udp', /^softnet: --deadline takes a number of milliseconds, got 'soon'/],
      ['rmmod "udp', /^softnet: a quote \("\) is left open/],
    ] as const) {
      const text = await type(line);
      expect(text).toMatch(expected);
      expect(text.trimEnd().split('\n')).toHaveLength(1);
    }
  });
});

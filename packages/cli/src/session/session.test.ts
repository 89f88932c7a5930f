import { ModuleFault, NetError } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { errorLine } from '../error-line.ts';
import { UsageError } from '../usage-error.ts';
import { talkSession, testSession } from './test-session.ts';

describe('a line', () => {
  test.each(['', '   ', '# a remark'])('%j does nothing', async (line) => {
    const { type } = await talkSession();
    expect(await type(line)).toBe('');
  });

  test('an unknown command is one sentence', async () => {
    const { type, session } = await talkSession();
    expect(await type('frob talk')).toBe("softnet: unknown command 'frob': 'help' lists those that there are\n");
    expect(await type('tcpdump -i eth0')).toBe("softnet: unknown command 'tcpdump': what comes nearest here is 'capture'\n");
    expect(await session.execute('frob')).toBe(false);
    expect(await session.execute('lsmod')).toBe(true);
  });

  test('tells no stack, unless asked to', async () => {
    const quiet = await talkSession();
    expect(await quiet.type('abort talk')).not.toMatch(/^ +at /m);
    const debugging = await testSession({ ms: 0, debug: true });
    expect(await debugging.type('abort udp')).toMatch(/^softnet: NetError: EINVAL: [^\n]*\n +at /);
  });
});

test('errors as lines', () => {
  expect(errorLine(new NetError('EBUSY', 'talk#1 is busy'), false)).toBe('softnet: EBUSY: talk#1 is busy');
  expect(errorLine(new ModuleFault('talk#1', 'did\n  this'), false)).toBe('softnet: talk#1: did this');
  expect(errorLine('thrown', true)).toBe('softnet: thrown');
  expect(errorLine(new UsageError('so'), true)).toBe('softnet: so');
});

describe('completion', () => {
  test.each([
    ['', ['lsmod ', 'modprobe ', 'rmmod '], ''],
    ['rm', ['rmmod '], 'rm'],
    ['rmmod t', ['test-link', 'test-exchange', 'talk'], 't'],
    ['rmmod --d', ['--dry-run ', '--deadline '], '--d'],
    ['rmmod --force ta', ['talk'], 'ta'],
    ['replace talk ta', ['talk'], 'ta'],
    ['use ', ['a', 'b'], ''],
    ['sysctl talk.re', ['talk.retries'], 'talk.re'],
    ['help ab', ['abort'], 'ab'],
    ['lsmod x', [], 'x'],
    ['replace talk talk2 --mode ', ['drain', 'handover'], ''],
    ['replace --mode h', ['handover'], 'h'],
    ['replace --mode drain ta', ['talk'], 'ta'],
    ['replace --mode=drain ta', ['talk'], 'ta'],
    ['capture ', ['stop', 'dump', 'any '], ''],
    ['ip ', ['addr ', 'link ', 'route ', 'neigh ', 'rule ', 'nexthop ', 'maddr ', 'addrlabel '], ''],
    ['ip addr d', ['delete '], 'd'],
    ['ip ro', ['route '], 'ro'],
    ['rmmod --deadline ', [], ''],
    ['rmmod --deadline 50 ta', ['talk'], 'ta'],
    ['rmmod talk#', ['talk#1'], 'talk#'],
    ['rmmod talk t', [], 't'],
    ['replace talk talk2 t', [], 't'],
    ['frob x', [], 'x'],
  ])('%j', async (line, expected, end) => {
    const { session } = await talkSession();
    const [candidates, found] = session.complete(line);
    expect(found).toBe(end);
    expect(candidates).toEqual(expect.arrayContaining(expected));
    if (line !== '' && line !== 'replace talk ta') expect(candidates).toHaveLength(expected.length);
  });
});

import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

describe('rmmod', () => {
  test('shows the stages, who holds, and a bar; ends when the last one has let go', async () => {
    const { type, scene, statuses } = await testSession();
    const text = await type('rmmod talk');
    expect(text).toMatch(/^talk#1: stage 2, draining; waiting for \d+ connections of talk#1: owner client 1 place talk\.connect/m);
    expect(text).toMatch(/^talk#1 is unloaded$/m);
    expect(scene.a.module('talk')).toBeUndefined();
    expect(statuses[0]).toMatch(/^talk#1 draining \[-+\] 0\/\d+; waiting for \d+ connections of talk#1/);
    expect(statuses.some((line) => /\[#+-+\] [1-9]\d*\/\d+; waiting for/.test(line))).toBe(true);
    for (const line of [...text.split('\n'), ...statuses]) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--dry-run changes nothing', async () => {
    const { type, scene } = await testSession();
    const text = await type('rmmod --dry-run talk');
    expect(text).toMatch(/^ +withdraw +talk#1$/m);
    expect(text).toMatch(/^ +shut doors +talk#1: Talk/m);
    expect(text).toMatch(/^ +park +1 listener$/m);
    expect(text).toMatch(/^ +wait for +\d+ connections$/m);
    expect(scene.a.module('talk')?.state).toBe('live');
  });

  test('--dry-run leaves out what would not be, and wraps what is long', async () => {
    const { type } = await testSession();
    expect(await type('rmmod --dry-run traffic')).not.toMatch(/close at last/);
    const text = await type('rmmod --dry-run --force test-exchange');
    expect(text).toMatch(
      /^ {2}be refused {4}EBUSY: test-exchange#1 is needed by talk#1: unload them first, or unload with\n {16}cascade \(here: rmmod --cascade test-exchange\)$/m,
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--dry-run --force says what it would break', async () => {
    const { type, scene } = await testSession();
    const text = await type('rmmod --dry-run --force talk');
    expect(text).toMatch(/^ {2}break {9}\d+ connections of talk#1: owner client 1 place talk\.connect/m);
    expect(text).not.toMatch(/wait for/);
    expect(text).toMatch(/^talk#1 +connection +1 +client 1 /m);
    expect(scene.a.module('talk')?.state).toBe('live');
    expect(await type('rmmod --dry-run --force traffic')).toMatch(/^ {2}break {9}nothing$/m);
  });

  test('who holds is counted where there is no room for all', async () => {
    const { type, statuses, pass } = await testSession();
    await type('sysctl traffic.clients=30');
    await pass(1000);
    const dry = await type('rmmod --dry-run talk');
    expect(dry).not.toMatch(/\.\.\. and/);
    const text = await type('rmmod talk');
    expect(text).toMatch(/and \d+ more \(holders talk#1\)$/m);
    expect(text).not.toMatch(/\.\.\.$/m);
    expect(statuses.some((line) => /\d+ connections of talk#1$/.test(line) || /more \(holders talk#1\)$/.test(line))).toBe(true);
    expect(statuses.every((line) => !line.endsWith('...'))).toBe(true);
  });

  test('a module that others need is refused in one line, and goes with --cascade', async () => {
    const { type, scene } = await testSession();
    expect(await type('rmmod test-link')).toMatch(
      /^softnet: EBUSY: test-link#1 is needed by [^\n]* \(here: rmmod --cascade test-link\)\n$/,
    );
    expect(await type('rmmod --cascade test-link')).toMatch(/^test-link#1 is unloaded, and before it talk#1, test-exchange#1$/m);
    expect(scene.a.modules().map(({ name }) => name)).toEqual(['traffic']);
  });

  test('--force says what it broke', async () => {
    const { type } = await testSession();
    const text = await type('rmmod --force talk');
    expect(text).toMatch(/^broken by force: \d+ connections$/m);
    expect(text).toMatch(/^talk#1 +connection +1 +client 1 /m);
  });

  test('--deadline calls it off', async () => {
    const { type, scene } = await testSession();
    const text = await type('rmmod --deadline 100 talk');
    expect(text).toMatch(/^talk#1 is live again \(the deadline passed\)$/m);
    expect(scene.a.module('talk')?.state).toBe('live');
  });

  test('Ctrl-C calls it off, and says what was closed meanwhile', async () => {
    const { session, scene, pass, printed } = await testSession();
    const mine = scene.talk(scene.a).connect(2, 7, { owner: 'me' });
    await scene.run(mine.opened);
    printed();
    const done = session.execute('rmmod talk');
    await pass(50);
    mine.reset();
    await pass(50);
    expect(session.interrupt()).toBe(true);
    expect(session.interrupt()).toBe(false);
    expect(await scene.run(done)).toBe(true);
    const text = printed();
    expect(text).toMatch(/^talk#1 is live again \(interrupted\)$/m);
    expect(text).toMatch(/^closed meanwhile, and so not back: \d+ connections?$/m);
    expect(text).toMatch(/^talk#1 +connection +1 +me +talk\.connect/m);
    expect(session.interrupt()).toBe(false);
    const again = scene.talk(scene.a).connect(2, 7, { owner: 'me again' });
    await scene.run(again.opened);
  });

  test('--no-wait gives the prompt back; abort calls it off; abort of nothing is refused', async () => {
    const { type, scene } = await testSession();
    expect(await type('rmmod --no-wait talk')).toMatch(/^talk#1 is (withdrawing|draining); /);
    expect(await type('abort talk')).toBe('talk#1 is live again\n');
    expect(scene.a.module('talk')?.state).toBe('live');
    expect(await type('abort talk')).toMatch(/^softnet: EINVAL: talk#1 is live: there is no unload to abort\n$/);
    expect(await type('rmmod --no-wait test-link')).toMatch(/^softnet: EBUSY: /);
  });

  test.each([
    ['rmmod', /^softnet: missing required argument 'module'\. Usage: rmmod \[--dry-run\]/],
    ['rmmod nobody', /^softnet: ENOENT: [^\n]*nobody/],
    ['rmmod --forse talk', /^softnet: unknown option '--forse'/],
    ['rmmod a b', /^softnet: too many arguments/],
    ['rmmod --deadline soon talk', /^softnet: --deadline takes a number of milliseconds, got 'soon'/],
    ['rmmod "talk', /^softnet: a quote \("\) is left open/],
  ])('%s is one line', async (line, expected) => {
    const { type } = await testSession({ ms: 0 });
    const text = await type(line);
    expect(text).toMatch(expected);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
  });
});

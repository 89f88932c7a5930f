import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';
import { shutDown } from './shut-down.ts';

test('says what was open, by name, and that nothing was', async () => {
  const { session, scene, type, printed } = await testSession();
  await type('use b');
  await type('rmmod udp-echo');
  await type('rmmod traffic');
  const leaks = await scene.net.run(shutDown(scene.kernels, session.output));
  const text = printed();
  expect(text).toMatch(/^kernel a: open: .*\d+ sockets?/m);
  expect(text).toMatch(/^ {2}\d+ sockets? of udp#1: owner /m);
  expect(text).toMatch(/^kernel b: (?:nothing was open|open: \d+ skbs?)$/m);
  expect(text).toMatch(/^kernel r: unloaded .*\n? .*netdev#1; broken by force: nothing$/m);
  expect(text).not.toMatch(/open were|fault|leak/);
  expect(leaks).toEqual([]);
});

import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';
import { shutDown } from './shut-down.ts';

test('says what was open, and that nothing was', async () => {
  const { session, scene, type, printed } = await testSession();
  await type('use b');
  await type('rmmod --force --cascade test-link');
  await type('rmmod traffic');
  await scene.run(shutDown(scene.kernels, session.output));
  const text = printed();
  expect(text).toMatch(/^kernel a: open: .*\d+ connections?/m);
  expect(text).toMatch(/^kernel b: nothing was open$/m);
  expect(text).not.toMatch(/open were/);
});

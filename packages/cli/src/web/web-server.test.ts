import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

test('when tcp is gone it is said whose listener ended; it is back with tcp', async () => {
  const { type, scene, pass } = await testSession({ ms: 100 });
  const told: string[] = [];
  scene.troubles.listen((error) => told.push((error as Error).message));
  await type('use b');
  await type('rmmod tcp');
  await pass(10);
  expect(told).toEqual(['the web server in b does not listen: ESHUTDOWN: tcp#1 is gone']);
  await type('modprobe tcp');
  await new Promise(setImmediate);
  await pass(10);
  expect(await type('replace tcp tcp')).toContain('adopted: 1 listener');
});

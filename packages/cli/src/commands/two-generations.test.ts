import type { TwoHosts } from '@softnet/testkit';
import { expect, test } from 'vitest';
import type { TestSession } from '../session/test-session.ts';
import { talkSession } from '../session/test-session.ts';

/** talk#1 drains, talk#2 is live; both are held. */
async function twoTalks(): Promise<TestSession<TwoHosts>> {
  const session = await talkSession();
  const connection = session.scene.talk(session.scene.a).connect(2, 7, { owner: 'the old one' });
  await session.scene.run(connection.opened);
  await session.type('rmmod --no-wait talk');
  await session.type('modprobe talk');
  const newer = session.scene.talk(session.scene.a).connect(2, 7, { owner: 'the new one' });
  await session.scene.run(newer.opened);
  return session;
}

test('holders of a bare name are those of all its generations', async () => {
  const { type } = await twoTalks();
  const text = await type('holders talk');
  expect(text).toMatch(/^talk#1 +connection +1 +the old one/m);
  expect(text).toMatch(/^talk#2 +connection/m);
  expect(text).toMatch(/^talk \(talk#1, talk#2\): held by \d+ connections\n$/m);
  const one = await type('holders talk#2');
  expect(one).not.toMatch(/^talk#1/m);
  expect(one).toMatch(/^talk#2: held by/m);
});

test('abort of a bare name says which generation may be meant', async () => {
  const { type, scene } = await twoTalks();
  expect(await type('abort talk')).toBe(
    'softnet: EINVAL: talk#2 is live: there is no unload to abort (here: talk#1 is draining: abort talk#1, when talk#2 is gone)\n',
  );
  expect(await type('abort talk#1')).toMatch(/^softnet: EBUSY: talk#1 .*talk#2 has taken its place \(here: rmmod talk#2 first\)\n$/);
  await type('rmmod --force talk#2');
  expect(await type('abort talk#1')).toBe('talk#1 is live again\n');
  expect(scene.a.module('talk')).toMatchObject({ generation: 1, state: 'live' });
});

test('Tab offers generations', async () => {
  const { session } = await twoTalks();
  expect(session.complete('rmmod talk#')).toEqual([['talk#1', 'talk#2'], 'talk#']);
  expect(session.complete('holders ta')).toEqual([['talk', 'talk#1', 'talk#2'], 'ta']);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '@softnet/kernel';
import { BulkSender } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { talkSession } from '../session/test-session.ts';

describe('replace', () => {
  test('hands over by default: connections live on in the new build', async () => {
    const { type, scene } = await talkSession();
    const connection = scene.talk(scene.a).connect(2, 7, { owner: 'me' });
    await scene.run(connection.opened);
    const sender = new BulkSender(connection, 5);
    await scene.run(sender.move(5000));
    expect(await type('replace talk talk2')).toMatch(/^talk#2 has taken the place of talk#1 \(handover\); adopted: 1 connection\n/);
    expect(await scene.run(sender.move(5000))).toBe(5000);
    expect(scene.a.module('talk')).toMatchObject({ generation: 2, version: '2.0.0' });
  });

  test('--mode drain: both generations live until the old one is empty', async () => {
    const { type, scene, pass } = await talkSession();
    const connection = scene.talk(scene.a).connect(2, 7, { owner: 'me' });
    await scene.run(connection.opened);
    const text = await type('replace talk talk2 --mode drain');
    expect(text).toMatch(/^talk#2 has taken the place of talk#1 \(drain\); adopted: nothing\n/);
    expect(text).toMatch(/^talk#1 drains: \d+ holds? left$/m);
    expect(await type('lsmod')).toMatch(/^talk#1 +1\.0\.0 +(?:withdrawing|draining)[\s\S]*^talk#2 +2\.0\.0 +live/m);
    connection.close();
    await pass(1000);
    expect(scene.a.modules().filter(({ name }) => name === 'talk')).toMatchObject([{ generation: 2 }]);
  });

  test('by a bundle at a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'softnet-replace-'));
    try {
      const { type, session } = await talkSession();
      const file = join(folder, 'talk.cjs');
      writeFileSync(file, (session.catalogue.talk2 as Bundle).code);
      expect(await type(`replace talk ${file}`)).toMatch(/^talk#2 has taken the place of talk#1/);
      await type('rmmod --force talk');
      expect(await type(`modprobe ${file}`)).toMatch(/^talk#3 \(2\.0\.0\) is live/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each([
    [
      'replace talk nonsense',
      /^softnet: ENOENT: there is no other build 'nonsense': give a path to a bundle, or one of test-link, .*talk2/,
    ],
    ['replace test-link talk2', /^softnet: EINVAL: test-link#1 can be replaced by another test-link, but this is talk/],
    ['replace nobody talk2', /^softnet: ENOENT: /],
    ['replace talk', /^softnet: missing required argument 'source'/],
    ['replace --mode slowly talk talk2', /^softnet: --mode is 'drain' or 'handover', got 'slowly'/],
  ])('%s is one line', async (line, expected) => {
    const { type } = await talkSession();
    const text = await type(line);
    expect(text).toMatch(expected);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
  });
});

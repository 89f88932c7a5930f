import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '@softnet/kernel';
import { BulkSender } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

describe('replace', () => {
  test('hands over by default: connections live on in the new build', async () => {
    const { type, scene } = await testSession();
    const connection = scene.talk(scene.a).connect(2, 7, { owner: 'me' });
    await scene.run(connection.opened);
    const sender = new BulkSender(connection, 5);
    await scene.run(sender.move(5000));
    expect(await type('replace talk talk2')).toMatch(
      /^talk#2 has taken the place of talk#1 \(handover\); adopted: 1 listener, \d+ connections\n/,
    );
    expect(await scene.run(sender.move(5000))).toBe(5000);
    expect(scene.a.module('talk')).toMatchObject({ generation: 2, version: '2.0.0' });
  });

  test('--mode drain: both generations live until the old one is empty', async () => {
    const { type, scene, pass } = await testSession();
    const text = await type('replace talk talk2 --mode drain');
    expect(text).toMatch(/^talk#2 has taken the place of talk#1 \(drain\); adopted: 1 listener\n/);
    expect(text).toMatch(/^talk#1 drains: \d+ holds left$/m);
    expect(await type('lsmod')).toMatch(/^talk#1 +1\.0\.0 +(?:withdrawing|draining)[\s\S]*^talk#2 +2\.0\.0 +live/m);
    await pass(20_000);
    expect(scene.a.modules().filter(({ name }) => name === 'talk')).toMatchObject([{ generation: 2 }]);
  });

  test('by a bundle at a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'softnet-replace-'));
    try {
      const { type, scene } = await testSession();
      const file = join(folder, 'talk.cjs');
      writeFileSync(file, (scene.catalogue.talk2 as Bundle).code);
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
    ['replace traffic talk2', /^softnet: EINVAL: traffic#1 can be replaced by another traffic, but this is talk/],
    ['replace nobody talk2', /^softnet: ENOENT: /],
    ['replace talk', /^softnet: missing required argument 'source'/],
    ['replace --mode slowly talk talk2', /^softnet: --mode is 'drain' or 'handover', got 'slowly'/],
  ])('%s is one line', async (line, expected) => {
    const { type } = await testSession({ ms: 0 });
    const text = await type(line);
    expect(text).toMatch(expected);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
  });
});

import type { ModuleSource } from '@softnet/kernel';
import type { DatagramUser, NetHost } from '@softnet/testkit';
import { LeakGuard, pattern } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import type { StackedNet } from './stacked-net.ts';
import { B_INSIDE, packetsOut, stackedNet } from './stacked-net.ts';
import { TagModule } from './tag-module.ts';
import { TubeModule } from './tube-module.ts';
import { VeilModule } from './veil-module.ts';

const INET = 2;
const MODULES: readonly (readonly [string, ModuleSource])[] = [
  ['veil', VeilModule],
  ['tube', TubeModule],
  ['tag', TagModule],
];

let all: StackedNet;

/** Nothing may be left behind: packets, timers, holds. */
async function guarded(act: () => Promise<void>): Promise<void> {
  const guard = LeakGuard.watch();
  all = await stackedNet();
  await act();
  expect(packetsOut(all)).toEqual([0, 0, 0, 0]);
  await all.net.dispose();
  expect(await guard.end()).toEqual([]);
}

function connected(host: NetHost, name: string): DatagramUser {
  const user = host.open({ family: INET, name });
  user.connect(B_INSIDE, 7);
  return user;
}

let number = 0;
/** Each sends one that comes back, however the stack changes meanwhile. */
async function echo(users: readonly DatagramUser[]): Promise<void> {
  number++;
  for (const [i, user] of users.entries()) await all.net.run(user.send(pattern(number, i, 100 + 400 * i)));
  for (const [i, user] of users.entries()) {
    const { data } = await all.net.run(user.receive(), 5_000_000);
    expect(Buffer.compare(data, pattern(number, i, 100 + 400 * i))).toBe(0);
  }
}

describe.each(MODULES)('%s under traffic', (name, source) => {
  test('is replaced by hand-over, twenty times, and no datagram is lost', () =>
    guarded(async () => {
      const users = [connected(all.a, 'one'), connected(all.a, 'two'), connected(all.c, 'client')];
      await echo(users);
      for (let i = 0; i < 20; i++) {
        const sent = users.map((user) => user.send(pattern(i, 0, 60 + i)));
        const { drained } = await all.net.run(all.a.kernel.replace(name, source, { mode: 'handover' }));
        await all.net.run(Promise.all(sent));
        for (const user of users) expect((await all.net.run(user.receive(), 5_000_000)).data).toEqual(pattern(i, 0, 60 + i));
        expect((await all.net.run(drained)).leaks).toEqual([]);
        await echo(users);
      }
      expect(all.a.kernel.module(name)?.generation).toBe(21);
      for (const user of users) user.close();
    }));

  test('goes when the last that goes by it has gone; it can be called back; and comes back', () =>
    guarded(async () => {
      const user = connected(all.a, 'user');
      await echo([user]);
      // The tube's own way goes by the label: it must go first.
      const held = name === 'tag' ? ['ip'] : ['user'];
      const unload = all.a.kernel.unload(name);
      void unload.report.catch(() => undefined);
      await echo([user]);
      expect(all.a.kernel.holders(name).map(({ owner }) => owner)).toEqual(held);
      await all.net.run(all.a.kernel.abort(name));
      const another = connected(all.a, 'another');
      await echo([user, another]);
      another.close();
      const again = all.a.kernel.unload(name);
      await echo([user]);
      user.close();
      await all.net.pass(1);
      if (name === 'tag') all.a.down('tube0');
      expect(await all.net.run(again)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
    }));
});

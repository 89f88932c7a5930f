import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import { bootNetwork } from '../start/network-scene.ts';
import type { Scene } from '../start/scene.ts';

const SORTS = ['ping4', 'ping6', 'udp4', 'udp6'] as const;

function counted(kernel: Kernel, name: string): number {
  const own = kernel.counters().filter((each) => each.module.startsWith('traffic#'));
  return own.filter((each) => each.name === name || each.name.endsWith(`.${name}`)).reduce((sum, { value }) => sum + value, 0);
}

async function network(ms: number): Promise<{ scene: Scene; a: Kernel; pass: (ms: number) => Promise<void> }> {
  const scene = await bootNetwork({ clock: 'virtual', seed: 3, debug: false });
  const pass = (each: number): Promise<void> => scene.net.pass(each);
  await pass(ms);
  return { scene, a: scene.kernels[0]!, pass };
}

describe('traffic', () => {
  test('is answered over both families, in all sizes, no byte wrong', async () => {
    const { a } = await network(2000);
    for (const sort of SORTS) expect(counted(a, `${sort}.answered`), sort).toBeGreaterThan(10);
    expect(counted(a, 'wrong')).toBe(0);
    expect(counted(a, 'answered') + counted(a, 'lost') + counted(a, 'failed')).toBeLessThanOrEqual(counted(a, 'sent') + 2);
    expect(counted(a, 'answered')).toBeGreaterThan(0.8 * counted(a, 'sent'));
  });

  test('counts what is lost, and goes on', async () => {
    const { scene, a, pass } = await network(1000);
    for (const cable of scene.net.cables) cable.set({ loss: 0.2, duplicate: 0.2 });
    await pass(3000);
    expect(counted(a, 'wrong')).toBe(0);
    expect(counted(a, 'late')).toBeGreaterThan(5);
    expect(counted(a, 'lost')).toBeGreaterThan(5);
  });

  test.each(['udp', 'ipv6', 'ipv4', 'netdev', 'socket', 'skb'])('lets %s go, and is back with it', async (name) => {
    const { scene, a, pass } = await network(700);
    const { net } = scene;
    // Fragments whose datagram is not whole are in skb's memory for half a minute.
    if (name === 'skb') for (const cable of net.cables) cable.set({ loss: 0, duplicate: 0, reorder: 0 });
    await pass(300);
    const report = await net.run(a.unload(name, { cascade: true, deadlineMs: 90_000 }));
    expect(report).toMatchObject({ outcome: 'gone', broken: [] });
    expect(a.module('traffic')?.state).toBe('live');
    await pass(300);
    const refused = counted(a, 'refused');
    expect(refused).toBeGreaterThan(0);
    for (const gone of [...report.gone].reverse()) {
      const label = gone.replace(/#\d+$/, '');
      if (a.module(label) === undefined) await net.run(a.load(label));
    }
    const before = SORTS.map((sort) => counted(a, `${sort}.answered`));
    const isBack = (): boolean => SORTS.every((sort, index) => counted(a, `${sort}.answered`) > before[index]!);
    for (let turn = 0; turn < 30 && !isBack(); turn++) await pass(200);
    expect(isBack()).toBe(true);
    expect(counted(a, 'wrong')).toBe(0);
  });

  test('goes on for a while when it is asked to let go, at most traffic.linger_ms', async () => {
    const { scene, a } = await network(0);
    a.sysctl.set('traffic.lifetime_ms', 60_000);
    a.sysctl.set('traffic.linger_ms', 700);
    await scene.net.pass(1000);
    const began = scene.net.world.nowUs;
    const sent = counted(a, 'udp4.sent');
    await scene.net.run(a.unload('udp'));
    const tookMs = (scene.net.world.nowUs - began) / 1000;
    expect(tookMs).toBeGreaterThan(600);
    expect(tookMs).toBeLessThan(1500);
    expect(counted(a, 'udp4.sent')).toBeGreaterThan(sent);
  });

  test('goes itself at once, and comes back on abort', async () => {
    const { scene, a, pass } = await network(300);
    await scene.net.run(a.unload('traffic'));
    const owners = a.holders().map(({ owner }) => owner);
    expect(owners.filter((owner) => /client|pinger/.test(owner))).toEqual([]);
    await scene.net.run(a.load('traffic'));
    await pass(1000);
    expect(counted(a, 'answered')).toBeGreaterThan(20);
  });

  test('has as many programs as its setting says, and none without a peer', async () => {
    const { a, pass } = await network(0);
    const owners = (): number =>
      new Set(
        a
          .holders()
          .map(({ owner }) => owner)
          .filter((owner) => /client|pinger/.test(owner)),
      ).size;
    a.sysctl.set('traffic.clients', 5);
    a.sysctl.set('traffic.lifetime_ms', 60_000);
    await pass(700);
    expect(owners()).toBe(20);
    a.sysctl.set('traffic.peer6', '');
    await pass(300);
    expect(owners()).toBe(10);
  });
});

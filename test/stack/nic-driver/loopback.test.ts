import type { NetDevice } from '@softnet/contract';
import { DEVICE_FLAG, Devices, DeviceTraffic, Ethtool, LINK_TYPE, OPERSTATE } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { drops, Frames, FramesModule, frameHost, numbered, skbsOut } from './frames.ts';

const loOf = (kernel: Kernel): NetDevice => kernel.port(DeviceTraffic).current.byName('lo')!;

async function host() {
  const world = new World({ seed: 1 });
  const kernel = await frameHost(world, 'k');
  await world.run(kernel.load(LoopbackModule));
  return { world, kernel, lo: loOf(kernel), frames: kernel.port(Frames).current };
}

describe('lo', () => {
  test('is there and up as long as the module is', async () => {
    const { world, kernel, lo } = await host();
    expect(lo).toMatchObject({
      name: 'lo',
      kind: 'loopback',
      type: LINK_TYPE.LOOPBACK,
      mtuBytes: 65536,
      carrier: true,
      operstate: OPERSTATE.UP,
    });
    expect(lo.flags).toBe(DEVICE_FLAG.LOOPBACK | DEVICE_FLAG.UP);
    expect(() => kernel.port(Devices).current.remove(lo)).toThrow("EOPNOTSUPP: 'lo' goes with its driver only");
    const report = await world.run(kernel.unload('loopback'));
    expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(kernel.port(DeviceTraffic).current.all()).toEqual([]);
    await world.run(kernel.load(LoopbackModule));
    expect(loOf(kernel).ifindex).toBe(2);
  });

  test('receives what it sends, uncut, once who sends has returned', async () => {
    const { world, kernel, lo, frames } = await host();
    const user = frames.open(lo, 'user');
    const sent = numbered(1, 60_000);
    expect(frames.send(lo, sent, lo.address)).toBe(0);
    // One direction: nothing is received before who sends has returned.
    expect(user.got).toEqual([]);
    await world.advance(0);
    expect(user.got).toEqual([sent]);
    expect(lo.stats).toMatchObject({ txPackets: 1, rxPackets: 1, txBytes: 60_014, rxBytes: 60_014 });
    expect(skbsOut(kernel)).toBe(0);
    expect(drops(kernel)).toEqual({});
  });

  test('has no rings and no interrupts: what it sends waits in the backlog', async () => {
    const { kernel, lo } = await host();
    const ethtool = kernel.port(Ethtool).current;
    expect(() => ethtool.setRings(lo, { rxPackets: 10 })).toThrow('EOPNOTSUPP');
    expect(() => ethtool.setCoalescing(lo, lo.rxQueues, { us: 10 })).toThrow('EOPNOTSUPP');
    expect(() => ethtool.setChannels(lo, { rx: 2 })).toThrow('EOPNOTSUPP');
  });

  test('that is down drops; up again, it goes on', async () => {
    const { world, kernel, lo, frames } = await host();
    const user = frames.open(lo, 'user');
    const devices = kernel.port(Devices).current;
    frames.send(lo, numbered(1, 100), lo.address);
    devices.close(lo);
    await world.advance(0);
    frames.send(lo, numbered(2, 100), lo.address);
    devices.open(lo);
    frames.send(lo, numbered(3, 100), lo.address);
    await world.advance(0);
    expect(user.got).toEqual([numbered(3, 100)]);
    expect(skbsOut(kernel)).toBe(0);
  });

  test('waits for who goes by it, lets nobody new do so, and comes back', async () => {
    const { world, kernel, lo, frames } = await host();
    const user = frames.open(lo, 'user');
    const unload = kernel.unload('loopback');
    await world.advance(0);
    expect(kernel.module('loopback')?.state).toBe('draining');
    expect(kernel.holders('loopback').map(({ kind, owner }) => `${kind} of ${owner}`)).toEqual(['use of user']);
    expect(() => frames.open(lo, 'another')).toThrow('ESHUTDOWN: loopback#1 is leaving');
    await expect(world.run(kernel.load(LoopbackModule))).rejects.toThrow('EBUSY');
    frames.send(lo, numbered(1, 100), lo.address);
    await world.advance(0);
    expect(user.got.length).toBe(1);
    await world.run(kernel.abort('loopback'));
    expect((await world.run(unload)).outcome).toBe('live');
    const another = frames.open(lo, 'another');
    const last = kernel.unload('loopback');
    frames.close(another);
    frames.close(user);
    expect(await world.run(last)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  });

  test('closes who goes by it, by force', async () => {
    const { world, kernel, lo, frames } = await host();
    const user = frames.open(lo, 'user');
    const report = await world.run(kernel.unload('loopback', { force: true }));
    expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(report.broken.map(({ kind }) => kind)).toEqual(['user']);
    expect(user.open).toBe(false);
  });

  test('is replaced by hand-over only', async () => {
    const { world, kernel } = await host();
    await expect(world.run(kernel.replace('loopback', LoopbackModule, { mode: 'drain' }))).rejects.toThrow('EBUSY');
  });

  test('stays one and the same when it is handed over', async () => {
    const { world, kernel, lo, frames } = await host();
    const user = frames.open(lo, 'user');
    frames.send(lo, numbered(1, 100), lo.address);
    const { mode, adopted, drained } = await world.run(kernel.replace('loopback', LoopbackModule));
    expect([mode, adopted]).toEqual(['handover', { device: 1, use: 1 }]);
    expect((await world.run(drained)).leaks).toEqual([]);
    expect(loOf(kernel)).toBe(lo);
    frames.send(lo, numbered(2, 100), lo.address);
    await world.advance(0);
    expect(user.got.length).toBe(2);
    expect(kernel.holders('loopback').map(({ owner }) => owner)).toEqual(['user']);
  });
});

/** Frames of a user; who comes besides takes a look at the door, which are cached routes. */
async function loopbackTraffic(kernel: Kernel): Promise<Traffic> {
  const frames = (): Frames => kernel.port(Frames).current;
  const device = loOf(kernel);
  const user = frames().open(device, 'user', false);
  let sent = 0;
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        const payload = numbered(++sent, 2000);
        user.heard = (got) => (Buffer.compare(got, payload) === 0 ? resolve(2000) : reject(new Error('damaged')));
        if (frames().send(device, payload, device.address) !== 0) reject(new Error('not sent'));
      }),
    openAnother: async () => frames().close(frames().open(device, 'another')),
    close: async () => frames().close(user),
  };
}

describe('compliance of loopback', () => {
  const subject = {
    source: LoopbackModule,
    holdsNothingUp: true,
    needs: [SkbModule, NetdevModule, FramesModule],
    traffic: ([kernel]: readonly Kernel[]) => loopbackTraffic(kernel!),
  };
  test.each(complianceChecks(subject))('$name', async ({ run }) => {
    await run();
  });
});

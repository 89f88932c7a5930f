import type { NetDevice } from '@softnet/contract';
import { DeviceKind, Devices } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import type { CableOptions } from '@softnet/nic-driver';
import { Cable, WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import { complianceChecks } from '@softnet/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FrameUser } from './frames.ts';
import { addDevice, drops, Frames, FramesModule, frameHost, numbered, numberOf, skbsOut } from './frames.ts';
import { wireTraffic } from './wire-traffic.ts';

interface End {
  readonly kernel: Kernel;
  readonly device: NetDevice;
  readonly user: FrameUser;
  send(payload: Uint8Array): number;
}

async function joined(options: CableOptions = {}, { hold = false, sameKernel = false, world = new World({ seed: 3 }) } = {}) {
  const cable = new Cable(options);
  const kernels = [await frameHost(world, 'a')];
  if (!sameKernel) kernels.push(await frameHost(world, 'b'));
  for (const kernel of kernels) await world.run(kernel.load(WireModule));
  const ends: End[] = [];
  for (const kernel of sameKernel ? [kernels[0]!, kernels[0]!] : kernels) {
    const device = await addDevice(kernel, 'wire', 'eth%d', { cable });
    const frames = () => kernel.port(Frames).current;
    ends.push({ kernel, device, user: frames().open(device, 'user', hold), send: (payload) => frames().send(device, payload) });
  }
  return { world, cable, a: ends[0]!, b: ends[1]! };
}

describe('a wire', () => {
  test.each([false, true])('carries frames of all sizes, whole, in order, both ways (one kernel: %s)', async (sameKernel) => {
    const { world, a, b } = await joined({ delayUs: 50 }, { sameKernel });
    const sizes = [4, 46, 100, 1500, 60, 4096, 9000, 61_000];
    a.device.mtuBytes = 65_000;
    b.device.mtuBytes = 65_000;
    for (const [i, size] of sizes.entries()) a.send(numbered(i, size));
    for (const [i, size] of sizes.entries()) b.send(numbered(100 + i, size));
    await world.advance(49);
    expect(b.user.got.length).toBe(0);
    await world.advance(1);
    expect(b.user.got).toEqual(sizes.map((size, i) => numbered(i, size)));
    expect(a.user.got).toEqual(sizes.map((size, i) => numbered(100 + i, size)));
    expect(a.device.stats).toMatchObject({ txPackets: 8, rxPackets: 8, txBytes: b.device.stats.rxBytes, multicast: 8 });
    expect(drops(a.kernel)).toEqual({});
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
  });

  test('takes the time that its rate says, exactly, and its sender is told when frames have left', async () => {
    const { world, cable, a, b } = await joined({ rateBps: 7_000_000, delayUs: 1000 });
    const arrived: number[] = [];
    b.user.heard = () => arrived.push(world.nowUs);
    const begun = world.nowUs;
    for (let i = 0; i < 100; i++) a.send(numbered(i, 1000));
    expect(a.device.stats.txPackets).toBe(0);
    await world.advance(200_000);
    // 1,014 bytes at 7 Mbit/s are 1,158.857… µs.
    expect(arrived).toEqual(Array.from({ length: 100 }, (_, i) => begun + 1000 + Math.floor(((i + 1) * 1014 * 8e6) / 7e6)));
    expect(a.device.stats.txPackets).toBe(100);
    expect(a.device.txQueues[0]!.inFlightBytes).toBe(0);
    cable.set({ rateBps: 0 }, 0);
    a.send(numbered(1, 1000));
    await world.advance(1000);
    expect(arrived.length).toBe(101);
  });

  test('loses, doubles, swaps and damages as many as it is told to; the same seed, the same ones', async () => {
    const run = async (seed: number) => {
      const { world, cable, a, b } = await joined({
        seed,
        delayUs: 300,
        jitterUs: 20,
        loss: 0.1,
        duplicate: 0.1,
        reorder: 0.1,
        corrupt: 0.1,
      });
      for (let i = 0; i < 1000; i++) {
        a.send(numbered(i, 300));
        await world.advance(40);
      }
      await world.advance(10_000);
      const { lost, duplicated, reordered, corrupted, frames } = cable.counts(0);
      expect(frames).toBe(1000);
      for (const count of [lost, duplicated, reordered, corrupted]) expect(Math.abs(count - 100)).toBeLessThan(35);
      expect(drops(a.kernel)['wire.lost']).toBe(lost);
      expect(b.device.stats.rxPackets).toBe(1000 - lost + duplicated);
      expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
      return b.user.got;
    };
    const got = await run(5);
    const order = got.map(numberOf);
    expect(order).not.toEqual([...order].sort((x, y) => x - y));
    const damaged = got.filter((payload) => Buffer.compare(payload, numbered(numberOf(payload), 300)) !== 0);
    expect(damaged.length).toBeGreaterThan(50);
    expect(await run(5)).toEqual(got);
    expect(await run(6)).not.toEqual(got);
  });

  test('never damages what the sender keeps, nor anything but one bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 46, max: 6000 }), fc.boolean(), fc.integer(), async (size, sameKernel, seed) => {
        const { world, cable, a, b } = await joined({ seed, corrupt: 1 }, { sameKernel });
        a.device.mtuBytes = 9000;
        b.device.mtuBytes = 9000;
        const sent = numbered(1, size);
        a.send(sent);
        await world.advance(1000);
        const bits = (payload: Uint8Array) =>
          payload.reduce((sum, byte, i) => sum + (byte ^ sent[i]!).toString(2).replaceAll('0', '').length, 0);
        // Damage to the header may keep it from arriving here.
        for (const payload of b.user.got) expect(bits(payload)).toBeLessThanOrEqual(1);
        expect(sent).toEqual(numbered(1, size));
        expect(cable.counts(0).corrupted).toBe(1);
        expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test('keeps senders waiting when as many are under way as may be, and loses none', async () => {
    const { world, a, b } = await joined({ delayUs: 10_000, queueFrames: 16 });
    for (let i = 0; i < 200; i++) a.send(numbered(i, 60));
    expect(a.device.txQueues[0]!.stopped).toBe(true);
    expect(a.device.qdisc!.lenPackets).toBeGreaterThan(150);
    await world.advance(10_000);
    expect(b.user.got.length).toBe(16);
    await world.advance(500_000);
    expect(b.user.got.map(numberOf)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(drops(a.kernel)).toEqual({});
  });

  test('has carrier while both ends are up and it is whole; what is under way when it is cut is lost, counted and freed', async () => {
    const { world, cable, a, b } = await joined({ delayUs: 1000, rateBps: 10_000_000 });
    const carriers = () => [a.device.carrier, b.device.carrier];
    expect(carriers()).toEqual([true, true]);
    for (let i = 0; i < 10; i++) a.send(numbered(i, 1000));
    await world.advance(1500);
    expect(skbsOut(b.kernel)).toBe(1);
    cable.cut();
    expect(carriers()).toEqual([false, false]);
    expect(skbsOut(b.kernel)).toBe(0);
    await world.advance(20_000);
    expect(b.user.got.length).toBe(0);
    expect(drops(a.kernel)['wire.no-carrier']).toBe(9);
    expect(drops(b.kernel)['wire.cut']).toBe(1);
    a.send(numbered(1, 100));
    expect(drops(a.kernel)['netdev.no-carrier']).toBe(1);
    cable.mend();
    expect(carriers()).toEqual([true, true]);
    a.send(numbered(1, 100));
    await world.advance(10_000);
    expect(b.user.got.length).toBe(1);
    b.kernel.port(Devices).current.close(b.device);
    expect(carriers()).toEqual([false, false]);
    b.kernel.port(Devices).current.open(b.device);
    a.send(numbered(2, 100));
    await world.advance(10_000);
    expect(b.user.got.length).toBe(2);
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
  });

  test('drops what is longer than the MTU at the other end, with a reason', async () => {
    const { world, a, b } = await joined();
    a.send(numbered(1, 1509));
    a.send(numbered(2, 1508));
    await world.advance(1000);
    expect(b.user.got.map(numberOf)).toEqual([2]);
    expect(drops(a.kernel)).toEqual({ 'wire.too-long': 1 });
  });

  test('goes on when the kernel at the other end has no packet memory', async () => {
    const world = new World({ seed: 3 });
    const { cable, a, b } = await joined({ delayUs: 1000 }, { world });
    b.kernel.sysctl.set('net.core.skb_buffers', 4);
    for (let i = 0; i < 6; i++) a.send(numbered(i, 60));
    await world.advance(2000);
    expect(b.user.got.length).toBe(4);
    expect(drops(a.kernel)).toEqual({ 'wire.no-memory': 2 });
    expect(b.device.stats.rxMissed).toBe(2);
    expect(cable.counts(0).frames).toBe(6);
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
  });

  test.each([10, 150])('loses nothing that came in one batch with a frame at which somebody above throws (%i)', async (count) => {
    const { world, a, b } = await joined({ delayUs: 10 });
    b.user.heard = (payload) => {
      if (numberOf(payload) === 3) throw new Error('a fault');
    };
    for (let i = 0; i < count; i++) a.send(numbered(i, 60));
    await world.advance(1000);
    expect(b.user.got.map(numberOf)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(b.kernel.faults.map(({ module }) => module)).toEqual(['test-frames#1']);
    expect(skbsOut(b.kernel)).toBe(0);
  });

  test('hands no frame up that waits when its device goes down, and bounds what waits', async () => {
    const { world, a, b } = await joined();
    const devices = b.kernel.port(Devices).current;
    let closed = false;
    b.user.heard = () => {
      if (!closed) devices.close(b.device);
      closed = true;
    };
    for (let i = 0; i < 300; i++) a.send(numbered(i, 60));
    await world.advance(1000);
    expect(b.user.got.length).toBe(1);
    expect(skbsOut(b.kernel)).toBe(0);
    const lost = drops(b.kernel);
    expect((lost['wire.down'] ?? 0) + (lost['netdev.down'] ?? 0) + (lost['wire.cut'] ?? 0)).toBeGreaterThan(60);
  });

  test('says what is wrong with options', async () => {
    const { world, cable, a } = await joined();
    const add = (options: object) => world.run(addDevice(a.kernel, 'wire', 'eth%d', options));
    await expect(add({ cable })).rejects.toThrow('EBUSY: wire: both ends of cable are plugged in already');
    await expect(add({ cable, end: 1 })).rejects.toThrow('EBUSY: end 1 of cable is in eth0 already');
    await expect(add({})).rejects.toThrow('EINVAL: wire: cable takes a Cable');
    await expect(add({ cable: new Cable(), end: 2 })).rejects.toThrow('EINVAL: wire: end takes 0 or 1');
    await expect(add({ cable: new Cable(), mtu: 9000 })).rejects.toThrow('EINVAL: wire: there is no option mtu');
    await expect(add({ cable: new Cable(), address: '01:00:5e:00:00:01' })).rejects.toThrow("a group's");
    expect(() => new Cable({ loss: 2 })).toThrow('EINVAL: cable: loss takes a fraction');
    expect(() => cable.set({ delayUs: 1.5 })).toThrow('EINVAL: cable: delayUs takes whole');
    expect(() => cable.set({ queueFrames: 0 })).toThrow('EINVAL');
    const spare = new Cable();
    const taken = a.kernel.port(Devices).current;
    await expect(world.run(addDevice(a.kernel, 'wire', a.device.name, { cable: spare }))).rejects.toThrow('EEXIST');
    expect(spare.ends[0].port).toBe(null);
    const device = await add({ cable: spare });
    taken.remove(device);
    expect(spare.ends[0].port).toBe(null);
    await world.run(a.kernel.unload('wire'));
    expect(cable.ends[0].port).toBe(null);
  });

  test('makes no device while it leaves, and carries on with those that there are', async () => {
    const { world, a, b } = await joined({}, { hold: true });
    const kind = a.kernel.contributions(DeviceKind).items[0]!;
    const unload = a.kernel.unload('wire');
    await expect(world.run(addDevice(a.kernel, 'wire', 'eth1', { cable: new Cable() }))).rejects.toThrow('EOPNOTSUPP');
    // Who kept the door's handle.
    expect(() => kind.create('eth1', { cable: new Cable() }, { name: 'test' })).toThrow('ESHUTDOWN: wire#1 is leaving');
    b.send(numbered(1, 100));
    await world.advance(100);
    expect(a.user.got.length).toBe(1);
    a.kernel.port(Frames).current.close(a.user);
    expect(await world.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(b.device.carrier).toBe(false);
  });

  test('loses what flies towards a module that is unloaded, counted and freed; the other end loses its carrier', async () => {
    const { world, a, b } = await joined({ delayUs: 1000 });
    for (let i = 0; i < 5; i++) a.send(numbered(i, 100));
    await world.advance(10);
    const report = await world.run(b.kernel.unload('wire'));
    expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(drops(b.kernel)).toEqual({ 'wire.cut': 5 });
    expect(a.device.carrier).toBe(false);
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
    await world.advance(10_000);
  });

  test('runs on the real clock', async () => {
    const world = new World({ clock: 'real' });
    const { a, b } = await joined({ delayUs: 3000, rateBps: 100_000_000 }, { world });
    const begun = world.nowUs;
    const done = new Promise<number>((resolve) => {
      b.user.heard = () => b.user.got.length === 200 && resolve(world.nowUs - begun);
    });
    for (let i = 0; i < 200; i++) a.send(numbered(i, 1000));
    const tookUs = await done;
    expect(tookUs).toBeGreaterThanOrEqual(3000 + (200 * 1014 * 8) / 100);
    expect(tookUs).toBeLessThan(500_000);
    await Promise.all([a.kernel.shutdown(), b.kernel.shutdown()]);
  });
});

describe('compliance of wire', () => {
  const subject = {
    source: WireModule,
    needs: [SkbModule, NetdevModule, FramesModule],
    traffic: (kernels: readonly Kernel[]) => wireTraffic(kernels as [Kernel, Kernel]),
  };
  test.each(complianceChecks(subject))('$name', async ({ run }) => {
    await run();
  });
});

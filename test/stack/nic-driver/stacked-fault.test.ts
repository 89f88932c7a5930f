import { Devices } from '@softnet/contract';
import { World } from '@softnet/kernel';
import { FaultModule, Faults } from '@softnet/nic-driver';
import { describe, expect, test } from 'vitest';
import { addDevice, drops, numbered, numberOf, skbsOut } from './frames.ts';
import type { StackedHost } from './stacked-hosts.ts';
import { remove, stackedHosts } from './stacked-hosts.ts';

const faultsOf = ({ kernel }: StackedHost): Faults => kernel.port(Faults).current;

describe('a fault injector', () => {
  test('loses, doubles, swaps and damages as many as it is told to, each way for itself; the same seed, the same ones', async () => {
    const run = async (seed: number) => {
      const options = { seed, delayUs: 300, jitterUs: 20, txLoss: 0.1, txDuplicate: 0.1, rxReorder: 0.1, rxCorrupt: 0.1 };
      const { world, a, b } = await stackedHosts([{ kind: 'fault', options }]);
      for (let i = 0; i < 300; i++) {
        a.send(numbered(i, 300));
        b.send(numbered(i, 300));
        await world.advance(40);
      }
      await world.advance(10_000);
      const [tx, rx] = [faultsOf(a).counts(a.top, 'tx'), faultsOf(a).counts(a.top, 'rx')];
      expect([tx.frames, tx.reordered, tx.corrupted]).toEqual([300, 0, 0]);
      expect([rx.frames, rx.lost, rx.duplicated]).toEqual([300, 0, 0]);
      for (const count of [tx.lost, tx.duplicated, rx.reordered, rx.corrupted]) expect(Math.abs(count - 30)).toBeLessThan(15);
      expect(drops(a.kernel)['fault.lost']).toBe(tx.lost);
      expect(b.top.stats.rxPackets).toBe(300 - tx.lost + tx.duplicated);
      expect(a.devices[0]!.stats.txPackets).toBe(b.top.stats.rxPackets);
      expect(a.top.stats.txPackets).toBe(300);
      expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
      return [a.user.got, b.user.got];
    };
    const got = await run(5);
    const order = got[0]!.map(numberOf);
    expect(order).not.toEqual(order.toSorted((x, y) => x - y));
    expect(await run(5)).toEqual(got);
    expect(await run(6)).not.toEqual(got);
  });

  test('takes the time that rate and delay say, exactly', async () => {
    const { world, a, b } = await stackedHosts([{ kind: 'fault', options: { txRateBps: 7_000_000, txDelayUs: 1000, rxDelayUs: 77 } }]);
    const arrived: number[] = [];
    b.user.heard = () => arrived.push(world.nowUs);
    const begun = world.nowUs;
    for (let i = 0; i < 100; i++) a.send(numbered(i, 1000));
    expect([a.top.stats.txPackets, a.devices[0]!.stats.txPackets]).toEqual([0, 0]);
    await world.advance(200_000);
    // 1,014 bytes at 7 Mbit/s are 1,158.857… µs.
    expect(arrived).toEqual(Array.from({ length: 100 }, (_, i) => begun + 1000 + Math.floor(((i + 1) * 1014 * 8e6) / 7e6)));
    expect([a.top.stats.txPackets, a.top.txQueues[0]!.inFlightBytes]).toEqual([100, 0]);
    const sentUs = world.nowUs;
    let heardUs = 0;
    a.user.heard = () => {
      heardUs = world.nowUs;
    };
    b.send(numbered(1, 60));
    await world.advance(1000);
    expect(heardUs).toBe(sentUs + 77);
  });

  test('keeps senders waiting when as many are under way as may be, and loses none; of what is received it drops the rest', async () => {
    const { world, a, b } = await stackedHosts([{ kind: 'fault', options: { delayUs: 10_000, queueFrames: 16 } }]);
    for (let i = 0; i < 200; i++) a.send(numbered(i, 60));
    expect(a.top.txQueues[0]!.stopped).toBe(true);
    expect(a.top.qdisc!.lenPackets).toBeGreaterThan(150);
    await world.advance(9_999);
    expect(b.user.got.length).toBe(0);
    await world.advance(1);
    expect(b.user.got.length).toBe(16);
    await world.advance(500_000);
    expect(b.user.got.map(numberOf)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(drops(a.kernel)).toEqual({});
    for (let i = 0; i < 50; i++) b.send(numbered(i, 60));
    await world.advance(20_000);
    expect(a.user.got.map(numberOf)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(drops(a.kernel)).toEqual({ 'fault.full': 34 });
    expect([a.top.stats.rxDropped, faultsOf(a).counts(a.top, 'rx').refused]).toEqual([34, 34]);
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
  });

  test('takes new frames also where all that were under way are lost', async () => {
    const { world, a } = await stackedHosts([{ kind: 'fault', options: { loss: 1, rateBps: 1_000_000, queueFrames: 4 } }]);
    for (let i = 0; i < 50; i++) a.send(numbered(i, 60));
    expect(a.top.txQueues[0]!.stopped).toBe(true);
    await world.advance(100_000);
    expect([faultsOf(a).counts(a.top, 'tx').lost, a.top.txQueues[0]!.stopped, skbsOut(a.kernel)]).toEqual([50, false, 0]);
  });

  test('is changed while frames pass, one way or both; a bad value changes nothing', async () => {
    const { world, a, b } = await stackedHosts([{ kind: 'fault', options: { queueFrames: 4, delayUs: 1000 } }]);
    for (let i = 0; i < 20; i++) a.send(numbered(i, 60));
    expect(a.top.txQueues[0]!.stopped).toBe(true);
    faultsOf(a).set(a.top, { queueFrames: 1024, txDelayUs: 5 });
    await world.advance(10);
    expect(b.user.got.map(numberOf)).toEqual(Array.from({ length: 16 }, (_, i) => i + 4));
    await world.advance(1000);
    expect(b.user.got.length).toBe(20);
    expect([faultsOf(a).settings(a.top, 'tx').delayUs, faultsOf(a).settings(a.top, 'rx').delayUs]).toEqual([5, 1000]);
    faultsOf(a).set(a.top, { loss: 1 });
    faultsOf(a).set(a.top, { rxLoss: 0 });
    a.send(numbered(1, 60));
    b.send(numbered(1, 60));
    await world.advance(2000);
    expect([a.user.got.length, b.user.got.length]).toEqual([1, 20]);
    const before = faultsOf(a).settings(a.top, 'tx');
    expect(() => faultsOf(a).set(a.top, { txDelayUs: 7, rxLoss: 1.5 })).toThrow('EINVAL: fault: loss takes a fraction, 0 to 1; got 1.5');
    expect(() => faultsOf(a).set(a.top, { los: 1 } as object)).toThrow('EINVAL: fault: there is no option los; it takes rateBps');
    expect(faultsOf(a).settings(a.top, 'tx')).toEqual(before);
  });

  test('drops what is under way when it goes down, or out; nothing comes out of it later', async () => {
    const { world, a, b } = await stackedHosts([{ kind: 'fault', options: { delayUs: 1000, txRateBps: 1_000_000 } }]);
    const devices = a.kernel.port(Devices).current;
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) a.send(numbered(i, 100));
      for (let i = 0; i < 5; i++) b.send(numbered(i, 100));
      await world.advance(950);
      expect(skbsOut(a.kernel)).toBe(10);
    };
    await fill();
    devices.close(a.top);
    expect(drops(a.kernel)).toEqual({ 'fault.cut': 10 });
    expect([a.top.stats.txDropped, a.top.stats.rxDropped, skbsOut(a.kernel)]).toEqual([5, 5, 0]);
    expect(a.top.txQueues[0]!.inFlightBytes).toBe(0);
    devices.open(a.top);
    await fill();
    remove(a.kernel, a.top);
    expect([drops(a.kernel)['fault.cut'], skbsOut(a.kernel)]).toEqual([20, 0]);
    await world.advance(20_000);
    expect([a.user.got, b.user.got]).toEqual([[], []]);
    expect(await world.run(a.kernel.unload('fault'))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  });

  test('goes on, with what is under way, when its module is replaced: no frame is lost, none is late', async () => {
    const { world, a, b } = await stackedHosts([
      { kind: 'fault', options: { delayUs: 1000, txRateBps: 10_000_000, txLoss: 0.2, seed: 9 } },
    ]);
    const still = await stackedHosts([{ kind: 'fault', options: { delayUs: 1000, txRateBps: 10_000_000, txLoss: 0.2, seed: 9 } }]);
    for (const each of [a, still.a]) for (let i = 0; i < 40; i++) each.send(numbered(i, 100));
    for (const each of [b, still.b]) for (let i = 0; i < 40; i++) each.send(numbered(i, 100));
    await world.advance(500);
    const { outcome, leaks, faults } = await world.run(
      a.kernel.replace('fault', FaultModule, { mode: 'handover' }).then(({ drained }) => drained),
    );
    expect([outcome, leaks, faults]).toEqual(['gone', [], []]);
    expect(a.devices[0]!.above).toBe(a.top.ext);
    faultsOf(a).set(a.top, { rxJitterUs: 3 });
    await world.advance(20_000);
    await still.world.advance(30_000);
    expect(b.user.got.map(numberOf)).toEqual(still.b.user.got.map(numberOf));
    expect(a.user.got.length).toBe(40);
    expect(faultsOf(a).counts(a.top, 'tx')).toEqual(faultsOf(still.a).counts(still.a.top, 'tx'));
    expect(drops(a.kernel)).toEqual({ 'fault.lost': faultsOf(a).counts(a.top, 'tx').lost });
  });

  test('stays beside the next generation when its module is replaced by draining', async () => {
    const { world, a, b } = await stackedHosts([{ kind: 'fault', options: { delayUs: 100 } }], { hold: true });
    const { drained } = await world.run(a.kernel.replace('fault', FaultModule, { mode: 'drain' }));
    b.send(numbered(1, 60));
    await world.advance(200);
    expect(a.user.got.length).toBe(1);
    // The service is the new generation's, the device the old one's.
    faultsOf(a).set(a.top, { rxLoss: 1 });
    b.send(numbered(2, 60));
    await world.advance(200);
    expect([a.user.got.length, faultsOf(a).counts(a.top, 'rx').lost]).toEqual([1, 1]);
    remove(a.kernel, a.top);
    a.user.use.holdKind!.release(a.user.use);
    expect(await world.run(drained)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(await world.run(addDevice(a.kernel, 'fault', 'flt%d', { link: 'eth0' }))).toMatchObject({ name: 'flt0', carrier: true });
  });

  test('says what is wrong with options', async () => {
    const { world, a } = await stackedHosts([]);
    const add = (options: object) => world.run(addDevice(a.kernel, 'fault', 'flt0', { link: 'eth0', ...options }));
    await expect(add({ loss: 2 })).rejects.toThrow('EINVAL: fault: loss takes a fraction, 0 to 1; got 2');
    await expect(add({ txDelayUs: 1.5 })).rejects.toThrow('EINVAL: fault: delayUs takes whole');
    await expect(add({ rxQueueFrames: 0 })).rejects.toThrow('EINVAL: fault: queueFrames takes');
    await expect(add({ seed: 1.5 })).rejects.toThrow('EINVAL: fault: seed takes an integer, got 1.5');
    await expect(add({ loss: '10%' })).rejects.toThrow('EINVAL: fault: loss takes a fraction, 0 to 1; got 10%');
    await expect(add({ delay: 1 })).rejects.toThrow(
      'EINVAL: fault: there is no option delay; it takes link, address, mtuBytes, seed, rateBps, txRateBps',
    );
    expect(a.top.above).toBe(null);
  });

  test('runs on the real clock', async () => {
    const world = new World({ clock: 'real' });
    const { a, b } = await stackedHosts([{ kind: 'fault', options: { delayUs: 3000, rateBps: 100_000_000 } }], { world });
    const begun = world.nowUs;
    const done = new Promise<number>((resolve) => {
      b.user.heard = () => b.user.got.length === 200 && resolve(world.nowUs - begun);
    });
    for (let i = 0; i < 200; i++) a.send(numbered(i, 1000));
    expect(await done).toBeGreaterThanOrEqual(3000 + (200 * 1014 * 8) / 100);
    await Promise.all([a.kernel.shutdown(), b.kernel.shutdown()]);
  });
});

import { DEVICE_FEATURE, Devices, DeviceTraffic, OPERSTATE } from '@softnet/contract';
import { Faults, LoopbackModule, Traces } from '@softnet/nic-driver';
import { describe, expect, test } from 'vitest';
import { addDevice, drops, Frames, numbered, numberOf, skbsOut } from './frames.ts';
import { remove, stack, stackedHosts } from './stacked-hosts.ts';

const has = (features: number): boolean => (features & DEVICE_FEATURE.RX_GSO) !== 0;
const KINDS = ['fault', 'trace', 'capture'] as const;
const optionsOf = (kind: (typeof KINDS)[number]): object => (kind === 'capture' ? { write: () => {} } : {});

describe.each(KINDS)('a device of kind %s', (kind) => {
  const layer = { kind, options: optionsOf(kind) };

  test('passes frames of all sizes on, whole, in order, both ways; both devices count them', async () => {
    const { world, a, b } = await stackedHosts([layer]);
    const [eth0] = a.devices;
    const sizes = [4, 46, 100, 1500, 60, 1400];
    for (const [i, size] of sizes.entries()) {
      a.send(numbered(i, size));
      b.send(numbered(100 + i, size));
    }
    await world.advance(100);
    expect(b.user.got).toEqual(sizes.map((size, i) => numbered(i, size)));
    expect(a.user.got).toEqual(sizes.map((size, i) => numbered(100 + i, size)));
    const { txPackets, txBytes, rxPackets, rxBytes } = eth0!.stats;
    expect(a.top.stats).toMatchObject({ txPackets, txBytes, rxPackets, rxBytes, rxDropped: 0, txDropped: 0 });
    expect([txPackets, rxPackets]).toEqual([6, 6]);
    expect(a.top.txQueues[0]!.inFlightBytes).toBe(0);
    expect(drops(a.kernel)).toEqual({});
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
  });

  test('has link, address, MTU and rooms of the device below, and what it does not say itself', async () => {
    const { a } = await stackedHosts([layer]);
    const [eth0] = a.devices;
    const { type, link, mtuBytes, headroomBytes, tailroomBytes, addressLen } = eth0!;
    expect(a.top).toMatchObject({ kind, type, link, mtuBytes, headroomBytes, tailroomBytes, addressLen, maxMtuBytes: mtuBytes });
    expect(a.top.lower).toBe(eth0);
    expect([...a.top.address]).toEqual([...eth0!.address]);
    expect([...a.top.broadcast]).toEqual([255, 255, 255, 255, 255, 255]);
  });

  test('follows the state of the device below, which must be up by itself', async () => {
    const { world, cable, a, b } = await stackedHosts([layer]);
    const [eth0] = a.devices;
    const devices = a.kernel.port(Devices).current;
    expect(a.top.operstate).toBe(OPERSTATE.UP);
    devices.close(eth0!);
    expect([a.top.carrier, a.top.operstate]).toEqual([false, OPERSTATE.LOWER_LAYER_DOWN]);
    a.send(numbered(1, 60));
    expect(drops(a.kernel)).toEqual({ 'netdev.no-carrier': 1 });
    devices.open(eth0!);
    expect([a.top.carrier, a.top.operstate]).toEqual([true, OPERSTATE.UP]);
    cable.cut();
    expect(a.top.carrier).toBe(false);
    cable.mend();
    // Down itself: what comes is dropped with a reason, also when it is up again a moment later.
    devices.close(a.top);
    b.send(numbered(2, 60));
    await world.advance(100);
    expect(drops(a.kernel)).toEqual({ 'netdev.no-carrier': 1, [`${kind}.down`]: 1 });
    expect(a.top.stats.rxDropped).toBe(1);
    devices.open(a.top);
    b.send(numbered(3, 60));
    await world.advance(100);
    expect(a.user.got.map(numberOf)).toEqual([3]);
    expect(skbsOut(a.kernel)).toBe(0);
  });

  test('follows address, MTU and features of the device below; an address of its own stays', async () => {
    const { world, a } = await stackedHosts([layer, { ...layer, options: { ...layer.options, address: '02:00:00:00:00:77' } }]);
    const [eth0, middle, top] = a.devices;
    const devices = a.kernel.port(Devices).current;
    for (const last of [0x55, 0x56]) {
      devices.setAddress(eth0!, Uint8Array.of(2, 0, 0, 0, 0, last));
      expect([middle!.address[5], top!.address[5]]).toEqual([last, 0x77]);
    }
    devices.setMtu(eth0!, 1280);
    expect([middle!.mtuBytes, top!.mtuBytes]).toEqual([1280, 1280]);
    expect(() => devices.setMtu(top!, 1281)).toThrow('EINVAL');
    devices.setMtu(eth0!, 9000);
    expect([middle!.mtuBytes, middle!.maxMtuBytes, top!.maxMtuBytes]).toEqual([1280, 9000, 1280]);
    devices.setMtu(middle!, 2000);
    expect(top!.maxMtuBytes).toBe(2000);
    const before = eth0!.features;
    devices.setFeatures(eth0!, before | DEVICE_FEATURE.RX_GSO);
    for (const device of [middle!, top!]) expect([device.features, device.hardwareFeatures].map(has)).toEqual([true, true]);
    devices.setFeatures(top!, top!.features & ~DEVICE_FEATURE.GRO);
    devices.setFeatures(eth0!, before & ~DEVICE_FEATURE.GRO);
    for (const device of [middle!, top!]) expect([device.features, device.hardwareFeatures].map(has)).toEqual([false, false]);
    // netdev's, of each device by itself.
    expect([middle!, top!].map(({ features }) => features & DEVICE_FEATURE.GRO)).toEqual([DEVICE_FEATURE.GRO, 0]);
    await world.advance(10);
  });

  test('is the only one on its device; removed, it leaves that one as it was', async () => {
    const { world, a, b } = await stackedHosts([layer]);
    const [eth0] = a.devices;
    const direct = a.kernel.port(Frames).current.open(eth0!, 'direct', false);
    await expect(world.run(addDevice(a.kernel, 'trace', 'x', { link: 'eth0' }))).rejects.toThrow(
      /EBUSY: a device is stacked on eth0 already: stack 'x' on that one/,
    );
    b.send(numbered(1, 60));
    await world.advance(100);
    expect([a.user.got.length, direct.got.length]).toEqual([1, 0]);
    b.send(numbered(2, 60));
    remove(a.kernel, a.top);
    expect([eth0!.above, a.top.ifindex]).toEqual([null, 0]);
    await world.advance(100);
    expect(direct.got.map(numberOf)).toEqual([2]);
    expect(skbsOut(a.kernel)).toBe(0);
    const [, again] = await world.run(stack(a.kernel, eth0!, [layer]));
    expect(again!.operstate).toBe(OPERSTATE.UP);
  });

  test('goes with the device below, and so does what is stacked on it', async () => {
    const { world, a, b } = await stackedHosts([layer, layer, layer]);
    const [eth0, ...above] = a.devices;
    for (let i = 0; i < 20; i++) b.send(numbered(i, 60));
    for (let i = 0; i < 20; i++) a.send(numbered(i, 60));
    remove(a.kernel, eth0!);
    expect(a.kernel.port(DeviceTraffic).current.all()).toEqual([]);
    for (const device of above) expect([device.ifindex, device.above, device.carrier]).toEqual([0, null, false]);
    expect(eth0!.above).toBe(null);
    await world.advance(1000);
    expect(skbsOut(a.kernel) + skbsOut(b.kernel)).toBe(0);
    for (const name of ['fault', 'trace', 'capture', 'wire']) {
      expect(await world.run(a.kernel.unload(name))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    }
  });

  test('says what is wrong with options', async () => {
    const { world, a } = await stackedHosts([]);
    await world.run(a.kernel.load(LoopbackModule));
    const add = (options: object) => world.run(addDevice(a.kernel, kind, 'x', { ...optionsOf(kind), ...options }));
    await expect(add({})).rejects.toThrow(`EINVAL: ${kind}: link says which device it is stacked on`);
    await expect(add({ link: 'eth7' })).rejects.toThrow(`ENODEV: ${kind}: there is no device 'eth7' to be stacked on; there are: eth0, lo`);
    await expect(add({ link: 99 })).rejects.toThrow(`ENODEV: ${kind}: there is no device '99'`);
    await expect(add({ link: null })).rejects.toThrow(`ENODEV: ${kind}: there is no device 'null'`);
    await expect(add({ link: 'x' })).rejects.toThrow('ENODEV');
    await expect(add({ link: 'lo' })).rejects.toThrow(`EINVAL: ${kind}: nothing can be stacked on lo`);
    await expect(add({ link: 'eth0', mtuBytes: 1501 })).rejects.toThrow(`EINVAL: ${kind}: mtuBytes takes 68 to 1500, got 1501`);
    await expect(add({ link: 'eth0', mtu: 9000 })).rejects.toThrow(`EINVAL: ${kind}: there is no option mtu`);
    await expect(add({ link: 'eth0', address: '01:00:5e:00:00:01' })).rejects.toThrow("a group's");
    expect(a.top.above).toBe(null);
    await expect(world.run(addDevice(a.kernel, kind, 'eth0', { ...optionsOf(kind), link: 'eth0' }))).rejects.toThrow('EEXIST');
    expect(a.top.above).toBe(null);
    const byIndex = await add({ link: a.top.ifindex });
    expect(byIndex.lower).toBe(a.top);
    remove(a.kernel, byIndex);
    expect((await add({ link: a.top })).lower).toBe(a.top);
  });
});

test('at most eight devices stand on one another', async () => {
  const { world, a } = await stackedHosts(Array.from({ length: 7 }, () => ({ kind: 'fault' as const })));
  await expect(world.run(stack(a.kernel, a.top, [{ kind: 'trace' }]))).rejects.toThrow(
    'EINVAL: trace: at most 8 devices stand on one another, and fault7 is on top of as many',
  );
});

test('who asks for another device is told', async () => {
  const { a } = await stackedHosts([]);
  expect(() => a.kernel.port(Faults).current.counts(a.top, 'tx')).toThrow("EINVAL: 'eth0' is no device of kind fault");
  expect(() => a.kernel.port(Traces).current.lines(a.top)).toThrow("EINVAL: 'eth0' is no device of kind trace");
});

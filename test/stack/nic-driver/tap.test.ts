import type { NetDevice } from '@softnet/contract';
import { SkbPool, TRANSMIT } from '@softnet/contract';
import { TapModule } from '@softnet/nic-driver/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { skipAloud } from '../../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../../interop/linux/netns.ts';
import { differing, FrameHost, testFrame, until } from './frame-host.ts';
import { LinuxNetwork } from './linux-network.ts';

/** Two taps of one kernel of ours, and a bridge of Linux between them. */
describe.skipIf(skipAloud('a TAP and a bridge of Linux', netnsSkipReason()))('tap, with a bridge of Linux', () => {
  let bridges = 0;
  let linux: LinuxNetwork;
  let host: FrameHost;
  let a: NetDevice;
  let b: NetDevice;
  let names: { readonly a: string; readonly b: string };

  async function make(mtuBytes = 1500): Promise<void> {
    a = await host.create('tap', 'tap0', { ifname: names.a, mtuBytes });
    b = await host.create('tap', 'tap1', { ifname: names.b, mtuBytes });
    linux.take(names.a, names.b);
  }

  async function join(mtuBytes = 1500): Promise<void> {
    for (const name of [names.a, names.b]) linux.ip('link', 'set', name, 'mtu', String(mtuBytes));
    for (const device of [a, b]) host.devices.open(device);
    linux.bridge(`br${bridges++}`, names.a, names.b);
    await until('both have carrier', () => a.carrier && b.carrier);
    // A port of a bridge forwards a moment after its carrier.
    for (let tries = 0; host.count === 0 && tries < 200; tries++) {
      host.send(a, testFrame(0));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await quiet();
    host.received.length = 0;
    host.count = 0;
  }

  /** Waits until nothing more comes. */
  async function quiet(): Promise<void> {
    for (let before = -1; before !== host.count; ) {
      before = host.count;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  beforeEach(async () => {
    linux = new LinuxNetwork();
    host = await FrameHost.boot(TapModule);
    host.ethertype = 0x88b5;
    names = { a: `${linux.tag}t0`, b: `${linux.tag}t1` };
  });
  afterEach(async () => {
    await host.kernel.shutdown();
    linux.close();
  });

  test('frames of all sizes arrive as they were sent, in order', async () => {
    await make();
    await join();
    const frames = [14, 15, 59, 60, 61, 64, 65, 1000, 1513, 1514].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) expect(host.send(a, frame)).toBe(TRANSMIT.OK);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    for (const frame of frames) host.send(b, frame);
    await until('all are there', () => host.received.length === 2 * frames.length);
    expect(differing(host.received.slice(frames.length), frames)).toEqual([]);
    // The bridge has a word now and then too.
    expect(b.stats.rxBytes).toBeGreaterThanOrEqual(a.stats.txBytes);
    expect(a.stats.multicast).toBe(a.stats.rxPackets);
  });

  test('jumbo frames lie on pages, both ways', async () => {
    await make(9000);
    await join(9000);
    const frames = [1982, 1983, 2000, 6078, 6079, 9014].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) host.send(a, frame);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
  });

  test('many frames arrive in bursts, each once', async () => {
    await make();
    await join();
    const received: number[] = [];
    for (let burst = 0; burst < 20; burst++) {
      for (let i = 0; i < 100; i++) host.send(a, testFrame((burst * 100 + i) % 256, 100));
      await until('the burst is there', () => host.received.length === 100);
      received.push(...host.received.splice(0).map((frame) => frame[14]!));
    }
    expect(received).toEqual(Array.from({ length: 2000 }, (_, number) => testFrame(number % 256)[14]));
    expect([a.stats.txErrors, a.stats.txDropped, b.stats.rxErrors, b.stats.rxMissed]).toEqual([0, 0, 0, 0]);
  });

  test('a frame longer than our MTU is dropped, with a reason', async () => {
    await make();
    await join(2000);
    host.devices.setMtu(a, 1900);
    host.send(a, testFrame(1, 1518));
    host.send(a, testFrame(2, 1519));
    host.send(a, testFrame(3, 1914));
    host.send(a, testFrame(4, 60));
    await until('two are there', () => host.received.length === 2);
    expect(host.received.map(({ length }) => length)).toEqual([1518, 60]);
    expect([host.drops('tap.too-long'), b.stats.rxErrors]).toEqual([2, 2]);
  });

  test('carrier follows the end of Linux, and that of Linux ours', async () => {
    await make();
    await join();
    expect(linux.ip('link', 'show', names.a)).toMatch(/LOWER_UP/);
    linux.ip('link', 'set', names.a, 'down');
    host.send(a, testFrame(1));
    await until('a has no carrier', () => !a.carrier);
    expect([host.drops('tap.unplugged'), a.stats.txDropped, a.stats.txPackets > 0]).toEqual([1, 1, true]);
    expect(host.send(a, testFrame(1))).toBe(TRANSMIT.DROPPED);
    linux.ip('link', 'set', names.a, 'up');
    await until('a has carrier again', () => a.carrier);
    host.devices.close(a);
    expect(linux.ip('link', 'show', names.a)).toMatch(/NO-CARRIER/);
    host.devices.open(a);
    expect(linux.ip('link', 'show', names.a)).toMatch(/LOWER_UP/);
  });

  test('a device that is down takes nothing, and nothing that is old when it is up again', async () => {
    await make();
    await join();
    host.send(a, testFrame(1));
    host.devices.close(b);
    await quiet();
    host.send(a, testFrame(2));
    await quiet();
    expect(host.count).toBe(0);
    host.devices.open(b);
    await until('b has carrier', () => b.carrier);
    await quiet();
    expect(host.count).toBe(0);
    host.send(a, testFrame(3));
    for (let tries = 0; host.count === 0 && tries < 100; tries++) {
      host.send(a, testFrame(3));
      await quiet();
    }
    expect(host.received[0]).toEqual(testFrame(3));
  });

  test('deleted under us: no carrier, counted once, no spin; removed and made again', async () => {
    await make();
    await join();
    linux.ip('link', 'del', names.a);
    await until('a has no carrier', () => !a.carrier);
    expect(host.kernel.counters().find(({ name }) => name === 'tap.deleted')?.value).toBe(1);
    host.send(a, testFrame(1));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(150);
    host.devices.close(a);
    expect(() => host.devices.open(a)).toThrow(/ENODEV: tap0: Linux has deleted .*: remove the device, and make it again/);
    host.devices.remove(a);
    a = await host.create('tap', 'tap0', { ifname: names.a });
    linux.take(names.a);
    linux.ip('link', 'set', names.a, 'up');
    host.devices.open(a);
    await until('a has carrier', () => a.carrier);
    expect(host.kernel.counters().find(({ name }) => name === 'tap.deleted')?.value).toBe(1);
  });

  test('deleted while nobody reads: the write finds it', async () => {
    await make();
    await join();
    linux.ip('link', 'del', names.a);
    expect(host.send(a, testFrame(1))).toBe(TRANSMIT.OK);
    await until('a has no carrier', () => !a.carrier);
    expect([host.drops('tap.unplugged'), a.stats.txDropped]).toEqual([1, 1]);
  });

  test('packet memory is out: frames are missed and counted, and come again when it is back', async () => {
    await make();
    host.kernel.sysctl.set('net.core.skb_buffers', 8);
    host.kernel.sysctl.set('net.core.skb_pages', 1);
    await join();
    const pool = host.kernel.port(SkbPool).current;
    const kept = Array.from({ length: 7 }, () => pool.alloc(0, 10)!);
    host.send(a, testFrame(1));
    const last = pool.alloc(0, 10)!;
    await until('it is missed', () => b.stats.rxMissed >= 1);
    expect(host.count).toBe(0);
    for (const skb of [...kept, last]) skb.memory.pool.release(skb);
    host.send(a, testFrame(2));
    await until('it is there', () => host.count === 1);
    expect(host.received).toEqual([testFrame(2)]);
  });

  test('unloaded under traffic: it goes at once, with its interfaces, and nothing is left', async () => {
    await make();
    await join();
    const traffic = setInterval(() => {
      for (let i = 0; i < 50; i++) if (a.ifindex > 0) host.send(a, testFrame(i));
    }, 1);
    await until('frames flow', () => host.count > 200);
    const report = await host.kernel.unload('tap');
    clearInterval(traffic);
    expect([report.outcome, report.leaks, report.broken, report.faults]).toEqual(['gone', [], [], []]);
    expect(linux.ip('link')).not.toMatch(new RegExp(`${linux.tag}t`));
    await quiet();
    expect(host.kernel.holders('skb')).toEqual([]);
    await host.kernel.load(TapModule);
    await make();
    await join();
    host.send(b, testFrame(7));
    await until('it is there', () => host.count === 1);
  });

  test('replaced by hand-over under traffic: the same interfaces, the same devices, no frame twice', async () => {
    await make();
    await join();
    let sent = 0;
    const traffic = setInterval(() => void host.send(a, testFrame(sent++ % 256)), 1);
    await until('frames flow', () => host.count > 50);
    const { mode, adopted, drained } = await host.kernel.replace('tap', TapModule, { mode: 'handover' });
    expect([mode, adopted.device]).toEqual(['handover', 2]);
    expect((await drained).outcome).toBe('gone');
    const then = host.count;
    await until('frames flow', () => host.count > then + 50);
    clearInterval(traffic);
    await quiet();
    expect(host.received.map((frame) => frame[14])).toEqual(Array.from({ length: sent }, (_, number) => testFrame(number % 256)[14]));
    expect([host.devices.open(a), a.carrier]).toEqual([undefined, true]);
  });

  test('a mistake is one sentence that says what to do', async () => {
    await make();
    const address = linux.ip('link', 'show', names.a).match(/ether ([0-9a-f:]{17})/)![1]!;
    const refused = (options: object): Promise<NetDevice> => host.create('tap', 'tap9', options);
    const held = `${linux.tag}t2`;
    await refused({ ifname: held });
    await expect(host.create('tap', 'tap10', { ifname: held })).rejects.toThrow(
      /EBUSY: tap: another program has the interface .*give another ifname/,
    );
    await expect(refused({ ifname: 'lo' })).rejects.toThrow(/EINVAL: tap: lo is an interface of Linux already, and no tap/);
    await expect(refused({ ifname: 'a b' })).rejects.toThrow(/EINVAL: tap: ifname takes 1 to 15 characters/);
    await expect(refused({ mtu: 1500 })).rejects.toThrow('EINVAL: tap: there is no option mtu; it takes ifname, mtuBytes, address');
    await expect(refused({ mtuBytes: 65_522 })).rejects.toThrow('EINVAL: tap: mtuBytes takes 68 to 65521, got 65522');
    expect(() =>
      host.devices.setAddress(
        a,
        Uint8Array.from(address.split(':'), (hex) => Number.parseInt(hex, 16)),
      ),
    ).toThrow(/EINVAL: tap0: Linux's end, .*, has this address: give another one/);
    expect(Array.from(a.address)).not.toEqual(address.split(':').map((hex) => Number.parseInt(hex, 16)));
    process.seteuid!(65_534);
    try {
      await expect(refused({ ifname: `${linux.tag}t3` })).rejects.toThrow(
        /E(ACCES|PERM): tap: this process may not .*, which needs root or CAP_NET_ADMIN: run as root, or let root make .*: ip tuntap add dev .* mode tap user \$USER/,
      );
    } finally {
      process.seteuid!(0);
    }
  });

  test('a name that is taken leaves no interface behind', async () => {
    await make();
    const another = `${linux.tag}t4`;
    await expect(host.create('tap', 'tap0', { ifname: another })).rejects.toThrow(/EEXIST/);
    expect(() => linux.ip('link', 'show', another)).toThrow();
    expect(host.kernel.holders('tap').length).toBe(0);
  });
});

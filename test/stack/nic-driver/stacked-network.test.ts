import { createHash } from 'node:crypto';
import { ADDRESS_FAMILY, DEVICE_FEATURE, Devices } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { CaptureModule, FaultModule, Faults, FrameCaptures, TraceModule, Traces, WireModule } from '@softnet/nic-driver';
import type { DatagramUser, NetHost } from '@softnet/testkit';
import { HOST_STACK, Net, pattern } from '@softnet/testkit';
import { SOL_UDP, UDP_OPTION, UdpEchoModule } from '@softnet/udp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { build, STACKED } from './stacked-hosts.ts';
import { tsharkFields } from './tshark-fields.ts';

/** What a wire can do for bursts. */
const BURSTS: number =
  DEVICE_FEATURE.GSO_UDP | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.RX_CHECKSUM | DEVICE_FEATURE.RX_GSO | DEVICE_FEATURE.SCATTER;
const ADDRESSES = Object.freeze(['10.0.0.2', 'fd00::2'] as const);

interface Scene {
  readonly net: Net;
  readonly a: NetHost;
  readonly b: NetHost;
  /** What the capture has written. */
  readonly file: Uint8Array[];
}

/** Host a sends by a tower of devices on its wire, host b by its wire. */
async function boot(faults: object, seed = 5): Promise<Scene> {
  const net = new Net({ seed, modules: [...HOST_STACK, ...STACKED, UdpEchoModule] });
  const [a, b] = [await net.host('a'), await net.host('b')];
  const file: Uint8Array[] = [];
  await net.join({ host: a, device: 'eth0' }, { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] }, { delayUs: 200 });
  await build(net, a, faults, ['10.0.0.1/24', 'fd00::1/64'], file);
  return { net, a, b, file };
}

describe('a host on a tower of devices', () => {
  test('pings and sends datagrams of both families, also those that are cut into fragments', async () => {
    const { net, a, b } = await boot({});
    for (const address of ADDRESSES) {
      expect(await net.run(a.ping(address, { lenBytes: 3000 }))).toMatchObject({ address, lenBytes: 3000 });
      const user = a.open();
      for (const size of [0, 1400, 5000]) {
        const data = pattern(1, 0, size);
        await net.run(user.send(data, address, 7));
        expect(Buffer.compare((await net.run(user.receive())).data, data)).toBe(0);
      }
      user.close();
    }
    for (const address of ['10.0.0.1', 'fd00::1']) await net.run(b.ping(address));
    const lines = a.kernel
      .port(Traces)
      .current.lines(a.device('trc0'))
      .map((line) => line.replace(/^\S+ trc0 /, ''));
    expect(lines).toContain('Out ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28');
    expect(lines.some((line) => /^In {2}IP 10\.0\.0\.2\.7 > 10\.0\.0\.1\.\d+: UDP, length 1400$/.test(line))).toBe(true);
    expect(
      lines.some((line) => /^Out IP6 fd00::1 > fd00::2: ICMP6 echo request, id \d+, seq 1, length \d+ \(frag \d+:1448@0\+\)$/.test(line)),
    ).toBe(true);
    await net.dispose();
  });

  test('sees loss, duplicates and damage as its settings say; the capture has what the faults let pass, the trace what was sent', async ({
    skip,
  }) => {
    const { net, a, file } = await boot({ txDelayUs: 50 });
    const faults = a.kernel.port(Faults).current;
    const flt0 = a.device('flt0');
    await net.run(a.ping('10.0.0.2'));
    faults.set(flt0, { loss: 1 });
    await expect(net.run(a.ping('10.0.0.2'))).rejects.toThrow('ETIMEDOUT');
    faults.set(flt0, { loss: 0, duplicate: 1 });
    const user = a.open({ family: ADDRESS_FAMILY.INET });
    await net.run(user.send(Uint8Array.of(1, 2, 3), '10.0.0.2', 7));
    await net.pass(100);
    // Two went out, and of each answer two came in.
    const got = [user.tryReceive(), user.tryReceive(), user.tryReceive(), user.tryReceive(), user.tryReceive()];
    expect(got.map((each) => typeof each)).toEqual(['object', 'object', 'object', 'object', 'number']);
    faults.set(flt0, { duplicate: 0, corrupt: 1 });
    await net.run(user.send(new Uint8Array(1200), '10.0.0.2', 7));
    await net.pass(100);
    expect(user.tryReceive()).toBeTypeOf('number');
    user.close();
    const { txPackets, rxPackets } = a.device('eth0').stats;
    const { frames, missed, error } = a.kernel.port(FrameCaptures).current.of(a.device('cap0'));
    expect([frames, missed, error]).toEqual([txPackets + rxPackets, 0, null]);
    const counts = a.kernel.port(Traces).current.counts(a.device('trc0'));
    expect(counts.lines).toBe(a.device('trc0').stats.txPackets + a.device('trc0').stats.rxPackets);
    const [tx, rx] = [faults.counts(flt0, 'tx'), faults.counts(flt0, 'rx')];
    expect(txPackets - counts.lines + rxPackets).toBe(tx.duplicated - tx.lost + rx.lost - rx.duplicated);
    await net.dispose();
    const read = await tsharkFields(Buffer.concat(file), ['frame.interface_name'], 'udp');
    // Of what came in it has what the faults have not doubled yet.
    if (read === null) return skip('tshark is not installed: nobody else has read the capture');
    expect(read.filter(([name]) => name === 'cap0').length).toBe(4 + 1);
  });

  test('hands bursts on whole where the device below takes them, and cuts them before faults', async () => {
    for (const [kind, told] of [
      ['trace', ' (10 of 1000)'],
      ['fault', ''],
    ] as const) {
      const net = new Net({ seed: 5, modules: [...HOST_STACK, ...STACKED] });
      const [a, b] = [await net.host('a'), await net.host('b')];
      await net.join({ host: a, device: 'eth0' }, { host: b, device: 'eth0', addresses: ['10.0.0.2/24'] });
      for (const { kernel, devices } of [a, b]) {
        for (const each of devices) if (each.name === 'eth0') kernel.port(Devices).current.setFeatures(each, each.features | BURSTS);
      }
      for (const [name, layer, link] of [
        ['one', kind, 'eth0'],
        ['two', 'trace', 'one'],
      ] as const) {
        await net.run(a.addDevice(layer, name, { link }));
        a.up(name);
      }
      a.addAddress('two', '10.0.0.1/24');
      const [sender, receiver] = [a.open({ family: ADDRESS_FAMILY.INET }), b.open({ family: ADDRESS_FAMILY.INET })];
      receiver.bind('10.0.0.2', 9);
      expect(sender.sock.ops.calls!.setOption(sender.sock, SOL_UDP, UDP_OPTION.SEGMENT, Uint8Array.of(1000 & 0xff, 1000 >> 8, 0, 0))).toBe(
        0,
      );
      await net.run(sender.send(pattern(1, 0, 10_000), '10.0.0.2', 9));
      const got: Uint8Array[] = [];
      for (let i = 0; i < 10; i++) got.push((await net.run(receiver.receive())).data);
      expect(Buffer.compare(Buffer.concat(got), pattern(1, 0, 10_000))).toBe(0);
      const lines = a.kernel
        .port(Traces)
        .current.lines(a.device('two'))
        .filter((line) => line.includes('UDP'));
      expect(lines.length).toBe(kind === 'trace' ? 1 : 10);
      expect(lines[0]!.endsWith(`UDP, length ${kind === 'trace' ? 10_000 : 1000}${told}`)).toBe(true);
      sender.close();
      receiver.close();
      await net.dispose();
    }
  });

  test('takes fragments that come twice, of one packet whose bytes are shared', async () => {
    const { net, a } = await boot({ duplicate: 1 });
    for (const address of ADDRESSES) expect(await net.run(a.ping(address, { lenBytes: 3000 }))).toMatchObject({ lenBytes: 3000 });
    await net.pass(1000);
    expect(a.kernel.faults).toEqual([]);
    await net.dispose();
  });

  test('the same seed gives the same capture and the same trace, byte for byte', async () => {
    const run = async (seed: number): Promise<string> => {
      const bad = { delayUs: 700, jitterUs: 400, loss: 0.1, duplicate: 0.1, reorder: 0.1, corrupt: 0.05, rateBps: 20_000_000, seed };
      const { net, a, file } = await boot(bad);
      const user = a.open();
      for (let i = 0; i < 20; i++) {
        await net.run(a.ping(ADDRESSES[i % 2]!, { lenBytes: 50 * i, timeoutMs: 50 })).catch(() => undefined);
        await net.run(user.send(pattern(i, 0, 100 * i), ADDRESSES[i % 2]!, 7)).catch(() => undefined);
      }
      await net.pass(2000);
      user.close();
      const lines = a.kernel.port(Traces).current.lines(a.device('trc0'));
      expect(lines.length).toBeGreaterThan(80);
      await net.dispose();
      return createHash('sha256').update(Buffer.concat(file)).update(lines.join('\n')).digest('hex');
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
  });

  test('a socket holds up the modules of all devices that it sends by; a ping does not', async () => {
    const { net, a } = await boot({});
    const user = a.open({ family: ADDRESS_FAMILY.INET, name: 'program' });
    user.connect('10.0.0.2', 7);
    await net.run(user.send(Uint8Array.of(1)));
    for (const name of ['wire', 'capture', 'fault', 'trace']) {
      expect(a.kernel.holders(name).map(({ owner }) => owner)).toEqual(['program']);
    }
    const unload = a.kernel.unload('wire');
    await net.pass(1);
    await net.run(user.receive());
    expect(a.kernel.module('wire')!.state).toBe('draining');
    user.close();
    expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
    // The tower has gone with what it stood on.
    expect(a.devices.map(({ name }) => name)).toEqual(['lo']);
    await net.dispose();
  });

  test('stands while the modules below it are replaced, with what is under way', async () => {
    const { net, a } = await boot({ delayUs: 2000 });
    const user = a.open({ family: ADDRESS_FAMILY.INET, name: 'program' });
    user.connect('10.0.0.2', 7);
    for (const [name, source] of [
      ['wire', WireModule],
      ['netdev', NetdevModule],
      ['capture', CaptureModule],
      ['fault', FaultModule],
      ['trace', TraceModule],
    ] as const) {
      await net.run(user.send(pattern(1, 0, 3000)));
      await net.pass(1);
      const { drained } = await net.run(a.kernel.replace(name, source, { mode: 'handover' }));
      expect(await net.run(drained)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
      expect((await net.run(user.receive())).data.length).toBe(3000);
    }
    expect(a.device('trc0').lower?.lower?.lower).toBe(a.device('eth0'));
    user.close();
    await net.dispose();
  });

  test('forced away, the wire takes the tower along, and closes who sends by it', async () => {
    const { net, a } = await boot({ delayUs: 500 });
    const user = a.open({ family: ADDRESS_FAMILY.INET, name: 'program' });
    user.connect('10.0.0.2', 7);
    await net.run(user.send(Uint8Array.of(1)));
    const report = await net.run(a.kernel.unload('wire', { force: true }));
    expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(user.ended?.code).toBe('ECONNABORTED');
    expect(a.devices.map(({ name }) => name)).toEqual(['lo']);
    for (const { leaks, faults } of await net.run(Promise.all(net.hosts.map(({ kernel }) => kernel.shutdown()))))
      expect([leaks, faults]).toEqual([[], []]);
  });
});

/** Somebody at host a who talks to the echo service of host b. */
interface Talker {
  readonly user: DatagramUser;
  readonly address: string;
}

async function exchange(net: Net, talkers: readonly Talker[]): Promise<void> {
  for (const { user } of talkers) {
    const data = pattern(2, 0, 2000);
    await net.run(user.send(data));
    expect(Buffer.compare((await net.run(user.receive())).data, data)).toBe(0);
  }
}

/** Unloads under traffic: who is inside goes on, until those who hold it up have let go. */
async function unloadUnderTraffic({ net, a }: Scene, name: string, talkers: Talker[]): Promise<void> {
  const { kernel } = a;
  const unload = kernel.unload(name);
  await net.pass(1);
  while (kernel.module(name) !== undefined) {
    const holders = new Set(kernel.holders(name).map(({ owner }) => owner));
    const holding = talkers.filter(({ user }) => holders.has(user.name));
    expect(holding.length, `${name} waits for ${JSON.stringify(kernel.holders(name))}`).toBeGreaterThan(0);
    await exchange(net, holding);
    holding[0]!.user.close();
    talkers.splice(talkers.indexOf(holding[0]!), 1);
    await net.pass(5);
  }
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
}

test('the stacked modules, the wire and the layers go in any order, under traffic', async () => {
  const order = fc.shuffledSubarray(['fault', 'trace', 'capture', 'wire', 'ipv4', 'ipv6'], { minLength: 6 });
  await fc.assert(
    fc.asyncProperty(order, async (names) => {
      const scene = await boot({ delayUs: 300, rateBps: 50_000_000 });
      const { net, a } = scene;
      const talkers = ADDRESSES.map((address, i) => ({ user: a.open({ name: `of ${address}`, family: i === 0 ? 2 : 10 }), address }));
      for (const { user, address } of talkers) user.connect(address, 7);
      await exchange(net, talkers);
      // udp needs some layer: it goes before the last of them.
      const last = names.findLastIndex((name) => name.startsWith('ipv'));
      const whole = [...names.slice(0, last), 'udp-echo', 'udp', ...names.slice(last)];
      for (const name of whole) await unloadUnderTraffic(scene, name, talkers);
      for (const name of ['route', 'socket', 'pcap', 'loopback', 'netdev', 'skb']) {
        expect(await net.run(a.kernel.unload(name))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
      }
      await net.dispose();
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

import { ADDRESS_FAMILY, CHECKSUM, DEVICE_FEATURE, Devices } from '@softnet/contract';
import type { CableOptions } from '@softnet/nic-driver';
import { Cable, Captures } from '@softnet/nic-driver';
import { Net, pattern } from '@softnet/testkit';
import { SOL_UDP, UDP_OPTION } from '@softnet/udp';
import { pseudoHeaderSum } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { tsharkComplaints } from '../../interop/linux/tshark.ts';
import { frameOf, sendFrame } from './arrivals.ts';
import { BadParserModule } from './bad-parser.ts';
import { drops, skbsOut } from './frames.ts';
import { flowOf, wired } from './multi-queue.ts';

const SEGMENT_BYTES = 1472;
const SEGMENTS = 16;

/** Two hosts over a wire; the datagrams of a burst that `a` sends in one call. */
async function hosts(offloads: readonly [boolean, boolean], cableOptions: CableOptions = {}) {
  const net = new Net({ seed: 5 });
  const [a, b] = [await net.host('a'), await net.host('b')];
  const cable = new Cable(cableOptions);
  for (const [i, host] of [a, b].entries()) {
    await net.run(host.addDevice('wire', 'eth0', { cable, offloads: offloads[i] }));
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
  }
  const receiver = b.open();
  receiver.bind('0.0.0.0', 9);
  const sender = a.open({ family: ADDRESS_FAMILY.INET });
  const size = new Uint8Array(new Int32Array([SEGMENT_BYTES]).buffer);
  expect(sender.sock.ops.calls!.setOption(sender.sock, SOL_UDP, UDP_OPTION.SEGMENT, size)).toBe(0);
  await net.run(a.ping('10.0.0.2'));
  const before = cable.counts(0).frames;
  const burst = async (salt = 1): Promise<Uint8Array> => {
    const data = pattern(salt, 0, SEGMENTS * SEGMENT_BYTES);
    await net.run(sender.send(data, '10.0.0.2', 9));
    return data;
  };
  const received = (): Uint8Array[] => {
    const all: Uint8Array[] = [];
    for (let got = receiver.tryReceive(); typeof got !== 'number'; got = receiver.tryReceive()) all.push(got.data.slice());
    return all;
  };
  const frames = (): number => cable.counts(0).frames - before;
  const set = (host: typeof a, features: number): void => host.kernel.port(Devices).current.setFeatures(host.device('eth0'), features);
  return { net, cable, a, b, burst, received, frames, set };
}

const cutUp = (data: Uint8Array): Uint8Array[] =>
  Array.from({ length: SEGMENTS }, (_, i) => data.slice(i * SEGMENT_BYTES, (i + 1) * SEGMENT_BYTES));

describe('offloads of a wire', () => {
  test.each([
    [true, true, 1],
    [true, false, SEGMENTS],
    [false, true, SEGMENTS],
    [false, false, SEGMENTS],
  ] as const)('a burst crosses whole where both ends offload, else as honest frames: %s to %s', async (ofA, ofB, count) => {
    const { net, burst, received, frames } = await hosts([ofA, ofB]);
    const data = await burst();
    await net.pass(10);
    expect(received()).toEqual(cutUp(data));
    expect(frames()).toBe(count);
    await net.dispose();
  });

  test('what captures at either end show has right checksums, whether the ends offload or not', async ({ skip }) => {
    const chunks: Uint8Array[] = [];
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    for (const offloads of [
      [true, true],
      [true, false],
    ] as const) {
      const { net, a, b, burst, received } = await hosts(offloads);
      for (const { kernel } of [a, b]) {
        const capture = kernel.port(Captures).current.start({ device: null, write }, { name: 'test' });
        await burst();
        await net.pass(10);
        capture.close();
        expect(received().length).toBe(SEGMENTS);
      }
      await net.dispose();
    }
    const reading = await tsharkComplaints(Buffer.concat(chunks));
    if (reading === null) return skip('tshark is not installed: nobody has read the captures');
    expect(reading).toMatchObject({ packets: 2 * (1 + SEGMENTS), complaints: [] });
  });

  test('follow what the ends can: a receiver that stops taking bursts is given frames', async () => {
    const { net, a, b, burst, received, frames, set } = await hosts([true, true]);
    const device = b.device('eth0');
    const { features } = device;
    expect(a.device('eth0').gsoMaxSegs).toBe(64);
    set(b, features & ~DEVICE_FEATURE.RX_GSO);
    expect(a.device('eth0').gsoMaxSegs).toBe(1);
    const second = await burst(2);
    await net.pass(10);
    expect(received()).toEqual(cutUp(second));
    expect(frames()).toBe(SEGMENTS);
    set(b, features);
    const third = await burst(3);
    await net.pass(10);
    expect(received()).toEqual(cutUp(third));
    expect(frames()).toBe(SEGMENTS + 1);
    await net.dispose();
  });

  test('never let a damaged frame pass as right: where the line damages, frames have their checksums', async () => {
    const { net, cable, burst, received, frames } = await hosts([true, true]);
    cable.set({ corrupt: 0.5 });
    const sent = new Set<string>();
    for (let salt = 2; salt < 12; salt++) for (const each of cutUp(await burst(salt))) sent.add(Buffer.from(each).toString('base64'));
    await net.pass(100);
    const got = received();
    expect(frames()).toBeGreaterThanOrEqual(10 * SEGMENTS);
    expect(got.length).toBeGreaterThan(20);
    expect(got.length).toBeLessThan(10 * SEGMENTS);
    for (const each of got) expect(sent.has(Buffer.from(each).toString('base64'))).toBe(true);
    await net.dispose();
  });

  test('what is under way when they are switched off is lost, counted, and freed', async () => {
    const { net, cable, a, b, burst, received, set } = await hosts([true, true], { rateBps: 1_000_000 });
    const out = (): number => a.kernel.holders('skb').length + b.kernel.holders('skb').length;
    for (let salt = 1; salt < 4; salt++) await burst(salt);
    set(b, b.device('eth0').features & ~DEVICE_FEATURE.RX_GSO);
    await net.pass(2000);
    expect(received()).toEqual([]);
    expect(drops(a.kernel)).toMatchObject({ 'wire.burst': 3 });
    expect(out()).toBe(0);
    expect(cable.counts(0).lost).toBe(0);
    await net.dispose();
  });

  test.each([false, true])(
    'an unfinished checksum crosses as it is between two that offload, else the card finishes it (one kernel: %s)',
    async (sameKernel) => {
      for (const [offloads, state] of [
        [true, CHECKSUM.PARTIAL],
        [false, CHECKSUM.NONE],
      ] as const) {
        const { world, kernel, other, a, b, arrivals } = await wired({ offloads }, {}, { sameKernel, ofA: { offloads: true } });
        const whole = frameOf(b, { ...flowOf(1), payload: new Uint8Array(101).fill(5) });
        const partial = whole.slice();
        const words = [0x0a000001, 0x0a000002];
        const pseudo = pseudoHeaderSum(0, 0, 0xffff, words[0]!, 0, 0, 0xffff, words[1]!, 17, 109);
        new DataView(partial.buffer).setUint16(40, pseudo);
        sendFrame(kernel, a, partial, (skb) => {
          skb.checksum = CHECKSUM.PARTIAL;
          skb.csum = ((skb.data + 34 - skb.head) << 16) | 6;
        });
        await world.advance(10);
        const [arrival] = arrivals.all;
        expect(arrival!.checksum).toBe(state);
        expect(Buffer.compare(arrival!.packet, (offloads ? partial : whole).subarray(14))).toBe(0);
        expect(skbsOut(other)).toBe(0);
      }
    },
  );

  test('headers are split off where that is asked for: between kernels, and within one, where the packet itself would pass', async () => {
    for (const sameKernel of [false, true]) {
      const { world, kernel, other, b, arrivals, send } = await wired({}, {}, { sameKernel });
      const before = send(1, 0, 1000);
      await world.advance(10);
      other.port(Devices).current.setFeatures(b, b.features | DEVICE_FEATURE.HEADER_SPLIT);
      send(1, 1, 1000);
      await world.advance(10);
      // This kernel knows no parser of IPv4: the header of the link alone is split off.
      expect(arrivals.all.map(({ inHead, pageOffset }) => [inHead > 100, pageOffset >= 0])).toEqual([
        [true, false],
        [false, true],
      ]);
      expect([before, arrivals.all[1]!.packet.length, skbsOut(kernel) + skbsOut(other)]).toEqual([0, 1028, 0]);
    }
  });

  test('a parser that throws while a frame is split is a fault of its own module, and no frame is lost', async () => {
    const { world, kernel, other, b, arrivals, send } = await wired();
    await world.run(other.load(BadParserModule));
    other.port(Devices).current.setFeatures(b, b.features | DEVICE_FEATURE.HEADER_SPLIT);
    for (let i = 0; i < 2; i++) send(1, i, 1000);
    await world.advance(100);
    expect(arrivals.all.length).toBe(2);
    expect(other.faults.map(({ module }) => module)).toEqual(['bad-parser#1']);
    expect(kernel.faults).toEqual([]);
    expect(skbsOut(kernel) + skbsOut(other)).toBe(0);
  });

  test('VLAN_TX: the card puts the tag on', async () => {
    const { world, kernel, other, a, b } = await wired();
    const devices = kernel.port(Devices).current;
    const seen: number[] = [];
    for (const features of [a.features, a.features | DEVICE_FEATURE.VLAN_TX]) {
      devices.setFeatures(a, features);
      sendFrame(kernel, a, frameOf(b, flowOf(1)), (skb) => {
        skb.vlan = (0x8100 << 16) | 42;
      });
      await world.advance(10);
      seen.push(b.stats.rxBytes);
    }
    expect(seen[1]! - seen[0]!).toBe(seen[0]!);
    expect(seen[0]).toBe(14 + 4 + 20 + 8 + 8);
    expect(drops(other)).toEqual({ 'netdev.vlan': 2 });
  });
});

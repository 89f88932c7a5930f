import type { NetDevice, Notice, Owner } from '@softnet/contract';
import { DeviceTraffic } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import type { Capture, CaptureOptions } from '@softnet/nic-driver';
import { Cable, Captures, LoopbackModule, PcapModule, WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { addDevice, Frames, FramesModule, frameHost, numbered } from './frames.ts';
import { tsharkFields } from './tshark-fields.ts';

const loOf = (kernel: Kernel): NetDevice => kernel.port(DeviceTraffic).current.byName('lo')!;

/** A program that writes a capture, to memory. */
class Dump implements Owner {
  readonly name = 'tcpdump';
  readonly capture: Capture;
  #pieces: Uint8Array[] = [];
  closed = false;
  heard: (() => void) | null = null;

  constructor(kernel: Kernel, options: Partial<CaptureOptions> = {}) {
    const write = (bytes: Uint8Array): void => {
      this.#pieces.push(bytes);
      this.heard?.();
    };
    this.capture = kernel.port(Captures).current.start({ write, ...options }, this);
  }

  notice({ sort }: Notice): void {
    if (sort === 'closed') this.closed = true;
  }

  get file(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

/** Frames of two kernels over a bad wire, all captured in the second one. */
async function capturedWire(seed: number): Promise<Buffer> {
  const world = new World({ seed });
  const cable = new Cable({ seed, delayUs: 500, jitterUs: 300, loss: 0.1, duplicate: 0.1, reorder: 0.1 });
  const devices: NetDevice[] = [];
  const kernels = [await frameHost(world, 'a'), await frameHost(world, 'b')] as const;
  for (const kernel of kernels) {
    for (const source of [WireModule, PcapModule]) await world.run(kernel.load(source));
    devices.push(await addDevice(kernel, 'wire', 'eth0', { cable }));
  }
  const [a, b] = kernels;
  const dump = new Dump(b, { epochUs: 1_700_000_000_000_000 });
  for (let i = 0; i < 100; i++) {
    a.port(Frames).current.send(devices[0]!, numbered(i, 60 + 14 * i), devices[1]!.address);
    b.port(Frames).current.send(devices[1]!, numbered(i, 60 + 9 * i));
    await world.advance(400);
  }
  await world.advance(10_000);
  dump.capture.close();
  expect(dump.capture.frames).toBeGreaterThan(200);
  expect(dump.capture.drops).toBeGreaterThan(3);
  await world.run(Promise.all(kernels.map((kernel) => kernel.shutdown())));
  return dump.file;
}

describe('a capture', () => {
  test('of the same seed is the same, byte for byte, and tshark reads it', async ({ skip }) => {
    const file = await capturedWire(3);
    expect(Buffer.compare(await capturedWire(3), file)).toBe(0);
    expect(Buffer.compare(await capturedWire(4), file)).not.toBe(0);
    const fields = ['frame.interface_name', 'frame.packet_flags_direction', 'frame.time_epoch', 'frame.comment', 'eth.type'];
    const read = await tsharkFields(file, fields);
    if (read === null) return skip('tshark is not installed: nobody else has read the capture');
    expect(read.length).toBeGreaterThan(200);
    expect(await tsharkFields(file, ['frame.number'], '_ws.malformed || _ws.expert')).toEqual(
      read.flatMap(([, , , comment], i) => (comment === '' ? [] : [[String(i + 1)]])),
    );
    expect(new Set(read.map(([name]) => name))).toEqual(new Set(['eth0']));
    expect(new Set(read.map(([, direction]) => direction))).toEqual(new Set(['0x00000001', '0x00000002']));
    expect(read.every(([, , epoch]) => epoch!.startsWith('1700000000.'))).toBe(true);
    expect(read.some(([, , , comment]) => comment === 'dropped: wire.lost: the cable lost it, as it was told to (loss)')).toBe(true);
    expect(new Set(read.map(([, , , , type]) => type))).toEqual(new Set(['0x88b5']));
  });

  test('has what is dropped, with the reason; of lo, each packet once', async () => {
    const world = new World({ seed: 1 });
    const kernel = await frameHost(world, 'k');
    for (const source of [LoopbackModule, PcapModule]) await world.run(kernel.load(source));
    const lo = loOf(kernel);
    const dump = new Dump(kernel, { device: lo });
    const silent = new Dump(kernel, { device: lo, drops: false });
    const user = kernel.port(Frames).current.open(lo, 'user', false);
    kernel.port(Frames).current.send(lo, numbered(1, 100), lo.address);
    await world.advance(0);
    expect([user.got.length, dump.capture.frames, silent.capture.frames]).toEqual([1, 1, 1]);
    // For another station.
    kernel.port(Frames).current.send(lo, numbered(2, 100), Uint8Array.of(2, 0, 0, 0, 0, 9));
    await world.advance(0);
    expect([dump.capture.frames, dump.capture.drops, silent.capture.frames]).toEqual([3, 1, 2]);
    expect(dump.file.includes('dropped: netdev.otherhost: ')).toBe(true);
    expect(silent.file.includes('dropped')).toBe(false);
    await world.run(kernel.shutdown());
    expect([dump.closed, dump.capture.closed]).toEqual([true, true]);
  });

  test('that nobody can write ends alone', async () => {
    const world = new World({ seed: 1 });
    const kernel = await frameHost(world, 'k');
    for (const source of [LoopbackModule, PcapModule]) await world.run(kernel.load(source));
    const broken = kernel.port(Captures).current.start(
      {
        write: () => {
          throw new Error('disk full');
        },
      },
      { name: 'tcpdump' },
    );
    const dump = new Dump(kernel);
    const lo = loOf(kernel);
    kernel.port(Frames).current.send(lo, numbered(1, 100), lo.address);
    await world.advance(0);
    expect([broken.closed, String(broken.error), dump.capture.frames]).toEqual([true, 'Error: disk full', 1]);
    expect(kernel.module('pcap')).toMatchObject({ state: 'live', throws: 0 });
    expect(kernel.holders('pcap').map(({ description }) => description)).toEqual(['of all devices']);
  });

  test('says what is wrong with options', async () => {
    const world = new World({ seed: 1 });
    const kernel = await frameHost(world, 'k');
    await world.run(kernel.load(PcapModule));
    const start = (options: object) => kernel.port(Captures).current.start(options as CaptureOptions, { name: 'test' });
    const write = (): void => {};
    expect(() => start({})).toThrow('EINVAL: capture: write takes a function');
    expect(() => start({ write, snapLenBytes: 0 })).toThrow('EINVAL: capture: snapLenBytes takes 1 to 262144');
    expect(() => start({ write, epochUs: -1 })).toThrow('EINVAL: capture: epochUs');
    expect(() => start({ write, device: { ifindex: 0, name: 'eth7' } })).toThrow(
      'EINVAL: capture: device takes one that is registered, or null, got eth7',
    );
  });
});

/** Frames by lo, which each capture must have in its file. */
async function captureTraffic(kernel: Kernel): Promise<Traffic> {
  const dumps: Dump[] = [];
  const start = async (): Promise<void> => void dumps.push(new Dump(kernel, { device: dumps.length % 2 === 0 ? null : loOf(kernel) }));
  await start();
  let sent = 0;
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        if (dumps.some(({ closed }) => closed)) return reject(new Error('a capture was closed'));
        const payload = numbered(++sent, 500);
        for (const dump of dumps) {
          dump.heard = () => dumps.every(({ file }) => file.includes(Buffer.from(payload))) && resolve(500 * dumps.length);
        }
        const lo = loOf(kernel);
        kernel.port(Frames).current.send(lo, payload, lo.address);
      }),
    openAnother: start,
    close: async () => {
      for (const { capture } of dumps.splice(0)) capture.close();
    },
    trace: () => dumps.reduce((sum, { file }) => sum + file.length, 0),
  };
}

describe('compliance of pcap', () => {
  const subject = {
    source: PcapModule,
    needs: [SkbModule, NetdevModule, FramesModule, LoopbackModule],
    traffic: ([kernel]: readonly Kernel[]) => captureTraffic(kernel!),
  };
  test.each(complianceChecks(subject))('$name', async ({ run }) => {
    await run();
  });
});

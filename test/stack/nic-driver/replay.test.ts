import type { NetDevice, Owner } from '@softnet/contract';
import { DEVICE_FEATURE, Devices, NetError } from '@softnet/contract';
import type { Kernel, ModuleSource } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import type { ReplayOptions, ReplayReport } from '@softnet/nic-driver';
import { Captures, PcapModule, ReplayModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { emitEthernet } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { BadParserModule } from './bad-parser.ts';
import type { FrameUser } from './frames.ts';
import { addDevice, drops, Frames, FramesModule, frameHost, numbered, numberOf, skbsOut } from './frames.ts';

const owner: Owner = { name: 'test' };

interface Recorded {
  readonly timeUs: number;
  readonly bytes: Uint8Array;
  /** Longer on the wire. */
  readonly more?: number;
}

/** A frame for everybody that says its number. */
function frame(number: number, lenBytes = 100): Uint8Array {
  const header = { dst: 'ff:ff:ff:ff:ff:ff', src: '02:00:00:00:00:09', tags: [], type: 0x88b5 };
  return emitEthernet({ ...header, payload: numbered(number, lenBytes) });
}

/** A file of the classic format: what any program may have written. */
function pcapFile(packets: readonly Recorded[], linkType = 1): Uint8Array {
  const u32 = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  const header = [u32(0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, linkType)];
  const records = packets.flatMap(({ timeUs, bytes, more = 0 }) => [
    u32(Math.floor(timeUs / 1e6), timeUs % 1e6, bytes.length, bytes.length + more),
    Buffer.from(bytes),
  ]);
  return new Uint8Array(Buffer.concat([...header, ...records]));
}

const EPOCH_US = 1_700_000_000_000_000;
const TIMES = [0, 1000, 1000, 2500, 10_000] as const;
const five = (): Uint8Array => pcapFile(TIMES.map((timeUs, number) => ({ timeUs: EPOCH_US + timeUs, bytes: frame(number) })));

interface Heard {
  readonly world: World;
  readonly kernel: Kernel;
  readonly device: NetDevice;
  readonly user: FrameUser;
  /** [number, µs after the device went up] of what was heard. */
  readonly heard: [number, number][];
  readonly reports: ReplayReport[];
}

async function replayed(options: Partial<ReplayOptions>, modules: readonly ModuleSource[] = []): Promise<Heard> {
  const world = new World({ seed: 1 });
  const kernel = await frameHost(world, 'k');
  for (const source of [ReplayModule, ...modules]) await world.run(kernel.load(source));
  await world.advance(777);
  const reports: ReplayReport[] = [];
  const begun = world.nowUs;
  const device = await addDevice(kernel, 'replay', 'r0', {
    ended: (report: ReplayReport) => void reports.push(report),
    capture: five(),
    ...options,
  });
  const user = kernel.port(Frames).current.open(device, 'user', false);
  const heard: [number, number][] = [];
  user.heard = (payload) => void heard.push([numberOf(payload), world.nowUs - begun]);
  return { world, kernel, device, user, heard, reports };
}

describe('a capture that is replayed', () => {
  test('is handed up at its times, once; the end is told', async () => {
    const { world, device, heard, reports, kernel } = await replayed({});
    await world.advance(5000);
    expect([heard.length, reports]).toEqual([4, []]);
    await world.advance(100_000);
    expect(heard).toEqual(TIMES.map((timeUs, number) => [number, timeUs]));
    expect(reports).toEqual([{ frames: 5, skipped: 0, broken: null }]);
    expect([device.stats.rxPackets, device.carrier, skbsOut(kernel)]).toEqual([5, true, 0]);
  });

  test.each([
    [2, TIMES.map((timeUs) => timeUs / 2)],
    [0.5, TIMES.map((timeUs) => timeUs * 2)],
    ['max' as const, [0, 0, 0, 0, 0]],
  ])('times a speed of %s', async (speed, times) => {
    const { world, heard } = await replayed({ speed });
    await world.advance(100_000);
    expect(heard).toEqual(times.map((timeUs, number) => [number, timeUs]));
  });

  test('as fast as the stack takes it, however much it is', async () => {
    const many = pcapFile(Array.from({ length: 20_000 }, (_, number) => ({ timeUs: number, bytes: frame(number, 50) })));
    const { world, heard, kernel } = await replayed({ capture: many, speed: 'max' });
    await world.advance(10);
    expect(heard.map(([number]) => number)).toEqual(Array.from({ length: 20_000 }, (_, number) => number));
    expect(drops(kernel)).toEqual({});
  });

  test('headers are split off where that is asked for, and a parser that throws does not end it', async () => {
    const capture = pcapFile(TIMES.map((timeUs, number) => ({ timeUs, bytes: frame(number, 1000) })));
    const { world, kernel, device, heard, reports } = await replayed({ capture });
    kernel.port(Devices).current.setFeatures(device, device.features | DEVICE_FEATURE.HEADER_SPLIT);
    await world.advance(1500);
    const splits = kernel.counters().find(({ name }) => name === 'receive.splits')!;
    expect([heard.length, splits.value]).toEqual([3, 3]);
    await world.run(kernel.load(BadParserModule));
    await world.advance(10_000);
    // Frames at which it threw are lost.
    expect([heard.length, reports.length, kernel.faults.length, skbsOut(kernel)]).toEqual([3, 1, 2, 0]);
  });

  test('again and again, a moment after the last', async () => {
    const { world, heard, reports } = await replayed({ loops: 3 });
    await world.advance(100_000);
    expect(heard).toEqual([0, 1, 2].flatMap((round) => TIMES.map((timeUs, number) => [number, timeUs + round * 11_000])));
    expect(reports.length).toBe(1);
  });

  test('for ever, until the device is removed', async () => {
    const { world, heard, kernel, device } = await replayed({ loops: Number.POSITIVE_INFINITY, speed: 'max' });
    await world.advance(10_500);
    expect(heard.length).toBe(11 * 5);
    kernel.port(Devices).current.remove(device);
    await world.advance(10_500);
    expect(heard.length).toBe(11 * 5);
  });

  test('for ever with nothing in it that is wanted ends at once', async () => {
    const { world, reports } = await replayed({ loops: Number.POSITIVE_INFINITY, filter: 'udp' });
    await world.advance(1000);
    expect(reports).toEqual([{ frames: 0, skipped: 5, broken: null }]);
  });

  test('by a filter', async () => {
    const { world, heard, reports } = await replayed({ filter: { not: { minBytes: 100_000 } } });
    await world.advance(100_000);
    expect([heard.length, reports[0]?.skipped]).toEqual([5, 0]);
    const none = await replayed({ filter: 'ether host 02:00:00:00:00:01 or greater 1000' });
    await none.world.advance(100_000);
    expect([none.heard.length, none.reports[0]?.skipped]).toEqual([0, 5]);
  });

  test('stands still while the device is down', async () => {
    const { world, kernel, device, heard } = await replayed({});
    const devices = kernel.port(Devices).current;
    await world.advance(1500);
    devices.close(device);
    await world.advance(50_000);
    expect(heard.length).toBe(3);
    devices.open(device);
    await world.advance(50_000);
    expect(heard.slice(3)).toEqual([
      [3, 52_500],
      [4, 60_000],
    ]);
  });

  test('goes on where it stood when its module is replaced', async () => {
    const { world, kernel, heard } = await replayed({});
    await world.advance(2000);
    const { mode, drained } = await world.run(kernel.replace('replay', ReplayModule));
    expect([mode, (await world.run(drained)).leaks]).toEqual(['handover', []]);
    await world.advance(100_000);
    expect(heard).toEqual(TIMES.map((timeUs, number) => [number, timeUs]));
  });

  test('what is sent goes nowhere, or to who asked for it, until that throws', async () => {
    const sent: [number, number][] = [];
    const { world, kernel, device } = await replayed({
      sent: (bytes, timeUs) => {
        sent.push([bytes.length, timeUs]);
        if (sent.length === 3) throw new Error('enough');
      },
    });
    const frames = kernel.port(Frames).current;
    for (let i = 0; i < 5; i++) frames.send(device, numbered(i, 2000 + i));
    await world.advance(10);
    expect(sent.map(([lenBytes]) => lenBytes)).toEqual([2014, 2015, 2016]);
    expect([device.stats.txPackets, device.txQueues[0]!.inFlightBytes, skbsOut(kernel)]).toEqual([5, 0, 0]);
    expect(kernel.module('replay')).toMatchObject({ state: 'live', throws: 0 });
  });

  test('a break in the midst ends it, counted; what is cut short or too long is dropped, counted', async () => {
    const packets = [
      { timeUs: 0, bytes: frame(0) },
      { timeUs: 1, bytes: frame(1), more: 5 },
      { timeUs: 2, bytes: frame(2, 2000) },
      { timeUs: 3, bytes: frame(3) },
      { timeUs: 4, bytes: frame(4) },
    ];
    const { world, heard, reports, kernel, device } = await replayed({ capture: pcapFile(packets).slice(0, -7) });
    await world.advance(1000);
    expect(heard.map(([number]) => number)).toEqual([0, 3]);
    expect(reports).toEqual([{ frames: 4, skipped: 0, broken: expect.stringMatching(/^it ends within a packet, at byte \d+$/) }]);
    expect(drops(kernel)).toEqual({ 'replay.broken': 1, 'replay.cut-short': 1, 'replay.too-long': 1 });
    expect(device.stats.rxErrors).toBe(3);
  });

  test('IP without a link header gets one', async () => {
    const bytes = Uint8Array.of(0x60, 0, 0, 0, 0, 0, 59, 64, ...new Uint8Array(32));
    const { world, device, kernel } = await replayed({ capture: pcapFile([{ timeUs: 0, bytes }], 101) }, [PcapModule]);
    let file = new Uint8Array(0);
    kernel.port(Captures).current.start({ device, drops: false, write: (piece) => (file = new Uint8Array([...file, ...piece])) }, owner);
    await world.advance(1000);
    const at = Buffer.from(file).indexOf(bytes);
    expect([...file.subarray(at - 14, at)]).toEqual([...device.address, 0, 0, 0, 0, 0, 0, 0x86, 0xdd]);
  });

  test('the same capture and seed give the same capture, byte for byte; its own comments and directions are understood', async () => {
    const capture = async (options: Partial<ReplayOptions>): Promise<{ file: Uint8Array; heard: Heard }> => {
      const heard = await replayed(options, [PcapModule]);
      const pieces: Uint8Array[] = [];
      heard.kernel.port(Captures).current.start({ epochUs: EPOCH_US, write: (piece) => void pieces.push(piece) }, owner);
      heard.kernel.port(Frames).current.send(heard.device, numbered(99, 60));
      await heard.world.advance(100_000);
      return { file: new Uint8Array(Buffer.concat(pieces)), heard };
    };
    const other = { timeUs: EPOCH_US + 5, bytes: Uint8Array.of(2, 9, 9, 9, 9, 9, ...frame(77).subarray(6)) };
    const options = { capture: pcapFile([{ timeUs: EPOCH_US, bytes: frame(1) }, other]) };
    const first = await capture(options);
    expect(Buffer.compare(first.file, (await capture(options)).file)).toBe(0);
    // A frame in, one for another station (seen twice: as it came, and dropped), one out.
    const again = await capture({ capture: first.file });
    expect(again.heard.reports).toEqual([{ frames: 2, skipped: 2, broken: null }]);
    const both = await capture({ capture: first.file, outbound: true });
    expect(both.heard.reports).toEqual([{ frames: 3, skipped: 1, broken: null }]);
  });

  test.each<[object, string]>([
    [{ capture: undefined }, 'EINVAL: replay: capture takes the bytes of a capture file'],
    [{ capture: 'x.pcap' }, 'EINVAL: replay: capture takes the bytes'],
    [{ capture: new Uint8Array(50) }, 'EINVAL: replay: this is no capture: it begins with 00000000'],
    [{ capture: pcapFile([], 113) }, 'EINVAL: replay: it is of link type 113; what can be replayed is Ethernet (1) and plain IP (101)'],
    [{ interface: 'eth9' }, 'EINVAL: replay: interface takes one of 0, got eth9'],
    [{ speed: 0 }, 'EINVAL: replay: speed takes a factor'],
    [{ loops: 1.5 }, 'EINVAL: replay: loops takes 1 and up'],
    [{ filter: 'upd' }, 'EINVAL: filter: at character 1: expected ip'],
    [{ sent: 7 }, 'EINVAL: replay: sent takes a function'],
    [{ file: 'x' }, 'EINVAL: replay: there is no option file'],
    [{ mtuBytes: 1 }, 'EINVAL: replay: mtuBytes'],
  ])('%j is refused', async (options, sentence) => {
    const refused = replayed(options as Partial<ReplayOptions>);
    await expect(refused).rejects.toThrow(sentence);
    await expect(refused).rejects.toBeInstanceOf(NetError);
  });
});

/** Captures that go on for ever; who hears them has a cached route by the device. */
async function replayTraffic(kernel: Kernel): Promise<Traffic> {
  const users: FrameUser[] = [];
  const capture = five();
  const frames = (): Frames => kernel.port(Frames).current;
  const open = async (): Promise<void> => {
    const device = await addDevice(kernel, 'replay', 'r%d', { capture, loops: Number.POSITIVE_INFINITY });
    users.push(frames().open(device, 'listener'));
  };
  await open();
  const hear = (user: FrameUser): Promise<number> =>
    new Promise((resolve, reject) => {
      if (!user.open) return reject(new Error('its user was closed'));
      const left = new Set(TIMES.keys());
      user.heard = (got) => {
        if (Buffer.compare(got, numbered(numberOf(got), 100)) !== 0) reject(new Error('damaged'));
        left.delete(numberOf(got));
        if (left.size === 0) resolve(500);
      };
    });
  return {
    exchange: async () => (await Promise.all(users.map(hear))).reduce((sum, count) => sum + count, 0),
    openAnother: open,
    close: async () => {
      for (const user of users.splice(0)) {
        frames().close(user);
        if (user.device.holdNext !== null) kernel.port(Devices).current.remove(user.device);
      }
    },
  };
}

describe('compliance of replay', () => {
  const subject = {
    source: ReplayModule,
    needs: [SkbModule, NetdevModule, FramesModule],
    traffic: ([kernel]: readonly Kernel[]) => replayTraffic(kernel!),
  };
  test.each(complianceChecks(subject))('$name', async ({ run }) => {
    await run();
  });
});

import { CaptureModule, FrameCaptures, TraceModule, Traces } from '@softnet/nic-driver';
import { describe, expect, test } from 'vitest';
import { addDevice, numbered, skbsOut } from './frames.ts';
import { remove, stackedHosts } from './stacked-hosts.ts';
import { tsharkFields } from './tshark-fields.ts';

/** Directions, as tshark shows them. */
const [IN, OUT] = ['0x00000001', '0x00000002'] as const;
const NO_TSHARK = 'tshark is not installed: nobody else has read the capture';

describe('a trace', () => {
  test('says each frame in a line, with its time, device and direction; gives it soon, and never amid the frame’s way', async () => {
    const got: string[] = [];
    const { world, a, b } = await stackedHosts([{ kind: 'trace', options: { write: (line: string) => got.push(line) } }]);
    await world.advance(1_234_567 - world.nowUs);
    a.send(numbered(1, 60));
    expect(got).toEqual([]);
    await world.advance(10);
    b.send(numbered(2, 46));
    await world.advance(10);
    const [from, to] = [a, b].map(({ top }) => [...top.address].map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
    expect(got).toEqual([
      `1.234567 trace1 Out ${from} > ff:ff:ff:ff:ff:ff, ethertype 0x88b5, length 74`,
      `1.234577 trace1 In  ${to} > ff:ff:ff:ff:ff:ff, ethertype 0x88b5, length 60`,
    ]);
    expect(a.kernel.port(Traces).current.counts(a.top)).toEqual({ lines: 2, missed: 0, error: null });
  });

  test('ends alone when write throws: frames go on passing', async () => {
    const thrown = new Error('no more');
    const write = (): void => {
      throw thrown;
    };
    const { world, a, b } = await stackedHosts([{ kind: 'trace', options: { write } }]);
    for (let i = 0; i < 3; i++) {
      a.send(numbered(i, 60));
      await world.advance(10);
    }
    expect(b.user.got.length).toBe(3);
    expect(a.kernel.port(Traces).current.counts(a.top)).toEqual({ lines: 0, missed: 3, error: thrown });
    expect(a.kernel.faults).toEqual([]);
  });

  test('goes on with its lines when its module is replaced, and tells the last ones when it is removed', async () => {
    const got: string[] = [];
    const { world, a, b } = await stackedHosts([{ kind: 'trace', options: { write: (line: string) => got.push(line) } }]);
    a.send(numbered(1, 60));
    const replaced = a.kernel.replace('trace', TraceModule, { mode: 'handover' });
    a.send(numbered(2, 60));
    await world.run(replaced.then(({ drained }) => drained));
    a.send(numbered(3, 60));
    remove(a.kernel, a.top);
    expect(got.length).toBe(3);
    await world.advance(100);
    expect(b.user.got.length).toBe(3);
  });
});

describe('a capture', () => {
  test('has each frame as it stands there, both ways, at its time', async ({ skip }) => {
    const file: Uint8Array[] = [];
    const { world, a, b } = await stackedHosts([
      { kind: 'capture', options: { write: (bytes: Uint8Array) => file.push(bytes), epochUs: 5_000_000 } },
    ]);
    await world.advance(1_000_000 - world.nowUs);
    a.send(numbered(1, 60));
    expect(file.length).toBe(0);
    await world.advance(10);
    b.send(numbered(2, 1400));
    await world.advance(10);
    remove(a.kernel, a.top);
    const fields = ['frame.time_epoch', 'frame.interface_name', 'frame.len', 'frame.packet_flags_direction', 'eth.type'];
    const read = await tsharkFields(Buffer.concat(file), fields);
    if (read === null) return skip(NO_TSHARK);
    expect(read.map(([time, ...rest]) => [Number(time), ...rest])).toEqual([
      [6, 'capture1', '74', OUT, '0x88b5'],
      [6.00001, 'capture1', '1414', IN, '0x88b5'],
    ]);
  });

  test('keeps the last ones in a ring, through a replacement, and takes a filter', async ({ skip }) => {
    const { world, a, b } = await stackedHosts([
      { kind: 'capture', options: { ring: { maxBytes: 65_536, maxPackets: 5 }, filter: 'greater 100' } },
    ]);
    const capture = () => a.kernel.port(FrameCaptures).current.of(a.top);
    for (let i = 0; i < 4; i++) a.send(numbered(i, 200));
    a.send(numbered(9, 60));
    await world.run(a.kernel.replace('capture', CaptureModule, { mode: 'handover' }).then(({ drained }) => drained));
    for (let i = 0; i < 4; i++) b.send(numbered(i, 200));
    await world.advance(100);
    expect([capture().frames, capture().missed, skbsOut(a.kernel)]).toEqual([8, 0, 0]);
    const read = await tsharkFields(capture().dump(), ['frame.len', 'frame.packet_flags_direction']);
    if (read === null) return skip(NO_TSHARK);
    expect(read).toEqual([['214', OUT], ...Array.from({ length: 4 }, () => ['214', IN])]);
  });

  test('of a device that could not be made is nothing left', async () => {
    const { world, a } = await stackedHosts([{ kind: 'capture', options: { write: () => {} } }]);
    let written = 0;
    const options = { link: a.devices[0]!, write: () => written++ };
    await expect(addDevice(a.kernel, 'capture', 'other', options)).rejects.toThrow('EBUSY');
    a.send(numbered(1, 60));
    await world.advance(100);
    expect(written).toBe(0);
  });

  test('ends alone when write throws, and is told of', async () => {
    const thrown = new Error('no more');
    const write = (): void => {
      throw thrown;
    };
    const { world, a, b } = await stackedHosts([{ kind: 'capture', options: { write } }]);
    for (let i = 0; i < 3; i++) {
      a.send(numbered(i, 60));
      await world.advance(10);
    }
    expect(b.user.got.length).toBe(3);
    expect(a.kernel.port(FrameCaptures).current.of(a.top)).toMatchObject({ frames: 1, closed: true, error: thrown });
    expect(a.kernel.faults).toEqual([]);
  });

  test('says what is wrong with options', async () => {
    const make = (options: object) => stackedHosts([{ kind: 'capture', options }]);
    await expect(make({})).rejects.toThrow('EINVAL: capture: write takes a function of the bytes');
    await expect(make({ write: () => {}, ring: {} })).rejects.toThrow('EINVAL: capture: ring takes');
    await expect(make({ write: () => {}, snapLenBytes: 0 })).rejects.toThrow('EINVAL: capture: snapLenBytes takes 1 to 262144, got 0');
    await expect(make({ write: () => {}, filter: 'udp und port 53' })).rejects.toThrow('EINVAL');
  });
});

import type { Clock, DeviceTraffic, NetDevice, PacketMemory, Port, SockOps } from '@softnet/contract';
import {
  ControlMessage,
  clearControl,
  DstUse,
  ERRNO,
  Message,
  PacketOptions,
  Skb,
  SO,
  SOCK_FLAG,
  SOCK_TYPE,
  SOL,
  SockCommon,
} from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, test } from 'vitest';
import { DeviceOption } from './device-option.ts';
import { PacketTimes } from './packet-times.ts';
import { SocketLevel } from './socket-level.ts';

const eth0 = { name: 'eth0', ifindex: 2 } as NetDevice;
const fifteen = { name: 'fifteen-letters', ifindex: 3 } as NetDevice;
const devices = {
  current: {
    byName: (name: string) => [eth0, fifteen].find((each) => each.name === name) ?? null,
    byIndex: (i: number) => (i === 2 ? eth0 : null),
  },
} as unknown as Port<DeviceTraffic>;

function makeLevel(nowUs = 5_000_123) {
  const placed: SockCommon[] = [];
  const clock = { nowUs } as Clock;
  const limits = { sendBytes: () => 212_992, receiveBytes: () => 212_992 };
  const level = new SocketLevel(
    new DeviceOption(devices, (sock) => placed.push(sock)),
    limits,
    new PacketTimes(clock, () => 1_000_000_000),
  );
  return { level, placed, sock: new SockCommon({ name: 'test', type: SOCK_TYPE.DGRAM } as SockOps) };
}

/** As many as are given, each an int; a long is two. */
function ints(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return bytes;
}

function read(level: SocketLevel, sock: SockCommon, name: number, lenBytes = 4): readonly number[] | number {
  const value = new Uint8Array(lenBytes);
  const count = level.get(sock, name, value);
  if (count < 0) return count;
  return Array.from({ length: count / 4 }, (_, i) => new DataView(value.buffer).getInt32(4 * i, true));
}

const NOT_THERE = -ERRNO.ENOPROTOOPT;
const INVALID = -ERRNO.EINVAL;

test.each<
  [option: string, name: number, before: readonly number[] | number, set: readonly number[], answer: number, after: readonly number[]]
>([
  ['SO_LINGER', SO.LINGER, [0, 0], [1, 5], 0, [1, 5]],
  ['SO_LINGER off', SO.LINGER, [0, 0], [0, 5], 0, [0, 0]],
  ['SO_LINGER, too short', SO.LINGER, [0, 0], [1], INVALID, [0, 0]],
  ['SO_RCVTIMEO', SO.RCVTIMEO, [0, 0, 0, 0], [2, 0, 500_000, 0], 0, [2, 0, 500_000, 0]],
  ['SO_RCVTIMEO of a million µs', SO.RCVTIMEO, [0, 0, 0, 0], [2, 0, 1_000_000, 0], -ERRNO.EDOM, [0, 0, 0, 0]],
  ['SO_RCVTIMEO that is negative: not at all', SO.RCVTIMEO, [0, 0, 0, 0], [-2, -1, 0, 0], 0, [0, 0, 1, 0]],
  ['SO_RCVTIMEO of nine years: for ever', SO.RCVTIMEO, [0, 0, 0, 0], [281_474_977, 0, 0, 0], 0, [0, 0, 0, 0]],
  ['SO_RCVTIMEO, the longest', SO.RCVTIMEO, [0, 0, 0, 0], [281_474_976, 0, 710_656, 0], 0, [281_474_976, 0, 710_656, 0]],
  ['SO_RCVTIMEO, too short', SO.RCVTIMEO, [0, 0, 0, 0], [2, 0], INVALID, [0, 0, 0, 0]],
  ['SO_SNDTIMEO', SO.SNDTIMEO_NEW, [0, 0, 0, 0], [0, 0, 7, 0], 0, [0, 0, 7, 0]],
  ['SO_RCVLOWAT', SO.RCVLOWAT, [1], [9], 0, [9]],
  ['SO_RCVLOWAT 0 is 1', SO.RCVLOWAT, [1], [0], 0, [1]],
  ['SO_RCVLOWAT below 0 is all', SO.RCVLOWAT, [1], [-1], 0, [0x7fffffff]],
  ['SO_SNDLOWAT', SO.SNDLOWAT, [1], [2], NOT_THERE, [1]],
  ['SO_PEEK_OFF', SO.PEEK_OFF, [-1], [3], 0, [3]],
  ['SO_DONTROUTE', SO.DONTROUTE, [0], [4], 0, [1]],
  ['SO_OOBINLINE', SO.OOBINLINE, [0], [1], 0, [1]],
  ['SO_NO_CHECK', SO.NO_CHECK, [0], [1], 0, [1]],
  ['SO_KEEPALIVE', SO.KEEPALIVE, [0], [1], 0, [1]],
  ['SO_SNDBUFFORCE', SO.SNDBUFFORCE, NOT_THERE, [1_000_000], 0, []],
  ['SO_ACCEPTCONN of datagrams', SO.ACCEPTCONN, [0], [1], NOT_THERE, [0]],
  ['SO_RXQ_OVFL', SO.RXQ_OVFL, [0], [1], 0, [1]],
  ['SO_RCVMARK', SO.RCVMARK, [0], [1], 0, [1]],
  ['SO_TIMESTAMP', SO.TIMESTAMP, [0], [1], 0, [1]],
  ['SO_TIMESTAMPNS', SO.TIMESTAMPNS, [0], [1], 0, [1]],
  ['SO_TIMESTAMPING', SO.TIMESTAMPING, [0, 0], [0x18], 0, [0x18, 0]],
  ['SO_TIMESTAMPING of bits that are none', SO.TIMESTAMPING, [0, 0], [0x10_0000], INVALID, [0, 0]],
  ['SO_INCOMING_CPU', SO.INCOMING_CPU, [-1], [3], 0, [3]],
  ['SO_INCOMING_NAPI_ID', SO.INCOMING_NAPI_ID, [0], [3], NOT_THERE, [0]],
  ['SO_BSDCOMPAT', SO.BSDCOMPAT, [0], [1], 0, [0]],
  ['SO_BUF_LOCK', SO.BUF_LOCK, [0], [3], 0, [3]],
  ['SO_BUF_LOCK of bits that are none', SO.BUF_LOCK, [0], [4], INVALID, [0]],
  ['SO_LOCK_FILTER', SO.LOCK_FILTER, [0], [1], 0, [1]],
  ['SO_TYPE', SO.TYPE, [2], [1], NOT_THERE, [2]],
  ['SO_BUSY_POLL', SO.BUSY_POLL, NOT_THERE, [1], NOT_THERE, []],
])('%s', (_option, name, before, set, answer, after) => {
  const { level, sock } = makeLevel();
  expect(read(level, sock, name, 16)).toEqual(before);
  expect(level.set(sock, name, ints(...set))).toBe(answer);
  if (after.length > 0) expect(read(level, sock, name, 16)).toEqual(after);
});

test('buffers: forced ones know no bound, and what is there is told by SO_MEMINFO', () => {
  const { level, sock } = makeLevel();
  expect(level.set(sock, SO.SNDBUFFORCE, ints(1_000_000))).toBe(0);
  expect([read(level, sock, SO.BUF_LOCK), level.set(sock, SO.RCVBUF, ints(1_000_000)), read(level, sock, SO.BUF_LOCK)]).toEqual([
    [1],
    0,
    [3],
  ]);
  Object.assign(sock, { receiveQueuedBytes: 11, sendQueuedBytes: 22 });
  sock.options!.overflows = 33;
  expect(read(level, sock, SO.MEMINFO, 36)).toEqual([11, 425_984, 22, 2_000_000, 0, 0, 0, 0, 33]);
  expect(read(level, sock, SO.MEMINFO, 8)).toEqual([11, 425_984]);
});

test.each([
  ['SO_SNDBUF', SO.SNDBUF, SO.SNDBUF, 425_984, 4608],
  ['SO_RCVBUF', SO.RCVBUF, SO.RCVBUF, 425_984, 2304],
  ['SO_SNDBUFFORCE', SO.SNDBUFFORCE, SO.SNDBUF, 0x7ffffffe, 4608],
  ['SO_RCVBUFFORCE', SO.RCVBUFFORCE, SO.RCVBUF, 0x7ffffffe, 2304],
] as const)('%s: the most, the least, and what is negative, as Linux 6.18 answers', (_option, set, get, most, least) => {
  const { level, sock } = makeLevel();
  const answers = [0x7fffffff, 0x40000000, 0, 1, -1].map((value) => [level.set(sock, set, ints(value)), read(level, sock, get)]);
  const negative = set === get ? most : least;
  expect(answers).toEqual([most, most, least, least, negative].map((value) => [0, [value]]));
});

test('SO_ERROR is said once; of it, as of all, as much as there is room for', () => {
  const { level, sock } = makeLevel();
  sock.error = ERRNO.ECONNREFUSED;
  const short = new Uint8Array(2);
  expect([level.get(sock, SO.ERROR, short), [...short], read(level, sock, SO.ERROR)]).toEqual([2, [ERRNO.ECONNREFUSED, 0], [0]]);
});

test('who listens for datagrams accepts nobody (SO_ACCEPTCONN)', () => {
  const { level, sock } = makeLevel();
  sock.flags |= SOCK_FLAG.LISTENING;
  const stream = Object.assign(new SockCommon({ name: 'test', type: SOCK_TYPE.STREAM } as SockOps), { flags: sock.flags });
  expect([read(level, sock, SO.ACCEPTCONN), read(level, stream, SO.ACCEPTCONN)]).toEqual([[0], [1]]);
});

test.each<[option: string, name: number, value: Uint8Array]>([
  ['SO_BINDTODEVICE', SO.BINDTODEVICE, new TextEncoder().encode('eth0')],
  ['SO_BINDTOIFINDEX', SO.BINDTOIFINDEX, ints(2)],
  ['SO_MARK', SO.MARK, ints(5)],
  ['SO_DONTROUTE', SO.DONTROUTE, ints(1)],
])('%s: the next packet asks for its route anew', (_option, name, value) => {
  const { level, sock } = makeLevel();
  sock.dst = Object.assign(new DstUse(), { generation: 9 });
  expect([level.set(sock, name, value), sock.dst.generation]).toEqual([0, 0]);
});

test.each([
  ['eth0', 0, 2],
  ['eth0\0', 0, 2],
  ['eth0\0and more, longer than any name', 0, 2],
  ['\0eth0', 0, 0],
  ['', 0, 0],
  ['eth', -ERRNO.ENODEV, 0],
  ['fifteen-letters', 0, 3],
  ['fifteen-letters-and-more', 0, 3],
  ['a name that is longer than any', -ERRNO.ENODEV, 0],
])('a device by the name %j', (name, answer, ifindex) => {
  const { level, sock } = makeLevel();
  expect([level.set(sock, SO.BINDTODEVICE, new TextEncoder().encode(name)), sock.ifindex]).toEqual([answer, ifindex]);
});

test('who is bound to a device is put where he then belongs', () => {
  const { level, sock, placed } = makeLevel();
  expect([level.set(sock, SO.BINDTODEVICE, new TextEncoder().encode('eth0')), sock.ifindex]).toEqual([0, 2]);
  expect([level.set(sock, SO.BINDTOIFINDEX, ints(0)), sock.ifindex]).toEqual([0, 0]);
  expect(level.set(sock, SO.BINDTOIFINDEX, ints(-1))).toBe(INVALID);
  expect(placed).toEqual([sock, sock]);
});

describe('filters', () => {
  // ret #4
  const four = Uint8Array.of(0x06, 0, 0, 0, 4, 0, 0, 0);

  test('are attached, taken off, and stay once they are locked', () => {
    const { level, sock } = makeLevel();
    const none = new Uint8Array(0);
    expect(level.set(sock, SO.DETACH_FILTER, none)).toBe(-ERRNO.ENOENT);
    expect([level.set(sock, SO.ATTACH_FILTER, four.subarray(0, 7)), level.set(sock, SO.ATTACH_FILTER, none)]).toEqual([INVALID, INVALID]);
    expect([level.set(sock, SO.ATTACH_FILTER, four), sock.options!.filter!.run(new Skb({} as PacketMemory))]).toEqual([0, 4]);
    expect([level.set(sock, SO.DETACH_FILTER, none), sock.options!.filter]).toEqual([0, null]);
    expect([level.set(sock, SO.ATTACH_FILTER, four), level.set(sock, SO.LOCK_FILTER, ints(1))]).toEqual([0, 0]);
    const refused = [SO.ATTACH_FILTER, SO.DETACH_FILTER].map((name) => level.set(sock, name, four));
    expect([...refused, level.set(sock, SO.LOCK_FILTER, ints(0))]).toEqual([-ERRNO.EPERM, -ERRNO.EPERM, -ERRNO.EPERM]);
  });
});

describe('what is told of a packet', () => {
  const packet = Object.assign(new Skb({} as PacketMemory), { timeUs: 5_000_100, mark: 7 });

  function told(level: SocketLevel, sock: SockCommon): [type: number, words: number[]][] {
    const message = new Message();
    level.received(sock, packet, message);
    const list: [number, number[]][] = [];
    for (let at = message.control; at !== null; at = at.next) {
      expect(at.level).toBe(SOL.SOCKET);
      const view = new DataView(at.data.buffer);
      list.push([at.type, Array.from({ length: at.data.length / 4 }, (_, i) => view.getInt32(4 * i, true))]);
    }
    return list;
  }

  test('nothing of which nobody asked', () => {
    const { level, sock } = makeLevel();
    expect([told(level, sock), sock.flags & SOCK_FLAG.ANCILLARY]).toEqual([[], 0]);
  });

  test('its time, in the form that was asked for last, and as stamps', () => {
    const { level, sock } = makeLevel();
    level.set(sock, SO.TIMESTAMPNS, ints(1));
    expect(told(level, sock)).toEqual([[SO.TIMESTAMPNS, [1_000_000_005, 0, 100_000, 0]]]);
    level.set(sock, SO.TIMESTAMP, ints(1));
    expect(told(level, sock)).toEqual([[SO.TIMESTAMP, [1_000_000_005, 0, 100, 0]]]);
    level.set(sock, SO.TIMESTAMP, ints(0));
    level.set(sock, SO.TIMESTAMPING, ints(0x18));
    expect(told(level, sock)).toEqual([[SO.TIMESTAMPING, [1_000_000_005, 0, 100_000, 0, 0, 0, 0, 0, 0, 0, 0, 0]]]);
    // The same bytes again, whatever else has been written there since.
    const message = new Message();
    level.received(sock, packet, message);
    message.control!.data.fill(0xff);
    clearControl(message);
    level.received(sock, packet, message);
    expect([...message.control!.data.subarray(16)]).toEqual(new Array(32).fill(0));
    level.set(sock, SO.TIMESTAMPING, ints(0x8));
    expect([told(level, sock), sock.flags & SOCK_FLAG.ANCILLARY]).toEqual([[], SOCK_FLAG.ANCILLARY]);
  });

  test('also when the clock of 32 bits has wrapped since, and for a packet without a stamp', () => {
    const { level, sock } = makeLevel(2 ** 32 + 50);
    level.set(sock, SO.TIMESTAMP, ints(1));
    packet.timeUs = -50;
    expect(told(level, sock)).toEqual([[SO.TIMESTAMP, [1_000_004_294, 0, 967_246, 0]]]);
    packet.timeUs = 0;
    expect(told(level, sock)).toEqual([[SO.TIMESTAMP, [1_000_004_294, 0, 967_346, 0]]]);
    const half = makeLevel(2 ** 31 + 50);
    half.level.set(half.sock, SO.TIMESTAMP, ints(1));
    packet.timeUs = 2 ** 31 - 50;
    expect(told(half.level, half.sock)).toEqual([[SO.TIMESTAMP, [1_000_002_147, 0, 483_598, 0]]]);
    packet.timeUs = 5_000_100;
  });

  test('its mark, and how many there was no room for', () => {
    const { level, sock } = makeLevel();
    level.set(sock, SO.RCVMARK, ints(1));
    level.set(sock, SO.RXQ_OVFL, ints(1));
    expect(told(level, sock)).toEqual([[SO.MARK, [7]]]);
    sock.options!.overflows = 3;
    expect(told(level, sock)).toEqual([
      [SO.RXQ_OVFL, [3]],
      [SO.MARK, [7]],
    ]);
  });

  test('again and again makes no garbage', () => {
    const { level, sock } = makeLevel();
    level.set(sock, SO.RCVMARK, ints(1));
    level.set(sock, SO.TIMESTAMP, ints(1));
    const message = new Message();
    const bytes = heapPerCall(1, () => {
      clearControl(message);
      level.received(sock, packet, message);
    });
    expect(bytes).toBeLessThan(1);
  });
});

test('what a message says of itself', () => {
  const { level, sock } = makeLevel();
  const packet = new PacketOptions();
  const say = (type: number, data: Uint8Array) => level.sending(sock, new ControlMessage(SOL.SOCKET, type, data), packet);
  expect([say(SO.MARK, ints(-9)), say(SO.PRIORITY, ints(6)), say(SO.TIMESTAMPING, ints(2))]).toEqual([0, 0, 0]);
  expect(packet).toMatchObject({ hasMark: true, mark: -9, priority: 6, timestamping: 2 });
  expect([say(SO.MARK, ints(1, 2)), say(SO.LINGER, ints(1))]).toEqual([INVALID, INVALID]);
});

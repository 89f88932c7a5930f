import { DEVICE_FEATURE, ERRNO, MESSAGE_FLAG } from '@softnet/contract';
import { UDP_OPTION } from '@softnet/udp';
import { parseAddress, parseIpv4Packet, parseIpv6Packet, parseUdp, pseudoHeaderSum } from '@softnet/wire';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BurstHost, FAR } from './burst-host.ts';
import { BurstSocket, datagramsOf } from './burst-socket.ts';
import { arrivalOf, shot } from './frames.ts';

const { SEGMENT, GRO } = UDP_OPTION;

let host: BurstHost;
const open: BurstSocket[] = [];
beforeAll(async () => {
  host = await BurstHost.boot({ gro: true });
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
  host.take();
  expect([host.skbsOut, host.memoryOut]).toEqual([0, 0]);
});
afterAll(() => host.end());

function socket(): BurstSocket {
  const made = new BurstSocket(host);
  open.push(made);
  return made;
}

/** Bytes that tell where they are. */
function bytes(lenBytes: number): Uint8Array {
  return Uint8Array.from({ length: lenBytes }, (_, i) => (i >> 8) ^ (i * 3));
}

/** The datagram in a frame, sums checked, and its packet's own fields. */
function read(frame: Uint8Array) {
  const isV4 = frame[14]! >>> 4 === 4;
  const packet = (isV4 ? parseIpv4Packet : parseIpv6Packet)(frame, 14, frame.length - 14);
  if (typeof packet === 'string') throw new Error(packet);
  const pseudo = pseudoHeaderSum(...parseAddress(packet.src)!.words, ...parseAddress(packet.dst)!.words, 17, packet.payload.length);
  const datagram = parseUdp(packet.payload, 0, packet.payload.length, pseudo);
  if (typeof datagram === 'string') throw new Error(datagram);
  expect(datagram.checksum).not.toBe(0);
  return { ...datagram, packet };
}

describe('UDP_SEGMENT', () => {
  test.each([
    ['IPv4', FAR[0]],
    ['IPv6', FAR[2]],
  ])('one send leaves as honest frames of so many bytes: %s', (_name, to) => {
    const sender = socket().connect(to, 9);
    expect(sender.set(SEGMENT, 1400)).toBe(0);
    const data = bytes(20 * 1400 + 11);
    expect(sender.send(data)).toBe(data.length);
    const frames = host.take().out.map(read);
    expect(frames).toHaveLength(21);
    expect(Buffer.compare(Buffer.concat(frames.map(({ payload }) => payload)), data)).toBe(0);
    expect(frames.slice(0, 20).every(({ payload }) => payload.length === 1400)).toBe(true);
    expect(sender.sock.sendQueuedBytes).toBe(0);
  });

  test('its memory is its until the last of them is sent', () => {
    const sender = socket().connect(FAR[0], 9);
    sender.set(SEGMENT, 1000);
    const queued: number[] = [];
    host.sent.out.watch = (skb) => queued.push(skb.sock === null ? 0 : sender.sock.sendQueuedBytes);
    sender.send(bytes(3000));
    host.sent.out.watch = null;
    expect(queued.map((each) => each > 3000)).toEqual([false, false, true]);
    expect(sender.sock.sendQueuedBytes).toBe(0);
  });

  test('what may not be cut on its way has all one identification; else one more each', () => {
    const sender = socket().connect(FAR[0], 9);
    sender.set(SEGMENT, 500);
    const ids = (): { id: number; dontFragment: boolean }[] =>
      host.take().out.map((frame) => {
        const { id, dontFragment } = read(frame).packet as { id: number; dontFragment: boolean };
        return { id, dontFragment };
      });
    sender.send(bytes(1500));
    expect(ids()).toEqual(new Array(3).fill({ id: 0, dontFragment: true }));
    host.kernel.sysctl.set('net.ipv4.ip_no_pmtu_disc', 1);
    sender.send(bytes(1500));
    sender.send(bytes(100));
    host.kernel.sysctl.set('net.ipv4.ip_no_pmtu_disc', 0);
    const [first, ...others] = ids();
    expect(others).toEqual([1, 2, 3].map((i) => ({ id: (first!.id + i) & 0xffff, dontFragment: false })));
  });

  test('a control message says it for one call', () => {
    const sender = socket().connect(FAR[0], 9);
    expect(sender.send(bytes(300), Uint8Array.of(100, 0))).toBe(300);
    expect(host.take().out).toHaveLength(3);
    expect(sender.send(bytes(300))).toBe(300);
    expect(host.take().out).toHaveLength(1);
    sender.set(SEGMENT, 100);
    expect(sender.send(bytes(300), Uint8Array.of(0, 0))).toBe(300);
    expect(host.take().out).toHaveLength(1);
    expect(sender.send(bytes(300), Uint8Array.of(1, 2, 3))).toBe(-ERRNO.EINVAL);
  });

  test.each<[string, number, number, number]>([
    ['one that needs no cut', 1400, 1400, 1],
    ['one that is smaller', 1400, 3, 1],
    ['none', 1400, 0, 1],
    ['as large as fits', 1472, 2000, 2],
    ['64 of them', 10, 640, 64],
    ['65', 10, 641, -ERRNO.EINVAL],
    ['larger than fits', 1473, 2000, -ERRNO.EMSGSIZE],
    ['larger than fits, but there is less', 65_535, 1472, 1],
    ['more than a datagram can have', 1400, 65_508, -ERRNO.EMSGSIZE],
  ])('by Linux’s rules: %s', (_name, size, lenBytes, expected) => {
    const sender = socket().connect(FAR[0], 9);
    sender.set(SEGMENT, size);
    const result = sender.send(bytes(lenBytes));
    if (expected < 0) expect(result).toBe(expected);
    else expect([result, host.take().out.length]).toEqual([lenBytes, expected]);
  });

  test('options are kept, read, and refused', () => {
    const some = socket();
    expect([some.get(SEGMENT), some.get(GRO)]).toEqual([0, 0]);
    expect([some.set(SEGMENT, 1234), some.set(GRO, 5)]).toEqual([0, 0]);
    expect([some.get(SEGMENT), some.get(GRO)]).toEqual([1234, 1]);
    expect([some.set(SEGMENT, -1), some.set(SEGMENT, 65_536)]).toEqual([-ERRNO.EINVAL, -ERRNO.EINVAL]);
    expect([some.set(77, 1), some.get(77)]).toEqual([-ERRNO.ENOPROTOOPT, -ERRNO.ENOPROTOOPT]);
    expect(some.calls.setOption(some.sock, 17, GRO, new Uint8Array(3))).toBe(-ERRNO.EINVAL);
  });
});

describe('within a host, and by devices that cut for themselves, it goes whole', () => {
  test.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ])('to who takes datagrams one by one, and as they come: %s', (_name, to) => {
    const [single, merged] = [socket().bind(7), socket().bind(8)];
    merged.set(GRO, 1);
    for (const [receiver, port] of [
      [single, 7],
      [merged, 8],
    ] as const) {
      const sender = socket().connect(to, port);
      sender.set(SEGMENT, 1000);
      const data = bytes(7500);
      expect(sender.send(data)).toBe(7500);
      host.world.advanceSync(100);
      const taken = receiver.takeAll();
      expect(taken.map((each) => [each.data.length, each.size])).toEqual(
        port === 8 ? [[7500, 1000]] : [...new Array(7).fill([1000, 0]), [500, 0]],
      );
      expect(Buffer.compare(Buffer.concat(taken.flatMap(datagramsOf)), data)).toBe(0);
      expect([sender.sock.sendQueuedBytes, receiver.sock.receiveQueuedBytes]).toEqual([0, 0]);
    }
  });

  test('the packet itself, with its size; a look at it; too small a place', () => {
    const merged = socket().bind(8);
    merged.set(GRO, 1);
    host.receive(new Array(5).fill(0).map((_, i) => arrivalOf(shot({ dst: '10.0.1.1', dstPort: 8, id: i }))));
    const { message, calls, sock } = merged;
    Object.assign(message, { data: new Uint8Array(30), flags: MESSAGE_FLAG.PEEK });
    expect([calls.receive(sock, message), message.flags]).toEqual([30, MESSAGE_FLAG.TRUNC]);
    const { control } = message;
    expect(control).toMatchObject({ level: 17, type: GRO, data: Uint8Array.of(100, 0, 0, 0) });
    message.flags = MESSAGE_FLAG.SKB;
    expect(calls.receive(sock, message)).toBe(500);
    expect(message.skb).toMatchObject({ gsoSize: 100, gsoSegs: 5, sock: null });
    expect(message.control, 'the record is filled anew').toBe(control);
    message.skb!.memory.pool.release(message.skb!);
    expect(sock.receiveQueuedBytes).toBe(0);
  });

  test('a packet that was merged is sent on as one datagram', () => {
    const merged = socket().bind(8);
    merged.set(GRO, 1);
    host.receive([0, 1].map((id) => arrivalOf(shot({ dst: '10.0.1.1', dstPort: 8, id }))));
    merged.message.flags = MESSAGE_FLAG.SKB;
    merged.calls.receive(merged.sock, merged.message);
    const { skb } = merged.message;
    const sender = socket().connect(FAR[0], 9);
    Object.assign(sender.message, { data: null, skb, flags: MESSAGE_FLAG.SKB, hasAddress: false });
    expect(sender.calls.send(sender.sock, sender.message)).toBe(200);
    expect(host.take().out.map((frame) => read(frame).payload.length)).toEqual([200]);
  });

  test('of a socket that is full, each is counted by itself', () => {
    const single = socket().bind(7);
    const before = host.drops['udp.full'] ?? 0;
    const frames = Array.from({ length: 300 }, (_, i) => arrivalOf(shot({ dst: '10.0.1.1', dstPort: 7, lenBytes: 1000, id: i })));
    for (let i = 0; i < 300; i += 50) host.receive(frames.slice(i, i + 50));
    const taken = single.takeAll();
    // As many as of a socket whose datagrams were never merged: each lies in the buffer that it came in.
    expect([taken.length, (host.drops['udp.full'] ?? 0) - before]).toEqual([90, 210]);
  });

  test('a device that has the feature gets it uncut, its sum unfinished', async () => {
    const features = DEVICE_FEATURE.GSO_UDP | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.SCATTER;
    const whole = await BurstHost.boot({ gro: false, features });
    const sender = new BurstSocket(whole).connect(FAR[0], 9);
    sender.set(SEGMENT, 1400);
    sender.send(bytes(5000));
    expect([whole.take().out.length, whole.sent.out.sizes]).toEqual([1, [1400]]);
    sender.close();
    await whole.end();
  });
});

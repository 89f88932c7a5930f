import type { Skb } from '@softnet/contract';
import { CHECKSUM, DropReason, Dst, Generation, NetDevice, SKB_TYPE } from '@softnet/contract';
import { copyIn, finishChecksum, makePool, pull, push, SkbReader } from '@softnet/skb';
import { emitEthernet, emitIpv4Packet, etherLink, insertVlanTag } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CaptureOptions } from './captures.ts';
import { RunningCapture } from './running-capture.ts';
import type { ParsedCapture } from './testing/parse-pcapng.ts';
import { parsePcapng } from './testing/parse-pcapng.ts';

const CHECKSUM_REASON = new DropReason(1, 'udp.checksum', 'the checksum is wrong (RFC 768)');

function setUp(options: Partial<CaptureOptions> = {}) {
  const pool = makePool({ buffers: 8, pages: 64 });
  const eth0 = deviceOf('eth0', 3);
  const eth1 = deviceOf('eth1', 4);
  const pieces: Uint8Array[] = [];
  const host = { nowUs: 0, ended: 0, collected: 0 };
  const capture = new RunningCapture(
    {
      readUs: () => host.nowUs,
      collected: () => void host.collected++,
      ended: () => void host.ended++,
      deviceOf: (ifindex) => [eth0, eth1].find((device) => device.ifindex === ifindex) ?? null,
    },
    { ...(options.ring === undefined ? { write: (bytes) => void pieces.push(bytes) } : {}), ...options },
  );
  const packet = (bytes: Uint8Array, headroomBytes = 64, inHead = bytes.length): Skb => {
    const skb = pool.alloc(headroomBytes, Math.min(inHead, 1500))!;
    copyIn(skb, bytes.subarray(0, inHead));
    // What follows goes on pages, whatever room is left.
    const { end } = skb;
    skb.end = skb.tail;
    copyIn(skb, bytes.slice(inHead));
    skb.end = end;
    return skb;
  };
  const read = (): ParsedCapture => {
    capture.flush();
    return parsePcapng(new Uint8Array(Buffer.concat(pieces)));
  };
  return { pool, eth0, eth1, host, capture, packet, read, pieces };
}

function deviceOf(name: string, ifindex: number): NetDevice {
  const device = new NetDevice({ open: () => {}, stop: () => {}, transmit: () => {} }, etherLink);
  device.name = name;
  device.ifindex = ifindex;
  device.address.set([2, 0, 0, 0, 0, 1]);
  return device;
}

const frameArb = fc.record({
  payload: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
  inHead: fc.nat(1500),
  tag: fc.option(fc.record({ tpid: fc.constantFrom(0x8100, 0x88a8), tci: fc.nat(0xffff) }), { nil: undefined }),
  read: fc.boolean(),
  second: fc.boolean(),
  afterUs: fc.nat(2 ** 33),
});

test('frames are written as they were on the wire: fragments, tags that were taken off, times, lengths, directions', () => {
  const snap = fc.option(fc.integer({ min: 1, max: 3100 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(frameArb, { maxLength: 20 }), snap, fc.nat(2 ** 50), (frames, snapLenBytes, epochUs) => {
      const all = setUp({ epochUs, ...(snapLenBytes === undefined ? {} : { snapLenBytes }) });
      const { eth0, eth1, host, capture, packet, pool } = all;
      const names: string[] = [];
      const expected = frames.map(({ payload, inHead, tag, read, second, afterUs }) => {
        const header = { dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02', type: 0x88b5 };
        const plain = emitEthernet({ ...header, tags: [], payload });
        const skb = packet(plain, 64, 14 + Math.min(inHead, payload.length));
        const device = second ? eth1 : eth0;
        host.nowUs += afterUs;
        if (read) etherLink.read(skb, device);
        else {
          skb.mac = skb.data;
          skb.type = SKB_TYPE.OUTGOING;
        }
        if (tag !== undefined) skb.vlan = (tag.tpid << 16) | tag.tci | 0;
        capture.tap(skb, device);
        const bytes = tag === undefined ? plain : tagged(pool.alloc(4, 14)!, plain, skb.vlan);
        pool.release(skb);
        if (!names.includes(device.name)) names.push(device.name);
        return {
          ...{ interfaceId: names.indexOf(device.name), timeUs: epochUs + host.nowUs, lenBytes: bytes.length, comment: undefined },
          ...{ bytes: bytes.slice(0, snapLenBytes), flags: read ? 0b101 : 0b10 },
        };
      });
      const { interfaces, packets } = all.read();
      expect(packets).toEqual(expected);
      expect(interfaces).toEqual(names.map((name) => ({ linkType: 1, name, snapLenBytes: snapLenBytes ?? 262_144 })));
      expect(capture.frames).toBe(frames.length);
      expect(pool.idle).toBe(true);
    }),
    { numRuns: 60 },
  );
});

/** The frame with its tag, by the library's own hand. */
function tagged(skb: Skb, plain: Uint8Array, vlan: number): Uint8Array {
  copyIn(skb, plain.subarray(0, 14));
  skb.mac = skb.data;
  skb.vlan = vlan;
  insertVlanTag(skb);
  const head = skb.memory.bytes.slice(skb.data, skb.tail);
  skb.memory.pool.release(skb);
  return new Uint8Array(Buffer.concat([head, plain.subarray(14)]));
}

const text = 'dropped: udp.checksum: the checksum is wrong (RFC 768)';
const ipv4 = Uint8Array.of(0x45, 0, 0, 20, ...new Array<number>(16).fill(7));

test('dropped packets say why, from the header on that is still there', () => {
  const { eth0, capture, packet, pool, read } = setUp();
  const frame = emitEthernet({ dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02', tags: [], type: 0x0800, payload: ipv4 });
  const drop = (bytes: Uint8Array, prepare: (skb: Skb) => void): void => {
    const skb = packet(bytes);
    prepare(skb);
    capture.dropped(skb, CHECKSUM_REASON);
    pool.release(skb);
  };
  drop(frame, (skb) => {
    skb.ifindex = 3;
    etherLink.read(skb, eth0);
    pull(skb, 20);
  });
  drop(ipv4, (skb) => {
    skb.network = skb.data;
  });
  const dst = new Dst(new Generation(), () => 0);
  dst.device = eth0;
  drop(ipv4, (skb) => {
    skb.dst = dst;
    skb.network = skb.data;
    // The link header of what it was wrapped around.
    skb.mac = skb.data + 4;
  });
  drop(Uint8Array.of(1, 2, 3), (skb) => {
    skb.protocol = 0x0806;
    skb.network = skb.data;
  });
  drop(Uint8Array.of(9), () => {});
  const { interfaces, packets } = read();
  expect(interfaces.map(({ linkType, name }) => [linkType, name])).toEqual([
    [1, 'eth0'],
    [101, 'dropped'],
    [101, 'eth0'],
    [1, 'dropped'],
  ]);
  expect(packets.map(({ interfaceId, bytes, flags }) => [interfaceId, [...bytes], flags])).toEqual([
    [0, [...frame], 0b101],
    [1, [...ipv4], 0b10],
    [2, [...ipv4], 0b10],
    [3, [...new Array<number>(12).fill(0), 0x08, 0x06, 1, 2, 3], 0b10],
    [3, [...new Array<number>(12).fill(0), 0x88, 0xb5, 9], 0b10],
  ]);
  expect(new Set(packets.map(({ comment }) => comment))).toEqual(new Set([text]));
  expect([capture.frames, capture.drops]).toEqual([5, 5]);
});

test('of one device, nothing is written of others', () => {
  const device = deviceOf('eth0', 3);
  const { eth1, capture, packet, pool, read } = setUp({ device });
  const skb = packet(new Uint8Array(60));
  skb.mac = skb.data;
  capture.tap(skb, eth1);
  capture.tap(skb, device);
  capture.dropped(skb, CHECKSUM_REASON);
  skb.ifindex = 4;
  capture.dropped(skb, CHECKSUM_REASON);
  skb.ifindex = 3;
  capture.dropped(skb, CHECKSUM_REASON);
  pool.release(skb);
  expect(read().packets.map(({ comment }) => comment)).toEqual([undefined, text]);
});

test('a checksum that was left to a device is finished in the file, and not in the packet', () => {
  const reader = new SkbReader();
  const sizes = fc.record({ start: fc.nat(40), field: fc.nat(18).map((half) => 2 * half), more: fc.nat(2000), tag: fc.boolean() });
  fc.assert(
    fc.property(sizes, fc.integer(), ({ start, field, more, tag }, seed) => {
      const { eth0, capture, packet, pool, read } = setUp();
      const bytes = Uint8Array.from({ length: 14 + start + field + 2 + more }, (_, i) => Math.imul(i + 1, seed | 1) >> 7);
      const skb = packet(bytes, 64, Math.min(bytes.length, 14 + start + field + 2));
      skb.mac = skb.data;
      skb.network = skb.data + 14;
      skb.type = SKB_TYPE.OUTGOING;
      skb.checksum = CHECKSUM.PARTIAL;
      skb.csum = ((skb.data + 14 + start - skb.head) << 16) | field;
      if (tag) skb.vlan = (0x8100 << 16) | 5;
      capture.tap(skb, eth0);
      expect(Buffer.from(skb.memory.bytes.subarray(skb.data, skb.tail)).equals(bytes.subarray(0, skb.tail - skb.data))).toBe(true);
      finishChecksum(skb, reader);
      const whole = new Uint8Array(skb.len);
      reader.open(skb);
      reader.copyOut(whole);
      const [written] = read().packets;
      expect(Buffer.compare(written!.bytes.subarray(tag ? 18 : 14), whole.subarray(14))).toBe(0);
      pool.release(skb);
    }),
  );
});

test('more than may be collected is missed, and said so; a write that throws ends it', () => {
  const { eth0, capture, packet, pool, host, read } = setUp();
  const skb = packet(new Uint8Array(60_000));
  skb.mac = skb.data;
  for (let i = 0; i < 100; i++) capture.tap(skb, eth0);
  expect([capture.frames, capture.missed]).toEqual([69, 31]);
  expect(read().packets.length).toBe(69);
  capture.tap(skb, eth0);
  expect(read().packets.length).toBe(70);
  capture.close();
  capture.close();
  expect(host.ended).toBe(1);
  const broken = setUp({
    write: () => {
      throw new Error('disk full');
    },
  });
  broken.capture.tap(skb, eth0);
  broken.capture.flush();
  expect([broken.capture.closed, String(broken.capture.error), broken.host.ended]).toEqual([true, 'Error: disk full', 1]);
  broken.capture.close();
  expect(broken.host.ended).toBe(1);
  push(skb, 0);
  pool.release(skb);
});

test('a filter chooses, of frames and of what is dropped, whatever headers are left', () => {
  const udp = emitEthernet({ dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02', tags: [], type: 0x800, payload: ipv4Udp() });
  const { eth0, capture, packet, pool, read } = setUp({ filter: 'udp dst port 53 or (dropped and not ip)' });
  const skb = packet(udp);
  skb.mac = skb.data;
  skb.ifindex = 3;
  capture.tap(skb, eth0);
  // The link header is gone, and the packet is not.
  pull(skb, 14);
  skb.mac = -1;
  skb.network = skb.data;
  capture.dropped(skb, CHECKSUM_REASON);
  skb.memory.view.setUint16(skb.data + 22, 54);
  capture.dropped(skb, CHECKSUM_REASON);
  skb.network = -1;
  skb.protocol = 0x806;
  capture.dropped(skb, CHECKSUM_REASON);
  pool.release(skb);
  expect([capture.frames, capture.drops, read().packets.length]).toEqual([3, 2, 3]);
});

function ipv4Udp(): Uint8Array {
  const payload = Uint8Array.of(0, 7, 0, 53, 0, 8, 0, 0);
  const fields = { tos: 0, id: 1, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 64, protocol: 17 };
  return emitIpv4Packet({ ...fields, src: '10.0.0.1', dst: '10.0.0.2', options: [], payload });
}

test('a pause gives nothing to write, keeps what comes up to a bound, and an end gives all of it', () => {
  const { eth0, capture, packet, pool, pieces, host } = setUp();
  const skb = packet(new Uint8Array(60_000));
  skb.mac = skb.data;
  capture.tap(skb, eth0);
  capture.flush();
  capture.pause();
  for (let i = 0; i < 100; i++) {
    capture.tap(skb, eth0);
    capture.flush();
  }
  expect([pieces.length, capture.frames, capture.missed]).toEqual([1, 70, 31]);
  const asked = host.collected;
  capture.resume();
  expect(host.collected).toBe(asked + 1);
  capture.flush();
  expect(pieces.length).toBe(2);
  capture.pause();
  capture.tap(skb, eth0);
  capture.close();
  expect(pieces.length).toBe(3);
  pool.release(skb);
});

test('a ring has the last packets, also after the end; a capture without one says what to do', () => {
  const { eth0, capture, packet, pool, host } = setUp({ ring: { maxBytes: 65_536, maxPackets: 3 } });
  for (let i = 0; i < 5; i++) {
    const skb = packet(new Uint8Array(100 + i));
    skb.mac = skb.data;
    host.nowUs = i;
    capture.tap(skb, eth0);
    pool.release(skb);
  }
  capture.close();
  const { packets } = parsePcapng(capture.dump());
  expect(packets.map(({ timeUs, lenBytes }) => [timeUs, lenBytes])).toEqual([
    [2, 102],
    [3, 103],
    [4, 104],
  ]);
  expect([capture.frames, capture.kept, host.collected]).toEqual([5, 3, 0]);
  expect(() => setUp().capture.dump()).toThrow('EINVAL: capture: it has no ring');
});

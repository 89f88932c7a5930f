import type { RxQueue, Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, it } from 'vitest';
import { frame } from '../descriptor/fake-libc.ts';
import { fakeTap } from './fake-tap.ts';
import { TUN_OFFLOAD } from './tun-file.ts';
import { VNET_HEADER_BYTES, VnetHeader, writeVnetHeader } from './vnet-header.ts';

const { GSO_UDP, RX_CHECKSUM, RX_GSO } = DEVICE_FEATURE;
const TUNSETOFFLOAD = 0x400454d0;

/** As Linux gives it: the header, then the frame. */
function withHeader(bytes: Uint8Array, fields: Partial<VnetHeader> = {}): Uint8Array {
  const all = new Uint8Array(VNET_HEADER_BYTES + bytes.length);
  writeVnetHeader(new DataView(all.buffer), 0, Object.assign(new VnetHeader(), fields));
  all.set(bytes, VNET_HEADER_BYTES);
  return all;
}

/** A UDP datagram over IPv4 and Ethernet, as far as it is looked at. */
function datagram(payloadBytes: number): Uint8Array {
  const bytes = frame(14 + 20 + 8 + payloadBytes);
  bytes.set([0x08, 0x00, 0x45], 12);
  bytes[14 + 9] = 17;
  return bytes;
}

const BURST = { flags: 1, burst: 5, headerBytes: 42, segmentBytes: 1400, checksumStart: 34, checksumOffset: 6 };

/** Whole numbers below a bound, the same for the same seed. */
function xorshift(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Up to four bytes are others, most of them in the headers; now and then it is cut off. */
function mutated(original: Uint8Array, random: (below: number) => number): Uint8Array {
  const lenBytes = random(4) === 0 ? random(original.length + 1) : original.length;
  const bytes = original.slice(0, lenBytes);
  for (let count = random(4); count > 0 && lenBytes > 0; count--) bytes[random(Math.min(lenBytes, 60))] = random(256);
  return bytes;
}

describe('a tap with virtio_net_hdr', () => {
  it('is told what its frames are, and tells it', () => {
    const { libc, received, run, goUp, packet, sendPackets } = fakeTap({ vnetHeader: true });
    goUp();
    libc.incoming.push(withHeader(frame(60)), withHeader(datagram(100), { flags: 1, checksumStart: 34, checksumOffset: 6 }));
    libc.incoming.push(withHeader(datagram(100), { flags: 2 }));
    run();
    expect(received.map(({ checksum, summed }) => [checksum, ...(checksum === CHECKSUM.PARTIAL ? summed : [])])).toEqual([
      [0],
      [3, 34, 6],
      [1],
    ]);
    const [plain, partial, again] = [packet(frame(60)), packet(datagram(100)), packet(frame(61))];
    partial.checksum = CHECKSUM.PARTIAL;
    partial.csum = ((partial.data - partial.head + 34) << 16) | 6;
    sendPackets([plain, partial, again]);
    expect(libc.written).toEqual([
      withHeader(frame(60)),
      withHeader(datagram(100), { flags: 1, checksumStart: 34, checksumOffset: 6 }),
      withHeader(frame(61)),
    ]);
  });

  it('takes bursts when it is told to, on pages; short frames beside them take none', () => {
    const { libc, received, run, goUp, device, driver, host, pool } = fakeTap({ vnetHeader: true });
    goUp();
    const burst = datagram(20_000);
    libc.incoming.push(withHeader(burst, BURST));
    run();
    device.features = RX_CHECKSUM;
    expect([received.length, device.stats.rxErrors]).toEqual([0, 1]);
    driver.setFeatures(RX_CHECKSUM | RX_GSO);
    device.features = RX_CHECKSUM | RX_GSO;
    const all = TUN_OFFLOAD.CHECKSUM | TUN_OFFLOAD.TCPV4 | TUN_OFFLOAD.TCPV6 | TUN_OFFLOAD.TCP_ECN | TUN_OFFLOAD.UDPV4 | TUN_OFFLOAD.UDPV6;
    expect(libc.numbers.at(-1)).toEqual([TUNSETOFFLOAD, all]);
    const sent = [burst, datagram(10), datagram(4000), frame(1500), burst];
    libc.incoming.push(...sent.map((bytes) => withHeader(bytes, bytes.length > 1600 ? BURST : {})));
    run();
    expect(received.map((each) => each.frame)).toEqual(sent);
    expect(received.map(({ gso }) => gso)).toEqual([
      [1400, 15, GSO_UDP],
      [0, 0, 0],
      [1400, 3, GSO_UDP],
      [0, 0, 0],
      [1400, 15, GSO_UDP],
    ]);
    expect(pool.idle).toBe(true);
    libc.incoming.push(withHeader(frame(1519)), withHeader(frame(70_000), BURST));
    run();
    expect([received.length, host.reasons.tooLong.count, host.reasons.header.count, pool.idle]).toEqual([5, 2, 1, true]);
    expect(() => driver.setFeatures(RX_GSO)).toThrow(/EINVAL: .*RX_GSO wants RX_CHECKSUM on/);
  });

  it('a burst for which pages are short is missed, and short frames come through', () => {
    const { libc, received, run, goUp, device, pool } = fakeTap({ vnetHeader: true, pages: 8 });
    device.features = RX_CHECKSUM | RX_GSO;
    goUp();
    libc.incoming.push(withHeader(datagram(60_000), BURST), withHeader(frame(100)), withHeader(datagram(20_000), BURST));
    run();
    expect(received.map((each) => each.frame.length)).toEqual([100, 20_042]);
    expect([device.stats.rxMissed, device.stats.rxErrors, pool.idle]).toEqual([1, 0, true]);
  });

  it('counts what lies, what is cut off, and what is nothing; nothing is thrown, nothing is leaked', () => {
    const { libc, received, run, goUp, device, host, pool } = fakeTap({ vnetHeader: true });
    goUp();
    libc.incoming.push(
      new Uint8Array(0),
      new Uint8Array(9),
      withHeader(new Uint8Array(0)),
      withHeader(frame(60), { flags: 1, checksumStart: 59 }),
      withHeader(datagram(100), { ...BURST, segmentBytes: 0 }),
      withHeader(frame(1519)),
      withHeader(frame(60)),
    );
    expect(run()).toBe(7);
    expect([host.reasons.truncated.count, host.reasons.header.count, host.reasons.tooLong.count, device.stats.rxErrors]).toEqual([
      3, 2, 1, 6,
    ]);
    expect([received.map((each) => each.frame), pool.idle]).toEqual([[frame(60)], true]);
  });

  it('30,000 mutated frames: each is received, counted as an error, or missed; nothing is thrown, nothing is leaked', () => {
    const { libc, run, goUp, device, host, pool } = fakeTap({ vnetHeader: true, pages: 24 });
    device.features = RX_CHECKSUM | RX_GSO;
    let received = 0;
    let wrong = 0;
    const take = (_queue: RxQueue, skb: Skb): void => {
      received++;
      if (skb.checksum === CHECKSUM.PARTIAL && skb.head + (skb.csum >>> 16) + (skb.csum & 0xffff) + 2 > skb.tail) wrong++;
      if (skb.gsoSize > 0 && skb.gsoSegs * skb.gsoSize < skb.len - 200) wrong++;
      pool.release(skb);
    };
    Object.assign(host, { received: take });
    goUp();
    const random = xorshift(0x5eed);
    const originals = [
      withHeader(datagram(3000), BURST),
      withHeader(datagram(80), { flags: 1, checksumStart: 34, checksumOffset: 6 }),
      withHeader(frame(60)),
    ];
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < 100; i++) libc.incoming.push(mutated(originals[random(3)]!, random));
      run();
    }
    const { rxErrors, rxMissed } = device.stats;
    expect([received + rxErrors + rxMissed, wrong, received > 5000, rxErrors > 5000, pool.idle]).toEqual([30_000, 0, true, true, true]);
  });

  it('a burst that cannot be said is refused here, and the next frame has a clean header', () => {
    const { libc, packet, sendPackets, goUp, host } = fakeTap({ vnetHeader: true });
    goUp();
    const partial = packet(datagram(100));
    partial.checksum = CHECKSUM.PARTIAL;
    partial.csum = ((partial.data - partial.head + 34) << 16) | 6;
    const odd = packet(datagram(1000));
    Object.assign(odd, { gsoSize: 400, gsoSegs: 3, gsoType: GSO_UDP });
    sendPackets([partial, odd, packet(frame(60))]);
    expect([host.reasons.refused.count, libc.written.length, libc.written[1]]).toEqual([1, 2, withHeader(frame(60))]);
  });

  it('allocates nothing for a burst once warm', () => {
    const { libc, goUp, pool, host, device, turn } = fakeTap({ vnetHeader: true });
    device.features = RX_CHECKSUM | RX_GSO;
    goUp();
    const burst = withHeader(datagram(20_000), BURST);
    const { bytes } = pool.memory;
    Object.assign(host, { received: (_queue: RxQueue, skb: Skb) => pool.release(skb) });
    const readv = (_fd: number, iovecs: Uint32Array): number => {
      for (let i = 0; i < 60; i++) bytes[iovecs[0]! + i] = burst[i]!;
      return libc.reads++ % 5 === 4 ? -1 : burst.length;
    };
    Object.assign(libc, { readv, errno: () => 11, addressOf: () => 0n });
    // A turn is 4 bursts.
    expect(heapPerCall(16, () => turn(4), 200)).toBeLessThan(16);
  });
});

describe('a tun', () => {
  it('carries packets without a link header, as long as its MTU and no longer', () => {
    const { libc, frames, run, goUp, send, host } = fakeTap({ kind: 'tun' });
    goUp();
    libc.incoming.push(frame(1500), frame(1501));
    run();
    expect([frames, host.reasons.tooLong.count]).toEqual([[frame(1500)], 1]);
    send(1500);
    expect(libc.written).toEqual([frame(1500)]);
  });
});

describe('a tap with several queues', () => {
  it('reads and writes each by its own descriptor; one that is full does not stop the others', () => {
    const { libc, device, received, run, goUp, packet, sendPackets, told } = fakeTap({ queues: 3 });
    goUp();
    libc.queue(1001).incoming.push(frame(70));
    libc.queue(999).incoming.push(frame(71));
    libc.queue(1000).incoming.push(frame(72));
    run();
    expect(received.map(({ queue, frame: { length } }) => [queue, length]).sort()).toEqual([
      [0, 71],
      [1, 72],
      [2, 70],
    ]);
    libc.writeErrors.push(11, 11);
    const left = sendPackets([packet(frame(60))], 1);
    libc.writeErrors.length = 0;
    sendPackets([packet(frame(61))], 2);
    expect([left.lenPackets, device.txQueues.map(({ stopped }) => stopped)]).toEqual([1, [false, true, false]]);
    run();
    expect([told, device.txQueues[1]!.stopped]).toEqual([['sent 1 61', 'wake'], false]);
    expect(['readable', 'readable', 'readable']).toEqual([999, 1000, 1001].map((fd) => libc.queue(fd).watched));
  });

  it('one carrier for all: any queue finds it gone, and it comes back', () => {
    const { libc, run, goUp, packet, sendPackets, told, device } = fakeTap({ queues: 2 });
    goUp();
    libc.up = false;
    sendPackets([packet(frame(60))], 1);
    run();
    expect(told.splice(0)).toEqual(['completed 1 60', 'no carrier']);
    sendPackets([packet(frame(60))], 0);
    expect(device.stats.txDropped).toBe(2);
    told.length = 0;
    libc.up = true;
    run();
    expect(told).toEqual(['carrier']);
  });

  it('uses fewer of its queues, and more again; the rest rest', () => {
    const { libc, goUp, driver, run, device, received } = fakeTap({ queues: 3 });
    goUp();
    driver.stop();
    expect(() => driver.setChannels(2, 1)).toThrow(/EINVAL: .*: each queue of a tap receives and sends: give as many rx as tx/);
    driver.setChannels(1, 1);
    device.rxQueues = device.rxQueues.slice(0, 1);
    expect(libc.attached.splice(0)).toEqual([
      [999, true],
      [1000, false],
      [1001, false],
    ]);
    goUp();
    expect([999, 1000, 1001].map((fd) => libc.queue(fd).watched)).toEqual(['readable', 'closed', 'closed']);
    libc.queue(1000).incoming.push(frame(60));
    run();
    expect(received).toEqual([]);
    driver.stop();
    driver.setChannels(3, 3);
    expect(libc.attached.map(([, attached]) => attached)).toEqual([true, true, true]);
  });

  it('is deleted as a whole, and closes as a whole', () => {
    const { libc, run, goUp, driver, host, told } = fakeTap({ queues: 3 });
    goUp();
    libc.deleted = true;
    run();
    expect([host.deleted.value, driver.outside.isOpen, told.at(-1)]).toEqual([1, false, 'no carrier']);
    expect([999, 1000, 1001].map((fd) => libc.queue(fd).watched)).toEqual(['closed', 'closed', 'closed']);
  });
});

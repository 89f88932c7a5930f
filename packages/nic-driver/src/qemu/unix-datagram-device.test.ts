import type { NetDevice, Skb } from '@softnet/contract';
import { enqueue, SkbQueue } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, it } from 'vitest';
import { frame } from '../descriptor/fake-libc.ts';
import { ReadRoom } from '../descriptor/read-room.ts';
import { fakeUnix as setup } from './fake-unix.ts';
import { UnixDatagramDriver } from './unix-datagram-device.ts';
import { LINUX } from './unix-error.ts';

const EINTR = 4;
const ENOBUFS = 105;
const { EAGAIN, ECONNREFUSED, ECONNRESET, EMSGSIZE, ENOENT, EPERM } = LINUX;

describe('UnixDatagramDriver, reading', () => {
  it('reads in batches until there is nothing more, its watch resting meanwhile', () => {
    const { libc, frames, run, turn, driver } = setup();
    expect(libc.watched).toBe('readable');
    const sent = Array.from({ length: 130 }, (_, number) => frame(1 + number * 11));
    libc.incoming.push(...sent);
    libc.look();
    expect([libc.watched, driver.waiting]).toEqual(['resting', true]);
    expect([turn(64), libc.watched]).toEqual([64, 'resting']);
    expect([run(), libc.watched]).toEqual([66, 'readable']);
    expect(frames).toEqual(sent);
  });

  it('drops what is empty, or longer than its MTU and a VLAN tag, and reads on', () => {
    const { libc, frames, run, device, host, pool } = setup();
    libc.incoming.push(frame(1518), frame(0), frame(1519), frame(65_000), frame(60));
    expect(run()).toBe(5);
    expect(frames).toEqual([frame(1518), frame(60)]);
    expect([host.reasons.empty.count, host.reasons.tooLong.count, device.stats.rxErrors]).toEqual([1, 2, 3]);
    expect([device.stats.rxMissed, pool.usage.skbsOut, pool.usage.pagesIdle]).toEqual([0, 0, 64]);
  });

  it('reads frames that lie on pages', () => {
    const { libc, device, frames, run, pool } = setup();
    device.mtuBytes = 65_521;
    const sent = [1982, 1983, 9018, 65_539].map(frame);
    libc.incoming.push(...sent);
    run();
    expect(frames).toEqual(sent);
    expect([pool.usage.skbsOut, pool.usage.pagesIdle]).toEqual([0, 64]);
  });

  it('lets frames go while packet memory is out, and reads the next ones into it when it is back', () => {
    const { libc, frames, run, device, pool } = setup({ buffers: 1 });
    const kept = pool.alloc(0, 10)!;
    libc.incoming.push(frame(60), frame(0), frame(61));
    expect(run()).toBe(3);
    expect([frames.length, device.stats.rxMissed, libc.watched]).toEqual([0, 3, 'readable']);
    pool.release(kept);
    libc.incoming.push(frame(62));
    run();
    expect([frames, device.stats.rxMissed]).toEqual([[frame(62)], 3]);
  });

  it('misses what may have been cut off while pages are short, and takes what fits', () => {
    const { libc, frames, run, device, pool } = setup({ pages: 1 });
    device.mtuBytes = 9000;
    libc.incoming.push(frame(9018), frame(1000), frame(3000));
    run();
    expect(frames).toEqual([frame(1000), frame(3000)]);
    expect([device.stats.rxMissed, device.stats.rxErrors, pool.usage.skbsOut, pool.usage.pagesIdle]).toEqual([1, 0, 0, 1]);
  });

  it('tries again what a signal interrupts, and does not for ever', () => {
    const { libc, frames, run, turn } = setup();
    libc.incoming.push(frame(60));
    libc.readErrors.push(EINTR, EINTR);
    run();
    expect(frames).toEqual([frame(60)]);
    libc.incoming.push(frame(61));
    libc.readErrors.push(EINTR, EINTR, EINTR);
    expect([turn(), libc.watched]).toEqual([0, 'readable']);
    run();
    expect(frames).toEqual([frame(60), frame(61)]);
  });

  it.each([ECONNRESET, ECONNREFUSED, EPERM])('error %i: no carrier, and the next look may bring it again', (errno) => {
    const { libc, frames, told, turn, fire, timer, link, host } = setup();
    libc.incoming.push(frame(60), frame(61));
    libc.readErrors.push(0, errno);
    libc.look();
    expect(turn()).toBe(1);
    expect([frames.length, link.connected, libc.partings, told.splice(0)]).toEqual([
      1,
      false,
      1,
      [`the peer is gone: ${errno}`, 'no carrier'],
    ]);
    // It could tell of the same one for ever.
    expect([libc.watched, timer.whenUs]).toEqual(['resting', 50_000]);
    fire();
    expect([told, libc.watched, host.connections.value, frames.length]).toEqual([['carrier'], 'readable', 1, 2]);
  });
});

describe('UnixDatagramDriver, writing', () => {
  it('writes frames, also those that lie on pages', () => {
    const { libc, send, told, pool } = setup();
    const sizes = [14, 1514, 9018];
    expect(send(...sizes).first).toBeNull();
    expect(libc.written).toEqual(sizes.map(frame));
    expect([told, pool.usage.skbsOut]).toEqual([[`sent 3 ${14 + 1514 + 9018}`], 0]);
  });

  it('stops the queue while Linux is full, leaves the rest in order, and wakes it', () => {
    const { libc, told, run, turn, send, queue, driver } = setup();
    libc.writeErrors.push(0, EAGAIN, EAGAIN);
    const batch = send(60, 61, 62);
    expect([batch.lenPackets, batch.first!.len, queue.stopped, told.splice(0)]).toEqual([2, 61, true, ['sent 1 60']]);
    expect(libc.watched).toBe('readable or writable');
    // Something to read wakes nobody.
    turn();
    expect([queue.stopped, libc.watched]).toEqual([true, 'readable or writable']);
    libc.writeErrors.length = 0;
    run();
    expect([told.splice(0), queue.stopped, libc.watched]).toEqual([['wake'], false, 'readable']);
    driver.transmit(queue, batch);
    expect(libc.written.map(({ length }) => length)).toEqual([60, 61, 62]);
  });

  it('full while it waits for its turn: the watch begins at its end', () => {
    const { libc, turn, send, driver, queue } = setup();
    libc.incoming.push(frame(60));
    libc.look();
    libc.writeErrors.push(EAGAIN, EAGAIN);
    send(60);
    expect([libc.watched, driver.waiting]).toEqual(['resting', true]);
    turn();
    expect([libc.watched, queue.stopped]).toEqual(['readable or writable', true]);
  });

  it('a peer that goes while the queue stands: it goes on, and what comes then is dropped', () => {
    const { libc, told, fire, send, queue, driver, host, device, pool } = setup();
    libc.writeErrors.push(EAGAIN, EAGAIN);
    const batch = send(60);
    libc.absence = ECONNREFUSED;
    libc.up = false;
    fire();
    expect([told.splice(0), queue.stopped]).toEqual([[`the peer is gone: ${ECONNREFUSED}`, 'no carrier', 'wake'], false]);
    driver.transmit(queue, batch);
    expect([told, host.reasons.unconnected.count, device.stats.txDropped, pool.usage.skbsOut]).toEqual([['completed 1 60'], 1, 1, 0]);
  });

  it('tries again what a signal interrupts, and does not for ever', () => {
    const { libc, send, queue } = setup();
    libc.writeErrors.push(EINTR, EINTR, 0);
    expect(send(60).first).toBeNull();
    expect(libc.written).toEqual([frame(60)]);
    libc.writeErrors.push(EINTR, EINTR, EINTR);
    expect([send(60).lenPackets, queue.stopped]).toEqual([1, true]);
  });

  it('drops what is too long for Linux, or empty, and what it refuses, and goes on with the next', () => {
    const { libc, told, send, host, device, pool, link } = setup();
    libc.writeErrors.push(EMSGSIZE, ENOBUFS, ENOBUFS, 0);
    expect(send(0, 100, 50, 40, 60).first).toBeNull();
    expect(libc.written).toEqual([frame(60)]);
    const { empty, tooLong, refused } = host.reasons;
    expect([empty.count, tooLong.count, refused.count, device.stats.txErrors]).toEqual([1, 1, 2, 4]);
    expect(told).toEqual([`the host refuses datagrams: ${ENOBUFS}`, 'sent 1 60', 'completed 4 190']);
    expect([link.connected, pool.usage.skbsOut]).toEqual([true, 0]);
  });

  it.each([ECONNREFUSED, ECONNRESET, EPERM])('error %i: the peer has gone, and another is looked for at once', (errno) => {
    const { libc, told, run, send, fire, host, device, timer, pool } = setup();
    for (let looks = 0; looks < 10; looks++) fire();
    expect(timer.whenUs).toBe(1_000_000);
    libc.writeErrors.push(0, errno);
    libc.absence = errno;
    expect(send(60, 61, 62).first).toBeNull();
    expect(told.splice(0)).toEqual([`the host refuses datagrams: ${errno}`, 'sent 1 60', 'completed 2 123']);
    expect([host.reasons.refused.count, host.reasons.unconnected.count, device.stats.txErrors, device.stats.txDropped]).toEqual([
      1, 1, 1, 1,
    ]);
    // Not in the middle of a transmission.
    expect([device.carrier, libc.partings, pool.usage.skbsOut]).toEqual([true, 1, 0]);
    run();
    expect([told.splice(0), timer.whenUs, libc.watched]).toEqual([['no carrier'], 50_000, 'readable']);
    libc.absence = 0;
    fire();
    expect([told, host.connections.value]).toEqual([['carrier'], 1]);
  });

  it('who has come meanwhile is connected to in the same turn, and the carrier says that it was another', () => {
    const { libc, told, run, send, host } = setup();
    libc.writeErrors.push(ECONNREFUSED);
    send(60);
    told.length = 0;
    run();
    expect([told, host.connections.value]).toEqual([['no carrier', 'carrier'], 1]);
    send(60);
    expect(libc.written).toEqual([frame(60)]);
  });
});

describe('UnixDatagramDriver, looking', () => {
  it('for a peer that is not there: after 50 ms, then twice as long up to 1 s; strangers are not heard', () => {
    const { libc, told, frames, fire, run, timer, send, host, device } = setup({ absence: ENOENT });
    const delays = Array.from({ length: 7 }, () => {
      const { whenUs } = timer;
      fire();
      return whenUs;
    });
    expect(delays).toEqual([50_000, 100_000, 200_000, 400_000, 800_000, 1_000_000, 1_000_000]);
    libc.incoming.push(frame(60), frame(61));
    run();
    expect([frames.length, host.reasons.unconnected.count, device.stats.rxErrors]).toEqual([0, 2, 2]);
    send(60);
    expect([told.splice(0), device.stats.txDropped, libc.written.length]).toEqual([['completed 1 60'], 1, 0]);
    libc.absence = 0;
    // Who sends is looked for at once.
    libc.incoming.push(frame(62));
    run();
    expect([told, frames, host.connections.value, timer.whenUs]).toEqual([['carrier'], [frame(62)], 1, 50_000]);
  });

  it.each([ENOENT, ECONNREFUSED, EPERM])('error %i says nothing more than that nobody is there yet', (errno) => {
    const { told, fire, host, libc, link } = setup({ absence: errno });
    fire();
    expect([told, libc.watched, link.connected, host.connections.value]).toEqual([[], 'readable', false, 0]);
  });

  it('whether the peer is still there: as often, and what it sent is read before', () => {
    const { libc, told, frames, fire, timer, link } = setup();
    const { looks } = libc;
    for (let times = 0; times < 8; times++) fire();
    expect([libc.looks - looks, timer.whenUs, told]).toEqual([8, 1_000_000, []]);
    libc.absence = ECONNREFUSED;
    libc.incoming.push(frame(60));
    fire();
    expect([frames, told]).toEqual([[frame(60)], [`the peer is gone: ${ECONNREFUSED}`, 'no carrier']]);
    expect([link.connected, timer.whenUs, libc.watched]).toEqual([false, 50_000, 'readable']);
    fire();
    expect(told).toHaveLength(2);
  });

  it('one who is there and may not be connected to is told of once', () => {
    const { libc, told, fire } = setup({ absence: ENOENT });
    libc.absence = LINUX.EACCES;
    for (let times = 0; times < 3; times++) fire();
    expect(told).toEqual([`the peer cannot be connected to: ${LINUX.EACCES}`]);
  });

  it('the next generation goes on with what the last one leaves, which does nothing any more', () => {
    const { libc, frames, run, turn, told, driver, host, device, link, timer, queue } = setup();
    queue.stopped = true;
    driver.leave();
    expect([libc.watched, timer.armed, link.connected, link.fd]).toEqual(['closed', false, true, 999]);
    libc.incoming.push(frame(60));
    expect([turn(), frames.length]).toEqual([0, 0]);
    const next = new UnixDatagramDriver(host, device, link);
    next.begin();
    expect(next.turn(64)).toBe(1);
    expect([frames, libc.watched, told, queue.stopped]).toEqual([[frame(60)], 'readable', ['wake'], false]);
    next.close();
    expect([libc.watched, link.fd, run()]).toEqual(['closed', -1, 0]);
  });
});

describe('UnixDatagramDriver, once warm', () => {
  it.each([60, 1500, 9000])('allocates nothing for a frame of %i bytes that is read', (lenBytes) => {
    const { libc, device, pool, host, turn } = setup();
    device.mtuBytes = 9000;
    let left = 0;
    Object.assign(host, { received: (_device: NetDevice, skb: Skb) => pool.release(skb) });
    Object.assign(libc, { readv: () => (left-- === 0 ? -1 : lenBytes), errno: () => EAGAIN });
    const act = (): void => {
      left = 63;
      turn();
    };
    expect(heapPerCall(128, act, 200) / 63).toBeLessThan(2);
    expect(pool.usage.skbsOut).toBe(0);
  });

  it.each([60, 1500, 9000])('allocates nothing for a frame of %i bytes that is written', (lenBytes) => {
    const { libc, pool, host, driver, queue } = setup();
    const room = new ReadRoom(libc, lenBytes);
    const batch = new SkbQueue();
    let written = 0;
    Object.assign(host, { sent: () => {} });
    Object.assign(libc, { writev: () => ++written });
    const act = (): void => {
      for (let count = 0; count < 4; count++) {
        room.layOut(pool, lenBytes, 0);
        enqueue(batch, room.take(lenBytes));
      }
      driver.transmit(queue, batch);
    };
    expect(heapPerCall(8, act, 1000) / 4).toBeLessThan(2);
    expect([written % 4, pool.usage.skbsOut]).toEqual([0, 0]);
  });
});

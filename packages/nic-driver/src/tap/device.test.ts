import type { RxQueue, Skb } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { describe, expect, it } from 'vitest';
import { frame } from '../descriptor/fake-libc.ts';
import { TapDriver } from './device.ts';
import { fakeTap as setup } from './fake-tap.ts';

const EINTR = 4;
const EAGAIN = 11;
const EINVAL = 22;

describe('TapDriver', () => {
  it('reads in batches until there is nothing more, its watch resting meanwhile', () => {
    const { libc, frames, run, goUp, turn } = setup();
    goUp();
    expect(libc.watched).toBe('readable');
    const sent = Array.from({ length: 130 }, (_, number) => frame(14 + number * 11));
    libc.incoming.push(...sent);
    libc.look();
    expect(libc.watched).toBe('resting');
    expect(turn(64)).toBe(64);
    expect(libc.watched).toBe('resting');
    expect(run()).toBe(66);
    expect(libc.watched).toBe('readable');
    expect(frames).toEqual(sent);
  });

  it('reads and writes frames that lie on pages', () => {
    const { libc, device, frames, run, goUp, send, told, pool } = setup();
    device.mtuBytes = 9000;
    goUp();
    const sizes = [1982, 1983, 9018];
    libc.incoming.push(...sizes.map(frame));
    run();
    expect(frames).toEqual(sizes.map(frame));
    expect(send(...sizes).first).toBeNull();
    expect(libc.written).toEqual(sizes.map(frame));
    expect([told, pool.usage.skbsOut, pool.usage.pagesIdle]).toEqual([[`sent 3 ${1982 + 1983 + 9018}`], 0, 64]);
  });

  it('has carrier from when Linux has its end up, until a write finds it down', () => {
    const { libc, driver, told, run, send, queue, host, device } = setup();
    libc.up = false;
    driver.open();
    device.flags |= DEVICE_FLAG.UP;
    run();
    expect([told, libc.watched, libc.carrier]).toEqual([[], 'readable or writable', [true]]);
    libc.up = true;
    run();
    expect([told.splice(0), libc.watched]).toEqual([['carrier'], 'readable']);
    libc.up = false;
    expect(send(60, 61, 62).first).toBeNull();
    expect([told.splice(0), host.reasons.unplugged.count, device.stats.txDropped]).toEqual([['completed 3 183'], 3, 3]);
    run();
    expect([told.splice(0), libc.watched]).toEqual([['no carrier'], 'readable or writable']);
    libc.up = true;
    run();
    expect([told.splice(0), queue.stopped]).toEqual([['carrier'], false]);
    expect(send(60).first).toBeNull();
    expect(told).toEqual(['sent 1 60']);
  });

  it('keeps the carrier when Linux has its end up again before anybody looks', () => {
    const { libc, told, run, send, goUp } = setup();
    goUp();
    libc.up = false;
    send(60);
    libc.up = true;
    run();
    expect([told, libc.watched]).toEqual([['completed 1 60'], 'readable']);
  });

  it('stops the queue while Linux is full, leaves the rest in order, and wakes it', () => {
    const { libc, told, run, send, goUp, queue, driver } = setup();
    goUp();
    libc.writeErrors.push(0, EAGAIN, EAGAIN);
    const batch = send(60, 61, 62);
    expect([batch.lenPackets, batch.first!.len, queue.stopped, told.splice(0)]).toEqual([2, 61, true, ['sent 1 60']]);
    expect(libc.watched).toBe('readable or writable');
    libc.writeErrors.length = 0;
    run();
    expect([told.splice(0), queue.stopped, libc.watched]).toEqual([['wake'], false, 'readable']);
    driver.transmit(queue, batch);
    expect(libc.written.map(({ length }) => length)).toEqual([60, 61, 62]);
  });

  it('drops what Linux refuses, and goes on with the next', () => {
    const { libc, told, send, goUp, host, device, pool } = setup();
    goUp();
    libc.writeErrors.push(EINVAL, 0);
    expect(send(10, 60).first).toBeNull();
    expect([libc.written.length, host.reasons.refused.count, device.stats.txErrors, told]).toEqual([
      1,
      1,
      1,
      ['sent 1 60', 'completed 1 10'],
    ]);
    expect(pool.usage.skbsOut).toBe(0);
  });

  it('tries again what a signal interrupts, and does not for ever', () => {
    const { libc, frames, run, send, goUp, queue } = setup();
    goUp();
    libc.incoming.push(frame(60));
    libc.readErrors.push(EINTR, EINTR);
    libc.writeErrors.push(EINTR, EINTR, 0);
    run();
    expect(send(60).first).toBeNull();
    expect([frames.length, libc.written.length]).toEqual([1, 1]);
    libc.writeErrors.push(...new Array(20).fill(EINTR));
    expect([send(60).lenPackets, queue.stopped]).toEqual([1, true]);
  });

  it('lets frames go while packet memory is out, and reads the next ones into it when it is back', () => {
    const { libc, frames, run, goUp, device, pool } = setup({ buffers: 1, pages: 1 });
    goUp();
    const kept = [pool.alloc(0, 10)!, pool.alloc(0, 3000)!];
    libc.incoming.push(frame(60), frame(61));
    expect(run()).toBe(2);
    expect([frames.length, device.stats.rxMissed, libc.watched]).toEqual([0, 2, 'readable']);
    for (const skb of kept) pool.release(skb);
    libc.incoming.push(frame(62));
    run();
    expect(frames).toEqual([frame(62)]);
  });

  it('drops what is longer than its MTU and a VLAN tag', () => {
    const { libc, frames, run, goUp, device, host, pool } = setup();
    goUp();
    libc.incoming.push(frame(1518), frame(1519), frame(1900), frame(60));
    run();
    expect(frames.map(({ length }) => length)).toEqual([1518, 60]);
    expect([host.reasons.tooLong.count, device.stats.rxErrors, pool.usage.skbsOut]).toEqual([2, 2, 0]);
  });

  it('is without carrier when the interface is deleted, says so once, and asks Linux no more', () => {
    const { libc, told, run, goUp, driver, device, host, send } = setup();
    goUp();
    libc.deleted = true;
    run();
    expect(told.splice(0)).toEqual(['the interface was deleted, remove the device and make it again', 'no carrier']);
    expect([libc.watched, driver.outside.isOpen, host.deleted.value]).toEqual(['closed', false, 1]);
    const { reads } = libc;
    expect(run()).toBe(0);
    expect(send(60).first).toBeNull();
    expect(run()).toBe(0);
    driver.stop();
    expect(() => driver.open()).toThrow(/ENODEV: .*: Linux has deleted lin0: remove the device, and make it again/);
    driver.close();
    expect([libc.reads, host.deleted.value, device.stats.txDropped, told]).toEqual([reads, 1, 1, ['completed 1 60']]);
  });

  it('a write that finds the interface deleted is followed by the same', () => {
    const { libc, told, run, goUp, send, host } = setup();
    goUp();
    libc.deleted = true;
    send(60);
    run();
    expect([told.slice(1), host.deleted.value]).toEqual([
      ['the interface was deleted, remove the device and make it again', 'no carrier'],
      1,
    ]);
  });

  it('down: rests, and what came meanwhile is not received when it is up again', () => {
    const { libc, frames, run, goUp, driver, turn } = setup();
    goUp();
    libc.incoming.push(frame(60));
    libc.look();
    driver.stop();
    expect([run(), turn(64), libc.watched, libc.carrier]).toEqual([0, 0, 'resting', [true, false]]);
    libc.incoming.push(frame(61));
    goUp();
    expect(frames).toEqual([]);
    libc.incoming.push(frame(62));
    run();
    expect([frames, libc.carrier]).toEqual([[frame(62)], [true, false, true]]);
  });

  it('the next generation goes on with what the last one leaves', () => {
    const { libc, frames, run, goUp, driver, host, device } = setup();
    goUp();
    driver.leave();
    expect([libc.watched, driver.outside.fds]).toEqual(['closed', [999]]);
    libc.incoming.push(frame(60));
    const next = new TapDriver(host, device, driver.outside);
    next.adopt();
    expect(run()).toBe(1);
    expect([frames, libc.watched]).toEqual([[frame(60)], 'readable']);
  });

  it('has not the address of the other end', () => {
    const { driver } = setup();
    expect(() => driver.setAddress(Uint8Array.of(2, 0, 0, 0, 0, 0x11))).toThrow(/EINVAL: .*: Linux's end, lin0, has this address/);
    expect(driver.setAddress(Uint8Array.of(2, 0, 0, 0, 0, 0x12))).toBeUndefined();
  });

  it('allocates nothing for a frame once warm', () => {
    const { libc, run, goUp, pool, host, turn } = setup();
    goUp();
    const one = frame(1500);
    Object.assign(host, { received: (_queue: RxQueue, skb: Skb) => pool.release(skb) });
    Object.assign(libc, { readv: () => (libc.reads++ % 65 === 64 ? -1 : one.length), errno: () => EAGAIN });
    // A turn is 64 frames.
    expect(heapPerCall(128, () => turn(64), 200) / 64).toBeLessThan(2);
    run();
  });
});

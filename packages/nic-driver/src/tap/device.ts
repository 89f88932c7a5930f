import type { NetDevice, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FLAG, dequeue, NetError } from '@softnet/contract';
import { purge, trim } from '@softnet/skb';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { layOutFrame } from '../driver/lay-out.ts';
import type { TurnTaker } from '../driver/turns.ts';
import type { Watch } from './libc.ts';
import type { TapHost } from './tap-host.ts';
import type { TunFile } from './tun-file.ts';

/** Linux's numbers, of readv and writev on a tap. */
const EINTR = 4;
const EIO = 5;
const EAGAIN = 11;
const EBADFD = 77;
/** Ethernet's header, and one VLAN tag. */
const LINK_BYTES = 14 + 4;
/** How often a call that a signal has interrupted is tried again. */
const TRIES = 3;
/** As many frames as may have been waiting in Linux since the device went down; its rings have 500 to 1,000. */
const MOST_STALE_FRAMES = 16_384;

/**
 * Works one tap: frames are read and written by the kernel from and to packet memory. Reading: the event loop says that there is
 * something, its watch rests, and the softirq loop reads in batches until there is nothing more (the way of Linux's NAPI).
 *
 * Carrier is there while Linux's end is up: only then it can be written to.
 */
export class TapDriver implements DeviceDriver, TurnTaker {
  readonly outside: TunFile;
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: TapHost;
  readonly #device: NetDevice;
  #watch: Watch | null = null;
  #open = false;
  /** Wants to know when it can be written to: Linux's end is down, or its queue full. */
  #wantsRoom = true;
  /** Linux's end was found down; the carrier goes in the next turn, not in the middle of a transmission. */
  #unplugged = false;

  constructor(host: TapHost, device: NetDevice, tun: TunFile) {
    this.#host = host;
    this.#device = device;
    this.outside = tun;
  }

  open(): void {
    const tun = this.outside;
    if (tun.fd >= 0) this.#discardStale();
    if (tun.fd < 0)
      throw new NetError('ENODEV', `${this.#device.name}: Linux has deleted ${tun.name}: remove the device, and make it again`);
    tun.setCarrier(true);
    this.#begin();
  }

  stop(): void {
    this.#rest();
    if (this.outside.fd >= 0) this.outside.setCarrier(false);
  }

  close(): void {
    this.leave();
    this.outside.close();
  }

  leave(): void {
    this.#rest();
    this.#watch?.close();
    this.#watch = null;
  }

  /** Goes on with a device that the last generation had. */
  adopt(): void {
    if ((this.#device.flags & DEVICE_FLAG.UP) !== 0 && this.outside.fd >= 0) this.#begin();
  }

  setAddress(address: Uint8Array): void {
    const theirs = this.outside.fd < 0 ? null : this.outside.readAddress();
    if (theirs === null || !sameAddress(theirs, address)) return;
    throw new NetError('EINVAL', `${this.#device.name}: Linux's end, ${this.outside.name}, has this address: give another one`);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { lenPackets, lenBytes } = batch;
    let packets = 0;
    let bytes = 0;
    while (batch.first !== null && !this.#unplugged) {
      const { len } = batch.first;
      const errno = this.#write(batch.first);
      if (errno === EAGAIN) {
        this.#waitForRoom(queue);
        break;
      }
      const skb = dequeue(batch)!;
      if (errno === 0) {
        packets++;
        bytes += len;
        skb.memory.pool.release(skb);
      } else this.#lost(skb, errno);
    }
    if (this.#unplugged) this.#device.stats.txDropped += purge(batch, this.#host.reasons.unplugged);
    this.#host.sent(queue, packets, bytes);
    this.#host.completed(queue, lenPackets - batch.lenPackets - packets, lenBytes - batch.lenBytes - bytes);
  }

  /** In the softirq loop: reads, and looks whether Linux's end came or went. */
  turn(budget: number): number {
    if (!this.#open) return 0;
    const maxBytes = this.#device.mtuBytes + LINK_BYTES;
    let count = 0;
    while (count < budget && this.#readFrame(maxBytes)) count++;
    if (this.outside.fd < 0) return 0;
    if (this.#unplugged || this.#wantsRoom) this.#lookForRoom();
    if (count < budget && this.#open) this.#watch?.start(this.#wantsRoom);
    return count;
  }

  #begin(): void {
    const { libc, fd } = this.outside;
    this.#open = true;
    this.#unplugged = !libc.canWrite(fd);
    this.#wantsRoom = true;
    this.#watch ??= libc.watch(fd, () => this.#ready());
    this.#host.ask(this);
  }

  /** The event loop says: there is something. */
  #ready(): void {
    this.#watch?.stop();
    this.#host.ask(this);
  }

  #rest(): void {
    this.#open = false;
    this.#watch?.stop();
    this.#host.forget(this);
  }

  /** False: there is nothing (more). */
  #readFrame(maxBytes: number): boolean {
    const { scatter, pool } = this.#host;
    // One more, so that a frame that is too long shows: what does not fit is lost without a word.
    const skb = layOutFrame(pool.current, maxBytes + 1);
    if (skb === null) return this.#miss();
    scatter.fill(skb);
    const lenBytes = this.#read();
    if (lenBytes < 0) {
      skb.memory.pool.release(skb);
      return false;
    }
    trim(skb, lenBytes);
    if (lenBytes > maxBytes) {
      this.#device.stats.rxErrors++;
      skb.memory.pool.drop(skb, this.#host.reasons.tooLong);
    } else this.#host.received(this.#device, skb);
    return true;
  }

  /** Packet memory is out, and the pool has counted that: a frame goes, so that newer ones come. */
  #miss(): boolean {
    if (!this.#discardFrame()) return false;
    this.#device.stats.rxMissed++;
    return true;
  }

  #discardStale(): void {
    for (let count = 0; count < MOST_STALE_FRAMES && this.#discardFrame(); count++);
  }

  /** Reads one frame and keeps nothing of it. False: there is none. */
  #discardFrame(): boolean {
    this.#host.scatter.fillScratch();
    return this.#read() >= 0;
  }

  /** Bytes of a frame; -1: there is none now, or never again. */
  #read(): number {
    const { libc, fd } = this.outside;
    const { iovecs, count } = this.#host.scatter;
    for (let tries = 0; tries < TRIES; tries++) {
      const lenBytes = libc.readv(fd, iovecs, count);
      if (lenBytes >= 0) return lenBytes;
      const errno = libc.errno();
      if (errno === EINTR) continue;
      if (errno !== EAGAIN) this.#deleted(errno);
      break;
    }
    return -1;
  }

  /** 0, or why not. */
  #write(skb: Skb): number {
    const { libc, fd } = this.outside;
    const { scatter } = this.#host;
    if (fd < 0) return EBADFD;
    if (!scatter.fill(skb)) return -1;
    for (let tries = 0; tries < TRIES; tries++) {
      if (libc.writev(fd, scatter.iovecs, scatter.count) >= 0) return 0;
      const errno = libc.errno();
      if (errno !== EINTR) return errno;
    }
    return EAGAIN;
  }

  #lost(skb: Skb, errno: number): void {
    const { reasons } = this.#host;
    if (errno === EIO || errno === EBADFD) {
      this.#unplugged = true;
      this.#device.stats.txDropped++;
      skb.memory.pool.drop(skb, reasons.unplugged);
      this.#wantsRoom = true;
      this.#host.ask(this);
      return;
    }
    this.#device.stats.txErrors++;
    skb.memory.pool.drop(skb, reasons.refused);
  }

  #waitForRoom(queue: TxQueue): void {
    queue.stopped = true;
    this.#wantsRoom = true;
    // A watch that rests begins at the end of the turn that is asked for.
    if (!this.waiting) this.#watch?.start(true);
  }

  #lookForRoom(): void {
    const { libc, fd } = this.outside;
    this.#wantsRoom = !libc.canWrite(fd);
    if (this.#wantsRoom) {
      if (this.#unplugged && this.#device.carrier) this.#host.setCarrier(this.#device, false);
      return;
    }
    this.#unplugged = false;
    if (!this.#device.carrier) this.#host.setCarrier(this.#device, true);
    const queue = this.#device.txQueues[0]!;
    if (queue.stopped) this.#host.wake(queue);
  }

  /** Linux's end is gone, and so is ours: the device stays, without carrier, until somebody removes it. */
  #deleted(errno: number): void {
    this.leave();
    this.outside.close();
    this.#host.deleted.value++;
    this.#unplugged = true;
    this.#host.warn('the interface was deleted, remove the device and make it again', { interface: this.outside.name, errno });
    if (this.#device.carrier) this.#host.setCarrier(this.#device, false);
  }
}

/** Two link addresses. */
export function sameAddress(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}

import type { NetDevice, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { CHECKSUM, dequeue } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { Watch } from '../descriptor/libc.ts';
import { ScatterList } from '../descriptor/scatter-list.ts';
import type { TurnTaker } from '../driver/turns.ts';
import { FrameReader } from './frame-reader.ts';
import { describeOffloads } from './offloads.ts';
import type { TapHost } from './tap-host.ts';
import type { TunFile } from './tun-file.ts';
import { VnetHeader, writeVnetHeader } from './vnet-header.ts';

/** Linux's numbers, of readv and writev on a tap. */
const EIO = 5;
const EAGAIN = 11;
const EBADFD = 77;
/** Ours: it cannot be said to Linux. */
const UNSAYABLE = -1;
/** As many frames as may have been waiting in Linux since the device went down; its rings have 500 to 1,000. */
const MOST_STALE_FRAMES = 16_384;

/** What is the same for all queues of a device, and what they find out for all. */
export interface TapLink {
  readonly device: NetDevice;
  readonly tun: TunFile;
  /** Linux's end is down: only a device that is up can be written to. */
  readonly unplugged: boolean;
  setUnplugged(unplugged: boolean): void;
  /** Linux's end is gone. */
  deleted(errno: number): void;
}

/**
 * One queue of a tap, with a descriptor of its own: frames are read and written by the kernel from and to packet memory. Reading: the
 * event loop says that there is something, its watch rests, and the softirq loop reads in batches until there is nothing more (the
 * way of Linux's NAPI).
 */
export class TapQueue implements TurnTaker {
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: TapHost;
  readonly #link: TapLink;
  readonly #index: number;
  readonly #reader: FrameReader;
  readonly #scatter: ScatterList;
  readonly #header = new VnetHeader();
  #wasPlain = true;
  #watch: Watch | null = null;
  #open = false;
  /** Wants to know when it can be written to: Linux's end is down, or its queue full. */
  #wantsRoom = true;

  constructor(host: TapHost, link: TapLink, index: number) {
    this.#host = host;
    this.#link = link;
    this.#index = index;
    this.#reader = new FrameReader(host, link.device, link.tun, index);
    this.#scatter = new ScatterList((bytes) => link.tun.libc.addressOf(bytes));
  }

  /** What Linux kept since the device went down goes. */
  discardStale(): void {
    for (let count = 0; count < MOST_STALE_FRAMES; count++) {
      const errno = this.#reader.discard();
      if (errno === 0) continue;
      if (errno !== EAGAIN) this.#link.deleted(errno);
      return;
    }
  }

  /** The device is up. */
  begin(): void {
    const { tun } = this.#link;
    this.#open = true;
    this.#wantsRoom = true;
    this.#watch ??= tun.libc.watch(tun.fds[this.#index]!, () => this.#ready());
    this.#host.ask(this);
  }

  rest(): void {
    this.#open = false;
    this.#watch?.stop();
    this.#host.forget(this);
  }

  /** For good; the descriptor stays open. */
  leave(): void {
    this.rest();
    this.#watch?.close();
    this.#watch = null;
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const link = this.#link;
    const { lenPackets, lenBytes } = batch;
    let packets = 0;
    let bytes = 0;
    while (batch.first !== null && !link.unplugged) {
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
    if (link.unplugged) link.device.stats.txDropped += purge(batch, this.#host.reasons.unplugged);
    this.#host.sent(queue, packets, bytes);
    this.#host.completed(queue, lenPackets - batch.lenPackets - packets, lenBytes - batch.lenBytes - bytes);
  }

  /** In the softirq loop: reads, and looks whether Linux's end came or went. */
  turn(budget: number): number {
    if (!this.#open) return 0;
    const reader = this.#reader;
    let count = 0;
    let errno = 0;
    while (count < budget) {
      errno = reader.read();
      if (errno !== 0) break;
      count++;
    }
    reader.end();
    if (errno !== 0 && errno !== EAGAIN) {
      this.#link.deleted(errno);
      return 0;
    }
    if (this.#link.unplugged || this.#wantsRoom) this.#lookForRoom();
    if (count < budget && this.#open) this.#watch?.start(this.#wantsRoom);
    return count;
  }

  /** The event loop says: there is something. */
  #ready(): void {
    this.#watch?.stop();
    this.#host.ask(this);
  }

  /** 0, or why not. */
  #write(skb: Skb): number {
    const { libc, fds, headerBytes } = this.#link.tun;
    const scatter = this.#scatter;
    const fd = fds[this.#index];
    if (fd === undefined) return EBADFD;
    if (headerBytes > 0 && !this.#describe(skb)) return UNSAYABLE;
    if (!scatter.fill(skb, headerBytes)) return UNSAYABLE;
    return scatter.writeTo(libc, fd);
  }

  #describe(skb: Skb): boolean {
    const plain = skb.checksum !== CHECKSUM.PARTIAL && skb.gsoSize === 0;
    // The header of the last one said nothing either.
    if (plain && this.#wasPlain) return true;
    const sayable = describeOffloads(skb, this.#header);
    writeVnetHeader(this.#scatter.header, 0, this.#header);
    this.#wasPlain = plain;
    return sayable;
  }

  #lost(skb: Skb, errno: number): void {
    const { reasons } = this.#host;
    const { device } = this.#link;
    if (errno === EIO || errno === EBADFD) {
      device.stats.txDropped++;
      skb.memory.pool.drop(skb, reasons.unplugged);
      // The carrier goes in the next turn, not in the middle of a transmission.
      this.#link.setUnplugged(true);
      this.#wantsRoom = true;
      this.#host.ask(this);
      return;
    }
    device.stats.txErrors++;
    skb.memory.pool.drop(skb, reasons.refused);
  }

  #waitForRoom(queue: TxQueue): void {
    queue.stopped = true;
    this.#wantsRoom = true;
    // A watch that rests begins at the end of the turn that is asked for.
    if (!this.waiting) this.#watch?.start(true);
  }

  #lookForRoom(): void {
    const link = this.#link;
    const { device } = link;
    this.#wantsRoom = !link.tun.libc.canWrite(link.tun.fds[this.#index]!);
    if (this.#wantsRoom) {
      if (link.unplugged && device.carrier) this.#host.setCarrier(device, false);
      return;
    }
    link.setUnplugged(false);
    if (!device.carrier) this.#host.setCarrier(device, true);
    const queue = device.txQueues[this.#index]!;
    if (queue.stopped) this.#host.wake(queue);
  }
}

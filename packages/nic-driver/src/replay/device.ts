import type { Clock, Counter, DropReason, Log, NetDevice, Skb, SkbQueue, Timer, TxQueue } from '@softnet/contract';
import { dequeue } from '@softnet/contract';
import type { ReceiveBuffers } from '@softnet/skb';
import { push, SkbReader } from '@softnet/skb';
import { ETHERNET_HEADER_BYTES, setEthernetType } from '@softnet/wire';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { LINK_BYTES } from '../driver/link-bytes.ts';
import { lineOf } from '../driver/receive-lines.ts';
import type { TurnTaker } from '../driver/turns.ts';
import type { Replay } from './replay.ts';

/** What a device asks of its module. */
export interface ReplayHost {
  readonly buffers: ReceiveBuffers;
  /** For packets without a link header, which parsers would take for something else: not split. */
  readonly bareBuffers: ReceiveBuffers;
  readonly clock: Clock;
  readonly log: Log;
  readonly skipped: Counter;
  readonly broken: DropReason;
  readonly cutShort: DropReason;
  readonly tooLong: DropReason;
  received(device: NetDevice, skb: Skb): void;
  sent(queue: TxQueue, packets: number, bytes: number): void;
  ask(taker: TurnTaker): void;
  forget(taker: TurnTaker): void;
  timerFor(driver: ReplayDriver): Timer;
}

/** Frames a turn, at most: as many as the stack takes in the turn after it. */
const MOST_IN_A_TURN = 32;

/**
 * Works one device: hands a capture's frames up when they are due, and is where frames go that are sent. The capture begins when the
 * device first goes up, and stands still while it is down.
 */
export class ReplayDriver implements DeviceDriver, TurnTaker {
  readonly outside: Replay;
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: ReplayHost;
  readonly #device: NetDevice;
  readonly #timer: Timer;
  readonly #reader = new SkbReader();
  #up = false;
  #sent: ((frame: Uint8Array, timeUs: number) => void) | null;

  constructor(host: ReplayHost, device: NetDevice, replay: Replay) {
    this.#host = host;
    this.#device = device;
    this.outside = replay;
    this.#timer = host.timerFor(this);
    this.#sent = replay.options.sent ?? null;
  }

  open(): void {
    const replay = this.outside;
    const { nowUs } = this.#host.clock;
    replay.startUs = replay.startUs < 0 ? nowUs : replay.startUs + nowUs - replay.stoppedUs;
    this.resume();
  }

  /** Goes on where it stood: also after a hand-over. */
  resume(): void {
    this.#up = true;
    this.#host.ask(this);
  }

  /** A frame is due. */
  wake(): void {
    this.#host.ask(this);
  }

  stop(): void {
    this.#up = false;
    this.outside.stoppedUs = this.#host.clock.nowUs;
    this.#timer.cancel();
    this.#host.forget(this);
  }

  close(): void {
    this.leave();
  }

  leave(): void {
    this.#up = false;
    this.#timer.cancel();
    this.#host.forget(this);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { lenPackets, lenBytes } = batch;
    if (this.#sent !== null) this.#collect(batch, this.#sent);
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) skb.memory.pool.release(skb);
    this.#host.sent(queue, lenPackets, lenBytes);
  }

  /** Frames that are due, in the softirq loop. */
  turn(budget: number): number {
    const replay = this.outside;
    const most = Math.min(budget, MOST_IN_A_TURN);
    for (let count = 0; count < most; count++) {
      if (!replay.waiting && !this.#findNext()) return count;
      if (!replay.waiting) continue;
      const nowUs = this.#host.clock.nowUs;
      const dueUs = replay.dueUs(nowUs);
      if (dueUs > nowUs || this.#mustWait()) {
        this.#timer.armAt(Math.max(dueUs, nowUs + 1));
        return count;
      }
      replay.waiting = false;
      this.#handUp();
    }
    if (most < budget) this.#host.ask(this);
    return most;
  }

  /** At full speed, while the stack has not taken what came: it may be told of it later (interrupt moderation). */
  #mustWait(): boolean {
    if (this.outside.options.speed !== 'max') return false;
    const queue = this.#device.rxQueues[0]!;
    return lineOf(queue).frames.lenPackets >= queue.ringPackets;
  }

  /** False: it is over. The packet that was found waits, if it is wanted. */
  #findNext(): boolean {
    const replay = this.outside;
    if (!this.#up) return false;
    const wasOver = replay.over;
    if (!replay.advance()) {
      if (!wasOver) this.#ended();
      return false;
    }
    replay.waiting = replay.isWanted();
    if (!replay.waiting) {
      replay.skipped++;
      this.#host.skipped.value++;
    }
    return true;
  }

  #handUp(): void {
    const replay = this.outside;
    const { packet } = replay;
    const { stats, mtuBytes } = this.#device;
    const headerBytes = replay.isBare ? 0 : LINK_BYTES;
    replay.frames++;
    if (packet.capturedBytes < packet.lenBytes || packet.capturedBytes > mtuBytes + headerBytes) {
      stats.rxErrors++;
      (packet.capturedBytes < packet.lenBytes ? this.#host.cutShort : this.#host.tooLong).count++;
      return;
    }
    const buffers = replay.isBare ? this.#host.bareBuffers : this.#host.buffers;
    const skb = buffers.fromBytes(this.#device, replay.bytes, packet.offset, packet.capturedBytes);
    if (skb === null) {
      stats.rxMissed++;
      return;
    }
    if (replay.isBare) this.#putHeader(skb);
    this.#host.received(this.#device, skb);
  }

  /** Of a packet that was captured without one: to us, from nobody. */
  #putHeader(skb: Skb): void {
    const { view, bytes } = skb.memory;
    const at = push(skb, ETHERNET_HEADER_BYTES);
    bytes.fill(0, at, at + ETHERNET_HEADER_BYTES);
    bytes.set(this.#device.address, at);
    setEthernetType(view, at, this.outside.ethertype);
    skb.mac = at;
  }

  #collect({ first }: SkbQueue, sent: (frame: Uint8Array, timeUs: number) => void): void {
    const { nowUs } = this.#host.clock;
    try {
      for (let skb = first; skb !== null; skb = skb.next) {
        const frame = new Uint8Array(skb.len);
        if (this.#reader.open(skb)) this.#reader.copyOut(frame);
        sent(frame, nowUs);
      }
    } catch (error) {
      this.#sent = null;
      this.#host.log.warn('what frames were given to threw, and gets no more', { device: this.#device.name, why: String(error) });
    }
  }

  #ended(): void {
    const { report, options } = this.outside;
    if (report.broken !== null) {
      this.#host.broken.count++;
      this.#device.stats.rxErrors++;
      this.#host.log.warn('the capture is broken', { device: this.#device.name, why: report.broken });
    }
    try {
      options.ended?.(report);
    } catch (error) {
      this.#host.log.warn('what was told of the end threw', { device: this.#device.name, why: String(error) });
    }
  }
}

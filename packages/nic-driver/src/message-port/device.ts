import type { DropReason, NetDevice, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FLAG } from '@softnet/contract';
import type { ReceiveBuffers } from '@softnet/skb';
import type { CopyOutHost, FrameTaker } from '../driver/copy-out.ts';
import { copyOut } from '../driver/copy-out.ts';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { LINK_BYTES } from '../driver/link-bytes.ts';
import type { TurnTaker } from '../driver/turns.ts';
import { NEXT } from './incoming-batches.ts';
import { FRAME_LIMIT_BYTES } from './messages.ts';
import type { PortLink, PortUser } from './port-link.ts';

/** What a device asks of its module. */
export interface MessagePortHost extends CopyOutHost {
  readonly buffers: ReceiveBuffers;
  readonly reasons: MessagePortReasons;
  received(device: NetDevice, skb: Skb): void;
  wake(queue: TxQueue): void;
  setCarrier(device: NetDevice, on: boolean): void;
  forget(taker: TurnTaker): void;
  inform(message: string, fields: Readonly<Record<string, unknown>>): void;
}

interface MessagePortReasons {
  readonly garbage: DropReason;
  readonly lyingLength: DropReason;
  readonly tooMany: DropReason;
  readonly tooLong: DropReason;
  readonly unconnected: DropReason;
  readonly version: DropReason;
}

/**
 * Works one device at a port. Messages tell that something came or may be sent; what follows from that is done in the device's turn in the
 * softirq loop. Carrier goes from end to end, as on a cable: it is there while the other side is, and its device is up.
 */
export class MessagePortDriver implements DeviceDriver, FrameTaker, PortUser {
  readonly outside: PortLink;
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: MessagePortHost;
  readonly #device: NetDevice;

  constructor(host: MessagePortHost, device: NetDevice, link: PortLink) {
    this.#host = host;
    this.#device = device;
    this.outside = link;
  }

  /** Takes the link: a new one, or that of the last generation. */
  begin(): void {
    this.outside.user = this;
    this.#host.ask(this);
  }

  open(): void {
    this.outside.tell(true, this.#device.mtuBytes);
  }

  stop(): void {
    this.outside.flush();
    this.outside.tell(false, this.#device.mtuBytes);
  }

  setMtu(mtuBytes: number): void {
    this.outside.tell((this.#device.flags & DEVICE_FLAG.UP) !== 0, mtuBytes);
  }

  close(): void {
    this.leave();
    this.outside.close();
  }

  leave(): void {
    this.outside.flush();
    this.outside.user = null;
    this.#host.forget(this);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    copyOut(this.#host, queue, batch, this);
  }

  get connected(): boolean {
    return this.outside.connected;
  }

  get mostBytes(): number {
    return Math.min(FRAME_LIMIT_BYTES, (this.outside.peer?.mtuBytes ?? 0) + LINK_BYTES);
  }

  put(skb: Skb): boolean {
    const { outgoing } = this.outside;
    if (outgoing.put(skb)) return true;
    this.outside.flush();
    return outgoing.put(skb);
  }

  /** In the softirq loop. */
  turn(budget: number): number {
    const { outside } = this;
    outside.flush();
    if (this.#device.carrier !== outside.connected) this.#host.setCarrier(this.#device, outside.connected);
    const count = this.#read(budget);
    const queue = this.#device.txQueues[0]!;
    // Nobody is there: what waits is let go.
    if (queue.stopped && (outside.outgoing.hasRoom || !outside.connected)) this.#host.wake(queue);
    return count;
  }

  stirred(): void {
    this.#host.ask(this);
  }

  garbage(): void {
    this.#device.stats.rxErrors++;
    this.#host.reasons.garbage.count++;
  }

  tooMany(): void {
    this.#device.stats.rxErrors++;
    this.#host.reasons.tooMany.count++;
  }

  version(version: number): void {
    this.#host.reasons.version.count++;
    this.#host.inform('the other side speaks another version', { device: this.#device.name, version });
  }

  #read(budget: number): number {
    const { incoming } = this.outside;
    for (let count = 0; count < budget; count++) {
      const next = incoming.next();
      if (next === NEXT.NONE) return count;
      if (next === NEXT.LYING) {
        this.#device.stats.rxErrors++;
        this.#host.reasons.lyingLength.count++;
      } else this.#receive(incoming.bytes, incoming.offset, incoming.lenBytes);
    }
    return budget;
  }

  #receive(bytes: Uint8Array, offset: number, lenBytes: number): void {
    const { stats, mtuBytes } = this.#device;
    if (lenBytes > mtuBytes + LINK_BYTES) {
      stats.rxErrors++;
      this.#host.reasons.tooLong.count++;
      return;
    }
    const skb = this.#host.buffers.fromBytes(this.#device, bytes, offset, lenBytes);
    if (skb === null) stats.rxMissed++;
    else this.#host.received(this.#device, skb);
  }
}

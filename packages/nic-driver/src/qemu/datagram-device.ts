import type { NetDevice, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import type { FrameTaker } from '../driver/copy-out.ts';
import { copyOut } from '../driver/copy-out.ts';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { LINK_BYTES } from '../driver/link-bytes.ts';
import type { TurnTaker } from '../driver/turns.ts';
import type { DatagramLink, DatagramUser } from './datagram-link.ts';
import { MAX_DATAGRAM_BYTES } from './datagram-link.ts';
import type { QemuHost } from './device.ts';
import { OutgoingDatagrams } from './outgoing-datagrams.ts';

/**
 * Works one device at a UDP socket: a datagram is a frame. What comes is put into packet memory in the device's turn; what goes is sent with
 * what follows it in the same turn.
 *
 * Carrier is there while the socket is: nobody knows whether a peer is.
 */
export class DatagramDriver implements DeviceDriver, FrameTaker, DatagramUser {
  readonly outside: DatagramLink;
  readonly mostBytes: number = MAX_DATAGRAM_BYTES;
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: QemuHost;
  readonly #device: NetDevice;
  readonly #outgoing: OutgoingDatagrams;
  /** What was said of the peer last, so that it is not said of each frame. */
  #said = '';
  #left = false;

  constructor(host: QemuHost, device: NetDevice, link: DatagramLink) {
    this.#host = host;
    this.#device = device;
    this.outside = link;
    this.#outgoing = new OutgoingDatagrams((error) => this.#drained(error));
  }

  /** Takes the link: a new one, or that of the last generation. */
  begin(): void {
    this.outside.user = this;
    this.#host.ask(this);
  }

  open(): void {}

  stop(): void {
    this.#outgoing.flush(this.outside);
  }

  close(): void {
    this.leave();
    this.outside.close();
  }

  leave(): void {
    this.#left = true;
    this.#outgoing.flush(this.outside);
    this.outside.user = null;
    this.#host.forget(this);
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    copyOut(this.#host, queue, batch, this);
  }

  get connected(): boolean {
    return this.outside.open;
  }

  put(skb: Skb): boolean {
    return this.#outgoing.put(skb, this.outside);
  }

  /** In the softirq loop. */
  turn(budget: number): number {
    const { outside } = this;
    this.#outgoing.flush(outside);
    if (this.#device.carrier !== outside.open) this.#host.setCarrier(this.#device, outside.open);
    const queue = this.#device.txQueues[0]!;
    if (queue.stopped && this.#outgoing.hasRoom) this.#host.wake(queue);
    for (let count = 0; count < budget; count++) {
      const bytes = outside.came.shift();
      if (bytes === undefined) return count;
      this.#receive(bytes);
    }
    return budget;
  }

  came(): void {
    this.#host.ask(this);
  }

  full(): void {
    this.#device.stats.rxDropped++;
    this.#host.reasons.full.count++;
  }

  #receive(bytes: Uint8Array): void {
    const { stats, mtuBytes } = this.#device;
    const { reasons, buffers } = this.#host;
    if (bytes.length === 0 || bytes.length > mtuBytes + LINK_BYTES) {
      stats.rxErrors++;
      (bytes.length === 0 ? reasons.empty : reasons.tooLong).count++;
      return;
    }
    const skb = buffers.fromBytes(this.#device, bytes);
    if (skb === null) stats.rxMissed++;
    else this.#host.received(this.#device, skb);
  }

  refused(error: Error): void {
    this.#device.stats.txErrors++;
    this.#host.reasons.refused.count++;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === this.#said) return;
    this.#said = code;
    this.#host.inform('the host refuses datagrams', { device: this.#device.name, why: code });
  }

  lost(): void {
    this.#host.ask(this);
  }

  #drained(error: Error | null): void {
    if (this.#left) return;
    if (error !== null) this.refused(error);
    if (this.#device.txQueues[0]!.stopped) this.#host.ask(this);
  }
}

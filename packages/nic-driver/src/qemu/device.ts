import type { Counter, DropReason, NetDevice, Port, Skb, SkbPool, SkbQueue, Timer, TxQueue } from '@softnet/contract';
import type { ReceiveBuffers } from '@softnet/skb';
import type { CopyOutHost, FrameTaker } from '../driver/copy-out.ts';
import { copyOut } from '../driver/copy-out.ts';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { LINK_BYTES } from '../driver/link-bytes.ts';
import type { TurnTaker } from '../driver/turns.ts';
import { DEFAULT_STALL_MS } from './endpoint.ts';
import { FRAME_LIMIT_BYTES } from './framing.ts';
import type { IncomingHost } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import type { LinkUser, StreamLink } from './stream-link.ts';

/** What a device asks of its module. */
export interface QemuHost extends CopyOutHost {
  /** For who reads into packet memory by itself. */
  readonly pool: Port<SkbPool>;
  readonly buffers: ReceiveBuffers;
  readonly reasons: QemuReasons;
  readonly connections: Counter;
  received(device: NetDevice, skb: Skb): void;
  wake(queue: TxQueue): void;
  setCarrier(device: NetDevice, on: boolean): void;
  forget(taker: TurnTaker): void;
  timerFor(driver: { tryAgain(): void }): Timer;
  stallTimerFor(driver: QemuDriver): Timer;
  inform(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Of both sorts of sockets. */
interface QemuReasons {
  readonly lyingLength: DropReason;
  readonly cutOff: DropReason;
  readonly stalled: DropReason;
  readonly empty: DropReason;
  readonly full: DropReason;
  readonly refused: DropReason;
  readonly tooLong: DropReason;
  readonly unconnected: DropReason;
}

/** From one attempt to connect to the next: doubled each time, up to the most. */
const FIRST_DELAY_US = 250_000;
const MOST_DELAY_US = 16_000_000;

/**
 * Works one device at a stream. The event loop tells that something came, went or may be sent; what follows from that is done in the
 * device's turn in the softirq loop, and reading pauses until then.
 *
 * Carrier is there while a peer is connected.
 */
export class QemuDriver implements DeviceDriver, FrameTaker, LinkUser, IncomingHost {
  readonly outside: StreamLink;
  readonly mostBytes: number = FRAME_LIMIT_BYTES;
  waiting = false;
  nextWaiting: TurnTaker | null = null;
  readonly #host: QemuHost;
  readonly #device: NetDevice;
  readonly #outgoing = new Outgoing();
  #timer: Timer | null = null;
  #delayUs = FIRST_DELAY_US;
  /** Runs while a frame has begun and its rest is to come. */
  readonly #stall: Timer;
  /** The peer took too long for it; something came since the last look. */
  #stalled = false;
  #fresh = false;
  /** The peer has gone, and what it sent may not be read yet. */
  #ended = false;
  #left = false;

  constructor(host: QemuHost, device: NetDevice, link: StreamLink) {
    this.#host = host;
    this.#device = device;
    this.outside = link;
    this.#stall = host.stallTimerFor(this);
  }

  /** Takes the link: a new one, or that of the last generation. */
  begin(): void {
    const link = this.outside;
    link.user = this;
    this.#ended = link.ended;
    this.#host.ask(this);
    if (!link.connected && !link.ended) this.#reconnect();
  }

  open(): void {}

  stop(): void {
    this.#flush();
  }

  close(): void {
    this.leave();
    this.outside.close();
  }

  leave(): void {
    this.#left = true;
    this.#flush();
    this.outside.user = null;
    this.#timer?.cancel();
    this.#stall.cancel();
    this.#host.forget(this);
  }

  /** Written in our turn: a write for each packet costs ten times the packet. */
  transmit(queue: TxQueue, batch: SkbQueue): void {
    copyOut(this.#host, queue, batch, this);
  }

  get connected(): boolean {
    return this.outside.connected;
  }

  put(skb: Skb): boolean {
    return this.#outgoing.put(skb) || (this.#flush() && this.#outgoing.put(skb));
  }

  /** In the softirq loop. */
  turn(budget: number): number {
    const link = this.outside;
    const { incoming } = link;
    this.#flush();
    const count = incoming.read(this, budget);
    if (!incoming.idle) return count;
    if (incoming.lyingLength > 0 || this.#ended || this.#stalled) this.#finish();
    else this.#readOn();
    if (this.#left) return 0;
    if (this.#device.carrier !== link.connected) this.#host.setCarrier(this.#device, link.connected);
    const queue = this.#device.txQueues[0]!;
    if (queue.stopped && link.waitingBytes === 0) this.#host.wake(queue);
    return count;
  }

  /** All that came is read. */
  #readOn(): void {
    const { endpoint, incoming } = this.outside;
    if (!incoming.midFrame) this.#stall.cancel();
    else if (this.#fresh || !this.#stall.armed) this.#stall.arm((endpoint.stallMs ?? DEFAULT_STALL_MS) * 1000);
    this.#fresh = false;
    this.outside.resume();
  }

  /** Nothing came of a frame's rest for too long. */
  tooLate(): void {
    this.#stalled = this.outside.incoming.midFrame;
    this.#host.ask(this);
  }

  peerCame(): void {
    this.#delayUs = FIRST_DELAY_US;
    this.#host.connections.value++;
    this.#host.ask(this);
  }

  data(): void {
    this.#fresh = true;
    this.#stalled = false;
    this.#host.ask(this);
  }

  drained(): void {
    this.#host.ask(this);
  }

  lost(why: Error | null): void {
    this.#ended = true;
    if (why !== null) this.#inform('the connection was lost', String(why));
    this.#host.ask(this);
  }

  frame(bytes: Uint8Array, from: number, lenBytes: number): void {
    const { stats, mtuBytes } = this.#device;
    if (lenBytes > mtuBytes + LINK_BYTES) {
      stats.rxErrors++;
      this.#host.reasons.tooLong.count++;
      return;
    }
    const skb = this.#host.buffers.fromBytes(this.#device, bytes, from, lenBytes);
    if (skb === null) stats.rxMissed++;
    else this.#host.received(this.#device, skb);
  }

  /** False: the stream is full, and the queue stands until it is not. */
  #flush(): boolean {
    if (this.#outgoing.flush(this.outside)) return true;
    this.#device.txQueues[0]!.stopped = true;
    return false;
  }

  /** Nothing more of this peer can be read. */
  #finish(): void {
    const { incoming } = this.outside;
    const { reasons } = this.#host;
    this.#ended = false;
    const why = this.#stalled ? reasons.stalled : reasons.cutOff;
    this.#stalled = false;
    this.#stall.cancel();
    if (incoming.lyingLength > 0) {
      reasons.lyingLength.count++;
      this.#device.stats.rxErrors++;
      this.#inform('the peer sends what is no frame', `a length of ${incoming.lyingLength}`);
    } else if (incoming.midFrame) {
      this.#device.stats.rxErrors++;
      why.count++;
    }
    this.outside.drop();
    if (!this.outside.connected) this.#reconnect();
  }

  #reconnect(): void {
    const link = this.outside;
    if (link.endpoint.reconnect !== true) return;
    this.#timer ??= this.#host.timerFor(this);
    this.#timer.arm(this.#delayUs);
    this.#delayUs = Math.min(this.#delayUs * 2, MOST_DELAY_US);
  }

  /** It is time to try again. */
  tryAgain(): void {
    const link = this.outside;
    if (link.connected || this.#left) return;
    if (link.connecting) this.#reconnect();
    else link.connect().catch(() => this.#left || link.connected || this.#reconnect());
  }

  #inform(message: string, why: string): void {
    this.#host.inform(message, { device: this.#device.name, why });
  }
}

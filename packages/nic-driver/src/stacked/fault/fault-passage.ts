import type { Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { dequeue } from '@softnet/contract';
import { passOn } from '@softnet/skb';
import { onlyOptions } from '../../driver/options.ts';
import type { Passage } from '../passage.ts';
import type { StackedLink } from '../stacked-link.ts';
import type { FaultExit, FaultHost } from './fault-direction.ts';
import { FaultDirection } from './fault-direction.ts';
import type { FaultCounts, FaultLine } from './fault-line.ts';
import { changeLine } from './fault-line.ts';
import type { FaultChanges, FaultSettings } from './fault-settings.ts';
import { changedFaults, FAULT_OPTIONS } from './fault-settings.ts';

/** Of both directions. */
export interface FaultLines {
  readonly tx: FaultLine;
  readonly rx: FaultLine;
}

/** What passes through a fault injector goes by one of two lines. */
export class FaultPassage implements Passage {
  readonly #link: StackedLink;
  readonly #tx: FaultDirection;
  readonly #rx: FaultDirection;
  readonly #queue: TxQueue;

  constructor(host: FaultHost, link: StackedLink, { tx, rx }: FaultLines) {
    this.#link = link;
    this.#queue = link.device.txQueues[0]!;
    this.#tx = new FaultDirection(host, tx, this.#txExit());
    this.#rx = new FaultDirection(host, rx, rxExit(link));
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const tx = this.#tx;
    for (let skb = batch.first; skb !== null; skb = batch.first) {
      if (tx.full) {
        queue.stopped = true;
        break;
      }
      dequeue(batch);
      passOn(skb, 'driver');
      tx.put(skb);
    }
    tx.settle();
  }

  receive(batch: SkbQueue): void {
    const rx = this.#rx;
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      if (rx.full) {
        this.#link.device.stats.rxDropped++;
        rx.refuse(skb);
      } else rx.put(skb);
    }
    rx.settle();
  }

  stop(): void {
    const { device, devices } = this.#link;
    const { lenPackets, lenBytes } = this.#tx.line.waiting;
    device.stats.txDropped += this.#tx.cut();
    device.stats.rxDropped += this.#rx.cut();
    this.#queue.stopped = false;
    devices.completed(this.#queue, lenPackets, lenBytes);
  }

  close(): void {}

  leave(): void {
    this.#tx.leave();
    this.#rx.leave();
  }

  resume(): void {
    this.#tx.settle();
    this.#rx.settle();
    this.#wakeWithRoom();
  }

  /** From the next frame on. @throws NetError EINVAL, saying which; nothing is changed then. */
  set(changes: FaultChanges): void {
    onlyOptions('fault', changes, FAULT_OPTIONS);
    const tx = changedFaults('tx', this.#tx.line.settings, changes);
    const rx = changedFaults('rx', this.#rx.line.settings, changes);
    changeLine(this.#tx.line, tx);
    changeLine(this.#rx.line, rx);
    this.#wakeWithRoom();
  }

  settings(direction: 'tx' | 'rx'): FaultSettings {
    return this.#of(direction).line.settings;
  }

  counts(direction: 'tx' | 'rx'): Readonly<FaultCounts> {
    return this.#of(direction).line.counts;
  }

  #of(direction: 'tx' | 'rx'): FaultDirection {
    return direction === 'tx' ? this.#tx : this.#rx;
  }

  #txExit(): FaultExit {
    const { device, devices } = this.#link;
    const queue = this.#queue;
    const link = this.#link;
    return {
      get ifindex() {
        return device.ifindex;
      },
      out: (skb: Skb) => link.send(skb),
      departed: (packets, bytes) => devices.sent(queue, packets, bytes),
      room: () => this.#wakeWithRoom(),
    };
  }

  /** Not before there is room for some. */
  #wakeWithRoom(): void {
    if (!this.#queue.stopped) return;
    const { queueFrames } = this.#tx.line.settings;
    if (this.#tx.count <= queueFrames - Math.min(64, (queueFrames + 1) >> 1)) this.#link.devices.wake(this.#queue);
  }
}

function rxExit(link: StackedLink): FaultExit {
  const { device } = link;
  return {
    get ifindex() {
      return device.ifindex;
    },
    out: (skb) => link.received(skb),
    departed: () => {},
    room: () => {},
  };
}

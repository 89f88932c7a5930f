import type { NetDevice, ReceiveHandler, RxQueue, SkbQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FLAG, dequeue } from '@softnet/contract';
import type { DeviceDriver } from '../driver/device-driver.ts';
import type { Passage } from './passage.ts';
import type { StackedLink } from './stacked-link.ts';

/** What a stacked device stands on, and what of its kind outlives a generation of the module. */
export interface StackedOn {
  readonly lower: NetDevice;
  /** The kind's own. */
  readonly state: object;
  /** Link address of the device below when it was last looked at: who has the same follows it. */
  readonly lowerAddress: Uint8Array;
}

/** Works a device that is stacked on another: has all that the one below receives, and sends by it. */
export class StackedDriver implements DeviceDriver, ReceiveHandler {
  readonly outside: StackedOn;
  readonly owner: number;
  readonly passage: Passage;
  readonly #link: StackedLink;

  /** Nobody stands there. */
  constructor(on: StackedOn, owner: number, link: StackedLink, passage: Passage) {
    this.outside = on;
    this.owner = owner;
    this.passage = passage;
    this.#link = link;
    on.lower.above = this;
  }

  open(): void {}

  stop(): void {
    this.passage.stop();
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    this.passage.transmit(queue, batch);
  }

  receive(_queue: RxQueue, batch: SkbQueue): void {
    if ((this.#link.device.flags & DEVICE_FLAG.UP) !== 0) this.passage.receive(batch);
    // Its driver drops and counts what a device that is down receives.
    else for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) this.#link.received(skb);
  }

  close(): void {
    this.passage.close();
    this.#letGo();
  }

  leave(): void {
    this.passage.leave();
    this.#letGo();
  }

  #letGo(): void {
    const { lower } = this.outside;
    if (lower.above === this) lower.above = null;
  }
}

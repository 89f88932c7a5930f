import type { Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { dequeue } from '@softnet/contract';
import { passOn } from '@softnet/skb';
import type { Passage } from './passage.ts';
import type { StackedLink } from './stacked-link.ts';

/** Who looks at what passes, and changes nothing. */
export interface Onlooker {
  /** A frame, `data` at its link header; whole or, as devices below may do it, a burst that is yet to be cut. */
  see(skb: Skb, outgoing: boolean): void;
  /** As {@link Passage}'s. */
  close(): void;
  leave(): void;
  resume(): void;
}

/** Passes everything on, there and then, and has somebody look at it. */
export class OnlookerPassage implements Passage {
  readonly onlooker: Onlooker;
  readonly #link: StackedLink;

  constructor(link: StackedLink, onlooker: Onlooker) {
    this.#link = link;
    this.onlooker = onlooker;
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { lenPackets, lenBytes } = batch;
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      this.onlooker.see(skb, true);
      passOn(skb, 'driver');
      this.#link.send(skb);
    }
    this.#link.devices.sent(queue, lenPackets, lenBytes);
  }

  receive(batch: SkbQueue): void {
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      this.onlooker.see(skb, false);
      this.#link.received(skb);
    }
  }

  stop(): void {}

  close(): void {
    this.onlooker.close();
  }

  leave(): void {
    this.onlooker.leave();
  }

  resume(): void {
    this.onlooker.resume();
  }
}

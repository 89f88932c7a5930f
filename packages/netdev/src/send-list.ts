import type { Poll, PollSource } from '@softnet/contract';
import type { Sender } from './sender.ts';

/** The senders that want to run, in turn: work of the softirq loop. Linux's NET_TX softirq. */
export class SendList implements PollSource {
  /** Set once, by who registers it. */
  poller: Poll | null = null;
  #first: Sender | null = null;
  #last: Sender | null = null;

  add(sender: Sender): void {
    if (sender.scheduled) return;
    sender.scheduled = true;
    if (this.#last === null) this.#first = sender;
    else this.#last.next = sender;
    this.#last = sender;
    this.poller?.raise();
  }

  poll(budget: number): number {
    let done = 0;
    while (done < budget) {
      const sender = this.#take();
      if (sender === null) return done;
      done += Math.max(1, sender.run(budget - done));
    }
    return budget;
  }

  #take(): Sender | null {
    const sender = this.#first;
    if (sender === null) return null;
    this.#first = sender.next;
    if (this.#first === null) this.#last = null;
    sender.next = null;
    sender.scheduled = false;
    return sender;
  }
}

import type { Contributions, EthertypeHandler, Skb } from '@softnet/contract';
import { dequeue, SkbQueue, TRANSMIT } from '@softnet/contract';

/** Takes packets that stand for several apart, before something is put around each: by the handler of their ethertype. */
export class BurstCutter {
  readonly #handlers: Contributions<EthertypeHandler>;
  readonly #parts = new SkbQueue();

  constructor(handlers: Contributions<EthertypeHandler>) {
    this.#handlers = handlers;
  }

  /** Takes the packet; each of those that it stands for goes the same way (`skb.dst`). */
  each(skb: Skb, step: (skb: Skb) => number): number {
    const { dst, protocol } = skb;
    const handler = this.#handlers.items.findLast(({ ethertype }) => ethertype === protocol)!;
    if (!handler.segment!(skb, 0, this.#parts)) return TRANSMIT.DROPPED;
    let result: number = TRANSMIT.OK;
    for (let part = dequeue(this.#parts); part !== null; part = dequeue(this.#parts)) {
      part.dst = dst;
      result = step(part);
    }
    return result;
  }
}

import type { DropReason, ModuleContext, NetDevice, Poll, Skb, SkbStep, Tally } from '@softnet/contract';
import { CHECKSUM, dequeue, enqueue, SkbQueue } from '@softnet/contract';

/** Copies that wait for their turn; it comes in the same round of the softirq loop. */
const MAX_WAITING = 1024;

/**
 * What this host sends to many is for itself too (RFC 1122 §3.3.6, RFC 1112 §6.1, RFC 3493 §5.2): its own sockets get a copy, which begins again with an empty stack.
 * Linux's `ip_mc_output` and `dev_loopback_xmit`; but a copy does not meet the prerouting hooks.
 */
export class SelfCopies {
  readonly #full: DropReason;
  readonly #deliver: SkbStep;
  readonly #poll: Poll;
  readonly #waiting: Tally;
  readonly #queue = new SkbQueue();

  /**
   * @param place its static name, like 'ipv4.self-copies'. @param full too many wait, or the layer stops.
   * @param deliver takes a packet for this host, `data` = `network`.
   */
  constructor(ctx: ModuleContext, place: string, full: DropReason, deliver: SkbStep) {
    this.#full = full;
    this.#deliver = deliver;
    this.#poll = ctx.poll({ poll: (budget) => this.#run(budget) }, place);
    this.#waiting = ctx.tally('self-copies', place);
  }

  /**
   * Keeps a copy of a packet that is about to leave, header written. Does not take it. Where memory is out the pool has counted it.
   * @param type one of `SKB_TYPE`: BROADCAST or MULTICAST.
   */
  keep(skb: Skb, device: NetDevice, type: number): void {
    const copy = skb.memory.pool.clone(skb);
    if (copy === null) return;
    if (this.#queue.lenPackets >= MAX_WAITING) {
      copy.memory.pool.drop(copy, this.#full);
      return;
    }
    copy.dst = null;
    copy.mac = -1;
    copy.ifindex = device.ifindex;
    copy.type = type;
    // It was not on a wire, where bits are lost.
    copy.checksum = CHECKSUM.UNNECESSARY;
    copy.csum = 0;
    enqueue(this.#queue, copy);
    this.#waiting.add(1);
    this.#poll.raise();
  }

  /** The layer stops. */
  close(): void {
    for (let copy = dequeue(this.#queue); copy !== null; copy = dequeue(this.#queue)) {
      this.#waiting.sub(1);
      copy.memory.pool.drop(copy, this.#full);
    }
  }

  #run(budget: number): number {
    let done = 0;
    while (done < budget) {
      const copy = dequeue(this.#queue);
      if (copy === null) break;
      done++;
      this.#waiting.sub(1);
      this.#deliver(copy);
    }
    return done;
  }
}

import type { Segment, Skb, SkbStep } from '@softnet/contract';
import { dequeue, IP_PROTOCOL, SkbQueue, TRANSMIT } from '@softnet/contract';
import { finishChecksum, pull, SkbReader } from '@softnet/skb';
import { TCP_HEADER_BYTES, tcpHeaderBytes, UDP_HEADER_BYTES } from '@softnet/wire';

/**
 * Where packets that stand for several must be seen one by one: the way is too narrow for them, an error quotes one, a socket takes no
 * bursts. Each has headers of its own, as it was sent.
 */
export class Unmerger {
  readonly #segment: Segment;
  readonly #reader = new SkbReader();
  readonly #parts = new SkbQueue();

  /** @param segment a layer's. */
  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** Takes a packet with `data` = `network`, and has each that it stands for take the step. Returns one of `TRANSMIT`. */
  each(skb: Skb, step: SkbStep): number {
    return this.#each(skb, step, false);
  }

  /** The same with `data` = `transport`, of the packet and of each that takes the step. */
  eachAbove(skb: Skb, step: SkbStep): number {
    backToNetwork(skb);
    return this.#each(skb, step, true);
  }

  /** The first of those that it stands for, to be quoted, and freed; the packet itself stays. Null: memory is out. */
  first(skb: Skb): Skb | null {
    const copy = skb.memory.pool.clone(skb);
    if (copy === null) return null;
    backToNetwork(copy);
    const parts = new SkbQueue();
    if (!this.#segment(copy, 0, parts)) return null;
    const first = dequeue(parts)!;
    releaseAll(parts);
    if (finishChecksum(first, this.#reader)) return first;
    first.memory.pool.release(first);
    return null;
  }

  #each(skb: Skb, step: SkbStep, above: boolean): number {
    // Who is told that his packet is sent may send in the midst of it.
    const parts = this.#parts.first === null ? this.#parts : new SkbQueue();
    if (!this.#segment(skb, 0, parts)) return TRANSMIT.DROPPED;
    let result: number = TRANSMIT.OK;
    try {
      for (let part = dequeue(parts); part !== null; part = dequeue(parts)) {
        if (above) pull(part, part.transport - part.data);
        const taken = step(part);
        if (taken !== TRANSMIT.OK) result = taken;
      }
    } finally {
      releaseAll(parts);
    }
    return result;
  }
}

/** Of a packet that stands for several: the largest of them, network header included. @param protocol above IP. */
export function segmentBytes({ memory, network, transport, tail, gsoSize }: Skb, protocol: number): number {
  const isTcp = protocol === IP_PROTOCOL.TCP && transport + TCP_HEADER_BYTES <= tail;
  return transport - network + (isTcp ? tcpHeaderBytes(memory.view, transport) : UDP_HEADER_BYTES) + gsoSize;
}

/** `data` is at the network header again. Nothing is written there, so it may be shared. */
function backToNetwork(skb: Skb): void {
  skb.len += skb.data - skb.network;
  skb.data = skb.network;
}

/** What is left, where a step has thrown, or one was enough. */
function releaseAll(parts: SkbQueue): void {
  for (let part = dequeue(parts); part !== null; part = dequeue(parts)) part.memory.pool.release(part);
}

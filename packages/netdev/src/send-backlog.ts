import type { Contributions, CurrentOwner, NetworkLayer, Poll, PollSource, Skb } from '@softnet/contract';
import { dequeue, enqueue, SkbQueue } from '@softnet/contract';
import { claim, passOn } from '@softnet/skb';
import { PLACE } from './owner-places.ts';
import type { BacklogParts } from './receive-backlog.ts';
import { countReentry } from './receive-backlog.ts';

/** The packets that wait for one layer. */
class Lane {
  readonly layer: NetworkLayer;
  readonly owner: number;
  readonly queue = new SkbQueue();

  constructor(layer: NetworkLayer, owner: number) {
    this.layer = layer;
    this.owner = owner;
  }
}

/** Packets to be sent, with an empty stack: tunnels that wrap. In order, for each layer. */
export class SendBacklog implements PollSource {
  /** Set once, by who registers it. */
  poller: Poll | null = null;
  readonly #parts: BacklogParts;
  readonly #layers: Contributions<NetworkLayer>;
  readonly #current: CurrentOwner;
  #lanes: readonly Lane[] = [];
  #seen: readonly NetworkLayer[] | null = null;
  #count = 0;

  constructor(parts: BacklogParts, layers: Contributions<NetworkLayer>, current: CurrentOwner) {
    this.#parts = parts;
    this.#layers = layers;
    this.#current = current;
  }

  add(skb: Skb, layer: NetworkLayer): void {
    claim(skb, PLACE.BACKLOG);
    const lane = this.#laneOf(layer);
    const refused = lane === null ? this.#parts.reasons['backlog.no-layer'] : countReentry(skb, this.#count, this.#parts);
    if (refused !== null) {
      skb.memory.pool.drop(skb, refused);
      return;
    }
    enqueue(lane!.queue, skb);
    this.#parts.waiting.add();
    this.#count++;
    this.poller?.raise();
  }

  poll(budget: number): number {
    this.refresh();
    const current = this.#current;
    const caller = current.id;
    let done = 0;
    for (const { layer, owner, queue } of this.#lanes) {
      for (; done < budget && queue.first !== null; done++) {
        const skb = dequeue(queue)!;
        passOn(skb, PLACE.BACKLOG);
        this.#parts.waiting.sub();
        this.#count--;
        current.id = owner;
        layer.reenter(skb);
        current.id = caller;
      }
    }
    return done;
  }

  /** Layers have come or gone: what waits for one that went is dropped. */
  refresh(): void {
    const { items, owners } = this.#layers;
    if (this.#seen === items) return;
    this.#seen = items;
    for (const lane of this.#lanes) if (!items.includes(lane.layer)) this.#drop(lane.queue);
    this.#lanes = items.map((layer, i) => this.#lanes.find((lane) => lane.layer === layer) ?? new Lane(layer, owners[i]!));
  }

  #laneOf(layer: NetworkLayer): Lane | null {
    this.refresh();
    for (let i = 0; i < this.#lanes.length; i++) if (this.#lanes[i]!.layer === layer) return this.#lanes[i]!;
    return null;
  }

  #drop(queue: SkbQueue): void {
    const { waiting, reasons } = this.#parts;
    for (let skb = dequeue(queue); skb !== null; skb = dequeue(queue)) {
      waiting.sub();
      this.#count--;
      skb.memory.pool.drop(skb, reasons['backlog.no-layer']);
    }
  }
}

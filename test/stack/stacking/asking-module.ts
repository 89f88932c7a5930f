import type { DropReason, DstUse, ModuleContext, Objects, Skb, SkbQueue, SoftnetModule, Tally } from '@softnet/contract';
import { Dst, defineService, dequeue, enqueue, Module, PacketPolicy, SkbQueue as Queue, TRANSMIT } from '@softnet/contract';
import { stackedUses } from './stacked-uses.ts';

/** Decides what those who wait are answered. */
export interface Answers {
  /** They go, in order; later ones go straight. */
  yes(): void;
  /** They are dropped; later ones wait again. */
  no(): void;
}
export const Answers = defineService<Answers>({ name: 'test-answers', version: '1.0.0' });

/** So many wait for one way at most. */
export const LIMIT = 8;

interface Reasons {
  readonly full: DropReason;
  readonly refused: DropReason;
}

/** Where packets wait for whom there is no answer yet: a dst for each way. */
class Desk implements Answers {
  answered = false;
  readonly #pending = new Map<Dst, Dst>();
  readonly #uses: Objects<DstUse>;
  readonly #tally: Tally;
  readonly #reasons: Reasons;

  constructor(uses: Objects<DstUse>, tally: Tally, reasons: Reasons) {
    this.#uses = uses;
    this.#tally = tally;
    this.#reasons = reasons;
  }

  yes(): void {
    this.answered = true;
    this.#end((skb, way) => {
      skb.dst = way;
      way.output(skb);
    });
  }

  no(): void {
    this.#end((skb) => skb.memory.pool.drop(skb, this.#reasons.refused));
  }

  pendingOf(way: Dst): Dst {
    const known = this.#pending.get(way);
    if (known !== undefined) return known;
    const queue = new Queue();
    const dst = new Dst(way.generation, (skb) => this.#wait(queue, skb));
    dst.family = way.family;
    dst.type = way.type;
    dst.device = way.device;
    dst.headroomBytes = way.headroomBytes;
    dst.tailroomBytes = way.tailroomBytes;
    dst.mtuBytes = way.mtuBytes;
    dst.input = way.input;
    dst.pending = queue;
    dst.uses = this.#uses;
    this.#pending.set(way, dst);
    return dst;
  }

  #wait(queue: SkbQueue, skb: Skb): number {
    if (queue.lenPackets >= LIMIT) {
      skb.memory.pool.drop(skb, this.#reasons.full);
      return TRANSMIT.DROPPED;
    }
    enqueue(queue, skb);
    this.#tally.add();
    return TRANSMIT.OK;
  }

  /** Whoever has a dst that queued asks again at the next packet. */
  #end(step: (skb: Skb, way: Dst) => void): void {
    for (const [way, dst] of this.#pending) {
      dst.obsolete = true;
      const queue = dst.pending!;
      dst.pending = null;
      for (let skb = dequeue(queue); skb !== null; skb = dequeue(queue)) {
        this.#tally.sub();
        step(skb, way);
      }
    }
    this.#pending.clear();
  }
}

/** Row X1: until somebody answers, what goes to 10.9.0.0/16 waits in a dst that queues. A stranger's module: of ours it knows the contract. */
@Module({ name: 'asking', version: '1.0.0', provides: [PacketPolicy, Answers] })
export class AskingModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const uses = stackedUses(ctx, 'asking', () => 'waits for an answer');
    const desk = new Desk(uses, ctx.tally('packet', 'asking.queue'), {
      full: ctx.dropReason('asking.full', `${LIMIT} packets wait already`),
      refused: ctx.dropReason('asking.refused', 'the answer is no'),
    });
    ctx.corridor(PacketPolicy, {
      stack: (dst, flow) => (desk.answered || flow.dst3 >>> 16 !== 0x0a09 ? dst : desk.pendingOf(dst)),
      admit: () => true,
    });
    ctx.corridor(Answers, desk);
  }
}

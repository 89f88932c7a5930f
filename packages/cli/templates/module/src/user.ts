import type { Contributions, ModuleContext, Notice, SoftnetModule, Timer } from '@softnet/contract';
import { Module, one, some } from '@softnet/contract';
import type { SkeletonSocket, SkeletonUser } from './socket.ts';
import { SkeletonEcho, SkeletonInput } from './socket.ts';
import { emit, parse } from './wire.ts';

const EVERY_US = 1_000_000;
const ANSWER_US = 5_000;
/** So many are inside; the next to come sends the first one home. */
const AT_ONCE = 5;

/** Somebody with a connection. The other end is here too: it answers some milliseconds later. */
class Guest implements SkeletonUser {
  readonly name: string;
  socket: SkeletonSocket | null = null;
  readonly onReply: () => void;
  readonly #answer: Timer;
  #request: Uint8Array | null = null;

  constructor(name: string, ctx: ModuleContext, onReply: () => void) {
    this.name = name;
    this.onReply = onReply;
    const inputs: Contributions<SkeletonInput> = ctx.contributions(SkeletonInput);
    this.#answer = ctx.timer(() => this.#reply(inputs), undefined, 'skeleton-user.answer');
  }

  transmit(bytes: Uint8Array): void {
    this.#request = bytes;
    this.#answer.arm(ANSWER_US);
  }

  notice({ sort, object }: Notice): void {
    // After a hand-over the connection is another object; after a force there is none.
    if (sort === 'moved') this.socket = object as SkeletonSocket;
    if (sort === 'closed') this.leave();
  }

  leave(): void {
    const { socket } = this;
    this.socket = null;
    this.#answer.cancel();
    socket?.close();
  }

  #reply({ items }: Contributions<SkeletonInput>): void {
    const request = this.#request === null ? undefined : parse(this.#request);
    if (request === undefined) return;
    const reply = emit({ ...request, type: 'reply' });
    items.some((input) => input.receive(reply));
  }
}

/** For trying skeleton at the prompt: every second somebody opens a connection and all who are inside say something. */
@Module({
  name: 'skeleton-user',
  version: '0.1.0',
  contract: '^1.0.0',
  summary: 'somebody inside of skeleton',
  requires: [one(SkeletonEcho), some(SkeletonInput)],
})
export default class SkeletonUserPlugin implements SoftnetModule {
  #guests: Guest[] = [];
  #next!: Timer;

  start(ctx: ModuleContext): void {
    const door = ctx.port(SkeletonEcho);
    const replies = ctx.counter('replies');
    let came = 0;
    this.#next = ctx.timer(() => this.#second(() => enter()), undefined, 'skeleton-user.next');
    this.#next.arm(0);
    const enter = (): Guest => {
      const guest = new Guest(`guest ${++came}`, ctx, () => replies.value++);
      guest.socket = door.current.open(guest);
      return guest;
    };
  }

  /** Its guests let go, so that nobody waits for them. */
  withdraw(): void {
    this.#next.cancel();
    for (const guest of this.#guests.splice(0)) guest.leave();
  }

  abort(): void {
    this.#next.arm(0);
  }

  #second(enter: () => Guest): void {
    this.#next.arm(EVERY_US);
    this.#guests = this.#guests.filter(({ socket }) => socket !== null);
    if (this.#guests.length === AT_ONCE) this.#guests.shift()?.leave();
    try {
      this.#guests.push(enter());
    } catch {
      // The door is shut: skeleton leaves, and may come back.
    }
    for (const { socket } of this.#guests) socket?.ping(Uint8Array.of(1, 2, 3));
  }
}

import type { Owner, Timer } from '@softnet/contract';
import { definePoint, defineService, Held } from '@softnet/contract';
import type { FrozenMachine, SkeletonWants } from './machine.ts';
import { SkeletonMachine } from './machine.ts';

/**
 * Who has a connection. The kernel knows its owner, also after a hand-over: so the connection finds it there, and freezes
 * nothing of it. An owner takes the new object from the notice `moved`.
 */
export type SkeletonUser = Owner & SkeletonWants;

/** The door: who wants a connection comes in here. */
export interface SkeletonEcho {
  open(user: SkeletonUser): SkeletonSocket;
}
export const SkeletonEcho = defineService<SkeletonEcho>({ name: 'SkeletonEcho', version: '1.0.0' });

/** The corridor: packets for connections that exist. Each generation has its own: one that drains goes on while the next is live. */
export interface SkeletonInput {
  /** False: not of one of its connections, ask the next. */
  receive(bytes: Uint8Array): boolean;
}
export const SkeletonInput = definePoint<SkeletonInput>({ name: 'SkeletonInput', version: '1.0.0' });

/** What a connection needs of its module. */
export interface SkeletonHome {
  /** Until when a reply to what is asked now is waited for. */
  timeoutAtUs(): number;
  timer(fire: (nowUs: number) => void): Timer;
  closed(socket: SkeletonSocket): void;
}

/** A connection, as its user sees it. It holds the module up until it is closed. */
export class SkeletonSocket extends Held {
  readonly machine: SkeletonMachine;
  readonly timer: Timer;
  readonly #home: SkeletonHome;

  constructor(home: SkeletonHome, from: { readonly id: number } | FrozenMachine) {
    super();
    this.#home = home;
    this.timer = home.timer((nowUs) => this.machine.onTimeout(nowUs));
    this.machine = new SkeletonMachine(from, () => this.holdOwner as SkeletonUser | null);
  }

  /** Asks for an echo. False while one is on its way. */
  ping(payload: Uint8Array): boolean {
    const asked = this.machine.output(payload, this.#home.timeoutAtUs());
    this.wait();
    return asked;
  }

  /** Has itself woken, if it waits for something. */
  wait(): void {
    if (this.machine.state === 'waiting') this.timer.armAt(this.machine.nextTimeoutUs);
  }

  close(): void {
    this.timer.cancel();
    this.machine.close();
    this.#home.closed(this);
  }
}

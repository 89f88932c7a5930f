import type { NetError, Owner, Timer } from '@softnet/contract';
import { definePoint, defineService, Held } from '@softnet/contract';
import { SkeletonMachine } from './machine.ts';

/** The door: who wants a connection comes in here. `transmit` carries packets to the other end. */
export interface SkeletonEcho {
  open(owner: Owner, transmit: (bytes: Uint8Array) => void): SkeletonSocket;
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
  nowUs(): number;
  timeoutUs(): number;
  timer(fire: () => void): Timer;
  send(sequence: number, payload: Uint8Array): void;
  closed(): void;
}

/** A connection, as its user sees it. It holds the module up until it is closed. */
export class SkeletonSocket extends Held {
  onReply: (payload: Uint8Array) => void = () => undefined;
  onLost: () => void = () => undefined;
  onClose: (why?: NetError) => void = () => undefined;
  readonly machine: SkeletonMachine;
  readonly #home: SkeletonHome;
  readonly #timer: Timer;

  constructor(home: SkeletonHome) {
    super();
    this.#home = home;
    this.#timer = home.timer(() => this.machine.onTimeout(home.nowUs()));
    this.machine = new SkeletonMachine({ send: home.send, onReply: (payload) => this.onReply(payload), onLost: () => this.onLost() });
  }

  /** Asks for an echo. False while one is on its way. */
  ping(payload: Uint8Array): boolean {
    const asked = this.machine.output(payload, this.#home.nowUs() + this.#home.timeoutUs());
    if (this.machine.state === 'waiting') this.#timer.armAt(this.machine.nextTimeoutUs);
    return asked;
  }

  close(why?: NetError): void {
    this.#timer.cancel();
    this.machine.close();
    this.#home.closed();
    this.onClose(why);
  }
}

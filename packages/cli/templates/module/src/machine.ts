import type { SkeletonPacket } from './wire.ts';
import { emit } from './wire.ts';

/** What the machine wants done: by whoever has the connection. */
export interface SkeletonWants {
  /** Carries a packet to the other end. */
  transmit(bytes: Uint8Array): void;
  onReply?(payload: Uint8Array): void;
  onLost?(): void;
}

/** All that a machine knows, as plain data. */
export type FrozenMachine = Pick<SkeletonMachine, 'id' | 'state' | 'nextTimeoutUs' | 'sequence'>;

/** One connection without clock or I/O: time is handed in, and `nextTimeoutUs` says when it wants to be woken. */
export class SkeletonMachine {
  state: 'idle' | 'waiting' | 'closed' = 'idle';
  nextTimeoutUs = Number.POSITIVE_INFINITY;
  sequence = 0;
  readonly id!: number;
  readonly #wants: () => SkeletonWants | null;

  /** @param from a new connection's id, or all of a frozen one. */
  constructor(from: { readonly id: number } | FrozenMachine, wants: () => SkeletonWants | null) {
    this.#wants = wants;
    Object.assign(this, from);
  }

  freeze(): FrozenMachine {
    return { id: this.id, state: this.state, nextTimeoutUs: this.nextTimeoutUs, sequence: this.sequence };
  }

  /** Asks for an echo. False unless idle: one at a time. */
  output(payload: Uint8Array, timeoutAtUs: number): boolean {
    if (this.state !== 'idle') return false;
    this.#to('waiting', timeoutAtUs);
    this.#wants()?.transmit(emit({ type: 'request', connection: this.id, sequence: ++this.sequence, payload }));
    return true;
  }

  /** Takes a packet. False where it is no reply to what was asked. */
  input({ type, sequence, payload }: SkeletonPacket): boolean {
    if (type !== 'reply' || this.state !== 'waiting' || sequence !== this.sequence) return false;
    this.#to('idle');
    this.#wants()?.onReply?.(payload);
    return true;
  }

  onTimeout(nowUs: number): void {
    if (nowUs < this.nextTimeoutUs) return;
    this.#to('idle');
    this.#wants()?.onLost?.();
  }

  close(): void {
    this.#to('closed');
  }

  /** The one place that changes the state. */
  #to(state: SkeletonMachine['state'], timeoutAtUs = Number.POSITIVE_INFINITY): void {
    this.state = state;
    this.nextTimeoutUs = timeoutAtUs;
  }
}

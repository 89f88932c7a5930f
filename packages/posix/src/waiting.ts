import type { FaceHost } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import type { FileWatcher, OpenFile } from './open-file.ts';
import { POLL_ALWAYS } from './poll-bits.ts';

/** How long, and for what. */
export interface WaitTerms {
  /** Bits of POLL. */
  readonly bits: number;
  /** µs of kernel time; 0: for ever. */
  readonly timeoutUs: number;
  /** What it answers when that time is over. */
  readonly late: number;
  readonly signal: AbortSignal | undefined;
  /** Static name for lists of timers. */
  readonly place: string;
}

/**
 * A call that waits until it can be done: tried again whenever its file says that something has changed, in the order in which calls came. It ends with what the call
 * answers, `late`, -EINTR (its signal), or -EBADF (its file is closed meanwhile). It never rejects.
 */
export class Waiting implements FileWatcher {
  readonly promise: Promise<number>;
  readonly #file: OpenFile;
  readonly #terms: WaitTerms;
  readonly #attempt: () => number;
  readonly #callOff: () => void;
  #resolve!: (result: number) => void;
  #isTrying = false;
  #isOver = false;

  /** @param attempt -EAGAIN: it waits on. */
  constructor(host: FaceHost, file: OpenFile, terms: WaitTerms, attempt: () => number) {
    this.#file = file;
    this.#terms = terms;
    this.#attempt = attempt;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const { timeoutUs, late, signal, place } = terms;
    this.#callOff = timeoutUs === 0 ? () => undefined : host.after(timeoutUs, () => this.#end(late), place);
    file.watch(this);
    signal?.addEventListener('abort', this.#interrupted);
    if (signal?.aborted === true) this.#interrupted();
  }

  /** Not in the midst of its own attempt, nor once it is over, though others that were told before it may have brought that about. */
  changed(): boolean {
    if (this.#isTrying || this.#isOver) return false;
    if ((this.#file.poll() & (this.#terms.bits | POLL_ALWAYS)) === 0) return false;
    this.#isTrying = true;
    const result = this.#attempt();
    this.#isTrying = false;
    if (result === -ERRNO.EAGAIN) return false;
    this.#end(result);
    return true;
  }

  /** What it can still have it is given; else its wait is over, whatever the socket says of itself. */
  lost(): void {
    this.changed();
    this.#end(-ERRNO.EBADF);
  }

  closed(): void {
    this.#end(-ERRNO.EBADF);
  }

  readonly #interrupted = (): void => this.#end(-ERRNO.EINTR);

  #end(result: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#callOff();
    this.#file.unwatch(this);
    this.#terms.signal?.removeEventListener('abort', this.#interrupted);
    this.#resolve(result);
  }
}

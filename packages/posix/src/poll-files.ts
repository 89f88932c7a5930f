import type { FaceHost } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import type { Descriptors } from './descriptors.ts';
import type { FileWatcher, OpenFile } from './open-file.ts';
import { POLL_ALWAYS, POLL_INVALID } from './poll-bits.ts';

/** `struct pollfd`. A negative descriptor is passed over. */
export interface PollItem {
  readonly fd: number;
  readonly events: number;
  revents: number;
}

/** What holds now, into `revents`: how many say something. */
export function pollNow(descriptors: Descriptors, items: readonly PollItem[]): number {
  let count = 0;
  for (const item of items) {
    const file = item.fd < 0 ? null : descriptors.file(item.fd);
    if (file === null) item.revents = item.fd < 0 ? 0 : POLL_INVALID;
    else item.revents = file.poll() & (item.events | POLL_ALWAYS);
    if (item.revents !== 0) count++;
  }
  return count;
}

/** `poll` or `select` that waits: until something holds, its time is over (0), or its signal comes (-EINTR). */
export class PollWait implements FileWatcher {
  readonly promise: Promise<number>;
  readonly #files: readonly OpenFile[];
  readonly #look: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #callOff: () => void;
  #resolve!: (count: number) => void;
  #isOver = false;

  /**
   * @param look puts down what holds now; above 0: it is over, and what was put down is its user's.
   * @param timeoutUs µs; null: for ever.
   */
  constructor(host: FaceHost, files: readonly OpenFile[], look: () => number, timeoutUs: number | null, signal: AbortSignal | undefined) {
    this.#files = files;
    this.#look = look;
    this.#signal = signal;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#callOff = timeoutUs === null ? () => undefined : host.after(timeoutUs, () => this.#end(0), 'posix.poll');
    for (const file of this.#files) file.watch(this);
    signal?.addEventListener('abort', this.#interrupted);
    if (signal?.aborted === true) this.#interrupted();
  }

  changed(): boolean {
    if (this.#isOver) return false;
    const count = this.#look();
    if (count > 0) this.#end(count);
    return false;
  }

  lost(): void {
    this.changed();
  }

  closed(): void {
    this.changed();
  }

  readonly #interrupted = (): void => this.#end(-ERRNO.EINTR);

  #end(count: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#callOff();
    for (const file of this.#files) file.unwatch(this);
    this.#signal?.removeEventListener('abort', this.#interrupted);
    this.#resolve(count);
  }
}

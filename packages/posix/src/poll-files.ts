import type { FaceHost } from '@softnet/contract';
import { ERRNO, POLL } from '@softnet/contract';
import type { Descriptors } from './descriptors.ts';
import type { FileWatcher, OpenFile } from './open-file.ts';

/** Linux's POLLNVAL: there is no such descriptor. */
export const POLL_INVALID = 0x20;
const ALWAYS = POLL.ERR | POLL.HUP;

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
    else item.revents = file.poll() & (item.events | ALWAYS);
    if (item.revents !== 0) count++;
  }
  return count;
}

/** `poll` that waits: until something holds, its time is over (0), or its signal comes (-EINTR). */
export class PollWait implements FileWatcher {
  readonly promise: Promise<number>;
  readonly #descriptors: Descriptors;
  readonly #items: readonly PollItem[];
  readonly #files: readonly OpenFile[];
  readonly #signal: AbortSignal | undefined;
  readonly #callOff: () => void;
  #resolve!: (count: number) => void;
  #isOver = false;

  /** @param timeoutUs µs; below 0: for ever. */
  constructor(host: FaceHost, descriptors: Descriptors, items: readonly PollItem[], timeoutUs: number, signal: AbortSignal | undefined) {
    this.#descriptors = descriptors;
    this.#items = items;
    this.#signal = signal;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#files = items.flatMap(({ fd }) => descriptors.file(fd) ?? []);
    this.#callOff = timeoutUs < 0 ? () => undefined : host.after(timeoutUs, () => this.#end(0), 'posix.poll');
    for (const file of this.#files) file.watch(this);
    signal?.addEventListener('abort', this.#interrupted);
    if (signal?.aborted === true) this.#interrupted();
  }

  /** Once it is over its items are its user's again. */
  changed(): void {
    if (this.#isOver) return;
    const count = pollNow(this.#descriptors, this.#items);
    if (count > 0) this.#end(count);
  }

  lost(): void {
    this.changed();
  }

  closed(): void {
    this.changed();
  }

  readonly #interrupted = (): void => this.#end(-ERRNO.EINTR);

  #end(count: number): void {
    this.#isOver = true;
    this.#callOff();
    for (const file of this.#files) file.unwatch(this);
    this.#signal?.removeEventListener('abort', this.#interrupted);
    this.#resolve(count);
  }
}

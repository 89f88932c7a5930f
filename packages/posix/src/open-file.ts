import type { NetError } from '@softnet/contract';
import { POLL_ANY } from './poll-bits.ts';

/** Who is told that what `poll` says of a file may have changed. */
export interface FileWatcher {
  /** @param keys bits of POLL that it is about. True: somebody who waited is woken by it; who polls, or watches an epoll instance by another, does not count. */
  changed(file: OpenFile, keys: number): boolean;
  /** Its module has closed it by force. */
  lost(file: OpenFile): void;
  /** Its last descriptor was closed. */
  closed(file: OpenFile): void;
}

/** What descriptors name, Linux's `struct file`: several may name one. It lives as long as one does. */
export abstract class OpenFile {
  /** Descriptors that name it. */
  descriptors = 0;
  /** O_NONBLOCK: a call that would wait answers -EAGAIN. Of all its descriptors. */
  nonBlocking = false;
  /** Nothing is to be done with it any more. */
  isClosed = false;
  /** The module behind it has closed it by force: who waits is told why. Null: nobody has. */
  failure: NetError | null = null;
  /** Never changed in place: who is told may leave meanwhile, and who comes is told from the next time on. */
  #watchers: readonly FileWatcher[] = [];
  /** Of these one is enough: EPOLLEXCLUSIVE. */
  #exclusive: readonly FileWatcher[] = [];

  /** Bits of POLL that hold now. */
  abstract poll(): number;
  /** The last descriptor is closed. */
  protected abstract release(): void;

  watch(watcher: FileWatcher, isExclusive = false): void {
    if (isExclusive) this.#exclusive = [...this.#exclusive, watcher];
    else this.#watchers = [...this.#watchers, watcher];
  }

  unwatch(watcher: FileWatcher): void {
    this.#watchers = without(this.#watchers, watcher);
    this.#exclusive = without(this.#exclusive, watcher);
  }

  /** Tells all who watch; of the exclusive ones no more than it takes until somebody is woken. True: somebody was, of either. */
  changed(keys = POLL_ANY): boolean {
    let isWoken = false;
    for (const watcher of this.#watchers) isWoken = watcher.changed(this, keys) || isWoken;
    for (const watcher of this.#exclusive) if (watcher.changed(this, keys)) return true;
    return isWoken;
  }

  /** Its module has closed it: nothing comes any more. Who waits is told; its descriptors stay. */
  lost(): void {
    for (const watcher of this.#all()) watcher.lost(this);
  }

  /** Closes it, whatever names it still. Idempotent. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.release();
    for (const watcher of this.#all()) watcher.closed(this);
    this.#watchers = [];
    this.#exclusive = [];
  }

  #all(): readonly FileWatcher[] {
    return [...this.#watchers, ...this.#exclusive];
  }
}

function without(watchers: readonly FileWatcher[], one: FileWatcher): readonly FileWatcher[] {
  return watchers.includes(one) ? watchers.filter((each) => each !== one) : watchers;
}

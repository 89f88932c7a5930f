import type { NetError } from '@softnet/contract';

/** Who is told that what `poll` says of a file may have changed. */
export interface FileWatcher {
  changed(file: OpenFile): void;
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
  readonly #watchers = new Set<FileWatcher>();

  /** Bits of POLL that hold now. */
  abstract poll(): number;
  /** The last descriptor is closed. */
  protected abstract release(): void;

  watch(watcher: FileWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: FileWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Tells all who watch. One may leave meanwhile, or come, who is told from the next time on. */
  changed(): void {
    if (this.#watchers.size === 0) return;
    for (const watcher of [...this.#watchers]) watcher.changed(this);
  }

  /** Its module has closed it: nothing comes any more. Who waits is told; its descriptors stay. */
  lost(): void {
    for (const watcher of [...this.#watchers]) watcher.lost(this);
  }

  /** Closes it, whatever names it still. Idempotent. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.release();
    for (const watcher of [...this.#watchers]) watcher.closed(this);
    this.#watchers.clear();
  }
}

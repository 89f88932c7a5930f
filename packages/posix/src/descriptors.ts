import { ERRNO } from '@softnet/contract';
import type { OpenFile } from './open-file.ts';

interface Entry {
  readonly file: OpenFile;
  /** FD_CLOEXEC: of the descriptor, not of the file. Kept and told; there is no exec. */
  closesOnExec: boolean;
}

/** The descriptors of one process: small integers, the lowest that is free first. */
export class Descriptors {
  /** RLIMIT_NOFILE: numbers are below it. */
  readonly limit: number;
  readonly #entries: (Entry | undefined)[] = [];
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Null: EBADF. */
  file(fd: number): OpenFile | null {
    return this.#entries[fd]?.file ?? null;
  }

  /** There is no number left. */
  get isFull(): boolean {
    return this.#count >= this.limit;
  }

  /** The lowest free number from `from` on names the file; -EMFILE, -EINVAL: `from` is none. */
  add(file: OpenFile, closesOnExec: boolean, from = 0): number {
    if (!Number.isInteger(from) || from < 0 || from >= this.limit) return -ERRNO.EINVAL;
    let fd = from;
    while (this.#entries[fd] !== undefined) fd++;
    if (fd >= this.limit) return -ERRNO.EMFILE;
    this.#entries[fd] = { file, closesOnExec };
    this.#count++;
    file.descriptors++;
    return fd;
  }

  /** `fd` names the file from now on, and nothing else. -EBADF: there is no such number. */
  put(fd: number, file: OpenFile, closesOnExec: boolean): number {
    if (!Number.isInteger(fd) || fd < 0 || fd >= this.limit) return -ERRNO.EBADF;
    file.descriptors++;
    this.remove(fd);
    this.#entries[fd] = { file, closesOnExec };
    this.#count++;
    return fd;
  }

  /** Closes a descriptor, and with the last one its file. 0, or -EBADF. */
  remove(fd: number): number {
    const entry = this.#entries[fd];
    if (entry === undefined) return -ERRNO.EBADF;
    this.#entries[fd] = undefined;
    this.#count--;
    if (--entry.file.descriptors === 0) entry.file.close();
    return 0;
  }

  closesOnExec(fd: number): boolean {
    return this.#entries[fd]?.closesOnExec ?? false;
  }

  setClosesOnExec(fd: number, on: boolean): void {
    const entry = this.#entries[fd];
    if (entry !== undefined) entry.closesOnExec = on;
  }

  /** Numbers that name something. */
  open(): number[] {
    return [...this.#entries.keys()].filter((fd) => this.#entries[fd] !== undefined);
  }
}

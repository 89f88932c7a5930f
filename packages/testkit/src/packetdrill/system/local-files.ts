import { ERRNO } from '@softnet/contract';

/** A pipe, or a file that a script has opened: bytes that are not the network's. */
export class LocalFile {
  #bytes: Uint8Array;

  /** What a pipe's two ends share. */
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes;
  }

  get lenBytes(): number {
    return this.#bytes.length;
  }

  push(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all;
  }

  /** The first bytes, which stay. */
  peek(most: number, from = 0): Uint8Array {
    return this.#bytes.slice(from, from + most);
  }

  /** They were taken. */
  drop(count: number): void {
    this.#bytes = this.#bytes.slice(count);
  }
}

/** The descriptors of a script that are none of the kernel under test: by the script's own numbers. */
export class LocalFiles {
  readonly #files = new Map<number, LocalFile>();

  get(fd: number): LocalFile | null {
    return this.#files.get(fd) ?? null;
  }

  open(fd: number, file: LocalFile): void {
    this.#files.set(fd, file);
  }

  /** @returns 0, or -EBADF: it is none of these. */
  close(fd: number): number {
    return this.#files.delete(fd) ? 0 : -ERRNO.EBADF;
  }
}

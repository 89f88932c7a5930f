import { closeSync, openSync, writeSync } from 'node:fs';
import { cannotWrite, IN_A_FOLDER } from './cannot-write.ts';
import type { CaptureSink } from './capture-sink.ts';

/** A file: its disk takes what it is given, at once. */
export class FileSink implements CaptureSink {
  #descriptor: number;

  /** @throws NetError what the file system says. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'w');
    } catch (error) {
      throw cannotWrite(path, error, IN_A_FOLDER);
    }
  }

  write(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    return true;
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

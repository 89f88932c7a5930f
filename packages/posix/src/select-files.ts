import { ERRNO, POLL } from '@softnet/contract';
import type { Descriptors } from './descriptors.ts';
import type { OpenFile } from './open-file.ts';
import { POLL_KIN } from './poll-bits.ts';

/** `fd_set`: descriptors, in and out. `FD_SET` is `add`, `FD_ISSET` is `has`. Null: none. */
export type DescriptorSet = Set<number> | null;

/** What is told as reading, writing, and as out of the ordinary: Linux's `POLLIN_SET`, `POLLOUT_SET`, `POLLEX_SET`. */
const SETS = Object.freeze([
  POLL.IN | POLL_KIN.RDNORM | POLL_KIN.RDBAND | POLL.HUP | POLL.ERR,
  POLL.OUT | POLL_KIN.WRNORM | POLL_KIN.WRBAND | POLL.ERR,
  POLL.PRI,
]);

/** What one call of `select` asks for. */
export class Selection {
  readonly #sets: readonly DescriptorSet[];
  /** As it was asked: the sets are written over. */
  readonly #asked: readonly (readonly (readonly [fd: number, file: OpenFile])[])[];

  private constructor(sets: readonly DescriptorSet[], asked: readonly (readonly (readonly [number, OpenFile])[])[]) {
    this.#sets = sets;
    this.#asked = asked;
  }

  /** @param end descriptors below it are looked at. -EBADF: one of them is not open; -EINVAL. */
  static of(descriptors: Descriptors, end: number, sets: readonly DescriptorSet[]): Selection | number {
    if (end < 0) return -ERRNO.EINVAL;
    const asked: [number, OpenFile][][] = [];
    for (const set of sets) {
      const files: [number, OpenFile][] = [];
      for (const fd of set ?? []) {
        if (fd >= end) continue;
        const file = descriptors.file(fd);
        if (file === null) return -ERRNO.EBADF;
        files.push([fd, file]);
      }
      asked.push(files);
    }
    return new Selection(sets, asked);
  }

  get files(): OpenFile[] {
    return [...new Set(this.#asked.flatMap((each) => each.map(([, file]) => file)))];
  }

  /** How many hold now, of all three sets; above 0: the sets are what holds. */
  look(): number {
    const holds = this.#asked.map((files, i) => files.filter(([, file]) => (file.poll() & SETS[i]!) !== 0));
    const count = holds.reduce((sum, { length }) => sum + length, 0);
    if (count > 0) this.#fill(holds);
    return count;
  }

  /** Its time is over: nothing holds. */
  clear(): void {
    this.#fill([]);
  }

  #fill(holds: readonly (readonly (readonly [number, OpenFile])[])[]): void {
    for (const [i, set] of this.#sets.entries()) {
      set?.clear();
      for (const [fd] of holds[i] ?? []) set?.add(fd);
    }
  }
}

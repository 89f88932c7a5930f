/** Offsets of idle buffers of one size: a stack, so that the warmest is used next. Of fixed capacity; allocates nothing. */
export class FreeList {
  readonly #offsets: Int32Array;
  count = 0;
  /** So many of its capacity are set apart for other lists: they come back only when those end. */
  apart = 0;

  constructor(capacity: number) {
    this.#offsets = new Int32Array(capacity);
  }

  get capacity(): number {
    return this.#offsets.length;
  }

  /** The offset that was put last. The caller has seen that `count` is not 0. */
  take(): number {
    return this.#offsets[--this.count]!;
  }

  put(offset: number): void {
    this.#offsets[this.count++] = offset;
  }

  /** How many there would be if nothing were out. */
  get full(): number {
    return this.#offsets.length - this.apart;
  }

  /** Takes `count` from another list; there are that many, and there is room. */
  fillFrom(other: FreeList, count: number): void {
    for (let i = 0; i < count; i++) this.put(other.take());
  }
}

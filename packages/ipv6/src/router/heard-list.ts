/** Something that is so until a time. */
export interface Heard<T> {
  readonly value: T;
  /** Kernel ms; Infinity: always. */
  readonly untilMs: number;
}

/** What routers have said of one sort, with lifetimes: bounded. In a full list the one that would go first makes room (RFC 8106 §6.1). */
export class HeardList<T> {
  items: readonly Heard<T>[] = [];
  readonly #limit: number;
  readonly #isSame: (a: T, b: T) => boolean;

  constructor(limit: number, isSame: (a: T, b: T) => boolean) {
    this.#limit = limit;
    this.#isSame = isSame;
  }

  /** When the first goes; Infinity: never. */
  get nextMs(): number {
    return this.items.reduce((least, { untilMs }) => Math.min(least, untilMs), Number.POSITIVE_INFINITY);
  }

  /** Returns whether the list is another now. @param untilMs not later than now: it is so no more. */
  hear(value: T, untilMs: number, nowMs: number): boolean {
    const index = this.items.findIndex((each) => this.#isSame(each.value, value));
    if (untilMs <= nowMs) return index >= 0 && this.#keep(this.items.toSpliced(index, 1));
    if (index >= 0) return this.items[index]!.untilMs !== untilMs && this.#keep(this.items.with(index, { value, untilMs }));
    if (this.items.length < this.#limit) return this.#keep([...this.items, { value, untilMs }]);
    const { nextMs } = this;
    if (untilMs <= nextMs) return false;
    const first = this.items.findIndex((each) => each.untilMs === nextMs);
    return this.#keep([...this.items.toSpliced(first, 1), { value, untilMs }]);
  }

  /** Drops what is over. Returns whether something was. */
  expire(nowMs: number): boolean {
    return this.nextMs <= nowMs && this.#keep(this.items.filter(({ untilMs }) => untilMs > nowMs));
  }

  clear(): boolean {
    return this.items.length > 0 && this.#keep([]);
  }

  #keep(items: readonly Heard<T>[]): true {
    this.items = items;
    return true;
  }
}

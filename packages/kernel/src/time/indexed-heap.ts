/** What an {@link IndexedHeap} holds: it knows its own place there. */
export interface HeapItem {
  /** Index in the heap, or -1. Only the heap writes it. */
  heapAt: number;
}

/** A binary heap whose items can be moved and removed in O(log n). */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  /** @param before a strict total order. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first in order. */
  get top(): T | undefined {
    return this.#items[0];
  }

  /** The item must not be in a heap. */
  add(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  /** The item must be in this heap. */
  remove(item: T): void {
    const at = item.heapAt;
    const last = this.#items.pop()!;
    item.heapAt = -1;
    if (last === item) return;
    last.heapAt = at;
    this.#items[at] = last;
    this.update(last);
  }

  /** The item's key changed: it finds its new place. Does nothing when it is not in the heap. */
  update(item: T): void {
    if (item.heapAt < 0) return;
    if (!this.#up(item, item.heapAt)) this.#down(item, item.heapAt);
  }

  #up(item: T, from: number): boolean {
    const items = this.#items;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above]!;
      if (!this.#before(item, parent)) break;
      items[at] = parent;
      parent.heapAt = at;
      at = above;
    }
    items[at] = item;
    item.heapAt = at;
    return at !== from;
  }

  #down(item: T, from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && this.#before(items[below + 1]!, items[below]!)) below++;
      const child = items[below]!;
      if (!this.#before(child, item)) break;
      items[at] = child;
      child.heapAt = at;
      at = below;
    }
    items[at] = item;
    item.heapAt = at;
  }
}

import type { Contributions } from '@softnet/contract';

/** What live modules contribute for one protocol number, in the order in which they went live. */
export interface NumberedItems<T> {
  readonly items: readonly T[];
  /** `owners[i]` is the integer of the module that contributed `items[i]`. */
  readonly owners: readonly number[];
}

const NONE: NumberedItems<never> = Object.freeze({ items: Object.freeze([]), owners: Object.freeze([]) });

/** Contributions to a point by their protocol number, sorted anew when they have changed. */
export class ProtocolTable<T extends { readonly number: number }> {
  readonly #all: Contributions<T>;
  #seen: readonly T[] | null = null;
  #byNumber: (NumberedItems<T> | undefined)[] = [];

  constructor(all: Contributions<T>) {
    this.#all = all;
  }

  /** @param number 0 to 255. */
  of(number: number): NumberedItems<T> {
    if (this.#seen !== this.#all.items) this.#sort();
    return this.#byNumber[number] ?? NONE;
  }

  #sort(): void {
    const { items, owners } = this.#all;
    this.#byNumber = new Array<NumberedItems<T> | undefined>(256).fill(undefined);
    for (const number of new Set(items.map((item) => item.number))) {
      const places = items.map((_, place) => place).filter((place) => items[place]!.number === number);
      this.#byNumber[number] = { items: places.map((place) => items[place]!), owners: places.map((place) => owners[place]!) };
    }
    this.#seen = items;
  }
}

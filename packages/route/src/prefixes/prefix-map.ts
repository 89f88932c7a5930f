import { lenOf, NOTHING } from './slots.ts';

const FIRST_PLACES = 8;
/** As many lengths as prefixes have: 0 to 128. */
const LENGTHS = 129;

/**
 * Values by prefix, exactly: open addressing in one Int32Array. A place is the prefix's words and its slot, value and length together.
 * Bits behind a prefix are clear.
 */
export class PrefixMap {
  count = 0;
  /** How many prefixes there are of each length. */
  readonly byLength: Int32Array;
  readonly #wide: boolean;
  readonly #stride: number;
  #places: Int32Array;
  #mask = FIRST_PLACES - 1;
  readonly #seed: number;

  /** @param wide keys of four words, else of one. @param seed by which nobody outside knows which prefixes meet. int32. */
  constructor(wide: boolean, seed: number) {
    this.#wide = wide;
    this.#seed = seed;
    this.#stride = wide ? 5 : 2;
    this.#places = new Int32Array(FIRST_PLACES * this.#stride);
    this.byLength = new Int32Array(wide ? LENGTHS : 33);
  }

  get bytes(): number {
    return this.#places.byteLength;
  }

  /** {@link NOTHING}, or its slot. */
  get(key0: number, key1: number, key2: number, key3: number, len: number): number {
    const at = this.#find(key0, key1, key2, key3, len);
    return this.#places[at + this.#stride - 1]!;
  }

  /** Returns the slot that it had. */
  set(key0: number, key1: number, key2: number, key3: number, slot: number): number {
    if ((this.count + 1) * 5 > (this.#mask + 1) * 4) this.#resize((this.#mask + 1) * 2);
    const at = this.#find(key0, key1, key2, key3, lenOf(slot));
    const places = this.#places;
    const before = places[at + this.#stride - 1]!;
    if (before === NOTHING) {
      this.count++;
      this.byLength[lenOf(slot)]!++;
    }
    places[at] = key0;
    if (this.#wide) {
      places[at + 1] = key1;
      places[at + 2] = key2;
      places[at + 3] = key3;
    }
    places[at + this.#stride - 1] = slot;
    return before;
  }

  /** Returns the slot that it had. */
  delete(key0: number, key1: number, key2: number, key3: number, len: number): number {
    const at = this.#find(key0, key1, key2, key3, len);
    const before = this.#places[at + this.#stride - 1]!;
    if (before === NOTHING) return NOTHING;
    this.count--;
    this.byLength[len]!--;
    this.#close(at / this.#stride);
    if (this.#mask >= FIRST_PLACES && this.count * 5 < this.#mask + 1) this.#resize((this.#mask + 1) / 2);
    return before;
  }

  /** There will be so many prefixes: room for them now, not bit by bit. */
  reserve(count: number): void {
    let places = this.#mask + 1;
    while (count * 5 > places * 4) places *= 2;
    if (places > this.#mask + 1) this.#resize(places);
  }

  /** No more room than the prefixes want. */
  fit(): void {
    let places = this.#mask + 1;
    while (places > FIRST_PLACES && this.count * 5 < places) places /= 2;
    if (places <= this.#mask) this.#resize(places);
  }

  /** All, one after the other: of each its words and its slot. */
  list(): Int32Array {
    const [places, stride] = [this.#places, this.#stride];
    const list = new Int32Array(this.count * stride);
    let to = 0;
    for (let at = 0; at < places.length; at += stride) {
      if (places[at + stride - 1] === NOTHING) continue;
      for (let i = 0; i < stride; i++) list[to++] = places[at + i]!;
    }
    return list;
  }

  /** Where it is, or where it would be. */
  #find(key0: number, key1: number, key2: number, key3: number, len: number): number {
    const places = this.#places;
    const mask = this.#mask;
    if (!this.#wide) {
      for (let place = hash(key0 ^ this.#seed, len) & mask; ; place = (place + 1) & mask) {
        const at = place * 2;
        const slot = places[at + 1]!;
        if (slot === NOTHING || (places[at] === key0 && lenOf(slot) === len)) return at;
      }
    }
    for (let place = hashWide(key0 ^ this.#seed, key1, key2, key3, len) & mask; ; place = (place + 1) & mask) {
      const at = place * 5;
      const slot = places[at + 4]!;
      if (slot === NOTHING) return at;
      if (lenOf(slot) !== len || places[at] !== key0 || places[at + 1] !== key1) continue;
      if (places[at + 2] === key2 && places[at + 3] === key3) return at;
    }
  }

  /** Empties a place; what stood behind it only because it was taken moves up. */
  #close(place: number): void {
    const [places, stride, mask] = [this.#places, this.#stride, this.#mask];
    let hole = place;
    for (let next = (place + 1) & mask; places[next * stride + stride - 1] !== NOTHING; next = (next + 1) & mask) {
      const home = this.#homeOf(next * stride);
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      places.copyWithin(hole * stride, next * stride, (next + 1) * stride);
      hole = next;
    }
    places.fill(0, hole * stride, (hole + 1) * stride);
  }

  #homeOf(at: number): number {
    const places = this.#places;
    const len = lenOf(places[at + this.#stride - 1]!);
    if (!this.#wide) return hash(places[at]! ^ this.#seed, len) & this.#mask;
    return hashWide(places[at]! ^ this.#seed, places[at + 1]!, places[at + 2]!, places[at + 3]!, len) & this.#mask;
  }

  #resize(count: number): void {
    const [old, stride] = [this.#places, this.#stride];
    this.#places = new Int32Array(count * stride);
    this.#mask = count - 1;
    for (let at = 0; at < old.length; at += stride) {
      const slot = old[at + stride - 1]!;
      if (slot === NOTHING) continue;
      const to = this.#wide
        ? this.#find(old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!, lenOf(slot))
        : this.#find(old[at]!, 0, 0, 0, lenOf(slot));
      for (let i = 0; i < stride; i++) this.#places[to + i] = old[at + i]!;
    }
  }
}

function hash(key: number, len: number): number {
  let sum = Math.imul(key ^ Math.imul(len + 1, 0x9e3779b1), 0x85ebca6b);
  sum = Math.imul(sum ^ (sum >>> 15), 0xc2b2ae35);
  return sum ^ (sum >>> 16);
}

function hashWide(key0: number, key1: number, key2: number, key3: number, len: number): number {
  let sum = Math.imul(key0 ^ Math.imul(len + 1, 0x9e3779b1), 0x85ebca6b);
  sum = Math.imul(sum ^ (sum >>> 15) ^ key1, 0xc2b2ae35);
  sum = Math.imul(sum ^ (sum >>> 13) ^ key2, 0x27d4eb2f);
  sum = Math.imul(sum ^ (sum >>> 15) ^ key3, 0x165667b1);
  return sum ^ (sum >>> 16);
}

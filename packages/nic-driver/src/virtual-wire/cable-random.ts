/**
 * The chance of one direction of a cable: a generator of its own (xoshiro128, Blackman and Vigna), so that what a cable does depends on
 * its seed and on the frames only, not on what else there is. Answers are small integers: nothing is allocated.
 */
export class CableRandom {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Two numbers, so that each direction of a seed has a stream of its own. */
  constructor(seed: number, stream: number) {
    let state = Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(Math.floor(seed / 2 ** 32) | 0, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35);
    const word = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = word();
    this.#b = word();
    this.#c = word();
    this.#d = word() | 1;
  }

  /** 29 random bits: a small integer in every V8. */
  bits(): number {
    const sum = (this.#a + this.#d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + this.#a) | 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 3;
  }

  /** True for a fraction of calls, as {@link chanceOf} gives it: a fraction itself would be boxed at each call. 0 asks for no number. */
  happens(chance: number): boolean {
    return chance > 0 && this.bits() < chance;
  }

  /** 0 to `bound` - 1; `bound` up to 2³⁰ + 1. 0 and 1 ask for no number. */
  below(bound: number): number {
    return bound > 1 ? Math.floor((this.bits() * bound) / ALL_BITS) : 0;
  }
}

const ALL_BITS = 0x20000000;

/** A fraction, 0 to 1, for {@link CableRandom.happens}. */
export function chanceOf(fraction: number): number {
  return Math.round(fraction * ALL_BITS);
}

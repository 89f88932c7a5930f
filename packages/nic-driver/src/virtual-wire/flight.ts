import type { Skb } from '@softnet/contract';

/** Frames on their way to one end of a cable, by the time of their arrival; equal times in the order of departure. */
export class Flight {
  count = 0;
  #skbs: (Skb | null)[] = new Array<Skb | null>(16).fill(null);
  #atUs = new Float64Array(16);
  #first = 0;

  /** When the next frame arrives, µs of the receiver's clock; Infinity: none is under way. */
  get nextUs(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.#atUs[this.#first]!;
  }

  /** Grows where it must; who sends keeps the bound. */
  insert(skb: Skb, atUs: number): void {
    if (this.count === this.#skbs.length) this.#grow();
    const mask = this.#skbs.length - 1;
    let at = this.#first + this.count;
    for (; at > this.#first && this.#atUs[(at - 1) & mask]! > atUs; at--) {
      this.#skbs[at & mask] = this.#skbs[(at - 1) & mask]!;
      this.#atUs[at & mask] = this.#atUs[(at - 1) & mask]!;
    }
    this.#skbs[at & mask] = skb;
    this.#atUs[at & mask] = atUs;
    this.count++;
  }

  /** The next frame, if it has arrived. */
  take(nowUs: number): Skb | null {
    if (this.count === 0 || this.#atUs[this.#first]! > nowUs) return null;
    const skb = this.#skbs[this.#first]!;
    this.#skbs[this.#first] = null;
    this.#first = (this.#first + 1) & (this.#skbs.length - 1);
    this.count--;
    return skb;
  }

  #grow(): void {
    const skbs = new Array<Skb | null>(2 * this.#skbs.length).fill(null);
    const atUs = new Float64Array(skbs.length);
    for (let i = 0; i < this.count; i++) {
      const from = (this.#first + i) & (this.#skbs.length - 1);
      skbs[i] = this.#skbs[from]!;
      atUs[i] = this.#atUs[from]!;
    }
    this.#skbs = skbs;
    this.#atUs = atUs;
    this.#first = 0;
  }
}

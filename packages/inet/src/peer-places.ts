/** Places of one hash; who comes to a full set takes the place of whom nothing was heard of for longest. */
const WAYS = 4;

/**
 * Places for what is kept of single peers, of a fixed number: a flood of spoofed sources costs no memory, and a peer that is new has a
 * place of its own. Linux keeps a tree of 65,536 (`inet_peer`).
 */
export class PeerPlaces {
  /** Whether the last {@link find} gave a place that was another's, or nobody's: what is kept there is to be begun anew. */
  isNew = false;
  readonly #secret: number;
  readonly #setMask: number;
  readonly #peers: Int32Array;
  readonly #usedUs: Float64Array;

  /** @param count a power of two, 4 at least. @param secret 32 random bits: peers cannot know whose places meet. */
  constructor(count: number, secret: number) {
    this.#secret = secret | 0;
    this.#setMask = count / WAYS - 1;
    this.#peers = new Int32Array(count);
    this.#usedUs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  }

  /** The place of a peer, 0 to `count` - 1. */
  find(peer: number, nowUs: number): number {
    const mixed = Math.imul(peer ^ this.#secret, 0x9e3779b1 | 0);
    const first = ((mixed ^ (mixed >>> 15)) & this.#setMask) * WAYS;
    let at = first;
    for (let i = first; i < first + WAYS; i++) {
      if (this.#usedUs[i]! < this.#usedUs[at]!) at = i;
      if (this.#peers[i] === peer && this.#usedUs[i]! >= 0) {
        this.isNew = false;
        this.#usedUs[i] = nowUs;
        return i;
      }
    }
    this.isNew = true;
    this.#peers[at] = peer;
    this.#usedUs[at] = nowUs;
    return at;
  }
}

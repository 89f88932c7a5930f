import type { Random } from '@softnet/contract';

const COUNTERS = 2048;

/**
 * Identifications of datagrams that may be cut (RFC 6864 §4.1: unique for source, destination and protocol while they live). As in
 * Linux, a counter for each of many hashes of these three, so that nobody who sees some can count what goes elsewhere (RFC 7739 §3).
 */
export class Identification {
  readonly #counters = new Uint16Array(COUNTERS);
  readonly #secret: number;

  constructor(random: Random) {
    this.#secret = random.u32() | 0;
    random.fill(new Uint8Array(this.#counters.buffer));
  }

  /** The next for this flow, 0 to 65535. @param count so many are taken, one after the other: for what will be cut. */
  next(source: number, destination: number, protocol: number, count = 1): number {
    let hash = Math.imul(this.#secret ^ destination, 0x9e3779b1 | 0);
    hash = Math.imul(hash ^ (hash >>> 15) ^ source, 0x85ebca6b | 0);
    hash = Math.imul(hash ^ (hash >>> 13) ^ protocol, 0xc2b2ae35 | 0);
    const at = (hash >>> 16) & (COUNTERS - 1);
    const id = this.#counters[at]!;
    this.#counters[at] = id + count;
    return id;
  }
}

import type { Random, SockCommon } from '@softnet/contract';
import type { HalfSipHash } from '@softnet/inet';

/** Counters of the double hash. More than RFC 6056 names: with few, an observer learns which flows share one. */
const COUNTERS = 4096;
/** How far a counter goes on at most, beside the one step that it must. */
const NOISE = 8;

/** Which port is chosen for who names none (RFC 6056). 0: none will do. */
export class ChosenPorts {
  readonly #random: Random;
  readonly #hash: HalfSipHash;
  /** Lowest and highest. */
  readonly #range: () => readonly number[];
  /** Made for the first connection. */
  #counters: Uint16Array | null = null;

  constructor(random: Random, hash: HalfSipHash, range: () => readonly number[]) {
    this.#random = random;
    this.#hash = hash;
    this.#range = range;
  }

  /** For who has no peer: from a random port on, the first that will do (§3.3.1, algorithm 1). */
  any(sock: SockCommon, isGood: (port: number) => boolean): number {
    const [low, count] = this.#ports(sock);
    const start = this.#random.below(count);
    return firstOf(low, count, start, isGood);
  }

  /**
   * For a connection: §3.3.4, algorithm 4, the double hash. The ports of one peer follow one another, so that none comes again soon; where they begin, and how far they are
   * with other peers, nobody can tell. Counters make a random small step more, as Linux has had it since 2022: others share them.
   */
  forFlow(sock: SockCommon, isGood: (port: number) => boolean): number {
    const [low, count] = this.#ports(sock);
    const offset = this.#secret(sock, 0) >>> 0;
    this.#counters ??= this.#firstCounters();
    const counters = this.#counters;
    const index = this.#secret(sock, 1) & (COUNTERS - 1);
    const start = (offset + counters[index]!) % count;
    const port = firstOf(low, count, start, isGood);
    if (port !== 0) counters[index]! += ((port - low - start + count) % count) + 1 + this.#random.below(NOISE);
    return port;
  }

  /** The socket's own range counts where it is within that of all (IP_LOCAL_PORT_RANGE). */
  #ports({ options }: SockCommon): readonly [low: number, count: number] {
    const [low = 0, high = 0] = this.#range();
    const own = options === null ? 0 : options.portRange;
    const [ownLow, ownHigh] = [own & 0xffff, own >>> 16];
    const from = ownLow >= low && ownLow <= high ? ownLow : low;
    return [from, (ownHigh >= low && ownHigh <= high ? ownHigh : high) - from + 1];
  }

  /** F and G of the RFC: of both addresses and the peer's port. */
  #secret(sock: SockCommon, which: number): number {
    const { words } = this.#hash;
    words[0] = (which << 24) | sock.protocol;
    words[1] = sock.remotePort;
    words[2] = sock.local0;
    words[3] = sock.local1;
    words[4] = sock.local2;
    words[5] = sock.local3;
    words[6] = sock.remote0;
    words[7] = sock.remote1;
    words[8] = sock.remote2;
    words[9] = sock.remote3;
    return this.#hash.of(10);
  }

  #firstCounters(): Uint16Array {
    const bytes = new Uint8Array(2 * COUNTERS);
    this.#random.fill(bytes);
    return new Uint16Array(bytes.buffer);
  }
}

function firstOf(low: number, count: number, start: number, isGood: (port: number) => boolean): number {
  for (let i = 0; i < count; i++) {
    const port = low + ((start + i) % count);
    if (isGood(port)) return port;
  }
  return 0;
}

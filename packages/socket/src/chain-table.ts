import type { SockCommon } from '@softnet/contract';
import { chainBits } from './flow-hash.ts';

const FIRST_CHAINS = 16;
/** Two sockets for three chains, at most: so that those which are split last are not long either. */
const FULL_SOCKETS = 2;
const FULL_CHAINS = 3;

/**
 * Sockets in chains by `hash`, linked by `hashNext`. It grows and shrinks by a few chains at a time (linear hashing, Litwin 1980), so no call ever stops to move all: for two
 * sockets there are three chains, up to six, and who looks up looks at 1.4 sockets on average.
 */
export class ChainTable {
  count = 0;
  /** With nulls behind the last chain: an array that grows by itself has room for half as many again. */
  #chains: (SockCommon | null)[] = new Array<SockCommon | null>(FIRST_CHAINS).fill(null);
  #length = FIRST_CHAINS;
  /** A power of two: chains below `#length - #round` are split already, and those from `#round` on are what was split off. */
  #round = FIRST_CHAINS;

  get chains(): number {
    return this.#length;
  }

  /** The first of the chain in which sockets of this hash stand; others may stand there too. */
  first(hash: number): SockCommon | null {
    return this.#chains[this.#indexOf(hash)]!;
  }

  has(sock: SockCommon): boolean {
    let at = this.first(sock.hash);
    while (at !== null && at !== sock) at = at.hashNext;
    return at !== null;
  }

  /** Puts it first of its chain, as its `hash` says. */
  insert(sock: SockCommon): void {
    while (this.count * FULL_CHAINS >= this.#length * FULL_SOCKETS) this.#split();
    const index = this.#indexOf(sock.hash);
    sock.hashNext = this.#chains[index]!;
    this.#chains[index] = sock;
    this.count++;
  }

  /** False: it is not there. */
  remove(sock: SockCommon): boolean {
    if (!this.#unlink(sock, sock.hashNext)) return false;
    this.count--;
    while (this.#length > FIRST_CHAINS && this.count * 3 < this.#length) this.#merge();
    return true;
  }

  /** Another one of the same hash takes the place of one that is there. */
  substitute(sock: SockCommon, other: SockCommon): void {
    other.hashNext = sock.hashNext;
    this.#unlink(sock, other);
  }

  /** What pointed to it points to `next`. */
  #unlink(sock: SockCommon, next: SockCommon | null): boolean {
    const index = this.#indexOf(sock.hash);
    let before: SockCommon | null = null;
    let at: SockCommon | null = this.#chains[index]!;
    while (at !== null && at !== sock) {
      before = at;
      at = at.hashNext;
    }
    if (at === null) return false;
    if (before === null) this.#chains[index] = next;
    else before.hashNext = next;
    sock.hashNext = null;
    return true;
  }

  #indexOf(hash: number): number {
    const bits = chainBits(hash);
    const index = bits & (2 * this.#round - 1);
    return index < this.#length ? index : bits & (this.#round - 1);
  }

  /** One more chain, of those of one chain that belong there. Their order is kept. */
  #split(): void {
    const from = this.#length - this.#round;
    const to = this.#length;
    let sock = this.#chains[from]!;
    this.#chains[from] = null;
    if (this.#length === this.#chains.length) this.#resize();
    this.#length++;
    if (this.#length === 2 * this.#round) this.#round *= 2;
    let lastFrom: SockCommon | null = null;
    let lastTo: SockCommon | null = null;
    while (sock !== null) {
      const next: SockCommon | null = sock.hashNext;
      sock.hashNext = null;
      if (this.#indexOf(sock.hash) === to) lastTo = this.#append(to, lastTo, sock);
      else lastFrom = this.#append(from, lastFrom, sock);
      sock = next as SockCommon;
    }
  }

  /** Room for an eighth more. Only the array is copied, no socket is looked at. */
  #resize(): void {
    const chains = new Array<SockCommon | null>(this.#length + (this.#length >>> 3)).fill(null);
    for (let i = 0; i < this.#length; i++) chains[i] = this.#chains[i]!;
    this.#chains = chains;
  }

  #append(index: number, last: SockCommon | null, sock: SockCommon): SockCommon {
    if (last === null) this.#chains[index] = sock;
    else last.hashNext = sock;
    return sock;
  }

  /** One chain less: the last is hung behind the one that it was split off. */
  #merge(): void {
    if (this.#length === this.#round) this.#round /= 2;
    const moved = this.#chains[--this.#length]!;
    this.#chains[this.#length] = null;
    if (2 * this.#length < this.#chains.length) this.#resize();
    const index = this.#length - this.#round;
    let last = this.#chains[index]!;
    if (last === null) {
      this.#chains[index] = moved;
      return;
    }
    while (last.hashNext !== null) last = last.hashNext;
    last.hashNext = moved;
  }
}

import type { Clock, Counter, Dst, Flow } from '@softnet/contract';
import { hashWords } from './address-hash.ts';
import type { Hop } from './hop.ts';

/** How a destination differs from the others behind its next hop (row R2). Linux's `struct fib_nh_exception`. */
export class RouteException {
  readonly hop: Hop;
  readonly address0: number;
  readonly address1: number;
  readonly address2: number;
  readonly address3: number;
  /** Its path MTU; 0: not known. */
  mtuBytes = 0;
  /** See `Dst.mtuLocked`. */
  mtuLocked = false;
  /** The better gateway that a redirect named; family 0: none did. */
  gatewayFamily = 0;
  gateway0 = 0;
  gateway1 = 0;
  gateway2 = 0;
  gateway3 = 0;
  /** Kernel ms, wrapping int32. */
  expiresMs = 0;
  /** Somebody asked for it since it was learned, or last looked at: he sends there. */
  used = false;
  /** Null: to be made at the next lookup. */
  dst: Dst | null = null;
  hashNext: RouteException | null = null;
  older: RouteException | null = null;
  newer: RouteException | null = null;
  /** The neighbours in age among those of its hop. */
  olderOfHop: RouteException | null = null;
  newerOfHop: RouteException | null = null;

  constructor(hop: Hop, { dst0, dst1, dst2, dst3 }: Destination) {
    this.hop = hop;
    this.address0 = dst0;
    this.address1 = dst1;
    this.address2 = dst2;
    this.address3 = dst3;
  }
}

export type Destination = Pick<Flow, 'dst0' | 'dst1' | 'dst2' | 'dst3'>;

/** How many buckets; the table is small on purpose. */
const BUCKETS = 1024;
/** How many of those that are over go at a time. */
const SWEEP = 64;
/** How many are looked at, at most, to find one that nobody uses. */
const LOOK = 64;

export interface ExceptionSpec {
  readonly clock: Clock;
  readonly seed: number;
  /** How many there may be: the oldest that nobody uses goes for a new one. */
  readonly limit: () => number;
  /** How many a next hop may have: the oldest of its own goes likewise. */
  readonly limitOfHop: () => number;
  /** Runs {@link Exceptions.sweep} so much later. */
  readonly wake: (delayMs: number) => void;
  /** How many were looked at to drop some. */
  readonly visited: Counter;
}

/** What is known of single destinations: bounded in number, in all and by next hop, and aged (RFC 1191 §6.3, RFC 8201 §5.3). */
export class Exceptions {
  count = 0;
  readonly #spec: ExceptionSpec;
  readonly #buckets: (RouteException | null)[] = new Array<RouteException | null>(BUCKETS).fill(null);
  #oldest: RouteException | null = null;
  #newest: RouteException | null = null;
  /** Who is looked at next when there are too many; null: the oldest. */
  #hand: RouteException | null = null;

  constructor(spec: ExceptionSpec) {
    this.#spec = spec;
  }

  /** The oldest first. */
  *[Symbol.iterator](): Generator<RouteException> {
    for (let at = this.#oldest; at !== null; at = at.newer) yield at;
  }

  /** What is known of the flow's destination behind this hop. Ask only when `hop.exceptions` says that there are some. */
  find(hop: Hop, flow: Destination): RouteException | null {
    let at: RouteException | null = this.#buckets[this.#bucket(hop, flow.dst0, flow.dst1, flow.dst2, flow.dst3)]!;
    while (at !== null) {
      if (at.hop === hop && at.address3 === flow.dst3 && at.address2 === flow.dst2 && at.address1 === flow.dst1) {
        if (at.address0 === flow.dst0) break;
      }
      at = at.hashNext;
    }
    if (at === null) return null;
    at.used = true;
    if (((at.expiresMs - this.#spec.clock.nowMs) | 0) > 0) return at;
    this.#remove(at);
    return null;
  }

  /** The exception of the flow's destination, the youngest now; made if need be, in the place of an old one when there are too many. */
  learn(hop: Hop, flow: Destination, lifetimeMs: number): RouteException {
    let exception = hop.exceptions > 0 ? this.find(hop, flow) : null;
    if (exception === null) {
      this.#makeRoom(hop);
      exception = new RouteException(hop, flow);
      const bucket = this.#bucket(hop, flow.dst0, flow.dst1, flow.dst2, flow.dst3);
      exception.hashNext = this.#buckets[bucket]!;
      this.#buckets[bucket] = exception;
      hop.exceptions++;
      // Whoever has cached the hop's own dst must ask again: one of them may be meant.
      forgetDst(hop);
      if (this.count++ === 0) this.#spec.wake(lifetimeMs);
    } else this.#unlink(exception);
    exception.used = false;
    exception.expiresMs = (this.#spec.clock.nowMs + lifetimeMs) | 0;
    this.#append(exception);
    forgetDst(exception);
    return exception;
  }

  /** Its hop's dst was made anew, so theirs are. */
  forget(hop: Hop): void {
    for (let at = hop.oldestException; at !== null; at = at.newerOfHop) forgetDst(at);
  }

  /** The hop is gone. */
  end(hop: Hop): void {
    while (hop.oldestException !== null) this.#remove(hop.oldestException);
  }

  /** Drops those whose time is over, a bounded number. */
  sweep(): void {
    const { clock, wake, visited } = this.#spec;
    const { nowMs } = clock;
    for (let left = SWEEP; this.#oldest !== null; left--) {
      const inMs = (this.#oldest.expiresMs - nowMs) | 0;
      if (inMs > 0 || left === 0) {
        wake(Math.max(inMs, 0));
        return;
      }
      visited.value++;
      this.#remove(this.#oldest);
    }
  }

  /** The setting may be 0: then there is one, which the next one replaces. */
  #makeRoom(hop: Hop): void {
    const { limit, limitOfHop } = this.#spec;
    while (hop.oldestException !== null && hop.exceptions >= limitOfHop()) this.#dropOne(hop);
    while (this.#oldest !== null && this.count >= limit()) this.#dropOne(null);
  }

  /**
   * The next that nobody has asked for goes, of a few; else the last of them (a clock with a hand that goes round). Those that somebody uses are left,
   * and their users ask again, so that next time it is known who is still there: a flood of destinations, each seen once, drives out none that a
   * connection needs (row R3).
   * @param hop only its own; null: of all.
   */
  #dropOne(hop: Hop | null): void {
    let at = (hop === null ? (this.#hand ?? this.#oldest) : (hop.exceptionHand ?? hop.oldestException))!;
    for (let left = LOOK - 1; left > 0 && at.used; left--) {
      this.#spec.visited.value++;
      at.used = false;
      forgetDst(at);
      at = (hop === null ? (at.newer ?? this.#oldest) : (at.newerOfHop ?? hop.oldestException))!;
    }
    this.#spec.visited.value++;
    // Whoever goes leaves the hand at the next one.
    if (hop === null) this.#hand = at;
    else hop.exceptionHand = at;
    this.#remove(at);
  }

  #bucket(hop: Hop, word0: number, word1: number, word2: number, word3: number): number {
    return hashWords(this.#spec.seed, word0, word1, word2, word3, hop.serial) & (BUCKETS - 1);
  }

  #remove(exception: RouteException): void {
    const { hop, address0, address1, address2, address3 } = exception;
    const bucket = this.#bucket(hop, address0, address1, address2, address3);
    let before: RouteException | null = null;
    for (let at: RouteException | null = this.#buckets[bucket]!; at !== exception && at !== null; at = at.hashNext) before = at;
    if (before === null) this.#buckets[bucket] = exception.hashNext;
    else before.hashNext = exception.hashNext;
    this.#unlink(exception);
    hop.exceptions--;
    this.count--;
    forgetDst(exception);
  }

  #append(exception: RouteException): void {
    const { hop } = exception;
    exception.older = this.#newest;
    exception.newer = null;
    if (this.#newest === null) this.#oldest = exception;
    else this.#newest.newer = exception;
    this.#newest = exception;
    exception.olderOfHop = hop.newestException;
    exception.newerOfHop = null;
    if (hop.newestException === null) hop.oldestException = exception;
    else hop.newestException.newerOfHop = exception;
    hop.newestException = exception;
  }

  #unlink(exception: RouteException): void {
    const { hop, older, newer, olderOfHop, newerOfHop } = exception;
    if (this.#hand === exception) this.#hand = newer;
    if (hop.exceptionHand === exception) hop.exceptionHand = newerOfHop;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (olderOfHop === null) hop.oldestException = newerOfHop;
    else olderOfHop.newerOfHop = newerOfHop;
    if (newerOfHop === null) hop.newestException = olderOfHop;
    else newerOfHop.olderOfHop = olderOfHop;
  }
}

/** Who has cached it looks up again; the next lookup makes another. */
export function forgetDst(of: { dst: Dst | null }): void {
  if (of.dst === null) return;
  // Error dsts are everybody's; they are left by a change of the generation.
  if (of.dst.error === 0) of.dst.obsolete = true;
  of.dst = null;
}

import type { Clock, DropReason, MemoryAccount, ModuleContext, Skb, Timer } from '@softnet/contract';
import { CHECKSUM, FlowKey, MemoryAccounts } from '@softnet/contract';
import { orphan } from '@softnet/skb';
import { FRAGMENT_ECN, mergedEcn } from './fragment-ecn.ts';
import { FragmentTable } from './fragment-table.ts';
import { PacketLender } from './lent-packet.ts';
import type { FragmentSource, PartialDatagram } from './partial-datagram.ts';

/** Among so many of the oldest, one is looked for whose sender has more than its share. */
const VICTIMS = 16;
/** A sender may always have this part of what there is: a large datagram among a flood of small ones is no greed. */
const GOOD_SHARES = 16;

/** What a layer says of its fragments. Functions are asked at each use, so that settings count at once. */
export interface ReassemblySpec {
  /** Fills addresses and `ifindex`: local = destination, remote = source. `ifindex` is compared too: 0 where it must not matter. */
  readonly readAddresses: (skb: Skb, into: FlowKey) => void;
  readonly timeoutMs: () => number;
  /** Memory (truesize) of all that waits. */
  readonly limitBytes: () => number;
  readonly limitDatagrams: () => number;
  readonly limitPieces: () => number;
  /** So many other fragments may come from a sender between two of a datagram: then the next is of another, which has its number again. 0: any. */
  readonly limitDistance: () => number;
  /** Of a datagram with an overlap, what comes later is dropped too (RFC 5722 §4): where identifications do not come round within its time. */
  readonly abandons?: boolean;
  /** The longest payload: 65535, less what stands before it. */
  readonly maxBytes: number;
  readonly reasons: ReassemblyReasons;
  /** Time is over, and the first fragment is there: the layer may refuse it (REASSEMBLY_TIMEOUT). Does not take it. */
  readonly expired: (first: Skb) => void;
}

export interface ReassemblyReasons {
  /** Two fragments claim the same bytes, or different ends: the whole datagram goes (RFC 5722, RFC 8200 §4.5). */
  readonly overlap: DropReason;
  /** The same fragment again: dropped alone. */
  readonly duplicate: DropReason;
  /** It reaches over `maxBytes`. */
  readonly tooBig: DropReason;
  readonly timeout: DropReason;
  /** Too much of its sender came in between (Linux's `ipfrag_max_dist`). */
  readonly distance: DropReason;
  /** Some fragments say that their sender knows ECN, and others not (RFC 3168 §5.3). */
  readonly ecn: DropReason;
  /** One that waited gave way, or the datagram has too many pieces; also what waits when the layer stops. */
  readonly limit: DropReason;
  /** Empty, or not the last and no multiple of 8 bytes long. */
  readonly malformed: DropReason;
}

/**
 * Datagrams from fragments, in whatever order they come (RFC 791 §3.2, RFC 8200 §4.5). What waits is bounded, and stands in the layer's
 * MemoryAccount, which its module requires: where it is too much, or memory is low, a datagram goes: the oldest of a sender that has
 * more than its share, else the oldest of all. One of a layer; nothing is copied: the first fragment becomes the datagram, and shows the
 * bytes of the others.
 */
export class Reassembly {
  readonly #spec: ReassemblySpec;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #table: FragmentTable;
  readonly #lender = new PacketLender();
  readonly #key = new FlowKey();
  readonly #account: MemoryAccount;
  readonly #pressure: DropReason;
  /** Of the datagram that `input` answered last: a router marked one of its fragments, so it is marked (RFC 3168 §5.3). */
  congested = false;
  #bytes = 0;

  constructor(ctx: ModuleContext, spec: ReassemblySpec) {
    this.#spec = spec;
    this.#clock = ctx.clock;
    this.#table = new FragmentTable(ctx.random.u32());
    this.#account = ctx.port(MemoryAccounts).current.open(ctx.name);
    this.#pressure = ctx.dropReason(
      `${ctx.name}.fragment-pressure`,
      'packet memory is low: its fragments waited longest (net.core.skb_pressure)',
    );
    this.#timer = ctx.timer((self: Reassembly) => self.#expire(), this, 'reassembly.timeout');
  }

  /** Memory (truesize) that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  get datagrams(): number {
    return this.#table.count;
  }

  /**
   * Takes a fragment, with `data` at its first byte of what was fragmented and `network` at its IP header. Answers the whole datagram
   * when this was the missing piece: the first fragment, its header and all before `data` in place, its `len` grown by the others'
   * bytes. Null: it is not complete, or was dropped with a reason.
   * @param offsetBytes of its first byte in the datagram. @param more whether others follow. @param id int32.
   * @param protocol part of the key (IPv4); 0 where it is not (IPv6). @param ecn its codepoint: the low bits of TOS or traffic class.
   */
  input(skb: Skb, offsetBytes: number, more: boolean, id: number, protocol: number, ecn: number): Skb | null {
    const { reasons, maxBytes } = this.#spec;
    const { len } = skb;
    if (len === 0 || (more && (len & 7) !== 0)) return drop(skb, reasons.malformed);
    if (offsetBytes + len > maxBytes) return drop(skb, reasons.tooBig);
    skb.dst = null;
    orphan(skb);
    skb.cb0 = offsetBytes;
    skb.cb1 = offsetBytes + len;
    const key = this.#key;
    this.#spec.readAddresses(skb, key);
    const datagram = this.#datagramOf(id, protocol);
    if (datagram.isAbandoned) return drop(skb, reasons.overlap);
    const fault = this.#place(datagram, skb, more);
    if (fault !== null) return this.#refuse(datagram, skb, fault);
    datagram.ecn |= 1 << (ecn & 3);
    if (datagram.heldBytes === datagram.totalBytes) return this.#finish(datagram);
    this.#relieve(datagram.source!);
    return null;
  }

  /** The layer stops: drops all that waits. */
  close(): void {
    while (this.#table.oldest !== null) this.#discard(this.#table.oldest, this.#spec.reasons.limit);
    this.#timer.cancel();
  }

  /** The one that the key's fragment is of. */
  #datagramOf(id: number, protocol: number): PartialDatagram {
    const { limitDistance, reasons } = this.#spec;
    let datagram = this.#table.find(this.#key, id, protocol);
    if (datagram === null) datagram = this.#begin(id, protocol);
    else {
      const limit = limitDistance();
      if (limit > 0 && ((datagram.source!.arrivals - datagram.arrival) | 0) > limit) {
        this.#discard(datagram, reasons.distance);
        datagram = this.#begin(id, protocol);
      }
    }
    const source = datagram.source!;
    source.arrivals = (source.arrivals + 1) | 0;
    datagram.arrival = source.arrivals;
    return datagram;
  }

  #begin(id: number, protocol: number): PartialDatagram {
    const datagram = this.#table.make(this.#key, id, protocol);
    datagram.expiresUs = this.#clock.nowUs + this.#spec.timeoutMs() * 1000;
    if (this.#table.count === 1) this.#timer.armAt(datagram.expiresUs);
    return datagram;
  }

  /** Puts the piece where it belongs. Not null: it cannot be. */
  #place(datagram: PartialDatagram, skb: Skb, more: boolean): DropReason | null {
    const { reasons, limitPieces } = this.#spec;
    let before = datagram.last;
    if (before !== null && before.cb0 >= skb.cb0) before = predecessor(datagram, skb.cb0);
    const after = before === null ? datagram.first : before.next;
    if (after !== null && after.cb0 === skb.cb0 && after.cb1 === skb.cb1) return reasons.duplicate;
    if ((before !== null && before.cb1 > skb.cb0) || (after !== null && after.cb0 < skb.cb1)) return reasons.overlap;
    const { totalBytes, last } = datagram;
    const isOver = totalBytes >= 0 && (skb.cb1 > totalBytes || !more);
    if (isOver || (!more && last !== null && last.cb1 > skb.cb1)) return reasons.overlap;
    if (datagram.pieces >= limitPieces()) return reasons.limit;
    if (before === null) datagram.first = skb;
    else before.next = skb;
    skb.next = after;
    if (after === null) datagram.last = skb;
    if (!more) datagram.totalBytes = skb.cb1;
    datagram.pieces++;
    datagram.heldBytes += skb.len;
    datagram.chargedBytes += skb.truesize;
    this.#table.sources.charge(datagram.source!, skb.truesize);
    this.#bytes += skb.truesize;
    this.#account.add(skb.truesize);
    return null;
  }

  /** A piece that cannot be placed: a duplicate goes alone, anything else takes the datagram along. */
  #refuse(datagram: PartialDatagram, skb: Skb, reason: DropReason): null {
    const { reasons, abandons = false } = this.#spec;
    if (reason === reasons.overlap && abandons) this.#abandon(datagram, reason);
    else if (reason !== reasons.duplicate) this.#discard(datagram, reason);
    return drop(skb, reason);
  }

  #finish(datagram: PartialDatagram): Skb | null {
    const ecn = mergedEcn(datagram.ecn);
    if (ecn === FRAGMENT_ECN.IMPOSSIBLE) {
      this.#discard(datagram, this.#spec.reasons.ecn);
      return null;
    }
    this.congested = ecn === FRAGMENT_ECN.MARKED;
    const whole = datagram.first!;
    let rest = whole.next;
    this.#forget(datagram);
    whole.next = null;
    while (rest !== null) {
      const piece = rest;
      rest = piece.next;
      piece.next = null;
      // A sum of all its bytes would have to be put together; that it was verified must hold for every piece.
      if (piece.checksum !== CHECKSUM.UNNECESSARY) whole.checksum = CHECKSUM.NONE;
      const lent = this.#lender.lend(piece);
      this.#lender.append(whole, lent, 0, piece.len);
      lent.giveUp();
    }
    if (whole.checksum !== CHECKSUM.UNNECESSARY) whole.checksum = CHECKSUM.NONE;
    whole.csum = 0;
    return whole;
  }

  /** Too much waits, or more than memory allows: some go. @param source of the fragment that came last. */
  #relieve(source: FragmentSource): void {
    const { limitBytes, limitDatagrams, reasons } = this.#spec;
    const most = limitBytes();
    while (this.#table.oldest !== null) {
      const tooMuch = this.#bytes > most || this.#table.count > limitDatagrams();
      if (!tooMuch && this.#account.admit(0, this.#bytes, most)) return;
      this.#discard(this.#victim(source), tooMuch ? reasons.limit : this.#pressure);
    }
  }

  /** Who fills the table loses what is its own; the others lose only what is old. */
  #victim(source: FragmentSource): PartialDatagram {
    if (source.oldest !== null && this.#isGreedy(source)) return source.oldest;
    const { heaviest } = this.#table.sources;
    if (heaviest.oldest !== null && this.#isGreedy(heaviest)) return heaviest.oldest;
    let at: PartialDatagram | null = this.#table.oldest;
    for (let i = 0; i < VICTIMS && at !== null; i++, at = at.younger) if (this.#isGreedy(at.source!)) return at;
    return this.#table.oldest!;
  }

  /** Has more than an equal share of what there is; among very many senders, more than a good share. */
  #isGreedy({ bytes, datagrams }: FragmentSource): boolean {
    const { limitBytes, limitDatagrams } = this.#spec;
    const senders = Math.min(this.#table.sources.count, GOOD_SHARES);
    return bytes * senders > limitBytes() || datagrams * senders > limitDatagrams();
  }

  #expire(): void {
    const { nowUs } = this.#clock;
    const { reasons, expired } = this.#spec;
    for (let oldest = this.#table.oldest; oldest !== null && oldest.expiresUs <= nowUs; oldest = this.#table.oldest) {
      const { first } = oldest;
      if (first !== null && first.cb0 === 0) expired(first);
      this.#discard(oldest, reasons.timeout);
    }
    if (this.#table.oldest !== null) this.#timer.armAt(this.#table.oldest.expiresUs);
  }

  #discard(datagram: PartialDatagram, reason: DropReason): void {
    const { first } = datagram;
    this.#forget(datagram);
    dropAll(first, reason);
  }

  /** Its pieces go; it stays, without memory. */
  #abandon(datagram: PartialDatagram, reason: DropReason): void {
    const { first } = datagram;
    this.#discharge(datagram);
    datagram.isAbandoned = true;
    datagram.first = null;
    datagram.last = null;
    dropAll(first, reason);
  }

  #discharge(datagram: PartialDatagram): void {
    const { chargedBytes } = datagram;
    this.#bytes -= chargedBytes;
    this.#account.sub(chargedBytes);
    this.#table.sources.charge(datagram.source!, -chargedBytes);
    datagram.chargedBytes = 0;
  }

  #forget(datagram: PartialDatagram): void {
    this.#discharge(datagram);
    this.#table.remove(datagram);
    if (this.#table.oldest === null) this.#timer.cancel();
  }
}

/** The last piece that begins before `offsetBytes`; null: none does. */
function predecessor(datagram: PartialDatagram, offsetBytes: number): Skb | null {
  let before: Skb | null = null;
  for (let at = datagram.first; at !== null && at.cb0 < offsetBytes; at = at.next) before = at;
  return before;
}

function dropAll(first: Skb | null, reason: DropReason): void {
  for (let piece = first; piece !== null; ) {
    const { next } = piece;
    piece.next = null;
    drop(piece, reason);
    piece = next;
  }
}

function drop(skb: Skb, reason: DropReason): null {
  skb.memory.pool.drop(skb, reason);
  return null;
}

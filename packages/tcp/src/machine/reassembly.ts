import { isAfter, isBefore } from './sequence.ts';

/** A run of octets of one segment, in order of `seq`. Recycled. */
export class Piece {
  seq = 0;
  end = 0;
  /** Where `seq` stands in the payload. */
  skipBytes = 0;
  payload: object | null = null;
  next: Piece | null = null;
}

/** Who owns the payloads: each piece has a reference of its own. */
export interface PayloadOwner {
  keep(payload: object): void;
  drop(payload: object): void;
}

/**
 * What came before its time (RFC 9293 §3.10.7.4), by sequence number, without overlaps: octets that are there already stay (what comes later and differs
 * is not looked at). Bounded in pieces; in octets by the window, which the caller has applied.
 */
export class Reassembly {
  pieces = 0;
  bytes = 0;
  head: Piece | null = null;
  readonly #owner: PayloadOwner;
  readonly #most: number;
  #free: Piece | null = null;

  constructor(owner: PayloadOwner, mostPieces: number) {
    this.#owner = owner;
    this.#most = mostPieces;
  }

  /** Takes those octets that are not there; keeps the payload once for each piece. @returns octets taken; less than are new, where pieces are out. */
  insert(seq: number, end: number, payload: object): number {
    let taken = 0;
    let before: Piece | null = null;
    let after = this.head;
    let from = seq;
    while (isBefore(from, end)) {
      while (after !== null && !isAfter(after.end, from)) {
        before = after;
        after = after.next;
      }
      const to = after === null || !isBefore(after.seq, end) ? end : after.seq;
      if (isBefore(from, to)) {
        if (this.pieces >= this.#most) return taken;
        before = this.#put(before, from, to, (from - seq) | 0, payload);
        taken += (to - from) | 0;
      }
      from = after === null ? end : after.end;
    }
    return taken;
  }

  /** Whether all of it is there already. */
  holds(seq: number, end: number): boolean {
    let from = seq;
    for (let piece = this.head; piece !== null && isBefore(from, end); piece = piece.next) {
      if (isAfter(piece.seq, from)) return false;
      if (isAfter(piece.end, from)) from = piece.end;
    }
    return !isBefore(from, end);
  }

  /** The first piece, where nothing is missing before it: read it, then `shift`. Null: something is. What is before `rcvNxt` is trimmed. */
  ready(rcvNxt: number): Piece | null {
    while (this.head !== null && !isAfter(this.head.end, rcvNxt)) this.shift();
    const piece = this.head;
    if (piece === null || isAfter(piece.seq, rcvNxt)) return null;
    const old = (rcvNxt - piece.seq) | 0;
    piece.seq = rcvNxt;
    piece.skipBytes += old;
    this.bytes -= old;
    return piece;
  }

  /** The first piece is done with. */
  shift(): void {
    const piece = this.head!;
    this.head = piece.next;
    this.#recycle(piece);
  }

  clear(): void {
    while (this.head !== null) this.shift();
  }

  /** Where the run begins that `seq` lies in: pieces without a gap between them. `seq`, where it lies in none. */
  runLeft(seq: number): number {
    let left = seq;
    let right = seq;
    for (let piece = this.head; piece !== null && !isAfter(piece.seq, seq); piece = piece.next) {
      if (piece === this.head || piece.seq !== right) left = piece.seq;
      right = piece.end;
    }
    return isAfter(right, seq) ? left : seq;
  }

  /** Where the run ends that `seq` lies in. */
  runRight(seq: number): number {
    let right = seq;
    for (let piece = this.head; piece !== null && !isAfter(piece.seq, right); piece = piece.next) {
      if (isAfter(piece.end, right)) right = piece.end;
    }
    return right;
  }

  #put(before: Piece | null, seq: number, end: number, skipBytes: number, payload: object): Piece {
    const piece = this.#free ?? new Piece();
    this.#free = piece.next;
    piece.seq = seq;
    piece.end = end;
    piece.skipBytes = skipBytes;
    piece.payload = payload;
    piece.next = before === null ? this.head : before.next;
    if (before === null) this.head = piece;
    else before.next = piece;
    this.#owner.keep(payload);
    this.pieces++;
    this.bytes += (end - seq) | 0;
    return piece;
  }

  #recycle(piece: Piece): void {
    this.pieces--;
    this.bytes -= (piece.end - piece.seq) | 0;
    this.#owner.drop(piece.payload!);
    piece.payload = null;
    piece.next = this.#free;
    this.#free = piece;
  }
}

import type { Skb, SkbPool } from '@softnet/contract';
import { CHECKSUM, SKB_TYPE } from '@softnet/contract';
import type { SkbReader } from '@softnet/skb';
import { finishChecksum, push } from '@softnet/skb';
import type { LentPacket } from './lent-packet.ts';
import { PacketLender } from './lent-packet.ts';
import { inheritMarks } from './offload/inherit-marks.ts';

/**
 * Cuts the payload of a packet into pieces that share its bytes: fragments of IP. Kept by a layer, for one packet at a time:
 * from `begin` to `end` it calls nobody, so put the pieces into a queue and send them when it has ended.
 *
 * ```ts
 * if (!cutter.begin(skb, headerBytes, pieceBytes, roomBytes)) …                  // memory is out, and skb dropped by you
 * for (let piece = cutter.next(pool); piece !== null; piece = cutter.next(pool)) {
 *   const at = cutter.pushHeader(piece);                                       // offsetBytes and more are this piece's
 *   …
 * }
 * if (!cutter.end()) …                                                        // memory ran out: not all pieces were made
 * ```
 */
export class Cutter {
  /** Of the present piece: where its payload lies in the whole payload, and whether others follow. */
  offsetBytes = 0;
  more = false;
  readonly #lender = new PacketLender();
  readonly #reader: SkbReader;
  #lent: LentPacket | null = null;
  #headerBytes = 0;
  #pieceBytes = 0;
  #roomBytes = 0;
  #doneBytes = 0;

  /** @param reader for checksums that are still to be finished. */
  constructor(reader: SkbReader) {
    this.#reader = reader;
  }

  /**
   * Takes the packet, `data` at its header, and lends its bytes until all pieces are freed; then its sender gets its memory back. A
   * checksum that is PARTIAL is finished first. False: there was no memory for that, and the packet is still the caller's.
   * @param headerBytes before the payload, in the head. @param pieceBytes payload of each piece but the last: a multiple of 8.
   * @param roomBytes before the payload of each piece, for all headers.
   */
  begin(skb: Skb, headerBytes: number, pieceBytes: number, roomBytes: number): boolean {
    if (skb.checksum === CHECKSUM.PARTIAL && !finishChecksum(skb, this.#reader)) return false;
    this.#lent = this.#lender.lend(skb);
    this.#headerBytes = headerBytes;
    this.#pieceBytes = pieceBytes;
    this.#roomBytes = roomBytes;
    this.#doneBytes = 0;
    return true;
  }

  /** The next piece, from `data` on the payload only, with the packet's marks. Null: that was all, or memory is out. */
  next(pool: SkbPool): Skb | null {
    const lent = this.#lent!;
    const whole = lent.skb!;
    const left = whole.len - this.#headerBytes - this.#doneBytes;
    if (left <= 0) return null;
    const piece = pool.alloc(this.#roomBytes, 0);
    if (piece === null) return null;
    const lenBytes = Math.min(left, this.#pieceBytes);
    inheritMarks(piece, whole);
    piece.type = whole.ifindex === 0 ? SKB_TYPE.OUTGOING : whole.type;
    this.#lender.append(piece, lent, this.#headerBytes + this.#doneBytes, lenBytes);
    this.offsetBytes = this.#doneBytes;
    this.more = lenBytes < left;
    this.#doneBytes += lenBytes;
    return piece;
  }

  /** Puts a copy of the packet's header before the piece, as `network`. Returns its offset. */
  pushHeader(piece: Skb): number {
    const { memory, data } = this.#lent!.skb!;
    const at = push(piece, this.#headerBytes);
    for (let i = 0; i < this.#headerBytes; i++) piece.memory.bytes[at + i] = memory.bytes[data + i]!;
    piece.network = at;
    return at;
  }

  /** Lets go of the packet. False: not all of it was cut, for memory was out. */
  end(): boolean {
    const lent = this.#lent!;
    const complete = this.#headerBytes + this.#doneBytes >= lent.skb!.len;
    this.#lent = null;
    lent.giveUp();
    return complete;
  }
}

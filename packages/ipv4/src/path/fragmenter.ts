import type { Dst, Skb } from '@softnet/contract';
import { dequeue, enqueue, REFUSAL, SKB_FLAG, SkbQueue, TRANSMIT } from '@softnet/contract';
import { Cutter } from '@softnet/inet';
import { purge, SkbReader } from '@softnet/skb';
import {
  finishIpv4,
  IPV4_DF,
  IPV4_HEADER_BYTES,
  IPV4_MF,
  ipv4FragmentField,
  ipv4HeaderBytes,
  isIpv4DontFragment,
  setIpv4FragmentField,
  setIpv4TotalBytes,
} from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { blankUncopied } from '../machine/header-options.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

const MIN_PIECE_BYTES = 8;

/** Cuts packets that are larger than their way's MTU (RFC 791 §3.2): all pieces or none are sent. Linux's `ip_fragment`. */
export class Fragmenter {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #cutter = new Cutter(new SkbReader());
  /** Pieces that are to be sent, of one packet; of two, where sending one refuses another. */
  readonly #pieces = new SkbQueue();

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  /**
   * Takes a packet that does not fit, header in the head. One of this host's own is cut whatever its DF says where its way is locked; one of
   * another's never (RFC 1812 §4.2.2.7). @param mtuBytes of each piece.
   */
  send(skb: Skb, dst: Dst, mtuBytes: number = dst.mtuBytes): number {
    const { drops, counters } = this.#parts;
    const { view } = skb.memory;
    const headerBytes = ipv4HeaderBytes(view, skb.network);
    const pieceBytes = (mtuBytes - headerBytes) & ~7;
    const mayBeCut = (skb.flags & SKB_FLAG.IGNORE_DF) !== 0 || (dst.mtuLocked && skb.ifindex === 0);
    const isForbidden = !mayBeCut && isIpv4DontFragment(view, skb.network);
    if (isForbidden || pieceBytes < MIN_PIECE_BYTES) {
      this.#joints.icmp.refuse(skb, REFUSAL.TOO_BIG, mtuBytes);
      return drop(skb, drops['ipv4.too-big']);
    }
    if (!this.#cut(skb, dst, headerBytes, pieceBytes)) return TRANSMIT.DROPPED;
    counters.fragOks.value++;
    return this.#sendAll();
  }

  /** False: memory is out, and all is dropped. Calls nobody who could send. */
  #cut(skb: Skb, dst: Dst, headerBytes: number, pieceBytes: number): boolean {
    const { drops, counters, pool } = this.#parts;
    const cutter = this.#cutter;
    const field = ipv4FragmentField(skb.memory.view, skb.network) & ~IPV4_DF;
    const roomBytes = dst.headroomBytes + headerBytes - IPV4_HEADER_BYTES;
    if (!cutter.begin(skb, headerBytes, pieceBytes, roomBytes)) {
      drop(skb, drops['ipv4.no-memory']);
      return false;
    }
    for (let piece = cutter.next(pool.current); piece !== null; piece = cutter.next(pool.current)) {
      const at = cutter.pushHeader(piece);
      const { view } = piece.memory;
      // A fragment may be cut again: it keeps its place, and others follow its last piece too.
      setIpv4FragmentField(view, at, (field | (cutter.more ? IPV4_MF : 0)) + (cutter.offsetBytes >>> 3));
      setIpv4TotalBytes(view, at, piece.len);
      if (cutter.offsetBytes > 0) blankUncopied(view, at + IPV4_HEADER_BYTES, at + headerBytes);
      finishIpv4(view, at);
      enqueue(this.#pieces, piece);
      counters.fragCreates.value++;
    }
    if (cutter.end()) return true;
    purge(this.#pieces, drops['ipv4.no-memory']);
    return false;
  }

  #sendAll(): number {
    let result: number = TRANSMIT.OK;
    for (let piece = dequeue(this.#pieces); piece !== null; piece = dequeue(this.#pieces)) {
      const sent = piece.dst!.finish(piece);
      if (sent !== TRANSMIT.OK) result = sent;
    }
    return result;
  }
}

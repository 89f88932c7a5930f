import type { Contributions, DropReason, NetworkLayer, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { layerOf } from '@softnet/inet';
import { TCP_FLAG } from '@softnet/wire';
import type { Handshake } from '../handshake/handshake.ts';
import type { Listener } from '../handshake/listener.ts';
import type { Machine } from '../machine/machine.ts';
import { Segment } from '../machine/segment.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { SegmentReader } from '../segment/segment-reader.ts';
import { connectionOf } from './connection-of.ts';
import { isNearEnough } from './min-ttl.ts';

/** Why a segment is dropped before it is looked at. */
export interface InputReasons {
  /** Its socket is over. */
  readonly closed: DropReason;
  /** It is for a listener's half that leaves. */
  readonly parked: DropReason;
  /** Its socket's filter does not let it in (SO_ATTACH_FILTER). */
  readonly filter: DropReason;
  /** It came from farther away than its socket wants (IP_MINTTL, IPV6_MINHOPCOUNT). */
  readonly far: DropReason;
}

/** SEGMENT ARRIVES (RFC 9293 §3.10.7): to which room, by state. Nothing is allocated. */
export class SegmentInput {
  readonly #layers: Contributions<NetworkLayer>;
  readonly #reader: SegmentReader;
  readonly #machine: Machine;
  readonly #handshake: Handshake;
  readonly #reasons: InputReasons;
  readonly #segment = new Segment();

  constructor(layers: Contributions<NetworkLayer>, reader: SegmentReader, machine: Machine, handshake: Handshake, reasons: InputReasons) {
    this.#layers = layers;
    this.#reader = reader;
    this.#machine = machine;
    this.#handshake = handshake;
    this.#reasons = reasons;
  }

  /** Of a socket of ours; `data` = `transport`. Takes it. */
  arrives(sock: SockCommon, skb: Skb): void {
    const segment = this.#segment;
    if (sock.options !== null && !this.#passes(sock, skb)) return;
    if (!this.#reader.read(skb, segment)) return;
    const conn = connectionOf(sock);
    switch (sock.state) {
      case TCP_STATE.LISTEN:
        if (this.#isLeaving(segment)) segment.fault = this.#reasons.parked;
        else this.#handshake.arrives(conn.listener as Listener, segment);
        break;
      case TCP_STATE.SYN_SENT:
        this.#handshake.synSent(conn, segment);
        break;
      case TCP_STATE.CLOSED:
        segment.fault = this.#reasons.closed;
        break;
      default:
        this.#machine.arrives(conn, segment);
    }
    finish(segment);
  }

  /** Of what is left of a connection. */
  timeWait(sock: SockCommon, skb: Skb): void {
    const segment = this.#segment;
    if (!this.#reader.read(skb, segment)) return;
    this.#handshake.timeWaitArrives(sock, segment);
    finish(segment);
  }

  /** Of nobody. */
  stray(skb: Skb, _layer: NetworkLayer): void {
    const segment = this.#segment;
    if (!this.#reader.read(skb, segment)) return;
    this.#handshake.stray(segment);
    finish(segment);
  }

  /** A SYN by a layer that lets nobody new in: of a dual-stack listener one half is parked. */
  #isLeaving({ flags, view, skb }: Segment): boolean {
    if ((flags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) !== TCP_FLAG.SYN) return false;
    const layer = layerOf(this.#layers, view.getUint8(skb!.network) >>> 4 === 4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6);
    return layer === null || !layer.uses.open;
  }

  /** What its socket's options say of the packet, from its header on. False: it was dropped. */
  #passes(sock: SockCommon, skb: Skb): boolean {
    const { pool } = skb.memory;
    if (!isNearEnough(sock, skb)) {
      pool.drop(skb, this.#reasons.far);
      return false;
    }
    const { filter } = sock.options!;
    if (filter === null || filter.run(skb) !== 0) return true;
    pool.drop(skb, this.#reasons.filter);
    return false;
  }
}

/** What nobody has kept is done with. */
function finish(segment: Segment): void {
  const { skb, fault } = segment;
  segment.skb = null;
  segment.fault = null;
  if (skb === null) return;
  if (fault === null) skb.memory.pool.release(skb);
  else skb.memory.pool.drop(skb, fault);
}

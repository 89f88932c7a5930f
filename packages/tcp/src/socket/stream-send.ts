import type { Message } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { bitOf, isIn, MAY_SEND, TCP_STATE } from '../machine/state.ts';
import type { SendQueues } from '../segment/send-queue.ts';
import { isShutForSending } from './connection-of.ts';
import type { SocketSettings } from './settings.ts';
import { isFewUnsent, takeErrno } from './stream-poll.ts';

const { EAGAIN, ENOBUFS, EOPNOTSUPP, EPIPE } = ERRNO;
const OPENING: number = bitOf(TCP_STATE.SYN_SENT) | bitOf(TCP_STATE.SYN_RECEIVED);
/** Between two questions whether too much waits already (TCP_NOTSENT_LOWAT). */
const STEP_BYTES = 65_536;
/** A packet of the user's is copied by as much. */
const COPY_BYTES = 16_384;

/** SEND (RFC 9293 §3.10.2): the user's octets go behind those that wait; what may be sent is. Linux's `tcp_sendmsg`. */
export class StreamSend {
  readonly #machine: Machine;
  readonly #queues: SendQueues;
  readonly #settings: SocketSettings;
  readonly #reader = new SkbReader();
  /** Of what comes as a packet; made with the first. */
  #copy: Uint8Array | null = null;

  constructor(machine: Machine, queues: SendQueues, settings: SocketSettings) {
    this.#machine = machine;
    this.#queues = queues;
    this.#settings = settings;
  }

  /** Octets taken, which may be fewer than there are; -EAGAIN: none, `wake` follows when a third of the buffer is free; -ENOBUFS: memory is out; -EPIPE; an error that waited. */
  send(conn: Connection, message: Message): number {
    const { flags } = message;
    if ((flags & MESSAGE_FLAG.FASTOPEN) !== 0) return -EOPNOTSUPP;
    const error = this.#mayNot(conn);
    if (error !== 0) return -error;
    const wanted = lengthOf(message);
    if (wanted === 0) return 0;
    const taken = this.#append(conn, message);
    if (taken < wanted) conn.flags |= FLAG.SEND_BLOCKED;
    if (taken === 0) return this.#noRoom(conn);
    const isWhole = taken === wanted;
    if ((flags & MESSAGE_FLAG.OOB) !== 0 && isWhole) {
      conn.sndUp = conn.writeSeq;
      conn.flags |= FLAG.URGENT_SENT;
    }
    const more = (flags & MESSAGE_FLAG.MORE) !== 0 && isWhole;
    conn.flags = more ? conn.flags | FLAG.MORE : conn.flags & ~FLAG.MORE;
    // RFC 9293 §3.9.1.2; as Linux, half a window is pushed on the way.
    if (!more || ((conn.writeSeq - conn.pushSeq) | 0) > conn.maxWindowBytes >> 1) conn.pushSeq = conn.writeSeq;
    if (this.#waitsBelow(conn)) conn.flags |= FLAG.AUTOCORKED;
    else this.#machine.push(conn);
    return taken;
  }

  /** -EAGAIN; where memory is out and nothing waits that would be acknowledged, nobody would wake him: -ENOBUFS. */
  #noRoom(conn: Connection): number {
    if (conn.sendQueue !== null || !isFewUnsent(conn, this.#settings)) return -EAGAIN;
    conn.flags &= ~FLAG.SEND_BLOCKED;
    return -ENOBUFS;
  }

  /** Less than a segment, while others of the connection are on their way to the device: more may come until they have left ({@link uncorks}). Linux's `tcp_should_autocork`. */
  #waitsBelow({ flags, belowBytes, segmentBytes, writeSeq, sndNxt, sndUna }: Connection): boolean {
    if (belowBytes === 0 || sndNxt === sndUna || (flags & (FLAG.FIN_QUEUED | FLAG.URGENT_SENT)) !== 0) return false;
    return this.#settings.autocorking && ((writeSeq - sndNxt) | 0) < segmentBytes;
  }

  /** Why nothing can be sent, positive; 0: it can. */
  #mayNot(conn: Connection): number {
    const { sock } = conn;
    if (!isIn(sock.state, MAY_SEND)) {
      if (sock.error !== 0) return takeErrno(sock);
      if (!isIn(sock.state, OPENING) || (conn.flags & FLAG.FIN_QUEUED) !== 0) return EPIPE;
      conn.flags |= FLAG.SEND_BLOCKED;
      return EAGAIN;
    }
    if (sock.error !== 0) return takeErrno(sock);
    return isShutForSending(conn) ? EPIPE : 0;
  }

  #append(conn: Connection, message: Message): number {
    if ((message.flags & MESSAGE_FLAG.SKB) !== 0) return this.#appendPacket(conn, message);
    const { data, more } = message;
    let taken = data === null ? 0 : this.#appendPart(conn, data, data.length);
    if (more === null || (data !== null && taken < data.length)) return taken;
    for (let i = 0; i < more.length; i++) {
      const part = more[i]!;
      const count = this.#appendPart(conn, part, part.length);
      taken += count;
      if (count < part.length) break;
    }
    return taken;
  }

  #appendPart(conn: Connection, part: Uint8Array, lenBytes: number): number {
    let taken = 0;
    while (taken < lenBytes && isFewUnsent(conn, this.#settings)) {
      const step = Math.min(STEP_BYTES, lenBytes - taken);
      const count = this.#queues.append(conn, part, taken, step);
      taken += count;
      if (count < step) break;
    }
    return taken;
  }

  /** `message.skb`: it is released, and null, where all of it was taken. */
  #appendPacket(conn: Connection, message: Message): number {
    const skb = message.skb!;
    const reader = this.#reader;
    this.#copy ??= new Uint8Array(COPY_BYTES);
    const copy = this.#copy;
    let taken = 0;
    while (taken < skb.len) {
      const step = Math.min(copy.length, skb.len - taken);
      reader.open(skb, taken, step);
      reader.copyOut(copy, 0, step);
      const count = this.#appendPart(conn, copy, step);
      taken += count;
      if (count < step) return taken;
    }
    message.skb = null;
    skb.memory.pool.release(skb);
    return taken;
  }
}

/** Nothing is below any more: what a small write waited for. */
export function uncorks(conn: Connection): boolean {
  if ((conn.flags & (FLAG.AUTOCORKED | FLAG.OVER)) !== FLAG.AUTOCORKED || conn.belowBytes > 0) return false;
  conn.flags &= ~FLAG.AUTOCORKED;
  return true;
}

/** Little enough is below for what was held back (`isThrottled`). */
export function unthrottles(conn: Connection, limitBytes: number): boolean {
  if ((conn.flags & (FLAG.THROTTLED | FLAG.OVER)) !== FLAG.THROTTLED || conn.belowBytes > limitBytes) return false;
  conn.flags &= ~FLAG.THROTTLED;
  return true;
}

function lengthOf({ data, more, skb, flags }: Message): number {
  if ((flags & MESSAGE_FLAG.SKB) !== 0) return skb === null ? 0 : skb.len;
  let lenBytes = data === null ? 0 : data.length;
  if (more !== null) for (let i = 0; i < more.length; i++) lenBytes += more[i]!.length;
  return lenBytes;
}

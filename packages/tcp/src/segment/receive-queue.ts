import type { MemoryAccount, Message, Port, Skb, SkbPool } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, SOCK_FLAG } from '@softnet/contract';
import { copyIn, cutFront, orphan, SkbReader, trim } from '@softnet/skb';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import type { PayloadOwner } from '../machine/reassembly.ts';
import { isAfter } from '../machine/sequence.ts';
import { MessageSink } from './message-sink.ts';
import type { SegmentHost } from './segment-host.ts';
import { chargeReceived } from './skb-charge.ts';

/** Packets of one connection, without a gap; the first begins at `copiedSeq`. Recycled. */
class ReceiveQueue {
  first: Skb | null = null;
  last: Skb | null = null;
  bytes = 0;
  next: ReceiveQueue | null = null;
}

/** What connections have received in order, and their users have not read, from `conn.copiedSeq` on. `conn.receiveQueue` is null while there is nothing. */
export class ReceiveQueues implements PayloadOwner {
  readonly #pool: Port<SkbPool>;
  readonly #account: MemoryAccount;
  readonly #sink = new MessageSink();
  readonly #reader = new SkbReader();
  #free: ReceiveQueue | null = null;

  constructor({ pool, account }: Pick<SegmentHost, 'pool' | 'account'>) {
    this.#pool = pool;
    this.#account = account;
  }

  /** `MachineHost.deliver`. The packet is charged (`chargeReceived`). */
  deliver(conn: Connection, skb: Skb, skipBytes: number, lenBytes: number): void {
    if (lenBytes === 0 || this.#copyBehind(conn, skb, skipBytes, lenBytes)) {
      skb.memory.pool.release(skb);
      return;
    }
    this.#append(conn, skb, skipBytes, lenBytes);
  }

  /** `MachineHost.deliverPiece`. False: memory is out, nothing was taken, and the piece is to stay where it is. */
  deliverPiece(conn: Connection, payload: object, skipBytes: number, lenBytes: number): boolean {
    const skb = payload as Skb;
    if (lenBytes === 0 || this.#copyBehind(conn, skb, skipBytes, lenBytes)) return true;
    if (skb.cb0 === 1) {
      // Nobody else shows it: it waits here from now on, and outlives its piece.
      skb.cb0 = 2;
      this.#append(conn, skb, skipBytes, lenBytes);
      return true;
    }
    const clone = skb.memory.pool.clone(skb);
    if (clone === null) return false;
    this.#account.add(clone.truesize);
    chargeReceived(conn.sock, clone);
    this.#append(conn, clone, skipBytes, lenBytes);
    return true;
  }

  /** `MachineHost.keep` and `drop`: how many pieces show a packet. The reader has set the count to 0. */
  keep(payload: object): void {
    (payload as Skb).cb0++;
  }

  drop(payload: object): void {
    const skb = payload as Skb;
    if (--skb.cb0 === 0) skb.memory.pool.release(skb);
  }

  /** Octets that are there, and may be read: the urgent one is not, where it is not in the stream; and those behind it come with the next call. */
  readableBytes(conn: Connection): number {
    const queue = queueOf(conn);
    if (queue === null) return 0;
    const mark = markBytes(conn);
    if (mark === 0 && !isInline(conn)) return queue.bytes - 1;
    return mark > 0 ? Math.min(mark, queue.bytes) : queue.bytes;
  }

  /** Octets that are there, the urgent one too. */
  waitingBytes(conn: Connection): number {
    return queueOf(conn)?.bytes ?? 0;
  }

  /** The octet of this sequence number; -1: it is not there. */
  octetAt(conn: Connection, seq: number): number {
    let at = (seq - conn.copiedSeq) | 0;
    if (at < 0) return -1;
    for (let skb = queueOf(conn)?.first ?? null; skb !== null; skb = skb.next) {
      if (at < skb.len) return this.#reader.open(skb, at, 1) ? this.#reader.u8() : -1;
      at -= skb.len;
    }
    return -1;
  }

  /**
   * Gives octets to the user, and moves `conn.copiedSeq`: into `message.data` and `more`; with MESSAGE_FLAG.PEEK they stay (SO_PEEK_OFF is followed), with TRUNC they are thrown away, with
   * SKB the next packet itself is given. It stops before an urgent octet, or steps over it. `message.flags` becomes 0, or SKB. @returns octets; 0: there are none; -ENOBUFS.
   */
  read(conn: Connection, message: Message): number {
    const { flags } = message;
    message.flags = 0;
    const peeks = (flags & MESSAGE_FLAG.PEEK) !== 0;
    if (!peeks && markBytes(conn) === 0 && !isInline(conn)) this.#consume(conn, queueOf(conn), 1);
    const queue = queueOf(conn);
    if (queue === null) return 0;
    if ((flags & MESSAGE_FLAG.SKB) !== 0) return this.#handOver(conn, queue, message, peeks);
    this.#sink.open(message);
    const { options } = conn.sock;
    const offset = options === null ? -1 : options.peekOffsetBytes;
    if (!peeks) {
      const count = this.#take(conn, queue, (flags & MESSAGE_FLAG.TRUNC) !== 0);
      if (offset >= 0) options!.peekOffsetBytes = Math.max(0, offset - count);
      return count;
    }
    const count = this.#peek(conn, queue, Math.max(0, offset));
    if (offset >= 0) options!.peekOffsetBytes += count;
    return count;
  }

  /** Copies out all that waits, which stays: for who freezes a connection. @returns octets. */
  copyOut(conn: Connection, target: Uint8Array): number {
    let done = 0;
    for (let skb = queueOf(conn)?.first ?? null; skb !== null && done + skb.len <= target.length; skb = skb.next) {
      this.#reader.open(skb);
      this.#reader.copyOut(target, done, skb.len);
      done += skb.len;
    }
    return done;
  }

  /** Puts octets behind what waits, as if they had come: for who thaws one. False: memory is out. */
  restore(conn: Connection, source: Uint8Array): boolean {
    const skb = source.length === 0 ? null : this.#pool.current.alloc(0, 0);
    if (skb === null) return source.length === 0;
    if (!copyIn(skb, source)) {
      skb.memory.pool.release(skb);
      return false;
    }
    this.#account.add(skb.truesize);
    chargeReceived(conn.sock, skb);
    this.#append(conn, skb, 0, source.length);
    return true;
  }

  /** The connection is over, or nobody reads it. @returns octets that nobody has read. */
  clear(conn: Connection): number {
    const queue = queueOf(conn);
    if (queue === null) return 0;
    const { bytes } = queue;
    while (queue.first !== null) this.#shift(conn, queue);
    return bytes;
  }

  /** Where the last packet has room, octets are copied: tiny segments do not cost a buffer each. As Linux's `tcp_try_coalesce`. */
  #copyBehind(conn: Connection, skb: Skb, skipBytes: number, lenBytes: number): boolean {
    const queue = queueOf(conn);
    const last = queue === null ? null : queue.last;
    if (last === null || last.fragments !== null || last.end - last.tail < lenBytes) return false;
    // Who has a clone of it must not see it grow.
    if (!last.memory.pool.makeRoom(last, 0, lenBytes)) return false;
    this.#reader.open(skb, skipBytes, lenBytes);
    this.#reader.copyTo(last.memory.view, last.tail, lenBytes);
    last.tail += lenBytes;
    last.len += lenBytes;
    queue!.bytes += lenBytes;
    return true;
  }

  #append(conn: Connection, skb: Skb, skipBytes: number, lenBytes: number): void {
    cutFront(skb, skipBytes);
    trim(skb, lenBytes);
    const queue = queueOf(conn) ?? this.#begin(conn);
    if (queue.last === null) queue.first = skb;
    else queue.last.next = skb;
    queue.last = skb;
    queue.bytes += lenBytes;
  }

  #begin(conn: Connection): ReceiveQueue {
    const queue = this.#free ?? new ReceiveQueue();
    this.#free = queue.next;
    queue.next = null;
    queue.bytes = 0;
    conn.receiveQueue = queue;
    return queue;
  }

  /** Takes the first packet off. */
  #unlink(conn: Connection, queue: ReceiveQueue): Skb {
    const skb = queue.first!;
    queue.first = skb.next;
    queue.bytes -= skb.len;
    skb.next = null;
    if (queue.first !== null) return skb;
    queue.last = null;
    conn.receiveQueue = null;
    queue.next = this.#free;
    this.#free = queue;
    return skb;
  }

  #shift(conn: Connection, queue: ReceiveQueue): void {
    const skb = this.#unlink(conn, queue);
    skb.memory.pool.release(skb);
  }

  /** The next octets, of the first packet, are done with; no more than it has, and none where there is no queue. */
  #consume(conn: Connection, queue: ReceiveQueue | null, count: number): void {
    if (queue === null) return;
    const skb = queue.first!;
    if (skb.len === count) this.#shift(conn, queue);
    else {
      cutFront(skb, count);
      queue.bytes -= count;
    }
    copied(conn, count);
  }

  #take(conn: Connection, queue: ReceiveQueue, discards: boolean): number {
    const sink = this.#sink;
    const mark = markBytes(conn);
    let left = mark > 0 ? Math.min(mark, sink.roomBytes) : sink.roomBytes;
    let taken = 0;
    while (left > 0 && queue.first !== null) {
      const count = Math.min(left, queue.first.len);
      if (!discards) sink.put(queue.first, 0, count);
      this.#consume(conn, queue, count);
      taken += count;
      left -= count;
    }
    return taken;
  }

  #peek(conn: Connection, queue: ReceiveQueue, offset: number): number {
    const sink = this.#sink;
    const mark = markBytes(conn);
    let skip = offset;
    // An urgent octet that comes next is stepped over, without being read.
    if (mark === skip && !isInline(conn)) skip++;
    let left = mark > skip ? Math.min(mark - skip, sink.roomBytes) : sink.roomBytes;
    let taken = 0;
    for (let skb = queue.first; skb !== null && left > 0; skb = skb.next) {
      const count = Math.min(left, skb.len - skip);
      if (count > 0) {
        sink.put(skb, skip, count);
        taken += count;
        left -= count;
      }
      skip = Math.max(0, skip - skb.len);
    }
    return taken;
  }

  /** The packet itself; to who only peeks, or what is cut by an urgent octet, a clone. It is charged to nobody any more. */
  #handOver(conn: Connection, queue: ReceiveQueue, message: Message, peeks: boolean): number {
    const first = queue.first!;
    const mark = markBytes(conn);
    const lenBytes = mark > 0 ? Math.min(mark, first.len) : first.len;
    let given: Skb | null = first;
    if (peeks || lenBytes < first.len) {
      given = first.memory.pool.clone(first);
      if (given === null) return -ERRNO.ENOBUFS;
      trim(given, lenBytes);
      if (!peeks) this.#consume(conn, queue, lenBytes);
    } else {
      this.#unlink(conn, queue);
      orphan(first);
      copied(conn, lenBytes);
    }
    message.flags = MESSAGE_FLAG.SKB;
    message.skb = given;
    return lenBytes;
  }
}

function queueOf({ receiveQueue }: Connection): ReceiveQueue | null {
  return receiveQueue as ReceiveQueue | null;
}

/** As in Linux, who has read beyond the urgent octet has it no more. */
function copied(conn: Connection, lenBytes: number): void {
  conn.copiedSeq = (conn.copiedSeq + lenBytes) | 0;
  if ((conn.flags & FLAG.URGENT_RECEIVED) === 0 || isAfter(conn.rcvUp, conn.copiedSeq)) return;
  conn.flags &= ~FLAG.URGENT_RECEIVED;
  conn.urgentByte = -1;
}

function isInline({ sock }: Connection): boolean {
  return (sock.flags & SOCK_FLAG.OOBINLINE) !== 0;
}

/** Octets before the urgent one; -1: there is none before us. */
function markBytes({ flags, rcvUp, copiedSeq }: Connection): number {
  return (flags & FLAG.URGENT_RECEIVED) === 0 ? -1 : Math.max(-1, (rcvUp - 1 - copiedSeq) | 0);
}

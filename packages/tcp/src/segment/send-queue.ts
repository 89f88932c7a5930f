import type { Fragment, MemoryAccount, Port, Skb, SkbPool } from '@softnet/contract';
import { copyBytes, copyWords, PAGE_BYTES, PAGE_TRUESIZE, tailroom } from '@softnet/skb';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { isAfter, isBefore } from '../machine/sequence.ts';
import type { SegmentHost } from './segment-host.ts';

/** Of no more than this, a copy costs less than to share a page. */
export const COPY_BYTES = 256;
/** Linux's SOCK_MIN_SNDBUF. */
const LEAST_BUFFER_BYTES = 4608;

/** Pages of one connection, the first with the octet `firstSeq`: a part of it may be acknowledged. Recycled. */
class SendQueue {
  first: Fragment | null = null;
  last: Fragment | null = null;
  firstSeq = 0;
  /** Behind the last octet. */
  endSeq = 0;
  /** The pages that were looked for last, and the first octet of each: by new data, and before them by what is sent again. */
  newPage: Fragment | null = null;
  newSeq = 0;
  oldPage: Fragment | null = null;
  oldSeq = 0;
  next: SendQueue | null = null;
}

/** What connections have to send, and what is not acknowledged of it: on pages of the pool, which segments show too. `conn.sendQueue` is null while there is nothing. */
export class SendQueues {
  readonly #pool: Port<SkbPool>;
  readonly #account: MemoryAccount;
  #free: SendQueue | null = null;
  /** What `#find` has found: a page, and its first octet. */
  #page: Fragment | null = null;
  #pageSeq = 0;

  constructor({ pool, account }: Pick<SegmentHost, 'pool' | 'account'>) {
    this.#pool = pool;
    this.#account = account;
  }

  /**
   * Copies in what the user gives, from `from` on, behind `conn.writeSeq`, which moves on: as much as there are pages for while `sock.sendQueuedBytes` is below
   * `conn.sendBufferBytes`, and memory is not short. @returns octets taken, 0: none.
   */
  append(conn: Connection, source: Uint8Array, from: number, lenBytes: number): number {
    const queue = queueOf(conn) ?? this.#begin(conn);
    let taken = 0;
    while (taken < lenBytes) {
      const { last } = queue;
      const roomBytes = last === null ? 0 : PAGE_BYTES - last.lenBytes;
      if (roomBytes === 0) {
        if (!this.#grow(conn, queue)) break;
        continue;
      }
      const count = Math.min(roomBytes, lenBytes - taken);
      copyBytes(last!.memory.bytes, last!.offset + last!.lenBytes, source, from + taken, count);
      last!.lenBytes += count;
      taken += count;
    }
    queue.endSeq = (queue.endSeq + taken) | 0;
    conn.writeSeq = (conn.writeSeq + taken) | 0;
    if (queue.first === null) this.#end(conn, queue);
    return taken;
  }

  /** All before `seq` is acknowledged: its pages go back. */
  release(conn: Connection, seq: number): void {
    const queue = queueOf(conn);
    if (queue === null) return;
    while (queue.first !== null) {
      const nextSeq = (queue.firstSeq + queue.first.lenBytes) | 0;
      if (isAfter(nextSeq, seq)) return;
      this.#shift(conn, queue, nextSeq);
    }
    this.#end(conn, queue);
  }

  /** Puts `lenBytes` octets from `seq` on behind an skb without fragments. False: memory is out, or they are not there; the skb is as it was. */
  putInto(conn: Connection, skb: Skb, seq: number, lenBytes: number): boolean {
    const queue = queueOf(conn);
    if (queue === null || isBefore(seq, queue.firstSeq) || isAfter((seq + lenBytes) | 0, queue.endSeq)) return false;
    this.#find(queue, seq);
    const skipBytes = (seq - this.#pageSeq) | 0;
    if (lenBytes > COPY_BYTES || lenBytes > tailroom(skb)) return shareInto(skb, this.#page!, skipBytes, lenBytes);
    copyInto(skb, this.#page!, skipBytes, lenBytes);
    return true;
  }

  /** Copies out what is there from `seq` on: for who freezes a connection. @returns octets. */
  copyOut(conn: Connection, seq: number, target: Uint8Array): number {
    const queue = queueOf(conn);
    if (queue === null || isBefore(seq, queue.firstSeq) || isAfter(seq, queue.endSeq)) return 0;
    this.#find(queue, seq);
    let done = 0;
    let skipBytes = (seq - this.#pageSeq) | 0;
    for (let page = this.#page; page !== null && done < target.length; page = page.next) {
      const count = Math.min(page.lenBytes - skipBytes, target.length - done);
      copyBytes(target, done, page.memory.bytes, page.offset + skipBytes, count);
      done += count;
      skipBytes = 0;
    }
    return done;
  }

  /** Puts octets there that end at `conn.writeSeq`, whatever the buffer's size: for who thaws one. False: memory is out, and nothing is there. */
  restore(conn: Connection, source: Uint8Array): boolean {
    if (source.length === 0) return true;
    const { sendBufferBytes } = conn;
    conn.sendBufferBytes = 0x3fffffff;
    conn.writeSeq = (conn.writeSeq - source.length) | 0;
    const taken = this.append(conn, source, 0, source.length);
    conn.sendBufferBytes = sendBufferBytes;
    if (taken === source.length) return true;
    conn.writeSeq = (conn.writeSeq + source.length - taken) | 0;
    this.clear(conn);
    return false;
  }

  /** The connection is over. */
  clear(conn: Connection): void {
    const queue = queueOf(conn);
    if (queue === null) return;
    while (queue.first !== null) this.#shift(conn, queue, queue.endSeq);
    this.#end(conn, queue);
  }

  #begin(conn: Connection): SendQueue {
    const queue = this.#free ?? new SendQueue();
    this.#free = queue.next;
    queue.next = null;
    queue.firstSeq = conn.writeSeq;
    queue.endSeq = conn.writeSeq;
    conn.sendQueue = queue;
    return queue;
  }

  #end(conn: Connection, queue: SendQueue): void {
    conn.sendQueue = null;
    queue.last = null;
    queue.newPage = null;
    queue.oldPage = null;
    queue.next = this.#free;
    this.#free = queue;
  }

  /** One page more. False: the buffer is full, or memory is short. */
  #grow(conn: Connection, queue: SendQueue): boolean {
    const { sock } = conn;
    if (sock.sendQueuedBytes >= conn.sendBufferBytes) return false;
    const page = this.#newPage(conn);
    if (page === null) {
      moderate(conn);
      return false;
    }
    sock.sendQueuedBytes += PAGE_TRUESIZE;
    if (queue.last === null) queue.first = page;
    else queue.last.next = page;
    queue.last = page;
    return true;
  }

  #newPage({ sock, sendBufferBytes }: Connection): Fragment | null {
    // As in Linux, what is not full gets one more, which may be more than fits.
    if (!this.#account.admit(PAGE_TRUESIZE, sock.sendQueuedBytes, sendBufferBytes + PAGE_TRUESIZE)) return null;
    const page = this.#pool.current.page(0);
    if (page === null) this.#account.sub(PAGE_TRUESIZE);
    return page;
  }

  #shift({ sock }: Connection, queue: SendQueue, nextSeq: number): void {
    const page = queue.first!;
    queue.first = page.next;
    queue.firstSeq = nextSeq;
    if (queue.newPage === page) queue.newPage = null;
    if (queue.oldPage === page) queue.oldPage = null;
    page.next = null;
    page.source.release(page);
    sock.sendQueuedBytes -= PAGE_TRUESIZE;
    this.#account.sub(PAGE_TRUESIZE);
  }

  /** The page of an octet that is there, from the nearest one before it that is known. */
  #find(queue: SendQueue, seq: number): void {
    const isNew = queue.newPage === null || !isBefore(seq, queue.newSeq);
    let page = queue.first!;
    let pageSeq = queue.firstSeq;
    if (isNew && queue.newPage !== null) {
      page = queue.newPage;
      pageSeq = queue.newSeq;
    } else if (queue.oldPage !== null && !isBefore(seq, queue.oldSeq)) {
      page = queue.oldPage;
      pageSeq = queue.oldSeq;
    }
    while (page.next !== null && ((seq - pageSeq) | 0) >= page.lenBytes) {
      pageSeq = (pageSeq + page.lenBytes) | 0;
      page = page.next;
    }
    if (isNew) {
      queue.newPage = page;
      queue.newSeq = pageSeq;
    } else {
      queue.oldPage = page;
      queue.oldSeq = pageSeq;
    }
    this.#page = page;
    this.#pageSeq = pageSeq;
  }
}

/** Memory is short: the buffer is to be half of what waits, so that nobody is told of room that there is not (Linux's `sk_stream_moderate_sndbuf`). It grows again with `cwnd`. */
function moderate(conn: Connection): void {
  if ((conn.flags & FLAG.SEND_BUFFER_LOCKED) !== 0) return;
  conn.sendBufferBytes = Math.max(LEAST_BUFFER_BYTES, Math.min(conn.sendBufferBytes, conn.sock.sendQueuedBytes >> 1));
}

function queueOf({ sendQueue }: Connection): SendQueue | null {
  return sendQueue as SendQueue | null;
}

function copyInto(skb: Skb, first: Fragment, skipBytes: number, lenBytes: number): void {
  const { memory } = skb;
  let at = skb.tail;
  let from = skipBytes;
  for (let page = first, left = lenBytes; left > 0; page = page.next!) {
    const count = Math.min(page.lenBytes - from, left);
    if (page.memory === memory) memory.bytes.copyWithin(at, page.offset + from, page.offset + from + count);
    else copyWords(memory.view, at, page.memory.view, page.offset + from, count);
    at += count;
    left -= count;
    from = 0;
  }
  skb.tail = at;
  skb.len += lenBytes;
}

/** Shows the same pages. False: no record is left. */
function shareInto(skb: Skb, first: Fragment, skipBytes: number, lenBytes: number): boolean {
  let last: Fragment | null = null;
  let from = skipBytes;
  let truesize = 0;
  for (let page = first, left = lenBytes; left > 0; page = page.next!) {
    const count = Math.min(page.lenBytes - from, left);
    const part: Fragment | null = page.source.share(page);
    if (part === null) {
      releaseAll(skb.fragments);
      skb.fragments = null;
      return false;
    }
    part.offset += from;
    part.lenBytes = count;
    part.next = null;
    truesize += part.truesize;
    if (last === null) skb.fragments = part;
    else last.next = part;
    last = part;
    left -= count;
    from = 0;
  }
  skb.len += lenBytes;
  skb.truesize += truesize;
  return true;
}

function releaseAll(first: Fragment | null): void {
  for (let fragment = first; fragment !== null; ) {
    const { next }: Fragment = fragment;
    fragment.source.release(fragment);
    fragment = next;
  }
}

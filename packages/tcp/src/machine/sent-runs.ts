import type { Connection } from './connection.ts';
import { isAfter, isBefore, minSeq } from './sequence.ts';

/** Octets that were sent together: a segment, or what is cut into several. Recycled. */
export class SentRun {
  seq = 0;
  end = 0;
  /** Kernel µs, wrapping int32, of the last time. */
  sentUs = 0;
  /** How often it was sent again. */
  retransmissions = 0;
  /** The last of it went with PSH. */
  isPushed = false;
  next: SentRun | null = null;
}

/** What connections have in flight, in order of sequence numbers: RACK, F-RTO and delivery rates will look here. Records are recycled. */
export class SentRuns {
  #free: SentRun | null = null;

  sent(conn: Connection, seq: number, end: number, nowUs: number, isPushed: boolean): void {
    const run = this.#take();
    run.seq = seq;
    run.end = end;
    run.sentUs = nowUs | 0;
    run.retransmissions = 0;
    run.isPushed = isPushed;
    run.next = null;
    if (conn.sentLast === null) conn.sentFirst = run;
    else conn.sentLast.next = run;
    conn.sentLast = run;
  }

  /** What was noted last did not go after all. */
  unsent(conn: Connection): void {
    const last = conn.sentLast!;
    let before: SentRun | null = null;
    for (let run = conn.sentFirst; run !== null && run !== last; run = run.next) before = run;
    if (before === null) conn.sentFirst = null;
    else before.next = null;
    conn.sentLast = before;
    this.#recycle(conn, last);
  }

  /** What lies in this range was sent again: alone, of a run that is longer. */
  resent(conn: Connection, seq: number, end: number, nowUs: number): void {
    for (let run = conn.sentFirst; run !== null && isBefore(run.seq, end); run = run.next) {
      if (!isAfter(run.end, seq)) continue;
      if (isBefore(run.seq, seq)) {
        this.#cut(conn, run, seq);
        continue;
      }
      if (isAfter(run.end, end)) this.#cut(conn, run, end);
      run.retransmissions++;
      run.sentUs = nowUs | 0;
    }
  }

  /** Where the run ends that this octet was sent in; `most` where that is farther. */
  endOf({ sentFirst }: Connection, seq: number, most: number): number {
    for (let run = sentFirst; run !== null && isBefore(run.seq, most); run = run.next)
      if (isAfter(run.end, seq)) return minSeq(run.end, most);
    return most;
  }

  /** Something in this range went with PSH. */
  isPushed({ sentFirst }: Connection, seq: number, end: number): boolean {
    for (let run = sentFirst; run !== null && !isAfter(run.end, end); run = run.next)
      if (run.isPushed && isAfter(run.end, seq)) return true;
    return false;
  }

  /** The first octets of this range that were sent once are reported for the first time. @returns µs since they were sent; -1: all were sent twice. */
  reported(conn: Connection, left: number, right: number, nowUs: number): number {
    const { sackedRun } = conn;
    let run = sackedRun !== null && !isAfter(sackedRun.seq, left) ? sackedRun : conn.sentFirst;
    for (; run !== null && isBefore(run.seq, right); run = run.next) {
      if (!isAfter(run.end, left)) continue;
      conn.sackedRun = run;
      if (run.retransmissions === 0) return Math.max(0, ((nowUs | 0) - run.sentUs) | 0);
    }
    return -1;
  }

  /**
   * All before `ack` is acknowledged. @returns µs since the oldest of it was sent; -1: some of it was sent twice (Karn's algorithm, RFC 6298 §3), and what follows a hole that was filled
   * has waited for that.
   */
  acknowledged(conn: Connection, ack: number, nowUs: number): number {
    let rttUs = -1;
    let wasResent = false;
    let run = conn.sentFirst;
    while (run !== null && isBefore(run.seq, ack)) {
      if (run.retransmissions > 0) wasResent = true;
      else if (rttUs < 0) rttUs = Math.max(0, ((nowUs | 0) - run.sentUs) | 0);
      if (isAfter(run.end, ack)) {
        run.seq = ack;
        break;
      }
      const { next }: SentRun = run;
      this.#recycle(conn, run);
      run = next;
    }
    conn.sentFirst = run;
    if (run === null) conn.sentLast = null;
    return wasResent ? -1 : rttUs;
  }

  clear(conn: Connection): void {
    for (let run = conn.sentFirst; run !== null; ) {
      const { next }: SentRun = run;
      this.#recycle(conn, run);
      run = next;
    }
    conn.sentFirst = null;
    conn.sentLast = null;
  }

  /** From `at` on it is another one. */
  #cut(conn: Connection, run: SentRun, at: number): void {
    const rest = this.#take();
    rest.seq = at;
    rest.end = run.end;
    rest.sentUs = run.sentUs;
    rest.retransmissions = run.retransmissions;
    rest.isPushed = run.isPushed;
    run.isPushed = false;
    rest.next = run.next;
    run.end = at;
    run.next = rest;
    if (conn.sentLast === run) conn.sentLast = rest;
  }

  #take(): SentRun {
    const run = this.#free ?? new SentRun();
    this.#free = run.next;
    return run;
  }

  #recycle(conn: Connection, run: SentRun): void {
    if (conn.sackedRun === run) conn.sackedRun = null;
    run.next = this.#free;
    this.#free = run;
  }
}

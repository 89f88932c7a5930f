import type { Connection } from './connection.ts';
import { isAfter, isBefore } from './sequence.ts';

/** Octets that were sent together: a segment, or what is cut into several. Recycled. */
export class SentRun {
  seq = 0;
  end = 0;
  /** Kernel µs, wrapping int32, of the last time. */
  sentUs = 0;
  /** How often it was sent again. */
  retransmissions = 0;
  next: SentRun | null = null;
}

/** What connections have in flight, in order of sequence numbers: RACK, F-RTO and delivery rates will look here. Records are recycled. */
export class SentRuns {
  #free: SentRun | null = null;

  sent(conn: Connection, seq: number, end: number, nowUs: number): void {
    const run = this.#free ?? new SentRun();
    this.#free = run.next;
    run.seq = seq;
    run.end = end;
    run.sentUs = nowUs | 0;
    run.retransmissions = 0;
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
    this.#recycle(last);
  }

  /** What lies in this range was sent again. Of a run that is cut through, all of it counts as sent again (Karn). */
  resent({ sentFirst }: Connection, seq: number, end: number, nowUs: number): void {
    for (let run = sentFirst; run !== null && isBefore(run.seq, end); run = run.next) {
      if (!isAfter(run.end, seq)) continue;
      run.retransmissions++;
      run.sentUs = nowUs | 0;
    }
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
      this.#recycle(run);
      run = next;
    }
    conn.sentFirst = run;
    if (run === null) conn.sentLast = null;
    return wasResent ? -1 : rttUs;
  }

  clear(conn: Connection): void {
    for (let run = conn.sentFirst; run !== null; ) {
      const { next }: SentRun = run;
      this.#recycle(run);
      run = next;
    }
    conn.sentFirst = null;
    conn.sentLast = null;
  }

  #recycle(run: SentRun): void {
    run.next = this.#free;
    this.#free = run;
  }
}

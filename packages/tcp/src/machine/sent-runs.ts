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

  /** What lies in this range was sent again. Of a run that is cut through, all of it counts as sent again (Karn). */
  resent({ sentFirst }: Connection, seq: number, end: number, nowUs: number): void {
    for (let run = sentFirst; run !== null && isBefore(run.seq, end); run = run.next) {
      if (!isAfter(run.end, seq)) continue;
      run.retransmissions++;
      run.sentUs = nowUs | 0;
    }
  }

  /** All before `ack` is acknowledged. @returns µs since the oldest of it was sent, -1: none of it was sent only once (Karn's algorithm, RFC 6298 §3). */
  acknowledged(conn: Connection, ack: number, nowUs: number): number {
    let rttUs = -1;
    let run = conn.sentFirst;
    while (run !== null && isBefore(run.seq, ack)) {
      if (rttUs < 0 && run.retransmissions === 0) rttUs = Math.max(0, ((nowUs | 0) - run.sentUs) | 0);
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
    return rttUs;
  }

  /** µs since the run was sent in which `seq` lies; -1: it was sent again, or is not there. */
  ageUs({ sentFirst }: Connection, seq: number, nowUs: number): number {
    for (let run = sentFirst; run !== null && !isAfter(run.seq, seq); run = run.next) {
      if (isAfter(run.end, seq)) return run.retransmissions > 0 ? -1 : Math.max(0, ((nowUs | 0) - run.sentUs) | 0);
    }
    return -1;
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

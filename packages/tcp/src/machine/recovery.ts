import { CONGESTION_EVENT, CONGESTION_PHASE } from '@softnet/contract';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import { rtoMs, unsentBytes, usableBytes } from './output.ts';
import { DUP_THRESH, NextSegment, Scoreboard } from './scoreboard.ts';
import { isAfter, isBefore } from './sequence.ts';

const { OPEN, DISORDER, RECOVERY, LOSS } = CONGESTION_PHASE;

/**
 * Loss recovery: by SACK as RFC 6675 §5 has it, without as RFC 6582 (NewReno), limited transmit (RFC 3042) with both, and what follows a timeout (RFC 5681 §3.1, RFC 6675 §5.1).
 * The congestion control says how far the window shrinks; RACK-TLP, PRR and F-RTO would stand here.
 */
export class Recovery {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #next = new NextSegment();
  /** Scoreboards that nobody needs. */
  readonly #spare: Scoreboard[] = [];

  constructor(host: MachineHost, clocks: Clocks, output: Output) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
  }

  /** SetPipe (RFC 6675 §4): octets that are thought to be in the network; without SACK each duplicate says that a segment has left it (RFC 6582 §3.2 (3)). */
  pipe(conn: Connection): number {
    const { scoreboard } = conn;
    const plain = scoreboard === null ? outstanding(conn) : scoreboard.pipe();
    if ((conn.flags & FLAG.SACK) !== 0 || conn.dupAcks === 0) return plain;
    return Math.max(0, plain - conn.dupAcks * conn.segmentBytes);
  }

  /** The scoreboard, from here on: something is SACKed, or lost. */
  scoreboardOf(conn: Connection): Scoreboard {
    if (conn.scoreboard !== null) return conn.scoreboard;
    const scoreboard = this.#spare.pop() ?? new Scoreboard();
    scoreboard.reset(conn.sndUna);
    scoreboard.smssBytes = conn.segmentBytes;
    scoreboard.sent(conn.sndNxt);
    conn.scoreboard = scoreboard;
    return scoreboard;
  }

  /**
   * An acknowledgement was understood; SND.UNA has moved by `ackedBytes`, `sackedBytes` are newly SACKed.
   * @param isDuplicate by RFC 5681 §2, with SACK by RFC 6675 §2.
   */
  acknowledged(conn: Connection, ackedBytes: number, sackedBytes: number, isDuplicate: boolean): void {
    const congestion = conn.congestion!;
    const { phase } = congestion;
    if (ackedBytes > 0) this.#advanced(conn, ackedBytes, phase);
    if (isDuplicate) conn.dupAcks++;
    if (congestion.phase === OPEN || congestion.phase === DISORDER) {
      if (this.#isLoss(conn, sackedBytes > 0 || isDuplicate)) this.#enterRecovery(conn);
      else congestion.phase = conn.dupAcks > 0 || (conn.scoreboard !== null && conn.scoreboard.sacked.count > 0) ? DISORDER : OPEN;
    }
    if (ackedBytes > 0 && congestion.phase === OPEN) this.#letGo(conn);
  }

  /** All that may be sent now, lost data first (RFC 6675 §5 C). */
  send(conn: Connection): void {
    const { phase } = conn.congestion!;
    if (phase === RECOVERY || phase === LOSS) {
      if ((conn.flags & FLAG.SACK) !== 0 || phase === LOSS) this.#repair(conn);
      this.#output.sendNew(conn, this.pipe(conn));
      return;
    }
    this.#output.sendNew(conn, this.pipe(conn));
  }

  /** RFC 6298 (5.4) to (5.6): the timer expired. All that is outstanding and not SACKed is lost. */
  expire(conn: Connection): void {
    const congestion = conn.congestion!;
    const { clock, counters } = this.#host;
    const scoreboard = this.scoreboardOf(conn);
    if (scoreboard.isReneging) counters.reneging.value++;
    // The window of a loss that is lost again does not shrink once more (RFC 5681 §3.1).
    if (congestion.phase !== LOSS || !isBefore(conn.sndUna, conn.recoverSeq)) {
      if (congestion.phase !== RECOVERY) congestion.priorCwnd = congestion.cwnd;
      congestion.control.phaseChanged?.(congestion, LOSS);
      if (congestion.phase !== RECOVERY) congestion.ssthresh = congestion.control.ssthresh(congestion);
      congestion.control.event?.(congestion, CONGESTION_EVENT.LOSS, clock.nowMs);
    }
    congestion.phase = LOSS;
    congestion.cwnd = 1;
    congestion.cwndCount = 0;
    conn.dupAcks = 0;
    scoreboard.expire();
    conn.recoverSeq = conn.sndNxt;
  }

  /** What is in flight was too large for the way (RFC 1191 §6.5): it is sent again in smaller segments, and no window shrinks. */
  resend(conn: Connection): void {
    if (outstanding(conn) === 0) return;
    const scoreboard = this.scoreboardOf(conn);
    const congestion = conn.congestion!;
    if (congestion.phase !== LOSS) {
      scoreboard.expire();
      congestion.phase = LOSS;
      conn.recoverSeq = conn.sndNxt;
      conn.dupAcks = 0;
    }
    this.send(conn);
  }

  /** It is over: nothing of it stays. */
  forget(conn: Connection): void {
    if (conn.scoreboard === null) return;
    this.#spare.push(conn.scoreboard);
    conn.scoreboard = null;
  }

  /** The cumulative acknowledgement moved on. */
  #advanced(conn: Connection, ackedBytes: number, phase: number): void {
    const congestion = conn.congestion!;
    const isOver = !isBefore(conn.sndUna, conn.recoverSeq);
    if ((phase === RECOVERY || phase === LOSS) && isOver) {
      if (phase === RECOVERY) congestion.cwnd = Math.max(2, Math.min(congestion.cwnd, congestion.ssthresh));
      congestion.control.phaseChanged?.(congestion, OPEN);
      congestion.phase = OPEN;
      conn.dupAcks = 0;
      return;
    }
    if (phase !== RECOVERY || (conn.flags & FLAG.SACK) !== 0) {
      conn.dupAcks = 0;
      return;
    }
    // RFC 6582 §3.2 (5): a partial acknowledgement; what follows it is lost too.
    const segments = Math.ceil(ackedBytes / conn.segmentBytes);
    conn.dupAcks = Math.max(0, conn.dupAcks - Math.max(0, segments - 1));
    this.#output.retransmit(conn, conn.sndUna, Math.min(outstanding(conn), conn.segmentBytes));
  }

  /** RFC 6675 §5 (1), (2); RFC 6582 §3.2 (1), (2): not again below the point where the last recovery began. */
  #isLoss(conn: Connection, isNews: boolean): boolean {
    if (!isNews || outstanding(conn) === 0) return false;
    const hasSack = (conn.flags & FLAG.SACK) !== 0;
    if (hasSack ? isBefore(conn.sndUna, conn.recoverSeq) : !isAfter(conn.sndUna, conn.recoverSeq)) return false;
    if (conn.dupAcks >= DUP_THRESH) return true;
    const { scoreboard } = conn;
    return scoreboard !== null && hasSack && scoreboard.isLost(conn.sndUna);
  }

  /** RFC 6675 §5 (4): fast retransmit. */
  #enterRecovery(conn: Connection): void {
    const congestion = conn.congestion!;
    const { control } = congestion;
    const scoreboard = this.scoreboardOf(conn);
    scoreboard.enterRecovery();
    conn.recoverSeq = conn.sndNxt;
    congestion.priorCwnd = congestion.cwnd;
    control.phaseChanged?.(congestion, RECOVERY);
    congestion.ssthresh = control.ssthresh(congestion);
    congestion.cwnd = congestion.ssthresh;
    congestion.cwndCount = 0;
    congestion.phase = RECOVERY;
    this.#host.counters['fast-recoveries'].value++;
    const lenBytes = this.#firstLost(conn, scoreboard);
    if (this.#output.retransmit(conn, conn.sndUna, lenBytes) && (conn.flags & FLAG.SACK) !== 0)
      scoreboard.retransmitted((conn.sndUna + lenBytes) | 0);
    // The timer waits for what went last (RFC 6675 §5.1 leaves it open; as Linux).
    this.#clocks.startRetransmit(conn, rtoMs(conn));
  }

  /** Of the first segment, up to what is SACKed. */
  #firstLost(conn: Connection, { sacked }: Scoreboard): number {
    const lenBytes = Math.min(outstanding(conn), conn.segmentBytes);
    return sacked.count > 0 ? Math.min(lenBytes, (sacked.left[0]! - conn.sndUna) | 0) : lenBytes;
  }

  /** Segments by rules 1, 3 and 4 of NextSeg, and new ones by 2, while cwnd - pipe is a segment or more. */
  #repair(conn: Connection): void {
    const scoreboard = this.scoreboardOf(conn);
    const congestion = conn.congestion!;
    const next = this.#next;
    for (;;) {
      const pipe = this.pipe(conn);
      if (congestion.cwnd * conn.segmentBytes - pipe < conn.segmentBytes && pipe > 0) return;
      scoreboard.nextSegment(Math.max(0, Math.min(unsentBytes(conn), usableBytes(conn))), next);
      // New data go by the rules of the sender.
      if (next.rule === 0 || next.rule === 2 || (next.rule > 2 && congestion.phase === LOSS)) return;
      const { rule, seq, lenBytes } = next;
      if (!this.#output.retransmit(conn, seq, lenBytes)) return;
      if (rule === 4) scoreboard.rescue();
      else scoreboard.retransmitted((seq + lenBytes) | 0);
    }
  }

  #letGo(conn: Connection): void {
    const { scoreboard } = conn;
    if (scoreboard !== null && scoreboard.sacked.count === 0) this.forget(conn);
  }
}

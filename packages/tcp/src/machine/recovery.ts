import { CONGESTION_EVENT, CONGESTION_PHASE } from '@softnet/contract';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding } from './connection.ts';
import type { ControlCalls } from './control-calls.ts';
import type { MachineHost } from './machine-host.ts';
import type { NewData } from './new-data.ts';
import type { Output } from './output.ts';
import { DUP_THRESH, NextSegment, Scoreboard } from './scoreboard.ts';
import { isThrottled, resendableBytes, rtoMs, unsentBytes, usableBytes } from './send-space.ts';
import { isAfter, isBefore } from './sequence.ts';
import { bitOf, isIn, TCP_STATE } from './state.ts';

const { OPEN, DISORDER, RECOVERY, LOSS } = CONGESTION_PHASE;
const { ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK } = TCP_STATE;
/** States in which octets, or a FIN, may go out. */
const SENDS: number = bitOf(ESTABLISHED) | bitOf(CLOSE_WAIT) | bitOf(FIN_WAIT_1) | bitOf(CLOSING) | bitOf(LAST_ACK);

/**
 * Loss recovery: by SACK as RFC 6675 §5 has it, without as RFC 6582 (NewReno), limited transmit (RFC 3042) with both, and what follows a timeout (RFC 5681 §3.1, RFC 6675 §5.1).
 * The congestion control says how far the window shrinks; RACK-TLP, PRR and F-RTO would stand here. Acknowledgements are judged first, and all that follows of them is sent by `send`.
 */
export class Recovery {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #fresh: NewData;
  readonly #controls: ControlCalls;
  readonly #next = new NextSegment();
  /** Scoreboards that nobody needs. */
  readonly #spare: Scoreboard[] = [];

  constructor(host: MachineHost, clocks: Clocks, output: Output, fresh: NewData, controls: ControlCalls) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
    this.#fresh = fresh;
    this.#controls = controls;
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
    if (ackedBytes > 0) this.#advanced(conn, ackedBytes);
    if (isDuplicate && congestion.phase !== LOSS) this.#countDuplicate(conn);
    if (congestion.phase !== OPEN && congestion.phase !== DISORDER) return;
    if (this.#isLoss(conn, sackedBytes > 0 || isDuplicate)) {
      this.#enterRecovery(conn);
      return;
    }
    const { scoreboard } = conn;
    const isInOrder = conn.dupAcks === 0 && (scoreboard === null || scoreboard.sacked.count === 0);
    congestion.phase = isInOrder ? OPEN : DISORDER;
    if (isInOrder) this.forget(conn);
  }

  /** All that may be sent now, lost data first (RFC 6675 §5 C). Who calls it from within changes nothing: the outer one goes on. */
  send(conn: Connection): void {
    if ((conn.flags & (FLAG.SENDING | FLAG.OVER)) !== 0 || !isIn(conn.sock.state, SENDS)) return;
    const congestion = conn.congestion!;
    conn.flags |= FLAG.SENDING;
    // Once more where on the way segments proved too large (`resend`).
    for (let phase = -1; phase !== congestion.phase && (conn.flags & FLAG.OVER) === 0; ) {
      phase = congestion.phase;
      if (phase === RECOVERY || phase === LOSS) this.#repair(conn);
      if ((conn.flags & FLAG.OVER) === 0) this.#fresh.send(conn, this.pipe(conn));
    }
    conn.flags &= ~FLAG.SENDING;
  }

  /** {@link NewData.force}. */
  force(conn: Connection): boolean {
    if ((conn.flags & FLAG.SENDING) !== 0 || !isIn(conn.sock.state, SENDS)) return false;
    conn.flags |= FLAG.SENDING;
    const went = this.#fresh.force(conn);
    conn.flags &= ~FLAG.SENDING;
    return went;
  }

  /** RFC 6298 (5.4) to (5.6): the timer expired. All that is outstanding and not SACKed is lost. */
  expire(conn: Connection): void {
    const congestion = conn.congestion!;
    const { phase } = congestion;
    if (this.scoreboardOf(conn).isReneging) this.#host.counters.reneging.value++;
    // The window of a loss that is lost again does not shrink once more (RFC 5681 §3.1); nor does that of a recovery (as Linux).
    const isInside = isBefore(conn.sndUna, conn.recoverSeq) && (phase === RECOVERY || (phase === LOSS && conn.timeouts > 1));
    if (!isInside) {
      this.#controls.reduce(congestion);
      this.#controls.event(congestion, CONGESTION_EVENT.LOSS, this.#host.clock.nowMs);
    }
    this.#controls.phaseChanged(congestion, LOSS);
    congestion.cwnd = 1;
    congestion.cwndCount = 0;
    this.markLost(conn);
  }

  /** All that is outstanding and not SACKed is sent again; no window shrinks. */
  markLost(conn: Connection): void {
    this.scoreboardOf(conn).expire();
    conn.congestion!.phase = LOSS;
    conn.recoverSeq = conn.sndNxt;
    conn.dupAcks = 0;
  }

  /** What is in flight was too large for the way (RFC 1191 §6.5): it is sent again in smaller segments, and no window shrinks. */
  resend(conn: Connection): void {
    if (outstanding(conn) === 0) return;
    this.markLost(conn);
    this.send(conn);
  }

  /** It is over: nothing of it stays. */
  forget(conn: Connection): void {
    if (conn.scoreboard === null) return;
    this.#spare.push(conn.scoreboard);
    conn.scoreboard = null;
  }

  /** The cumulative acknowledgement moved on. */
  #advanced(conn: Connection, ackedBytes: number): void {
    const congestion = conn.congestion!;
    const { phase } = congestion;
    const hasSack = (conn.flags & FLAG.SACK) !== 0;
    const isOver = !isBefore(conn.sndUna, conn.recoverSeq);
    // It follows, so that it is near however much is sent without a loss.
    if (isAfter(conn.sndUna, conn.recoverSeq)) conn.recoverSeq = (conn.sndUna - 1) | 0;
    if (phase === RECOVERY && !isOver && !hasSack) {
      // RFC 6582 §3.2 (5): a partial acknowledgement; what follows it is lost too. The window is deflated by what it acknowledges, less a segment.
      const segments = Math.ceil(ackedBytes / conn.segmentBytes);
      conn.dupAcks = Math.max(0, conn.dupAcks - segments + 1);
      this.scoreboardOf(conn).firstIsDue = true;
      return;
    }
    conn.dupAcks = 0;
    if (!isOver || (phase !== RECOVERY && phase !== LOSS)) return;
    if (phase === RECOVERY) congestion.cwnd = Math.max(2, Math.min(congestion.cwnd, congestion.ssthresh));
    this.#controls.phaseChanged(congestion, OPEN);
    congestion.phase = OPEN;
  }

  /** Without SACK they stand for segments that have arrived: for no more than there are. */
  #countDuplicate(conn: Connection): void {
    conn.dupAcks++;
    if ((conn.flags & FLAG.SACK) !== 0) return;
    conn.dupAcks = Math.min(conn.dupAcks, Math.max(DUP_THRESH, Math.ceil(outstanding(conn) / conn.segmentBytes)));
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

  /** RFC 6675 §5 (4), RFC 6582 §3.2 (2), (3): fast retransmit; {@link Recovery.send} does it. */
  #enterRecovery(conn: Connection): void {
    const congestion = conn.congestion!;
    const scoreboard = this.scoreboardOf(conn);
    scoreboard.enterRecovery();
    scoreboard.firstIsDue = true;
    conn.recoverSeq = conn.sndNxt;
    this.#controls.reduce(congestion);
    this.#controls.phaseChanged(congestion, RECOVERY);
    congestion.cwnd = congestion.ssthresh;
    congestion.cwndCount = 0;
    congestion.phase = RECOVERY;
    this.#host.counters['fast-recoveries'].value++;
    // The timer waits for what goes now (RFC 6675 §5.1 leaves it open; as Linux).
    this.#clocks.startRetransmit(conn, rtoMs(conn));
  }

  /** What is sent again: the first that is missing, whatever the window; then, with SACK or after a timeout, by rules 1, 3 and 4 of NextSeg while cwnd - pipe is a segment or more. */
  #repair(conn: Connection): void {
    const scoreboard = this.scoreboardOf(conn);
    if (scoreboard.firstIsDue && !this.#repairFirst(conn, scoreboard)) return;
    if ((conn.flags & FLAG.SACK) === 0 && conn.congestion!.phase !== LOSS) return;
    while ((conn.flags & FLAG.OVER) === 0 && this.#repairNext(conn, scoreboard));
  }

  /** RFC 6675 §5 (4.3): up to what is SACKed. Before the next acknowledgement no rescue. False: it could not be sent. */
  #repairFirst(conn: Connection, scoreboard: Scoreboard): boolean {
    const { sacked } = scoreboard;
    let lenBytes = Math.min(outstanding(conn), conn.segmentBytes);
    if (sacked.count > 0) lenBytes = Math.min(lenBytes, (sacked.left[0]! - conn.sndUna) | 0);
    lenBytes = this.#output.togetherBytes(conn, conn.sndUna, lenBytes);
    if (lenBytes > 0 && !this.#output.retransmit(conn, conn.sndUna, resendableBytes(conn, conn.sndUna, lenBytes))) return false;
    scoreboard.firstIsDue = false;
    if ((conn.flags & FLAG.SACK) !== 0) scoreboard.firstRetransmitted((conn.sndUna + lenBytes) | 0);
    return true;
  }

  /** False: nothing more may, or can, be sent again now. */
  #repairNext(conn: Connection, scoreboard: Scoreboard): boolean {
    const { cwnd, phase } = conn.congestion!;
    const next = this.#next;
    const pipe = this.pipe(conn);
    const hasRoom = cwnd * conn.segmentBytes - pipe >= conn.segmentBytes;
    // A FIN alone is not held by congestion, as when it is new.
    if (!hasRoom && (conn.flags & FLAG.FIN_SENT) === 0) return false;
    scoreboard.nextSegment(Math.max(0, Math.min(unsentBytes(conn), usableBytes(conn))), next);
    const { rule, seq } = next;
    if (!hasRoom && seq !== conn.writeSeq) return false;
    // What goes again may have twice as much before it.
    if (isThrottled(conn, 2 * this.#host.settings.limitOutputBytes)) {
      conn.flags |= FLAG.THROTTLED;
      return false;
    }
    // New data go by the rules of the sender.
    if (rule === 0 || rule === 2 || (rule > 2 && phase === LOSS)) return false;
    const lenBytes = resendableBytes(conn, seq, rule === 4 ? next.lenBytes : this.#output.togetherBytes(conn, seq, next.lenBytes));
    if (lenBytes === 0 || !this.#output.retransmit(conn, seq, lenBytes)) return false;
    if (rule === 4) scoreboard.rescue();
    else scoreboard.retransmitted((seq + lenBytes) | 0);
    return true;
  }
}

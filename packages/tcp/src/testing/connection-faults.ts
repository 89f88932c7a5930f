import { SOCK_FLAG } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import { FLAG, outstanding, TIMER, windowLeft } from '../machine/connection.ts';
import { hasUnsent } from '../machine/send-space.ts';
import { isAfter, isBefore } from '../machine/sequence.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ActingHost } from './acting-host.ts';

const { SYN_RECEIVED, FIN_WAIT_2 } = TCP_STATE;

/** What is wrong with a connection between two events; null: nothing. */
export function connectionFault(conn: Connection, host: ActingHost): string | null {
  if (host.mistakes.length > 0) return host.mistakes.join(', ');
  if ((conn.flags & FLAG.OVER) !== 0) return endFault(conn, host);
  return sequenceFault(conn, host) ?? runFault(conn) ?? scoreboardFault(conn) ?? timerFault(conn) ?? countFault(conn, host);
}

function endFault(conn: Connection, host: ActingHost): string | null {
  if (host.ended === null) return 'over, and nobody was told';
  if (conn.sentFirst !== null || conn.sentLast !== null) return 'over, and runs are left';
  if (conn.scoreboard !== null || conn.disorder !== null) return 'over, and a record is left';
  if (host.kept !== 0) return `over, and ${host.kept} pieces are left`;
  return conn.timers === 0 ? null : `over, and timers ${conn.timers} run`;
}

function sequenceFault(conn: Connection, host: ActingHost): string | null {
  const { sndUna, sndNxt, writeSeq, flags, rcvNxt } = conn;
  if (isAfter(sndUna, sndNxt)) return 'SND.UNA > SND.NXT';
  const end = (flags & FLAG.FIN_SENT) === 0 ? writeSeq : (writeSeq + 1) | 0;
  if (isAfter(sndNxt, end)) return `SND.NXT is ${(sndNxt - end) | 0} behind the end`;
  if ((flags & FLAG.FIN_SENT) !== 0 && sndNxt !== end) return 'a FIN was sent, and SND.NXT is not behind it';
  const fin = (flags & FLAG.FIN_RECEIVED) === 0 ? 0 : 1;
  if (((host.deliveredSeq + fin) | 0) !== rcvNxt) return `delivered ${(host.deliveredSeq + fin - rcvNxt) | 0} too much`;
  if (conn.rcvWnd < 0 || windowLeft(conn) < 0 || conn.sndWnd < 0) return 'a window is negative';
  return (flags & FLAG.SENDING) === 0 ? null : 'it sends still';
}

function runFault(conn: Connection): string | null {
  if (conn.sock.state === SYN_RECEIVED) return null;
  let at = conn.sndUna;
  let last = null;
  for (let run = conn.sentFirst; run !== null; run = run.next) {
    if (run.seq !== at || !isBefore(run.seq, run.end)) return `a run begins ${(run.seq - at) | 0} off`;
    at = run.end;
    last = run;
  }
  if (last !== conn.sentLast) return 'the last run is another one';
  return at === conn.sndNxt ? null : `runs end ${(conn.sndNxt - at) | 0} early`;
}

function scoreboardFault(conn: Connection): string | null {
  const { scoreboard, sndUna, sndNxt } = conn;
  if (scoreboard === null) return null;
  const { sacked } = scoreboard;
  if (scoreboard.highAck !== sndUna || scoreboard.highData !== sndNxt) return 'the scoreboard is of other octets';
  let bytes = 0;
  for (let i = 0; i < sacked.count; i++) {
    const [left, right] = [sacked.left[i]!, sacked.right[i]!];
    if (isBefore(left, i === 0 ? sndUna : sacked.right[i - 1]!) || !isBefore(left, right) || isAfter(right, sndNxt))
      return 'a range lies outside';
    bytes += (right - left) | 0;
  }
  if (bytes !== sacked.bytes) return 'SACKed octets are counted wrong';
  const pipe = scoreboard.pipe();
  return pipe >= 0 && pipe <= 2 * outstanding(conn) ? null : `pipe is ${pipe} of ${outstanding(conn)}`;
}

function timerFault(conn: Connection): string | null {
  const { timers, flags, sock } = conn;
  if (outstanding(conn) > 0 && (timers & TIMER.RETRANSMIT) === 0) return 'something is outstanding, and no timer runs';
  if (outstanding(conn) === 0 && (timers & TIMER.RETRANSMIT) !== 0) return 'nothing is outstanding, and its timer runs';
  if (outstanding(conn) === 0 && hasUnsent(conn) && (timers & TIMER.PERSIST) === 0) return 'something waits to be sent, and no timer runs';
  if ((timers & TIMER.RETRANSMIT) !== 0 && (timers & TIMER.PERSIST) !== 0) return 'two timers are one';
  if ((flags & (FLAG.ACK_PENDING | FLAG.ACK_NOW)) !== 0 && (timers & TIMER.DELACK) === 0)
    return 'an acknowledgement is due, and no timer runs';
  if ((sock.flags & SOCK_FLAG.KEEPALIVE) !== 0 && sock.state !== SYN_RECEIVED && (timers & TIMER.KEEPALIVE) === 0) return 'no keepalive';
  const isOrphan = (flags & FLAG.CLOSED_BY_USER) !== 0 && sock.state === FIN_WAIT_2;
  return isOrphan && (timers & TIMER.CLOSE) === 0 ? 'FIN-WAIT-2 without an end' : null;
}

function countFault(conn: Connection, host: ActingHost): string | null {
  const { congestion, disorder, scoreboard } = conn;
  if (congestion === null || congestion.cwnd < 1) return 'no congestion window';
  const inRecovery = congestion.phase >= 3;
  if (inRecovery && outstanding(conn) > 0 && isAfter(conn.sndUna, conn.recoverSeq)) return `phase ${congestion.phase} does not end`;
  if (congestion.phase === 0 && scoreboard !== null) return 'a scoreboard for nothing';
  if (conn.dupAcks < 0 || conn.segmentBytes < 1 || conn.ackedRestBytes < 0) return 'a count is negative';
  if (!(conn.roundTrip.timeoutUs >= 200_000 && conn.roundTrip.timeoutUs <= 120_000_000)) return `an RTO of ${conn.roundTrip.timeoutUs}`;
  const pieces = disorder === null ? 0 : disorder.queue.pieces;
  if (pieces !== host.kept) return `${host.kept} references for ${pieces} pieces`;
  if (disorder !== null && disorder.report.count > 5) return 'too many blocks';
  return null;
}

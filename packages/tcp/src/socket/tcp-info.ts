import type { Clock } from '@softnet/contract';
import { CONGESTION_PHASE } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import { FLAG, outstanding } from '../machine/connection.ts';
import { LINUX_CLOSE, TCP_STATE } from '../machine/state.ts';
import type { SocketSettings } from './settings.ts';

/** `struct tcp_info` of Linux 6.1. */
const TCP_INFO_BYTES = 232;
const OPTION = Object.freeze({ TIMESTAMPS: 1, SACK: 2, WSCALE: 4 } as const);
const MOST_U32 = 0xffffffff;
/** Linux's TCP_INFINITE_SSTHRESH; and from where on ours is. */
const INFINITE_SSTHRESH = 0x7fffffff;
const FIRST_INFINITE = 0x3fffffff;

/** What is known of who listens: connections that wait to be accepted, and at most. */
export interface Backlog {
  readonly waiting: number;
  readonly most: number;
}

/** `TCP_INFO`, as it lies in memory: bytes of it that fit. Fields of what we do not have are 0. @param mtuBytes of its way. */
export function writeTcpInfo(
  conn: Connection,
  into: Uint8Array,
  clock: Clock,
  settings: SocketSettings,
  mtuBytes: number,
  backlog: Backlog | null,
): number {
  const bytes = new Uint8Array(TCP_INFO_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = conn.sock.state === TCP_STATE.CLOSED || conn.sock.state === TCP_STATE.TIME_WAIT ? LINUX_CLOSE : conn.sock.state;
  if (backlog !== null) {
    view.setUint32(24, backlog.waiting, true);
    view.setUint32(28, backlog.most, true);
  } else if (conn.sock.state !== TCP_STATE.CLOSED) writeConnection(conn, view, clock, settings, mtuBytes);
  writeCounts(conn, view);
  into.set(bytes.subarray(0, into.length));
  return Math.min(into.length, TCP_INFO_BYTES);
}

function writeConnection(conn: Connection, view: DataView, clock: Clock, settings: SocketSettings, mtuBytes: number): void {
  const { congestion, roundTrip, flags } = conn;
  const set = (at: number, value: number): void => view.setUint32(at, Math.max(0, Math.min(value, MOST_U32)), true);
  const segments = (lenBytes: number): number => Math.ceil(Math.max(0, lenBytes) / Math.max(1, conn.segmentBytes));
  const since = (ms: number): number => (ms === 0 ? 0 : Math.max(0, (clock.nowMs - ms) | 0));
  view.setUint8(1, congestion === null ? 0 : congestion.phase);
  view.setUint8(2, Math.min(conn.timeouts, 255));
  view.setUint8(3, Math.min(conn.probes + conn.keepaliveProbes, 255));
  view.setUint8(4, Math.min(roundTrip.backoff, 255));
  view.setUint8(5, optionsOf(flags));
  view.setUint8(6, (flags & FLAG.WINDOW_SCALING) === 0 ? 0 : conn.sndShift | (conn.rcvShift << 4));
  set(8, roundTrip.timeoutUs);
  set(12, conn.ackPolicy.atoUs);
  set(16, conn.segmentBytes);
  set(20, conn.rcvMssBytes);
  set(24, segments(outstanding(conn)));
  writeFlight(conn, view);
  set(44, since(conn.lastDataSentMs));
  set(52, since(conn.lastReceivedMs));
  set(56, since(conn.lastAckMs));
  set(60, mtuBytes);
  set(64, conn.windowSlowStart);
  set(68, roundTrip.srttUs);
  set(72, roundTrip.deviation4Us >> 2);
  const ssthresh = congestion === null ? FIRST_INFINITE : congestion.ssthresh;
  set(76, ssthresh >= FIRST_INFINITE ? INFINITE_SSTHRESH : ssthresh);
  set(80, congestion === null ? settings.initialCwnd : congestion.cwnd);
  set(84, conn.toldMssBytes);
  set(88, settings.reordering);
  set(144, Math.max(0, (conn.writeSeq - conn.sndNxt) | 0));
  set(148, roundTrip.minRttUs > 0 ? roundTrip.minRttUs : MOST_U32);
  set(192, congestion === null ? 0 : congestion.delivered >>> 0);
  set(196, congestion === null ? 0 : congestion.deliveredCe >>> 0);
  if (congestion !== null) view.setBigUint64(104, BigInt(Math.floor(congestion.pacingRate)), true);
  // No rate is set as the most: all ones, as Linux says it.
  view.setBigUint64(112, 0xffff_ffff_ffff_ffffn, true);
  set(228, conn.sndWnd);
}

/** What the peer has of what is in flight, what is lost, and what was sent again; where it says nothing of that itself, as its duplicates tell. */
function writeFlight({ scoreboard, congestion, segmentBytes, flags, dupAcks }: Connection, view: DataView): void {
  const set = (at: number, lenBytes: number): void => view.setUint32(at, Math.ceil(lenBytes / Math.max(1, segmentBytes)), true);
  const isPlainRecovery = (flags & FLAG.SACK) === 0 && congestion !== null && congestion.phase === CONGESTION_PHASE.RECOVERY;
  if ((flags & FLAG.SACK) === 0) set(28, dupAcks * segmentBytes);
  if (scoreboard === null) return;
  if ((flags & FLAG.SACK) !== 0) set(28, scoreboard.sacked.bytes);
  set(32, isPlainRecovery ? segmentBytes : scoreboard.lostBytes());
  if (isPlainRecovery) set(36, scoreboard.firstIsDue ? 0 : segmentBytes);
  else set(36, scoreboard.resentBytes());
}

function writeCounts({ extra }: Connection, view: DataView): void {
  if (extra === null) return;
  const set = (at: number, value: number): void => view.setUint32(at, value >>> 0, true);
  const setLong = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  set(92, extra.receiverRttUs);
  set(96, extra.spaceBytes);
  set(100, extra.totalRetransmitted);
  setLong(120, extra.bytesAcked);
  setLong(128, extra.bytesReceived);
  set(136, extra.segmentsOut);
  set(140, extra.segmentsIn);
  set(152, extra.dataSegmentsIn);
  set(156, extra.dataSegmentsOut);
  setLong(200, extra.bytesSent);
  setLong(208, extra.bytesRetransmitted);
  set(216, extra.duplicateSacks);
  set(220, extra.reordered);
}

function optionsOf(flags: number): number {
  const timestamps = (flags & FLAG.TIMESTAMPS) === 0 ? 0 : OPTION.TIMESTAMPS;
  const sack = (flags & FLAG.SACK) === 0 ? 0 : OPTION.SACK;
  const scale = (flags & FLAG.WINDOW_SCALING) === 0 ? 0 : OPTION.WSCALE;
  return timestamps | sack | scale;
}

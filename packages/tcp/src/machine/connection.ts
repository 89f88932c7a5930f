import type { CongestionState, SockCommon } from '@softnet/contract';
import { AckPolicy } from './ack-policy.ts';
import type { Disorder } from './disorder.ts';
import { RoundTrip } from './round-trip.ts';
import type { Scoreboard } from './scoreboard.ts';
import type { SentRun } from './sent-runs.ts';
import { nextState } from './state.ts';

/**
 * A connection: the TCB of RFC 9293 §3.3.1, as `SockCommon.ext`. A record: who does what with it stands in the other files of the machine. Sequence numbers are
 * wrapping int32 and borders: behind the last octet. Times are kernel ms or µs, wrapping int32. What only some need hangs on it while they do.
 */
export class Connection {
  readonly sock: SockCommon;

  // What we send.
  iss = 0;
  /** SND.UNA, SND.NXT. */
  sndUna = 0;
  sndNxt = 0;
  /** Behind the last octet that the user has given; a queued FIN stands there. */
  writeSeq = 0;
  /** SND.WND, bytes, scaled; SND.WL1, SND.WL2. */
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  maxWindowBytes = 0;
  /** By which the peer's windows, and ours, are shifted (RFC 7323 §2.3). */
  sndShift = 0;
  rcvShift = 0;
  /** SND.UP: behind the urgent octet, where FLAG.URGENT_SENT. */
  sndUp = 0;
  /** The end of the last segment that was sent and not full (Minshall). */
  smallEnd = 0;
  /** Behind what the user wants pushed (RFC 9293 §3.9.1.2). */
  pushSeq = 0;
  /** Behind the last segment that went with PSH. */
  pushedSeq = 0;
  /** Eff.snd.MSS without options (RFC 9293 §3.7.1): the peer's, the way's, the user's; and the peer's alone. With timestamps 12 less goes into a segment. */
  mssBytes = 536;
  peerMssBytes = 536;
  /** TCP_MAXSEG; 0: not set. */
  userMssBytes = 0;
  /** Bytes of payload in a full segment: `mssBytes` without what options take. */
  segmentBytes = 536;

  // What we receive.
  irs = 0;
  /** RCV.NXT. */
  rcvNxt = 0;
  /** RCV.WND as it was told last, counted from `rcvWup`. */
  rcvWnd = 0;
  rcvWup = 0;
  /** Behind what the user has read. */
  copiedSeq = 0;
  /** MSS of what comes, guessed by what came (delayed acknowledgements); and what we have told in our SYN. */
  rcvMssBytes = 536;
  toldMssBytes = 536;
  /** Where the peer's FIN stands, where FLAG.FIN_SEEN. */
  finSeq = 0;
  /** Window that is told at most (TCP_WINDOW_CLAMP, and what the buffer may come to), and where slow start of the window has come to. */
  windowClamp = 65535;
  windowSlowStart = 0;
  /** Octets acknowledged so far by us: behind the last ACK sent (Last.ACK.sent of RFC 7323 §4.3). */
  lastAckSent = 0;
  /** Urgent data: behind the octet, where FLAG.URGENT_RECEIVED; the octet itself, -1: it is not there, or was read. */
  rcvUp = 0;
  urgentByte = -1;
  /** Bytes of truesize that it may have waiting, each way; grow by themselves unless FLAG.RECEIVE_BUFFER_LOCKED, SEND_BUFFER_LOCKED. */
  receiveBufferBytes = 131072;
  sendBufferBytes = 16384;
  /** Octets out of order, and what SACK says of them; null: there are none. */
  disorder: Disorder | null = null;

  // Timestamps (RFC 7323 §3, §5).
  tsRecent = 0;
  /** Seconds, when TS.Recent was set. */
  tsRecentAtS = 0;
  /** Added to our clock, so that connections differ. */
  tsOffset = 0;

  // Acknowledging.
  readonly ackPolicy: AckPolicy = new AckPolicy();
  lastReceivedMs = 0;
  /** When the last challenge or answer to what is out of window went (RFC 5961 §7; `tcp_invalid_ratelimit`). */
  lastChallengeMs = 0;

  // Round trips, loss, congestion.
  readonly roundTrip: RoundTrip = new RoundTrip();
  congestion: CongestionState | null = null;
  /** What was sent and is not acknowledged, oldest first: when, and how often. */
  sentFirst: SentRun | null = null;
  sentLast: SentRun | null = null;
  /** The one of them that was looked at last for SACK: the next report is near. */
  sackedRun: SentRun | null = null;
  /** What the peer has, and what is lost; null: all that is outstanding is in the network. */
  scoreboard: Scoreboard | null = null;
  dupAcks = 0;
  /** Behind what was outstanding when the last recovery or loss began: RecoveryPoint of RFC 6675, `recover` of RFC 6582. */
  recoverSeq = 0;
  /** Until this is acknowledged it counts that `cwnd` was used up; else most that was outstanding (RFC 7661 §4). */
  limitedSeq = 0;
  mostOutBytes = 0;
  /** Octets acknowledged and not yet counted as packets. */
  ackedRestBytes = 0;
  /** Retransmission timeouts in a row, of data, or SYN; probes of a shut window; keepalive probes without an answer. */
  timeouts = 0;
  probes = 0;
  keepaliveProbes = 0;
  /** When the first of these timeouts was: user timeout, `tcp_retries2`; and when the window that is shut was found to be so, 0: it is not. */
  firstTimeoutMs = 0;
  firstProbeMs = 0;
  lastSentMs = 0;
  lastDataSentMs = 0;
  lastAckMs = 0;

  // Timers: bits of {@link TIMER} that run, and when each ends, ms.
  timers = 0;
  /** The retransmission timer; of a shut window the persist timer. */
  retransmitAtMs = 0;
  delackAtMs = 0;
  keepaliveAtMs = 0;
  /** FIN-WAIT-2 of who has closed; linger. */
  closeAtMs = 0;
  /** The kernel timer that it has, while one of them runs. */
  timer: object | null = null;

  /** Bits of {@link FLAG}. */
  flags = 0;
  /** What users have set otherwise than usual, and what is counted for TCP_INFO; made when needed. */
  extra: ConnectionExtra | null = null;
  /** Bytes that wait to be sent and to be read: of the segment and socket rooms. */
  sendQueue: object | null = null;
  receiveQueue: object | null = null;
  /** Truesize of the packets that it has below: in queues of devices, and in devices (`tcp_limit_output_bytes`). Kept by the segment room. */
  belowBytes = 0;
  /** The listener that it is still to be accepted from. */
  listener: object | null = null;

  constructor(sock: SockCommon) {
    this.sock = sock;
  }
}

/** What few connections have: options that are not as usual. */
export class ConnectionExtra {
  /** Seconds, intervals, probes of TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT; 0: as the settings say. */
  keepIdleSec = 0;
  keepIntervalSec = 0;
  keepProbes = 0;
  /** TCP_USER_TIMEOUT, ms; 0: by `tcp_retries2`. */
  userTimeoutMs = 0;
  /** TCP_SYNCNT; 0: `tcp_syn_retries`. */
  synRetries = 0;
  /** TCP_LINGER2, seconds; 0: `tcp_fin_timeout`; -1: none. */
  linger2Sec = 0;
  /** TCP_DEFER_ACCEPT: SYN-ACKs for which bare ACKs are waited through. */
  deferAccept = 0;
  /** TCP_NOTSENT_LOWAT; -1: the setting. */
  notSentLowBytes = -1;
  /** TCP_WINDOW_CLAMP. */
  windowClamp = 0;
  /** TCP_CONGESTION's name; null: `tcp_congestion_control`. */
  congestionName: string | null = null;
  /** Right-sizing of the receive buffer: octets and time when the present round trip of the receiver began, octets read in the last. */
  spaceSeq = 0;
  spaceAtMs = 0;
  spaceBytes = 0;
  /** By so much the receive buffer has grown: its part of the memory that all share. */
  grantedBytes = 0;
  receiverRttUs = 0;
  receiverRttSeq = 0;
  receiverRttAtMs = 0;
  /** Counted for TCP_INFO. */
  bytesAcked = 0;
  bytesReceived = 0;
  segmentsOut = 0;
  segmentsIn = 0;
  dataSegmentsOut = 0;
  dataSegmentsIn = 0;
  bytesSent = 0;
  bytesRetransmitted = 0;
  totalRetransmitted = 0;
  duplicateSacks = 0;
  reordered = 0;
  /** The SYN that came, for TCP_SAVED_SYN. */
  savedSyn: Uint8Array | null = null;
  /** An ICMP error that does not end it (RFC 1122 §4.2.3.9): what the user is told if it ends by time. Positive; 0: none. */
  softErrno = 0;
  /** Bind named an address, which stays when it disconnects. */
  hasBoundAddress = false;
  /** TCP_INQ: each receive call is told how much is left. */
  tellsQueue = false;
  /** The TIME-WAIT that has taken its flow, while its user has not closed it. */
  timeWait: object | null = null;
}

/** What is said of a connection by one bit. */
export const FLAG = Object.freeze({
  /** Agreed in the handshake. */
  TIMESTAMPS: 0x1,
  SACK: 0x2,
  WINDOW_SCALING: 0x4,
  /** The user has closed, or shut down sending: a FIN stands at `writeSeq`; and it was sent. */
  FIN_QUEUED: 0x8,
  FIN_SENT: 0x10,
  FIN_RECEIVED: 0x20,
  /** TCP_NODELAY, TCP_CORK, and MSG_MORE of the last write. */
  NO_DELAY: 0x40,
  CORK: 0x80,
  MORE: 0x100,
  URGENT_SENT: 0x200,
  URGENT_RECEIVED: 0x400,
  /** The user shut down receiving: what comes is acknowledged and thrown away. */
  SHUT_RECEIVE: 0x800,
  /** SO_RCVBUF, SO_SNDBUF were set. */
  RECEIVE_BUFFER_LOCKED: 0x1000,
  SEND_BUFFER_LOCKED: 0x2000,
  /** A send found no room: its user is woken when a third is free. */
  SEND_BLOCKED: 0x4000,
  /** An acknowledgement is due; it is due now. */
  ACK_PENDING: 0x8000,
  ACK_NOW: 0x10000,
  /** There was progress: its next segment confirms its neighbour (RFC 4861 §7.3.1). */
  CONFIRM_NEIGHBOUR: 0x20000,
  /** TCP_QUICKACK keeps it so. */
  QUICK_ALWAYS: 0x40000,
  /** The user has closed it: nobody reads, nobody hears. */
  CLOSED_BY_USER: 0x80000,
  /** All of `cwnd` was used, in the window up to `limitedSeq`. */
  CWND_LIMITED: 0x100000,
  /** A small write waits until what the connection has below has left (`tcp_autocorking`), or an acknowledgement comes. */
  AUTOCORKED: 0x200000,
  /** The machine has done with it. */
  OVER: 0x400000,
  /** More waits until less of it is below (`tcp_limit_output_bytes`). */
  THROTTLED: 0x800000,
  /** It sends: who calls from within (a device frees at once) only leaves what he wants sent. */
  SENDING: 0x1000000,
  /** Has a place in the flow table. */
  HASHED: 0x2000000,
  /** TCP_SAVE_SYN. */
  SAVE_SYN: 0x4000000,
  /** Ours is a child of a listener that has not been accepted. */
  UNACCEPTED: 0x8000000,
  /** The peer's FIN came, before what is before it; it stands at `finSeq`. */
  FIN_SEEN: 0x10000000,
  /** The user's connect has not been answered yet; it was, and the socket is a connection's until it disconnects. Linux's SS_CONNECTING and SS_CONNECTED. */
  CONNECTING: 0x20000000,
  CONNECTED: 0x40000000,
} as const);

/** Which timers run. */
export const TIMER = Object.freeze({ RETRANSMIT: 1, PERSIST: 2, DELACK: 4, KEEPALIVE: 8, CLOSE: 16 } as const);

/** The one place where a connection's state changes. @returns the state that it had. */
export function enter({ sock }: Connection, event: number): number {
  const before = sock.state;
  sock.state = nextState(before, event);
  return before;
}

/** Its options that are not as usual, made when they are first needed. */
export function extraOf(conn: Connection): ConnectionExtra {
  conn.extra ??= new ConnectionExtra();
  return conn.extra;
}

/** What is outstanding: SND.NXT - SND.UNA, with SYN and FIN. */
export function outstanding({ sndNxt, sndUna }: Connection): number {
  return (sndNxt - sndUna) | 0;
}

/** What is left of the window that was told last. */
export function windowLeft({ rcvWup, rcvWnd, rcvNxt }: Connection): number {
  return Math.max(0, (rcvWup + rcvWnd - rcvNxt) | 0);
}

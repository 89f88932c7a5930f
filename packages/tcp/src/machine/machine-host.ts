import type { Clock, Counter, CurrentOwner, DropReason, Skb } from '@softnet/contract';
import type { Connection } from './connection.ts';
import type { PayloadOwner } from './reassembly.ts';
import type { TcpSettings } from './tcp-settings.ts';

/** Why the machine drops what came. */
export const TCP_REASONS = Object.freeze({
  'tcp.window': 'it lies outside of the receive window (RFC 9293 §3.10.7.4)',
  'tcp.paws': 'its timestamp is older than the last one (RFC 7323 §5)',
  'tcp.reset': 'a reset that is not exactly what is awaited (RFC 5961 §3)',
  'tcp.syn': 'a SYN of a connection that there is (RFC 5961 §4)',
  'tcp.no-ack': 'it acknowledges nothing, in a state where all must (RFC 9293 §3.10.7.4)',
  'tcp.ack': 'it acknowledges what was not sent, or was long ago (RFC 5961 §5)',
  'tcp.closed': 'its connection is over, or receives no more (RFC 9293 §3.10.7)',
  'tcp.full': 'its socket has as much as SO_RCVBUF allows, or memory is low',
  'tcp.duplicate': 'all of it is there already',
  'tcp.listen': 'it is for a listener, and neither opens a connection nor belongs to one that opens',
  'tcp.backlog': 'more connections wait to be accepted than listen() allows',
  'tcp.syn-queue': 'more connections are half open than tcp_max_syn_backlog allows',
  'tcp.cookie': 'it answers no SYN cookie of ours',
  'tcp.parked': 'its listener is leaving: nobody new is let in',
  'tcp.time-wait': 'its connection is in TIME-WAIT (RFC 9293 §3.10.7.4)',
  'tcp.no-port': 'nobody has this port (RFC 9293 §3.10.7.1)',
} as const);
export type TcpReasons = Readonly<Record<keyof typeof TCP_REASONS, DropReason>>;

/** What the machine counts: Linux's names of `/proc/net/netstat`. Made by the module. */
export type TcpCounters = Readonly<Record<TcpCounterName, Counter>>;
export const TCP_COUNTERS = Object.freeze([
  'active-opens',
  'passive-opens',
  'attempt-fails',
  'established-resets',
  'segments-in',
  'segments-out',
  'retransmitted',
  'resets-out',
  'timeouts',
  'fast-recoveries',
  'delayed-acks',
  'challenge-acks',
  'paws',
  'out-of-order',
  'duplicate-sacks',
  'reneging',
  'cookies-sent',
  'cookies-received',
  'cookies-failed',
  'listen-overflows',
  'listen-drops',
  'time-waits',
  'keepalives',
  'aborts-on-timeout',
  'aborts-on-memory',
  'aborts-on-data',
  'aborts-on-close',
  'aborts-on-linger',
  'zero-window-probes',
  'pruned',
] as const);
type TcpCounterName = (typeof TCP_COUNTERS)[number];

/**
 * What a connection's machine wants done: by rooms that have sockets, packets and timers. It calls nobody else; it has neither clock nor chance of its own. In what is called here the
 * machine may be called again, for another connection, and by `wake` for this one too.
 */
export interface MachineHost extends PayloadOwner {
  readonly clock: Pick<Clock, 'nowMs' | 'nowUs'>;
  readonly settings: TcpSettings;
  /** Whose work it is, for congestion controls. */
  readonly current: CurrentOwner;
  readonly reasons: TcpReasons;
  readonly counters: TcpCounters;

  /**
   * Sends a segment: these flags, ACK of RCV.NXT and the window in `conn.rcvWnd` where flags have ACK, SACK blocks of `conn.disorder`, timestamps, urgent pointer, and `lenBytes` octets
   * of the send queue from `seq` on; more than `conn.segmentBytes` as one that is cut late. With SYN the options of a SYN.
   * False: it could not be sent (memory, no route); as if lost.
   */
  transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean;
  /** A reset without a connection's help: `seq`, and with `flags` ACK also `ack`. */
  reset(conn: Connection, flags: number, seq: number, ack: number): void;
  /** How many full segments may be sent in one: 1 where the way cannot cut. */
  mostSegments(conn: Connection): number;
  /** All before `conn.sndUna` is acknowledged: the send queue lets go of it; `sock.sendQueuedBytes` follows. */
  acknowledged(conn: Connection): void;
  /** Puts `lenBytes` of the skb's payload from `skipBytes` on behind what waits to be read: takes the skb, which is charged already (`admit`). */
  deliver(conn: Connection, skb: Skb, skipBytes: number, lenBytes: number): void;
  /** The same of a `Piece`: others may have pieces of its payload, and the piece itself lets go of it (`drop`) behind this. `keep` and `drop` count from 0; the last `drop` releases.
   * False: memory is out, and nothing was taken: RCV.NXT stays, and so does the piece. */
  deliverPiece(conn: Connection, payload: object, skipBytes: number, lenBytes: number): boolean;
  /** May it wait in this socket? Charges it. False: no room, it is to be dropped. Where its memory is short, this takes what came out of order first (`conn.disorder`). */
  admit(conn: Connection, skb: Skb): boolean;
  /** Octets that its receive buffer has room for, as Linux's `tcp_space`: part of the truesize that is free. And of all of it. */
  freeBytes(conn: Connection): number;
  fullBytes(conn: Connection): number;
  /** Memory is short (`tcp_mem`, and the pool's pressure): no window and no buffer grows. */
  isMemoryShort(): boolean;
  /** What the receive buffer may have of the bytes that it is to have, at least `leastBytes`: less than it has now where others came. */
  receiveShare(conn: Connection, wantedBytes: number, leastBytes: number): number;
  /** Of a send buffer. */
  mostSendBytes(): number;
  /** Something that `poll` says has changed. Its user may call. */
  wake(conn: Connection): void;
  /** Its next timeout (`nextTimeoutMs`) may be sooner than the kernel timer says. */
  retime(conn: Connection): void;
  /** It is established: of a child its listener is told. */
  established(conn: Connection): void;
  /** It is CLOSED: out of the flow table, queues emptied, released where its user has closed. `errno`: what the user is told, positive; 0: nothing. */
  over(conn: Connection, errno: number): void;
  /** It is to be in TIME-WAIT, or in FIN-WAIT-2 without a user, for so long: a small object takes its place, and `conn` is over. */
  timeWait(conn: Connection, state: number, forMs: number): void;
  /** Progress of a flow: what is confirmed about its neighbour, that its route is good (RFC 4861 §7.3.1). */
  confirm(conn: Connection): void;
  /** The way seems dead (`tcp_retries1`): look for another one. */
  doubtRoute(conn: Connection): void;
  /** An error that came meanwhile (ICMP), positive, when it ends by time; 0: none. */
  softError(conn: Connection): number;
  /** May its orphan go on: not more than `tcp_max_orphans`. */
  mayOrphan(): boolean;
  /** What came and needs an answer before a challenge's limit: true, and counted (`tcp_challenge_ack_limit`). */
  mayChallenge(): boolean;
}

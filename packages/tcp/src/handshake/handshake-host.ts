import type { Contributions, FlowKey, NetworkLayer, Random, SockCommon, SockOps, Timer } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import type { MachineHost } from '../machine/machine-host.ts';
import type { TcpSettings } from '../machine/tcp-settings.ts';
import type { BareSegment } from '../segment/bare-segment.ts';
import type { Listener } from './listener.ts';
import type { Request } from './request.ts';

/** What the handshake asks of settings beside the machine's. */
export interface HandshakeSettings extends TcpSettings {
  /** `net.core.somaxconn`. */
  readonly somaxconn: number;
  /** `tcp_tw_reuse`: 0, 1, 2: over loopback only. */
  readonly twReuse: number;
}

/**
 * What opening and TIME-WAIT want done, beyond what the machine wants: by the rooms that have sockets, packets and timers. What is called here may call back, for other connections.
 */
export interface HandshakeHost
  extends Pick<
    MachineHost,
    'clock' | 'reasons' | 'counters' | 'transmit' | 'reset' | 'retime' | 'fullBytes' | 'isMemoryShort' | 'wake' | 'mayChallenge'
  > {
  readonly settings: HandshakeSettings;
  readonly random: Random;
  readonly layers: Contributions<NetworkLayer>;
  /** Of sockets that stand for a TIME-WAIT: `input` reads the segment and calls `TimeWaits.arrives`, `yields` is `TimeWaits.yields`. */
  readonly timeWaitOps: SockOps;

  /** `ModuleContext.timer`. */
  timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer;
  /** Sends what belongs to no connection. False: it could not be; as if lost. */
  bare(segment: BareSegment): boolean;
  /**
   * The MSS that a SYN to there tells (RFC 9293 §3.7.1), by the way that `bare`'s ends, interface and marks have.
   * @param userMssBytes TCP_MAXSEG; 0: not set. @returns 0: there is no way.
   */
  toldMss(bare: BareSegment, userMssBytes: number): number;
  /** The same of a socket that has its route. */
  toldMssOf(conn: Connection): number;
  /** `conn.peerMssBytes` is known: writes `conn.mssBytes` by it, the way and the user. */
  sizeSegments(conn: Connection): void;
  /**
   * A socket for a connection that a listener was asked for: with its ends (`request`), what it inherits from the listener (options, buffers, congestion control), a route, a hold for the
   * listener's owner, its place in the flow table. Its state is CLOSED, and of sequence numbers, windows and options it knows nothing: the caller fills them in. `conn.timer` runs from
   * `machine.arrives` on. Null: no memory, no route, or its module is leaving; nothing is left.
   */
  child(listener: Listener, request: Request): Connection | null;
  /** Nobody will accept it: its listener closes. Reset where its state says so, out of the flow table, released. Also one that is over already. */
  refuse(child: Connection): void;
  /**
   * `young`, whose fields say the same ends, takes the place of a connection that is over: in the flow table and as holder of the port, held in its place (`Objects.succeed`; while the user
   * has not closed the old one, derived from it, or held as the socket room sees fit). `young.ext` is its `TimeWait`. False: it cannot be; nothing has changed.
   */
  succeed(conn: Connection, young: SockCommon): boolean;
  /** A TIME-WAIT is over: out of the flow table, released. */
  timeWaitOver(sock: SockCommon): void;
  /** Who listens for this flow, if this TIME-WAIT were not. Null: nobody. */
  listenerBehind(sock: SockCommon, key: FlowKey): Listener | null;
}

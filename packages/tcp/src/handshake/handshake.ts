import type { SockCommon } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import type { Segment } from '../machine/segment.ts';
import type { HandshakeHost } from './handshake-host.ts';
import type { Listener } from './listener.ts';
import type { TimeWait } from './time-wait.ts';

/**
 * How connections begin, and what is left of them: active open, listeners, TIME-WAIT, and answers to what is for nobody (RFC 9293 §3.10.1, §3.10.7.1 to .3). `segment.skb` is the caller's
 * behind each call, unless it is null; `segment.fault` says why it is dropped.
 */
export class Handshake {
  constructor(_host: HandshakeHost, _machine: Machine) {}

  /** OPEN, active: the SYN goes; SYN-SENT. Both ends, route, flow table and `congestion` are there. */
  connect(_conn: Connection): void {}

  /** SEGMENT ARRIVES in SYN-SENT. */
  synSent(_conn: Connection, _segment: Segment): void {}

  /** OPEN, passive; of who listens already a new backlog. `conn.listener` is it from then on. Ports and flow table are the caller's. @param backlog as the user says. */
  listen(_conn: Connection, _backlog: number): Listener {
    throw new Error('not yet');
  }

  /** SEGMENT ARRIVES in LISTEN. Parked (`SOCK_FLAG.PARKED`): SYNs are dropped in silence. */
  arrives(_listener: Listener, _segment: Segment): void {}

  /** `MachineHost.established` of a child (`FLAG.UNACCEPTED`): it waits to be accepted, and the listener is woken. */
  established(_child: Connection): void {}

  /** The next connection to be accepted, with `FLAG.UNACCEPTED` off. Null: there is none. */
  accept(_listener: Listener): Connection | null {
    return null;
  }

  /** It listens no more: its requests and who waits to be accepted are reset. Idempotent. */
  stopListening(_listener: Listener): void {}

  /** `MachineHost.timeWait`: what is left of it stands in its place. @returns null: there are too many; it is simply over. */
  timeWait(_conn: Connection, _state: number, _forMs: number): TimeWait | null {
    return null;
  }

  /** SEGMENT ARRIVES in TIME-WAIT. `sock.ext` is the {@link TimeWait}. */
  timeWaitArrives(_sock: SockCommon, _segment: Segment): void {}

  /** `SockOps.yields` of a TIME-WAIT. */
  yields(_sock: SockCommon, _young: SockCommon, _isChosen: boolean): boolean {
    return false;
  }

  /** A TIME-WAIT ends before its time: its module goes, or its user says so. */
  endTimeWait(_timeWait: TimeWait): void {}

  /** A segment that is for nobody (`ProtocolDoor.unmatched`): answered by a reset (RFC 9293 §3.10.7.1). */
  stray(_segment: Segment): void {}
}

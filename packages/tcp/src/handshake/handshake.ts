import type { FlowKey, Plain, SockCommon } from '@softnet/contract';
import type { SipKey } from '@softnet/inet';
import type { Connection } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import type { Segment } from '../machine/segment.ts';
import { ActiveOpen } from './active-open.ts';
import { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import type { Listener } from './listener.ts';
import { Listeners } from './listeners.ts';
import { Strays } from './strays.ts';
import { SynSent } from './syn-sent.ts';
import type { TimeWait } from './time-wait.ts';
import { TimeWaitArrives } from './time-wait-arrives.ts';
import { TimeWaits } from './time-waits.ts';

/**
 * How connections begin, and what is left of them: active open, listeners, TIME-WAIT, and answers to what is for nobody (RFC 9293 §3.10.1, §3.10.7.1 to .3). `segment.skb` is the caller's
 * behind each call, unless it is null; `segment.fault` says why it is dropped.
 */
export class Handshake {
  readonly #secrets: FlowSecrets;
  readonly #activeOpen: ActiveOpen;
  readonly #synSent: SynSent;
  readonly #listeners: Listeners;
  readonly #timeWaits: TimeWaits;
  readonly #timeWaitArrives: TimeWaitArrives;
  readonly #strays: Strays;

  constructor(host: HandshakeHost, machine: Machine) {
    const secrets = new FlowSecrets(host.random);
    this.#secrets = secrets;
    this.#activeOpen = new ActiveOpen(host, machine, secrets);
    this.#synSent = new SynSent(host, machine);
    this.#strays = new Strays(host);
    this.#listeners = new Listeners(host, machine, secrets, this.#strays);
    this.#timeWaits = new TimeWaits(host);
    this.#timeWaitArrives = new TimeWaitArrives(host, this.#timeWaits, this.#listeners, this.#strays);
  }

  /** OPEN, active: the SYN goes; SYN-SENT. Both ends, route, flow table and `congestion` are there. */
  connect(conn: Connection): void {
    this.#activeOpen.begin(conn);
  }

  /** SEGMENT ARRIVES in SYN-SENT. */
  synSent(conn: Connection, segment: Segment): void {
    this.#synSent.arrives(conn, segment);
  }

  /** OPEN, passive; of who listens already a new backlog. `conn.listener` is it from then on. Ports and flow table are the caller's. @param backlog as the user says. */
  listen(conn: Connection, backlog: number): Listener {
    return this.#listeners.listen(conn, backlog);
  }

  /** SEGMENT ARRIVES in LISTEN. Parked (`SOCK_FLAG.PARKED`): SYNs are dropped in silence. */
  arrives(listener: Listener, segment: Segment): void {
    this.#listeners.arrives(listener, segment);
  }

  /** ICMP says that a SYN-ACK of ours cannot come through (RFC 1122 §4.2.3.9): its request is over. False: there is none with this sequence number (RFC 5927 §4.1). */
  requestFails(key: FlowKey, seq: number): boolean {
    return this.#listeners.fails(key, seq);
  }

  /** `MachineHost.established` of a child (`FLAG.UNACCEPTED`): it waits to be accepted. */
  established(child: Connection): void {
    this.#listeners.established(child);
  }

  /** The next connection to be accepted, with `FLAG.UNACCEPTED` off. Null: there is none. */
  accept(listener: Listener): Connection | null {
    return this.#listeners.accept(listener);
  }

  /** A child of the generation before waits here from now on. False: nobody listens any more, and it is reset. */
  adopt(listener: Listener, child: Connection): boolean {
    return this.#listeners.adopt(listener, child);
  }

  /** It listens no more: its requests and who waits to be accepted are reset. Idempotent. */
  stopListening(listener: Listener): void {
    this.#listeners.stop(listener);
  }

  /** Half open, of all listeners. */
  get requests(): number {
    return this.#listeners.requests;
  }

  /** `MachineHost.timeWait`: what is left of it stands in its place. @returns null: there are too many; it is simply over. */
  timeWait(conn: Connection, state: number, forMs: number): TimeWait | null {
    return this.#timeWaits.enter(conn, state, forMs);
  }

  /** SEGMENT ARRIVES in TIME-WAIT. `sock.ext` is the {@link TimeWait}. */
  timeWaitArrives(sock: SockCommon, segment: Segment): void {
    this.#timeWaitArrives.arrives(sock, segment);
  }

  /** `SockOps.yields` of a TIME-WAIT. */
  yields(sock: SockCommon, young: SockCommon, isChosen: boolean): boolean {
    return this.#timeWaits.yields(sock, young, isChosen);
  }

  /** A TIME-WAIT ends before its time: its module goes, or its user says so. */
  endTimeWait(timeWait: TimeWait): void {
    this.#timeWaits.end(timeWait);
  }

  /** What the next generation derives numbers by. */
  freeze(): Plain {
    return this.#secrets.key;
  }

  /** Before anything is derived. */
  thaw(frozen: Plain): void {
    this.#secrets.key = frozen as unknown as SipKey;
  }

  /** Requests of a listener, as plain data. */
  freezeRequests(listener: Listener): Plain {
    return this.#listeners.freeze(listener);
  }

  thawRequests(listener: Listener, frozen: Plain): void {
    this.#listeners.thaw(listener, frozen);
  }

  /** It goes on in another generation. */
  listenerLeft(listener: Listener): void {
    this.#listeners.left(listener);
  }

  /** A TIME-WAIT goes on here for so long; in the flow table it is already. */
  thawTimeWait(timeWait: TimeWait, forMs: number): void {
    this.#timeWaits.thaw(timeWait, forMs);
  }

  timeWaitLeft(timeWait: TimeWait): void {
    this.#timeWaits.left(timeWait);
  }

  /** A segment that is for nobody (`ProtocolDoor.unmatched`): answered by a reset (RFC 9293 §3.10.7.1). */
  stray(segment: Segment): void {
    this.#strays.arrives(segment);
  }
}

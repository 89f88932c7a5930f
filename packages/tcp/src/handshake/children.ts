import type { Connection } from '../machine/connection.ts';
import { enter, extraOf, FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import type { Segment } from '../machine/segment.ts';
import { TCP_EVENT } from '../machine/state.ts';
import type { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import type { Listener } from './listener.ts';
import { beginSequences, firstReceiveMss } from './opened-connection.ts';
import type { Request } from './request.ts';
import { hasAnswered, localPort, remotePort, retriesOf, SAID } from './request.ts';
import type { RequestTable } from './request-table.ts';
import type { RequestTimes } from './request-times.ts';

const MS_IN_S = 1000;
const MOST_CLAMP = 0x7fffffff;

/** From a request, whose SYN-ACK was acknowledged, to a connection: in SYN-RECEIVED, from which the segment that acknowledges leads on. */
export class Children {
  readonly #host: HandshakeHost;
  readonly #machine: Machine;
  readonly #secrets: FlowSecrets;
  readonly #table: RequestTable;
  readonly #times: RequestTimes;

  constructor(host: HandshakeHost, machine: Machine, secrets: FlowSecrets, table: RequestTable, times: RequestTimes) {
    this.#host = host;
    this.#machine = machine;
    this.#secrets = secrets;
    this.#table = table;
    this.#times = times;
  }

  /**
   * Waits to be accepted from now on, and has the segment. False: nobody has room for it, and the segment is dropped; the request is as it was.
   * @param isKept the request stands in the table; else it was in a cookie.
   */
  open(request: Request, segment: Segment, isKept: boolean): boolean {
    const { counters, reasons } = this.#host;
    const listener = request.listener!;
    const isFull = listener.accepted.count > listener.backlog;
    const child = isFull ? null : this.#host.child(listener, request);
    if (child === null) {
      if (isFull) counters['listen-overflows'].value++;
      counters['listen-drops'].value++;
      segment.fault = reasons[isFull ? 'tcp.backlog' : 'tcp.full'];
      return false;
    }
    this.#fill(child, request);
    const savedSyn = listener.savedSyns?.get(request);
    if (savedSyn !== undefined) extraOf(child).savedSyn = savedSyn;
    if (isKept) {
      this.#times.end(request);
      this.#table.remove(request);
    }
    counters['passive-opens'].value++;
    enter(child, TCP_EVENT.SYN);
    const { accepted } = listener;
    const waiting = accepted.count;
    this.#machine.arrives(child, segment);
    if (accepted.count > waiting) this.#host.wake(listener.conn);
    else this.#host.refuse(child);
    return true;
  }

  /** Its SYN-ACK is acknowledged. Its listener is woken when the machine has done with the segment: a user may close what he accepts. */
  established(child: Connection): void {
    (child.listener as Listener).accepted.push(child);
  }

  #fill(child: Connection, request: Request): void {
    const { said, windows, sizes, iss, irs } = request;
    const { clock } = this.#host;
    child.flags |= FLAG.UNACCEPTED | agreed(said);
    child.listener = request.listener;
    beginSequences(child, iss, irs);
    child.sndNxt = (iss + 1) | 0;
    child.sndWnd = windows >>> 16;
    child.maxWindowBytes = child.sndWnd;
    child.sndWl1 = irs;
    child.sndShift = (said >>> SAID.SND_SHIFT_AT) & 0xf;
    child.rcvShift = (said >>> SAID.RCV_SHIFT_AT) & 0xf;
    child.rcvWnd = windows & 0xffff;
    child.windowSlowStart = child.rcvWnd;
    const userClamp = child.extra?.windowClamp || MOST_CLAMP;
    child.windowClamp = Math.min(this.#host.fullBytes(child), 0xffff * 2 ** child.rcvShift, userClamp);
    if ((said & SAID.TIMESTAMPS) !== 0) {
      child.tsRecent = request.tsRecent;
      child.tsRecentAtS = Math.floor(clock.nowUs / 1e6);
      child.tsOffset = this.#secrets.aim(request, localPort(request), remotePort(request)).tsOffset();
    }
    child.peerMssBytes = sizes >>> 16;
    child.toldMssBytes = sizes & 0xffff;
    this.#host.sizeSegments(child);
    child.rcvMssBytes = firstReceiveMss(child);
    child.timeouts = retriesOf(request);
    this.#measure(child, request);
  }

  /** Its first round trip, if the SYN-ACK went once (Karn's algorithm, RFC 6298 §3) and the request was kept. */
  #measure(child: Connection, request: Request): void {
    if (request.next === null || retriesOf(request) > 0 || hasAnswered(request)) return;
    const rttMs = (this.#host.clock.nowMs - request.atMs + MS_IN_S) | 0;
    child.roundTrip.minUs = this.#host.settings.rtoMinMs * 1000;
    child.roundTrip.sample(Math.max(1, rttMs) * 1000, child.sndUna, child.sndNxt);
  }
}

function agreed(said: number): number {
  return (
    ((said & SAID.TIMESTAMPS) !== 0 ? FLAG.TIMESTAMPS : 0) |
    ((said & SAID.SACK) !== 0 ? FLAG.SACK : 0) |
    ((said & SAID.WINDOW_SCALING) !== 0 ? FLAG.WINDOW_SCALING : 0)
  );
}

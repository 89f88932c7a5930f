import type { FlowKey, Plain } from '@softnet/contract';
import { ADDRESS_FAMILY, SOCK_FLAG } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import type { PlainRecord } from '../machine/plain-fields.ts';
import { fillFields, plainFields } from '../machine/plain-fields.ts';
import type { Segment } from '../machine/segment.ts';
import { COOKIE_MSS_IPV4, COOKIE_MSS_IPV6 } from '../machine/syn-cookie.ts';
import { ArrivedFlow } from './arrived-flow.ts';
import { Children } from './children.ts';
import type { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import { Listener } from './listener.ts';
import { Request, retriesOf } from './request.ts';
import { RequestArrives } from './request-arrives.ts';
import { RequestTable } from './request-table.ts';
import { RequestTimes } from './request-times.ts';
import type { Strays } from './strays.ts';
import { SynAcks } from './syn-acks.ts';
import type { RequestParts } from './syn-arrives.ts';
import { SynArrives } from './syn-arrives.ts';
import { SynCookies } from './syn-cookies.ts';

const { SYN, ACK, RST, FIN } = TCP_FLAG;

/** Passive opens: SEGMENT ARRIVES in LISTEN (RFC 9293 §3.10.7.2), requests, and connections that wait to be accepted. */
export class Listeners {
  readonly #host: HandshakeHost;
  readonly #strays: Strays;
  readonly #parts: RequestParts;
  readonly #flow: ArrivedFlow;
  readonly #children: Children;
  readonly #syns: SynArrives;
  readonly #requests: RequestArrives;
  /** Of whom a cookie told. */
  readonly #told = new Request();

  constructor(host: HandshakeHost, machine: Machine, secrets: FlowSecrets, strays: Strays) {
    this.#host = host;
    this.#strays = strays;
    const table = new RequestTable(secrets);
    const synAcks = new SynAcks(host, secrets);
    const times = new RequestTimes(host, table, synAcks);
    this.#parts = { host, secrets, table, synAcks, times, cookies: new SynCookies(host, secrets, synAcks), strays };
    this.#flow = new ArrivedFlow(host.layers);
    this.#children = new Children(host, machine, secrets, table, times);
    this.#syns = new SynArrives(this.#parts);
    this.#requests = new RequestArrives(this.#parts, this.#children);
  }

  /** Requests of all listeners. */
  get requests(): number {
    return this.#parts.table.count;
  }

  listen(conn: Connection, backlog: number): Listener {
    const known = conn.listener as Listener | null;
    const listener = known?.isOpen ? known : new Listener(conn);
    conn.listener = listener;
    // A negative one is as large as can be, as in Linux.
    listener.backlog = Math.min(backlog >>> 0, this.#host.settings.somaxconn);
    return listener;
  }

  arrives(listener: Listener, segment: Segment): void {
    const flow = this.#flow;
    const { reasons } = this.#host;
    if (segment.skb === null || !flow.read(segment.skb) || !flow.isBetweenTwo(segment.skb)) {
      segment.fault = reasons['tcp.listen'];
      return;
    }
    const request = this.#parts.table.find(flow.key);
    if (request === null || !this.#requests.arrives(request, segment, flow)) this.#listens(listener, segment);
  }

  /** A SYN that may take the place of a TIME-WAIT. `iss`: beyond its numbers. */
  succeeds(listener: Listener, segment: Segment, iss: number): void {
    if (this.#flow.read(segment.skb!)) this.#syns.arrives(listener, segment, this.#flow, iss);
    else segment.fault = this.#host.reasons['tcp.listen'];
  }

  fails(key: FlowKey, seq: number): boolean {
    const { table, times } = this.#parts;
    const request = table.find(key);
    if (request === null || request.iss !== seq) return false;
    times.end(request);
    table.remove(request);
    return true;
  }

  /** First to fourth of RFC 9293 §3.10.7.2: RST, ACK, SYN, anything else. */
  #listens(listener: Listener, segment: Segment): void {
    const { reasons } = this.#host;
    const { flags } = segment;
    const isParked = (listener.conn.sock.flags & SOCK_FLAG.PARKED) !== 0;
    segment.fault = reasons[isParked ? 'tcp.parked' : 'tcp.listen'];
    if ((flags & RST) !== 0 || isParked) return;
    if ((flags & ACK) !== 0) {
      if ((flags & SYN) === 0 && this.#isCookie(listener, segment)) return;
      this.#strays.refuse(segment, this.#flow);
      return;
    }
    if ((flags & (SYN | FIN)) !== SYN) return;
    segment.fault = null;
    this.#syns.arrives(listener, segment, this.#flow, 0);
  }

  /** True: it acknowledges a cookie; `segment.fault` says if nothing came of that. */
  #isCookie(listener: Listener, segment: Segment): boolean {
    const { cookies } = this.#parts;
    const flow = this.#flow;
    const isIpv4 = flow.layer!.family === ADDRESS_FAMILY.INET;
    const mssBytes = cookies.mssOf(listener, segment, flow, isIpv4 ? COOKIE_MSS_IPV4 : COOKIE_MSS_IPV6);
    if (mssBytes === 0) return false;
    const request = this.#told;
    this.#syns.fill(request, listener, segment, flow);
    request.irs = (segment.seq - 1) | 0;
    request.iss = (segment.ack - 1) | 0;
    const scale = cookies.readOptions(request, segment);
    if (scale < 0) return false;
    segment.fault = null;
    if (this.#syns.size(request, mssBytes, scale)) this.#children.open(request, segment, false);
    else segment.fault = this.#host.reasons['tcp.listen'];
    request.listener = null;
    return true;
  }

  established(child: Connection): void {
    this.#children.established(child);
  }

  accept({ accepted }: Listener): Connection | null {
    let conn = accepted.shift();
    // Who was closed by force while he waited is gone.
    while (conn !== null && (conn.sock.flags & SOCK_FLAG.ORPHAN) !== 0) conn = accepted.shift();
    if (conn === null) return null;
    conn.flags &= ~FLAG.UNACCEPTED;
    conn.listener = null;
    return conn;
  }

  adopt(listener: Listener, child: Connection): boolean {
    if (!listener.isOpen) {
      this.#host.refuse(child);
      return false;
    }
    child.listener = listener;
    listener.accepted.push(child);
    return true;
  }

  /** What is half open, as plain data. */
  freeze(listener: Listener): Plain {
    return this.#parts.table.of(listener).map(plainFields);
  }

  /** Their SYN-ACKs are sent again as if they had just gone. */
  thaw(listener: Listener, frozen: Plain): void {
    const { table, times } = this.#parts;
    for (const fields of frozen as readonly PlainRecord[]) {
      const request = table.make();
      fillFields(request, fields);
      request.listener = listener;
      table.add(request);
      if (retriesOf(request) > 0) listener.young--;
      times.begin(request);
    }
  }

  /** It listens in another generation: nobody is told. Who waits to be accepted stays. */
  left(listener: Listener): void {
    const { table, times } = this.#parts;
    listener.isOpen = false;
    for (const request of table.of(listener)) {
      times.end(request);
      table.remove(request);
    }
  }

  stop(listener: Listener): void {
    if (!listener.isOpen) return;
    listener.isOpen = false;
    const { table, times, synAcks } = this.#parts;
    for (const request of table.of(listener)) {
      synAcks.reset(request);
      times.end(request);
      table.remove(request);
    }
    if (listener.conn.listener === listener) listener.conn.listener = null;
    for (let child = this.accept(listener); child !== null; child = this.accept(listener)) this.#host.refuse(child);
  }
}

import { RTO_INITIAL_US, RTO_MAX_US } from '../machine/round-trip.ts';
import { Deadlines } from './deadlines.ts';
import type { HandshakeHost } from './handshake-host.ts';
import { countRetry, Request, retriesOf, SAID } from './request.ts';
import type { RequestTable } from './request-table.ts';
import type { SynAcks } from './syn-acks.ts';

const INITIAL_MS = RTO_INITIAL_US / 1000;
const MAX_MS = RTO_MAX_US / 1000;
const LEAST_BACKLOG = 8;
const LEAST_RETRIES = 2;

/** SYN-ACKs that are sent again: after 1, 2, 4 ... s (RFC 6298 §2.1, §5.5; Linux's `reqsk_timer_handler`), `tcp_synack_retries` times, then the request is over. */
export class RequestTimes {
  readonly #host: HandshakeHost;
  readonly #table: RequestTable;
  readonly #synAcks: SynAcks;
  readonly #deadlines: Deadlines<Request>;

  constructor(host: HandshakeHost, table: RequestTable, synAcks: SynAcks) {
    this.#host = host;
    this.#table = table;
    this.#synAcks = synAcks;
    this.#deadlines = new Deadlines<Request>(
      host,
      'tcp.requests',
      () => new Request(),
      (request) => this.#due(request),
    );
  }

  /** Its SYN-ACK goes, for the first time or because the SYN came again: the time that it waits counts from now. */
  begin(request: Request): void {
    this.#deadlines.add(request, Math.min(INITIAL_MS * 2 ** retriesOf(request), MAX_MS));
  }

  end(request: Request): void {
    this.#deadlines.remove(request);
  }

  #due(request: Request): void {
    const listener = request.listener!;
    const { extra } = listener.conn;
    const deferred = extra === null ? 0 : extra.deferAccept;
    const isAcked = (request.said & SAID.ACKED) !== 0;
    const retries = retriesOf(request);
    const isOver = retries >= this.#mostRetries(request) && (!isAcked || retries >= deferred);
    // Who has acknowledged is waited for in silence; at the end he is asked once more.
    const isAskedAgain = deferred === 0 || !isAcked || retries >= deferred - 1;
    this.#host.counters.timeouts.value++;
    if (isOver || (isAskedAgain && !this.#again(request) && !isAcked)) {
      this.#table.remove(request);
      return;
    }
    if (retries === 0) listener.young--;
    countRetry(request);
    this.begin(request);
  }

  #again(request: Request): boolean {
    if (!this.#synAcks.synAck(request)) return false;
    this.#host.counters.retransmitted.value++;
    return true;
  }

  /** As Linux: half of the room is for the young; where the old take more of it, they have less patience. */
  #mostRetries({ listener }: Request): number {
    const { conn, requests, backlog, young } = listener!;
    let most = conn.extra?.synRetries || this.#host.settings.synackRetries;
    if (requests * 2 <= Math.max(LEAST_BACKLOG, backlog)) return most;
    for (let part = young * 2; most > LEAST_RETRIES && requests >= part; part *= 2) most--;
    return most;
  }
}

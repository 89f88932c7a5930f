import type { Errno, Frozen, NetError, Timer } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { FlowKey, Packet, RouteUse } from '../../exchange/service.ts';
import type { FrozenMachine } from '../machine/frozen-machine.ts';
import type { TalkOutput } from '../machine/output.ts';
import { TalkMachine } from '../machine/talk-machine.ts';
import type { ConnectionBody, ConnectionFace, ListenerFace, TalkConnection } from '../service.ts';
import type { Segment } from '../wire.ts';
import { emitSegment, parseSegment, TALK } from '../wire.ts';
import { endError } from './end-error.ts';
import type { FrozenConnection } from './frozen-connection.ts';
import { Linger } from './linger.ts';
import type { Sitter } from './seat.ts';
import { Seat } from './seat.ts';
import type { TalkHost } from './talk-host.ts';

/** Bytes kept for a user who does not take them. */
const INBOX_BYTES = 16384;

/** The object behind a connection: its machine with seat, way and timer. */
export class Connection extends Held implements ConnectionBody, TalkOutput, Sitter {
  /** The listener that it will come out of, until it has. */
  listener: ListenerFace | null = null;
  readonly #host: TalkHost;
  readonly #machine: TalkMachine;
  readonly #timer: Timer;
  readonly #seat: Seat;
  #route: RouteUse | null = null;
  #face: (ConnectionFace & Partial<TalkConnection>) | null = null;
  #inbox: Uint8Array[] = [];
  #child = -1;
  #error: NetError | undefined;
  #over = false;

  constructor(host: TalkHost, key: FlowKey, state: 'hello-sent' | 'hello-received' | FrozenMachine) {
    super();
    this.#host = host;
    this.#seat = new Seat(host, key, this);
    this.#machine =
      typeof state === 'string'
        ? new TalkMachine(state, host.firstSeq(), this, host.settings)
        : TalkMachine.thawed(state, this, host.settings);
    this.#timer = host.timer((of: Connection) => of.#timeout(), this as Connection, 'talk.connection');
  }

  get state(): string {
    return this.#machine.state;
  }

  get label(): string {
    const { localPort, remote, remotePort } = this.#seat.key;
    return `${localPort} → ${remote}:${remotePort}`;
  }

  attach(face: ConnectionFace): void {
    this.#face = face;
  }

  /** Takes its place in the flow table and says its first word. Held already. @throws NetError; then it is released. */
  begin(place: string): void {
    try {
      this.#seat.take(place);
      this.rerouted();
    } catch (error) {
      this.#over = true;
      this.#seat.release();
      this.#host.connections.release(this);
      throw error;
    }
    this.#machine.greet(this.#host.nowUs);
    this.#settle();
  }

  /** It was asked for by a HELLO that came to this listener. */
  beginAsChild(listener: ListenerFace, port: number, peerSeq: number): void {
    this.listener = listener;
    this.#child = port;
    listener.expecting(1);
    this.#machine.expected = (peerSeq + 1) | 0;
    this.begin('talk.child');
  }

  send(bytes: Uint8Array): number {
    const taken = this.#machine.send(bytes, this.#host.nowUs);
    this.#settle();
    return taken;
  }

  close(): void {
    this.#machine.close(this.#host.nowUs);
    this.#settle();
  }

  reset(): void {
    this.kill(undefined);
  }

  /** The peer is told, the user hears why. */
  kill(why: NetError | undefined): void {
    this.#error ??= why;
    this.#machine.reset(undefined);
    this.#settle();
  }

  resume(): void {
    while (this.#inbox.length > 0 && this.#face?.data(this.#inbox[0]!) === true) this.#inbox.shift();
  }

  receive(packet: Packet): void {
    const segment = parseSegment(packet.payload);
    if (segment === undefined) {
      this.#host.drops.garbage.count++;
      return;
    }
    this.#host.counters.segmentsIn.value++;
    this.#machine.input(segment, this.#host.nowUs);
    this.#settle();
  }

  /** Its way, of the present generation of the exchange. */
  rerouted(): void {
    // After a hand-over of the exchange the old way has ended already.
    if (this.#route?.holdNext) this.#route.release();
    this.#route = this.#host.exchange.current.route(this.#seat.key.remote, this);
  }

  // What the machine wants done.

  emit(segment: Segment): void {
    if (this.#route === null) return;
    this.#host.counters.segmentsOut.value++;
    const { localPort, remotePort } = this.#seat.key;
    this.#route.output({ protocol: TALK, fromPort: localPort, toPort: remotePort, payload: emitSegment(segment) });
  }

  deliver(bytes: Uint8Array): boolean {
    if (this.#inbox.length === 0 && this.#face?.data(bytes) === true) return true;
    const waiting = this.#inbox.reduce((sum, { length }) => sum + length, bytes.length);
    if (waiting > INBOX_BYTES) {
      this.#host.drops.inboxFull.count++;
      return false;
    }
    this.#inbox.push(bytes.slice());
    return true;
  }

  opened(): void {
    this.#host.counters.opened.value++;
    this.#face?.answered();
    this.#comeOut(true);
  }

  writable(): void {
    this.#face?.writable();
  }

  peerDone(): void {
    this.#face?.end();
  }

  finished(error: Errno | undefined): void {
    if (error !== undefined) this.#error ??= endError(error, this.label);
  }

  // Hand-over.

  freeze(): Frozen {
    const data: FrozenConnection = {
      key: this.#seat.frozenKey(),
      machine: this.#machine.frozen(),
      inbox: this.#inbox,
      child: this.listener === null ? -1 : this.#child,
    };
    return { version: 1, data };
  }

  static thaw(host: TalkHost, { version, data }: Frozen): Connection {
    if (version !== 1) throw new TypeError(`a connection of layout ${version}; this build knows 1`);
    const frozen = data as unknown as FrozenConnection;
    const connection = new Connection(host, frozen.key, frozen.machine);
    connection.#inbox = [...frozen.inbox];
    connection.#child = frozen.child;
    return connection;
  }

  /** Held in this generation: takes the place of its double. Its face attaches in a moment. */
  takePlace(): void {
    this.#seat.takeOver();
    this.rerouted();
    if (this.#child >= 0) this.listener = this.#host.doors.get(this.#child)?.face ?? null;
    this.#armTimer();
  }

  left(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#seat.leave();
  }

  #timeout(): void {
    const before = this.#machine.retransmits;
    this.#machine.onTimeout(this.#host.nowUs);
    this.#host.counters.retransmits.value += this.#machine.retransmits - before;
    this.#settle();
  }

  /** After each call of the machine. */
  #settle(): void {
    if (this.#over) return;
    if (this.#machine.state === 'closed') this.#end();
    else if (this.#machine.state === 'lingering') this.#linger();
    else this.#armTimer();
  }

  #armTimer(): void {
    const { nextTimeoutUs } = this.#machine;
    if (nextTimeoutUs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else if (!this.#timer.armed || this.#timer.whenUs !== nextTimeoutUs) this.#timer.armAt(nextTimeoutUs);
  }

  /** Its user is done; what is left is a small object in its place. */
  #linger(): void {
    const { next, expected } = this.#machine;
    this.#over = true;
    this.#timer.cancel();
    this.#face?.over(this.#error);
    const linger = new Linger(this.#host, this.#seat, next, expected);
    this.#host.lingers.succeed(linger, this, 'talk.linger');
    linger.begin();
  }

  #end(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#seat.release();
    this.#host.connections.release(this);
    this.#face?.over(this.#error);
    this.#comeOut(false);
  }

  /** Out of its listener: open, or not at all. */
  #comeOut(open: boolean): void {
    const { listener } = this;
    this.listener = null;
    listener?.expecting(-1);
    if (open && listener !== null) listener.incoming(this.#face as unknown as TalkConnection);
    else if (open && this.#child >= 0) this.reset();
  }
}

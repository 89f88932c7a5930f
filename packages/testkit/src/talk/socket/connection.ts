import type { Errno, Frozen, Notice, Owner, Timer } from '@softnet/contract';
import { Held, NetError } from '@softnet/contract';
import type { Flow, FlowKey, Packet, Receiver, RouteUse } from '../../exchange/service.ts';
import type { FrozenMachine } from '../machine/frozen-machine.ts';
import type { TalkOutput } from '../machine/talk-machine.ts';
import { TalkMachine } from '../machine/talk-machine.ts';
import type { ConnectionBody, ConnectionFace, ListenerFace, TalkConnection } from '../service.ts';
import type { Segment } from '../wire.ts';
import { emitSegment, parseSegment, TALK } from '../wire.ts';
import { Linger } from './linger.ts';
import type { TalkHost } from './talk-host.ts';

/** Bytes kept for a user who does not take them. */
const INBOX_BYTES = 16384;

/** Layout 1. */
type FrozenConnection = {
  readonly key: { readonly [K in keyof FlowKey]: number };
  readonly machine: FrozenMachine;
  readonly inbox: readonly Uint8Array[];
  /** Port of the listener that it will come out of; -1: of none, or out already. */
  readonly child: number;
};

/** The object behind a connection: its machine with flow, way and timer. It owns its flow, and follows it. */
export class Connection extends Held implements ConnectionBody, TalkOutput, Receiver, Owner {
  readonly name = 'talk';
  readonly owner: number;
  /** The listener that it will come out of, until it has. */
  listener: ListenerFace | null = null;
  readonly #host: TalkHost;
  readonly #machine: TalkMachine;
  readonly #timer: Timer;
  #key: FlowKey;
  #flow: Flow | null = null;
  #route: RouteUse | null = null;
  #face: (ConnectionFace & Partial<TalkConnection>) | null = null;
  #inbox: Uint8Array[] = [];
  #child = -1;
  #error: NetError | undefined;
  #over = false;

  constructor(host: TalkHost, key: FlowKey, state: 'hello-sent' | 'hello-received' | FrozenMachine) {
    super();
    this.#host = host;
    this.owner = host.owner;
    this.#key = key;
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
    return `${this.#key.localPort} → ${this.#key.remote}:${this.#key.remotePort}`;
  }

  attach(face: ConnectionFace): void {
    this.#face = face;
  }

  /** Takes its place in the flow table and says its first word. Held already. @throws NetError; then it is released. */
  begin(place: string): void {
    try {
      this.#flow = this.#host.exchange.current.claim(this.#key, this, this, place);
      this.#key = { ...this.#key, localPort: this.#flow.localPort };
      this.#route = this.#host.exchange.current.route(this.#key.remote, this);
    } catch (error) {
      this.#over = true;
      this.#flow?.release();
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

  /** The proper close by force: the peer is told, the user hears why. */
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

  /** Of its flow: it moved to the next generation of the exchange, or was closed there. */
  notice({ sort, object, error }: Notice): void {
    if (this.#over) return;
    if (sort === 'closed') {
      this.#flow = null;
      this.kill(error);
    } else if (sort === 'moved') {
      this.#flow = object as Flow;
      this.#flow.attach(this);
      this.#route?.release();
      this.#route = this.#host.exchange.current.route(this.#key.remote, this);
    }
  }

  // What the machine wants done.

  emit(segment: Segment): void {
    if (this.#route === null) return;
    this.#host.counters.segmentsOut.value++;
    const { localPort, remotePort } = this.#key;
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
    this.#face?.opened();
    this.#comeOut(true);
  }

  writable(): void {
    this.#face?.writable();
  }

  peerDone(): void {
    this.#face?.end();
  }

  finished(error: Errno | undefined): void {
    if (error !== undefined) this.#error ??= new NetError(error, `talk ${this.label}: ${SENTENCES[error] ?? 'failed'}`, { module: 'talk' });
  }

  // Hand-over.

  freeze(): Frozen {
    const { protocol, localPort, remote, remotePort } = this.#key;
    const data: FrozenConnection = {
      key: { protocol, localPort, remote, remotePort },
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
    this.#flow = this.#host.exchange.current.reclaim(this.#key, this, this, 'talk.settle');
    this.#route = this.#host.exchange.current.route(this.#key.remote, this);
    if (this.#child >= 0) this.listener = this.#host.doors.get(this.#child)?.face ?? null;
    this.#armTimer();
  }

  left(): void {
    this.#over = true;
    this.#timer.cancel();
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

  /** Its user is done; what is left is a small object. While the module leaves there are no new ones: it stays itself. */
  #linger(): void {
    this.#face?.over(this.#error);
    if (!this.#host.lingers.open) {
      this.#armTimer();
      return;
    }
    const { next, expected } = this.#machine;
    const linger = new Linger(this.#host, this.#key, next, expected);
    this.#host.lingers.hold(linger, linger, 'talk.linger');
    this.#over = true;
    this.#timer.cancel();
    linger.takePlace();
    this.#host.connections.release(this);
  }

  #end(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#flow?.release();
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

const SENTENCES: Readonly<Partial<Record<Errno, string>>> = Object.freeze({
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer gave it up',
  ETIMEDOUT: 'the peer does not answer',
});

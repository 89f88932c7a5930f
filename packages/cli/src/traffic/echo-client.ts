import type { Clock, Counter, Port, Random, Timer } from '@softnet/contract';
import type { Talk, TalkConnection } from '@softnet/testkit';
import { pattern, patternByte } from '@softnet/testkit';

/** What clients share. */
export interface ClientHome {
  readonly talk: Port<Talk>;
  readonly clock: Clock;
  readonly random: Random;
  /** Address and port of the server. */
  readonly server: { readonly address: number; readonly port: number };
  readonly counters: Readonly<Record<'opened' | 'refused' | 'completed' | 'failed' | 'sent' | 'checked' | 'wrong', Counter>>;
  /** How long a connection is used, ms, on average. */
  lifetimeMs(): number;
  timer(fire: (client: EchoClient) => void, client: EchoClient): Timer;
}

const STEP_US = 20_000;
const PAUSE_US = 150_000;
const CHUNK = 1024;
/** Bytes under way: sent and not come back. */
const WINDOW = 4096;

/** Opens a connection, has bytes echoed for a while, checks each, closes; and again. */
export class EchoClient {
  readonly name: string;
  readonly #home: ClientHome;
  /** Of its pattern of bytes. */
  readonly #seed: number;
  readonly #timer: Timer;
  #connection: TalkConnection | undefined;
  #untilUs = 0;
  #sent = 0;
  #checked = 0;
  #stopped = false;

  constructor(home: ClientHome, index: number) {
    this.name = `client ${index + 1}`;
    this.#home = home;
    this.#seed = index;
    this.#timer = home.timer((client) => client.#step(), this);
  }

  start(): void {
    this.#stopped = false;
    this.#timer.arm(this.#home.random.below(PAUSE_US));
  }

  /** Ends what it has, properly. */
  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
    this.#connection?.close();
  }

  #step(): void {
    if (this.#connection === undefined) this.#open();
    else this.#use(this.#connection);
    this.#timer.arm(this.#connection === undefined ? PAUSE_US : STEP_US);
  }

  #open(): void {
    const { talk, server, clock, random, counters } = this.#home;
    let connection: TalkConnection;
    try {
      connection = talk.current.connect(server.address, server.port, { owner: this.name });
    } catch {
      counters.refused.value++;
      return;
    }
    const lifetimeMs = this.#home.lifetimeMs();
    this.#connection = connection;
    this.#untilUs = clock.nowUs + 1000 * (lifetimeMs / 2 + random.below(lifetimeMs));
    this.#sent = 0;
    this.#checked = 0;
    connection.onData = (bytes) => this.#check(bytes);
    void connection.opened.then(
      () => counters.opened.value++,
      () => counters.refused.value++,
    );
    void connection.closed.then((error) => this.#closed(connection, error !== undefined));
  }

  #use(connection: TalkConnection): void {
    if (connection.state !== 'open') return;
    const { clock, counters } = this.#home;
    if (clock.nowUs >= this.#untilUs) {
      if (this.#checked === this.#sent) connection.close();
      return;
    }
    const room = WINDOW - (this.#sent - this.#checked);
    if (room < CHUNK) return;
    const taken = connection.send(pattern(this.#seed, this.#sent, CHUNK));
    this.#sent += taken;
    counters.sent.value += taken;
  }

  #check(bytes: Uint8Array): void {
    const { checked, wrong } = this.#home.counters;
    for (const byte of bytes) if (byte !== patternByte(this.#seed, this.#checked++)) wrong.value++;
    checked.value += bytes.length;
  }

  #closed(connection: TalkConnection, failed: boolean): void {
    if (this.#connection !== connection) return;
    const { counters } = this.#home;
    this.#connection = undefined;
    if (failed) counters.failed.value++;
    else if (this.#checked === this.#sent) counters.completed.value++;
    if (!this.#stopped) this.#timer.arm(PAUSE_US);
  }
}

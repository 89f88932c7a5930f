import type { Clock, Counter, CurrentOwner, Notice, Owner, Port, Random, SockCommon, Sockets, Timer } from '@softnet/contract';
import { ERRNO, Message, SOCK_TYPE } from '@softnet/contract';
import { parseAddress } from '@softnet/wire';
import type { EchoStyle } from './echo-style.ts';
import { chooseLength, countWrong, MOST_BYTES, readSequence, writePayload } from './payload.ts';

/** What programs of one style count. */
export type EchoCounters = Readonly<Record<'sent' | 'answered' | 'lost' | 'late' | 'wrong' | 'refused' | 'failed', Counter>>;

/** What programs share. */
export interface EchoHome {
  readonly sockets: Port<Sockets>;
  readonly clock: Clock;
  readonly random: Random;
  readonly current: CurrentOwner;
  /** How long a socket is used, ms, on average. */
  lifetimeMs(): number;
  /** How long one is used on when its module leaves, ms. */
  lingerMs(): number;
  /** From an answer to the next request, ms. */
  intervalMs(): number;
  timer(fire: (client: EchoClient) => void, client: EchoClient): Timer;
}

/** After a refusal, and between two sockets. */
const PAUSE_US = 200_000;
const PATIENCE_US = 600_000;

/**
 * A program: opens a socket, has bytes of all sizes sent back for a while, one datagram after another, checks each, closes; and again.
 * Told that what it uses leaves, it comes to an end, and opens anew as soon as it is let in.
 */
export class EchoClient implements Owner {
  readonly name: string;
  readonly style: EchoStyle;
  readonly #home: EchoHome;
  readonly #counters: EchoCounters;
  readonly #address: string;
  readonly #timer: Timer;
  readonly #message = new Message();
  readonly #out = new Uint8Array(MOST_BYTES + 8);
  readonly #in = new Uint8Array(MOST_BYTES + 8);
  #sock: SockCommon | null = null;
  #sequence = 0;
  /** The request that is under way, by its sequence number; -1: none. */
  #waitsFor = -1;
  #lenBytes = 0;
  /** Kernel time, µs: no further request is made, the one under way counts as lost, the next may be made. */
  #untilUs = 0;
  #lostAtUs = 0;
  #nextAtUs = 0;

  constructor(home: EchoHome, style: EchoStyle, counters: EchoCounters, address: string, index: number) {
    this.name = `${style.program} ${index + 1}`;
    this.style = style;
    this.#home = home;
    this.#counters = counters;
    this.#address = address;
    this.#timer = home.timer((client) => client.#step(), this);
  }

  start(): void {
    this.#timer.arm(this.#home.random.below(PAUSE_US));
  }

  /** Ends at once. */
  stop(): void {
    this.#timer.cancel();
    this.#close();
  }

  notice({ sort, object }: Notice): void {
    if (sort === 'leaving') this.#untilUs = Math.min(this.#untilUs, this.#home.clock.nowUs + this.#home.lingerMs() * 1000);
    if (sort === 'moved') this.#use(object as SockCommon);
    if (sort === 'closed') this.#forget();
  }

  /** One turn: opens, reads what has come, sends, or closes; then waits for the next. */
  #step(): void {
    const sock = this.#sock ?? this.#open();
    if (sock === null) {
      this.#timer.arm(PAUSE_US);
      return;
    }
    const { nowUs } = this.#home.clock;
    this.#read(sock);
    if (this.#waitsFor >= 0 && nowUs >= this.#lostAtUs) {
      this.#counters.lost.value++;
      this.#waitsFor = -1;
    }
    if (this.#waitsFor < 0 && nowUs >= this.#untilUs) {
      this.#close();
      this.#timer.arm(PAUSE_US);
      return;
    }
    if (this.#waitsFor < 0 && nowUs >= this.#nextAtUs) this.#send(sock, nowUs);
    this.#timer.armAt(this.#waitsFor < 0 ? this.#nextAtUs : this.#lostAtUs);
  }

  /** Null: not now. */
  #open(): SockCommon | null {
    const { sockets, clock, random } = this.#home;
    let sock: SockCommon;
    try {
      sock = sockets.current.open(this.style.family, SOCK_TYPE.DGRAM, this.style.protocol, this);
    } catch {
      // Its module is away, or leaving: it is tried again.
      this.#counters.refused.value++;
      return null;
    }
    const lifetimeUs = this.#home.lifetimeMs() * 1000;
    this.#untilUs = clock.nowUs + lifetimeUs / 2 + random.below(lifetimeUs);
    this.#nextAtUs = clock.nowUs;
    this.#use(sock);
    if (this.#connect(sock) >= 0) return sock;
    this.#counters.refused.value++;
    this.#close();
    return null;
  }

  #use(sock: SockCommon): void {
    this.#sock = sock;
    this.#waitsFor = -1;
    sock.wake = () => this.#timer.arm(0);
    this.#timer.arm(0);
  }

  /** 0, or -errno. */
  #connect(sock: SockCommon): number {
    const found = parseAddress(this.#address);
    if (found === null) return -1;
    const { address } = this.#message;
    address.family = this.style.family;
    [address.address0, address.address1, address.address2, address.address3] = found.words;
    address.port = this.style.port;
    const before = this.#enter(sock);
    const result = sock.ops.calls!.connect(sock, address);
    this.#home.current.id = before;
    return result;
  }

  /** The next request. */
  #send(sock: SockCommon, nowUs: number): void {
    const { headerBytes, types } = this.style;
    const lenBytes = chooseLength(this.#home.random);
    const sequence = this.#sequence++ >>> 0;
    this.#out.fill(0, 0, headerBytes);
    if (types !== undefined) this.#out[0] = types.request;
    writePayload(this.#out, headerBytes, headerBytes + lenBytes, sequence);
    this.#nextAtUs = nowUs + this.#home.intervalMs() * 1000;
    const message = this.#message;
    message.data = this.#out.subarray(0, headerBytes + lenBytes);
    message.flags = 0;
    message.hasAddress = false;
    const before = this.#enter(sock);
    const result = sock.ops.calls!.send(sock, message);
    this.#home.current.id = before;
    if (result < 0) {
      this.#counters.failed.value++;
      return;
    }
    this.#counters.sent.value++;
    this.#waitsFor = sequence;
    this.#lenBytes = lenBytes;
    this.#lostAtUs = nowUs + PATIENCE_US;
  }

  /** All that has come. */
  #read(sock: SockCommon): void {
    const message = this.#message;
    for (;;) {
      message.data = this.#in;
      message.flags = 0;
      const before = this.#enter(sock);
      const length = sock.ops.calls!.receive(sock, message);
      this.#home.current.id = before;
      if (length === -ERRNO.EAGAIN) return;
      if (length >= 0) this.#take(length);
      else this.#refused();
    }
  }

  /** An ICMP error came in place of an answer. */
  #refused(): void {
    this.#counters.failed.value++;
    this.#waitsFor = -1;
  }

  #take(length: number): void {
    const { headerBytes, types } = this.style;
    if (types !== undefined && this.#in[0] !== types.reply) return;
    const sequence = readSequence(this.#in, headerBytes, length);
    if (sequence !== this.#waitsFor) {
      // The answer to one that was given up, or a duplicate.
      this.#counters.late.value++;
      return;
    }
    const wrong = length === headerBytes + this.#lenBytes ? countWrong(this.#in, headerBytes, length, sequence) : 1;
    this.#waitsFor = -1;
    this.#counters[wrong === 0 ? 'answered' : 'wrong'].value++;
  }

  /** The calls below are of the socket's module. Returns who runs now. */
  #enter(sock: SockCommon): number {
    const before = this.#home.current.id;
    this.#home.current.id = sock.holdKind?.owner ?? before;
    return before;
  }

  #close(): void {
    const sock = this.#sock;
    this.#forget();
    if (sock === null) return;
    sock.wake = null;
    const before = this.#enter(sock);
    sock.ops.calls!.close(sock);
    this.#home.current.id = before;
  }

  #forget(): void {
    this.#sock = null;
    this.#waitsFor = -1;
  }
}

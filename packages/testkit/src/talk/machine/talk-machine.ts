import type { Errno } from '@softnet/contract';
import type { Segment } from '../wire.ts';
import { ACK, BYE, bare, HELLO, MAX_PAYLOAD, RESET } from '../wire.ts';
import { ByteRing } from './byte-ring.ts';
import type { FrozenMachine } from './frozen-machine.ts';
import type { TalkOutput, TalkSettings } from './output.ts';
import type { TalkEvent, TalkState } from './states.ts';
import { CLOSING, NEXT, RECEIVING, SENDING } from './states.ts';

const MAX_RTO_FACTOR = 16;
/** Bytes that a connection keeps for sending, sent but not acknowledged or not yet sent. */
const OUTBOX_BYTES = 16384;

/**
 * The protocol of one connection, without I/O, clock or timers: sequence numbers, acknowledgements, go-back-N, handshakes.
 * After each call, the caller looks at `nextTimeoutUs`.
 */
export class TalkMachine {
  state: TalkState;
  /** When `onTimeout` is due, µs of kernel time; Infinity: not. */
  nextTimeoutUs = Number.POSITIVE_INFINITY;
  retransmits = 0;
  /** First number that is not acknowledged; the outbox begins there (after a HELLO that is not). */
  una: number;
  /** The next number to send. */
  next: number;
  /** The next number that we expect. */
  expected = 0;
  tries = 0;
  readonly outbox = new ByteRing(OUTBOX_BYTES);
  readonly #out: TalkOutput;
  readonly #settings: TalkSettings;
  /** Somebody found the outbox full. */
  #wanting = false;

  constructor(state: TalkState, firstSeq: number, out: TalkOutput, settings: TalkSettings) {
    this.state = state;
    this.una = firstSeq | 0;
    this.next = firstSeq | 0;
    this.#out = out;
    this.#settings = settings;
  }

  /** The machine that was frozen. It is silent until it is called. */
  static thawed(frozen: FrozenMachine, out: TalkOutput, settings: TalkSettings): TalkMachine {
    const machine = new TalkMachine(frozen.state as TalkState, frozen.una, out, settings);
    machine.next = frozen.next;
    machine.expected = frozen.expected;
    machine.tries = frozen.tries;
    machine.nextTimeoutUs = frozen.timeoutUs < 0 ? Number.POSITIVE_INFINITY : frozen.timeoutUs;
    machine.outbox.push(frozen.outbox);
    machine.#wanting = frozen.wanting;
    return machine;
  }

  frozen(): FrozenMachine {
    return {
      state: this.state,
      una: this.una,
      next: this.next,
      expected: this.expected,
      tries: this.tries,
      timeoutUs: Number.isFinite(this.nextTimeoutUs) ? this.nextTimeoutUs : -1,
      outbox: this.outbox.copy(0, this.outbox.length),
      wanting: this.#wanting,
    };
  }

  get greeting(): boolean {
    return this.state === 'hello-sent' || this.state === 'hello-received';
  }

  /** Says the first word, or answers the peer's (whose next number is `expected`). */
  greet(nowUs: number): void {
    this.#say(this.state === 'hello-sent' ? HELLO : HELLO | ACK, this.una);
    this.next = (this.una + 1) | 0;
    this.#expectAnswer(nowUs);
  }

  send(bytes: Uint8Array, nowUs: number): number {
    const taken = this.outbox.push(bytes);
    if (taken < bytes.length) this.#wanting = true;
    this.#output(nowUs, false);
    return taken;
  }

  close(nowUs: number): void {
    this.#to('close', undefined);
    this.#output(nowUs, false);
  }

  /** Over at once; tells the peer. */
  reset(error: Errno | undefined): void {
    if (this.state === 'closed') return;
    this.#say(RESET | ACK, this.next);
    this.#to('ended', error);
  }

  input(segment: Segment, nowUs: number): void {
    if ((segment.flags & RESET) !== 0) this.#reset(segment);
    else if ((segment.flags & HELLO) !== 0) this.#hello(segment, nowUs);
    else if (this.state !== 'hello-sent') this.#established(segment, nowUs);
  }

  onTimeout(nowUs: number): void {
    this.nextTimeoutUs = Number.POSITIVE_INFINITY;
    if (this.state === 'lingering') {
      this.#to('ended', undefined);
      return;
    }
    if (++this.tries > this.#settings.retries) {
      this.reset('ETIMEDOUT');
      return;
    }
    this.retransmits++;
    if (this.greeting) {
      this.greet(nowUs);
      return;
    }
    this.next = this.una;
    this.#output(nowUs, false);
  }

  #reset({ seq, ack }: Segment): void {
    if (this.state === 'hello-sent') {
      if (ack === this.next) this.#to('ended', 'ECONNREFUSED');
    } else if (seq === this.expected) {
      // A HELLO-RECEIVED that is refused, and a lingering one, end without an error of anybody's.
      this.#to('ended', this.state === 'lingering' ? undefined : 'ECONNRESET');
    }
  }

  #hello({ flags, seq, ack }: Segment, nowUs: number): void {
    if (this.state === 'hello-received') {
      this.greet(nowUs);
    } else if (this.state !== 'hello-sent') {
      this.#say(ACK, this.next);
    } else if (flags === (HELLO | ACK) && ack === this.next) {
      this.expected = (seq + 1) | 0;
      this.una = ack;
      this.#settle();
      this.#to('answered', undefined);
      this.#say(ACK, this.next);
      this.#out.opened();
      this.#output(nowUs, false);
    }
  }

  #established(segment: Segment, nowUs: number): void {
    this.#takeAck(segment.ack, nowUs);
    if (this.state === 'closed' || this.greeting) return;
    const answer = this.#takeData(segment);
    if ((this.state as TalkState) === 'closed') return;
    if (this.state === 'lingering') this.nextTimeoutUs = nowUs + this.#settings.lingerUs;
    this.#output(nowUs, answer);
  }

  #takeAck(ack: number, nowUs: number): void {
    const acked = (ack - this.una) | 0;
    if (this.state === 'hello-received') {
      if (acked !== 1) return;
      this.una = ack;
      this.#settle();
      this.#to('confirmed', undefined);
      this.#out.opened();
      return;
    }
    // It is there, though it may have no room.
    if (acked === 0) this.tries = 0;
    const bye = CLOSING.includes(this.state) ? 1 : 0;
    if (acked <= 0 || acked > this.outbox.length + bye) return;
    const all = acked === this.outbox.length + bye;
    const bytes = Math.min(acked, this.outbox.length);
    this.outbox.drop(bytes);
    this.una = ack;
    if (((this.next - ack) | 0) < 0) this.next = ack;
    this.#settle();
    if (!all) this.#expectAnswer(nowUs);
    else if (bye === 1) this.#to('bye-acked', undefined);
    if (bytes > 0 && this.#wanting) {
      this.#wanting = false;
      this.#out.writable();
    }
  }

  /** True when the peer must hear what we expect next. */
  #takeData({ flags, seq, payload }: Segment): boolean {
    const bye = (flags & BYE) !== 0;
    if (payload.length === 0 && !bye) return false;
    if (seq !== this.expected || !RECEIVING.includes(this.state)) return true;
    if (payload.length > 0 && !this.#out.deliver(payload)) return true;
    this.expected = (this.expected + payload.length + (bye ? 1 : 0)) | 0;
    if (bye) {
      this.#to('bye', undefined);
      this.#out.peerDone();
    }
    return true;
  }

  /** Sends what may be sent; a bare acknowledgement if `answer` and there was nothing. */
  #output(nowUs: number, answer: boolean): void {
    let said = false;
    while (SENDING.includes(this.state)) {
      const offset = (this.next - this.una) | 0;
      const count = Math.min(MAX_PAYLOAD, this.#settings.windowBytes - offset, this.outbox.length - offset);
      if (count <= 0) break;
      this.#emit(ACK, this.next, this.outbox.copy(offset, count));
      this.next = (this.next + count) | 0;
      said = true;
    }
    // A BYE takes the number after all data.
    if (CLOSING.includes(this.state) && this.next === ((this.una + this.outbox.length) | 0)) {
      this.#say(ACK | BYE, this.next);
      this.next = (this.next + 1) | 0;
      said = true;
    }
    if (said) this.#expectAnswer(nowUs);
    else if (answer) this.#say(ACK, this.next);
  }

  #say(flags: number, seq: number): void {
    this.#out.emit(bare(flags, seq, this.expected));
  }

  #emit(flags: number, seq: number, payload: Uint8Array): void {
    this.#out.emit({ flags, seq, ack: this.expected, payload });
  }

  #expectAnswer(nowUs: number): void {
    if (this.nextTimeoutUs !== Number.POSITIVE_INFINITY) return;
    this.nextTimeoutUs = nowUs + this.#settings.rtoUs * Math.min(2 ** this.tries, MAX_RTO_FACTOR);
  }

  /** The peer is heard: the clock of retransmission begins anew. */
  #settle(): void {
    this.tries = 0;
    this.nextTimeoutUs = Number.POSITIVE_INFINITY;
  }

  /** The one place that changes the state. */
  #to(event: TalkEvent, error: Errno | undefined): void {
    const state = NEXT[this.state][event];
    if (state === undefined) return;
    this.state = state;
    if (state !== 'lingering' && state !== 'closed') return;
    this.nextTimeoutUs = Number.POSITIVE_INFINITY;
    this.#out.finished(error);
  }
}

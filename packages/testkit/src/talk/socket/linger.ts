import type { Frozen, Timer } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { FlowKey, Packet } from '../../exchange/service.ts';
import { ACK, bare, emitSegment, parseSegment, RESET, TALK } from '../wire.ts';
import type { Sitter } from './seat.ts';
import { Seat } from './seat.ts';
import type { TalkHost } from './talk-host.ts';

/** Layout 1. */
type FrozenLinger = {
  readonly key: { readonly [K in keyof FlowKey]: number };
  readonly seq: number;
  readonly ack: number;
  readonly untilUs: number;
};

/**
 * What is left of a connection whose peer may not know yet that all is said (TCP's TIME-WAIT): it answers the last BYE
 * again, for a while. It serves the peer, and holds nothing up.
 */
export class Linger extends Held implements Sitter {
  readonly #host: TalkHost;
  readonly #seat: Seat;
  readonly #seq: number;
  readonly #ack: number;
  readonly #timer: Timer;
  #untilUs: number;

  constructor(host: TalkHost, seat: Seat | FlowKey, seq: number, ack: number, untilUs = host.nowUs + host.settings.lingerUs) {
    super();
    this.#host = host;
    this.#seat = seat instanceof Seat ? seat : new Seat(host, seat, this);
    this.#seat.sitter = this;
    this.#seq = seq;
    this.#ack = ack;
    this.#untilUs = untilUs;
    this.#timer = host.timer((of: Linger) => of.end(), this as Linger, 'talk.linger');
  }

  get label(): string {
    const { localPort, remote, remotePort } = this.#seat.key;
    return `${localPort} → ${remote}:${remotePort} lingering`;
  }

  begin(): void {
    this.#timer.armAt(this.#untilUs);
  }

  receive({ payload }: Packet): void {
    const segment = parseSegment(payload);
    if (segment === undefined) {
      this.#host.drops.garbage.count++;
    } else if ((segment.flags & RESET) !== 0) {
      if (segment.seq === this.#ack) this.end();
    } else if (segment.flags !== ACK || segment.payload.length > 0) {
      this.#untilUs = this.#host.nowUs + this.#host.settings.lingerUs;
      this.#timer.armAt(this.#untilUs);
      const { localPort: fromPort, remote, remotePort: toPort } = this.#seat.key;
      const answer = emitSegment(bare(ACK, this.#seq, this.#ack));
      this.#host.exchange.current.send(remote, { protocol: TALK, fromPort, toPort, payload: answer });
    }
  }

  /** It keeps no way. */
  rerouted(): void {}

  kill(): void {
    this.end();
  }

  end(): void {
    this.#timer.cancel();
    this.#seat.release();
    this.#host.lingers.release(this);
  }

  freeze(): Frozen {
    const data: FrozenLinger = { key: this.#seat.frozenKey(), seq: this.#seq, ack: this.#ack, untilUs: this.#untilUs };
    return { version: 1, data };
  }

  static thaw(host: TalkHost, { version, data }: Frozen): Linger {
    if (version !== 1) throw new TypeError(`a linger of layout ${version}; this build knows 1`);
    const { key, seq, ack, untilUs } = data as unknown as FrozenLinger;
    return new Linger(host, key, seq, ack, untilUs);
  }

  /** Held in this generation: takes the place of its double. */
  takePlace(): void {
    this.#seat.takeOver();
    this.begin();
  }

  left(): void {
    this.#timer.cancel();
    this.#seat.leave();
  }
}

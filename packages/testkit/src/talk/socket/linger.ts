import type { Frozen, Notice, Owner, Timer } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { Flow, FlowKey, Packet, Receiver } from '../../exchange/service.ts';
import { ACK, emitSegment, NOTHING, parseSegment, RESET, TALK } from '../wire.ts';
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
export class Linger extends Held implements Receiver, Owner {
  readonly name = 'talk';
  readonly owner: number;
  readonly #host: TalkHost;
  readonly #key: FlowKey;
  readonly #seq: number;
  readonly #ack: number;
  readonly #timer: Timer;
  #flow: Flow | null = null;
  #untilUs: number;

  constructor(host: TalkHost, key: FlowKey, seq: number, ack: number, untilUs = host.nowUs + host.settings.lingerUs) {
    super();
    this.#host = host;
    this.owner = host.owner;
    this.#key = key;
    this.#seq = seq;
    this.#ack = ack;
    this.#untilUs = untilUs;
    this.#timer = host.timer((of: Linger) => of.end(), this as Linger, 'talk.linger');
  }

  get label(): string {
    return `${this.#key.localPort} → ${this.#key.remote}:${this.#key.remotePort} (lingering)`;
  }

  /** In the flow table, from the connection that it was or from its double in the last generation. */
  takePlace(): void {
    this.#flow = this.#host.exchange.current.reclaim(this.#key, this, this, 'talk.linger');
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
      const { localPort: fromPort, remote, remotePort: toPort } = this.#key;
      const answer = emitSegment({ flags: ACK, seq: this.#seq, ack: this.#ack, payload: NOTHING });
      this.#host.exchange.current.send(remote, { protocol: TALK, fromPort, toPort, payload: answer });
    }
  }

  notice({ sort, object }: Notice): void {
    // Of its flow, and of itself: it is its own owner.
    if (object === this) return;
    if (sort === 'closed') {
      this.#flow = null;
      this.end();
    } else if (sort === 'moved' && object.holdKind?.kind === 'flow') {
      this.#flow = object as Flow;
      this.#flow.attach(this);
    }
  }

  end(): void {
    this.#timer.cancel();
    this.#flow?.release();
    this.#flow = null;
    if (this.holdNext !== null) this.#host.lingers.release(this);
  }

  freeze(): Frozen {
    const { protocol, localPort, remote, remotePort } = this.#key;
    const key = { protocol, localPort, remote, remotePort };
    const data: FrozenLinger = { key, seq: this.#seq, ack: this.#ack, untilUs: this.#untilUs };
    return { version: 1, data };
  }

  static thaw(host: TalkHost, { version, data }: Frozen): Linger {
    if (version !== 1) throw new TypeError(`a linger of layout ${version}; this build knows 1`);
    const { key, seq, ack, untilUs } = data as unknown as FrozenLinger;
    return new Linger(host, key, seq, ack, untilUs);
  }

  left(): void {
    this.#timer.cancel();
    this.#flow = null;
  }
}

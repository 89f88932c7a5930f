import type { NetError, Notice, Owner } from '@softnet/contract';
import type { Flow, FlowKey, Packet, Receiver } from '../../exchange/service.ts';
import type { TalkHost } from './talk-host.ts';

/** Who sits in a seat. */
export interface Sitter {
  receive(packet: Packet): void;
  /** The exchange has a new generation: its ways are to be asked for again. */
  rerouted(): void;
  /** The exchange closed the flow. */
  kill(why: NetError | undefined): void;
}

/**
 * A place in the exchange's flow table. Who sits there may change (a connection leaves its seat to its linger); the seat
 * owns the flow, and follows it to the next generation of the exchange.
 */
export class Seat implements Owner, Receiver {
  readonly name = 'talk';
  readonly owner: number;
  sitter: Sitter;
  key: FlowKey;
  readonly #host: TalkHost;
  #flow: Flow | null = null;

  constructor(host: TalkHost, key: FlowKey, sitter: Sitter) {
    this.#host = host;
    this.owner = host.owner;
    this.key = key;
    this.sitter = sitter;
  }

  /** @throws NetError EADDRINUSE, EADDRNOTAVAIL. */
  take(place: string): void {
    this.#flow = this.#host.exchange.current.claim(this.key, this, this, place);
    this.key = { ...this.key, localPort: this.#flow.localPort };
  }

  /** From its double in the last generation of talk. */
  takeOver(): void {
    this.#flow = this.#host.exchange.current.reclaim(this.key, this, this, 'talk.settle');
  }

  /** The next generation has it: the flow is not ours any more. */
  leave(): void {
    this.#flow = null;
  }

  release(): void {
    this.#flow?.release();
    this.#flow = null;
  }

  receive(packet: Packet): void {
    this.sitter.receive(packet);
  }

  notice({ sort, object, error }: Notice): void {
    if (this.#flow === null) return;
    if (sort === 'moved') {
      this.#flow = object as Flow;
      this.#flow.attach(this);
      this.sitter.rerouted();
    } else if (sort === 'closed') {
      this.#flow = null;
      this.sitter.kill(error);
    }
  }

  /** The key as plain data. */
  frozenKey(): { readonly [K in keyof FlowKey]: number } {
    const { protocol, localPort, remote, remotePort } = this.key;
    return { protocol, localPort, remote, remotePort };
  }
}

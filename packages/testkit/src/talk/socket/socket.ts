import type { Frozen, NetError, Notice, Owner } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { Flow, Packet, Receiver } from '../../exchange/service.ts';
import type { SocketBody, SocketFace } from '../service.ts';
import { emitSegment, MESSAGE, parseSegment, TALK } from '../wire.ts';
import type { TalkHost } from './talk-host.ts';

/** The object behind an unconnected socket: its flow takes messages from anybody. */
export class Socket extends Held implements SocketBody, Receiver, Owner {
  readonly name = 'talk';
  readonly owner: number;
  readonly #host: TalkHost;
  #port: number;
  #flow: Flow | null = null;
  #face: SocketFace | null = null;

  constructor(host: TalkHost, port: number) {
    super();
    this.#host = host;
    this.owner = host.owner;
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  attach(face: SocketFace): void {
    this.#face = face;
  }

  /** Held already. @throws NetError EADDRINUSE, EADDRNOTAVAIL; then it is released. */
  begin(): void {
    try {
      this.#flow = this.#host.exchange.current.claim(this.#key(), this, this, 'talk.socket');
      this.#port = this.#flow.localPort;
    } catch (error) {
      this.#host.sockets.release(this);
      throw error;
    }
  }

  send(address: number, port: number, bytes: Uint8Array): boolean {
    this.#host.counters.segmentsOut.value++;
    const payload = emitSegment({ flags: MESSAGE, seq: 0, ack: 0, payload: bytes });
    return this.#host.exchange.current.send(address, { protocol: TALK, fromPort: this.#port, toPort: port, payload });
  }

  receive({ from, fromPort, payload }: Packet): void {
    const segment = parseSegment(payload);
    if (segment === undefined || segment.flags !== MESSAGE) {
      this.#host.drops.garbage.count++;
      return;
    }
    this.#host.counters.segmentsIn.value++;
    this.#face?.message(from, fromPort, segment.payload.slice());
  }

  close(): void {
    this.end(undefined);
  }

  end(why: NetError | undefined): void {
    this.#flow?.release();
    this.#flow = null;
    this.#host.sockets.release(this);
    this.#face?.over(why);
  }

  notice({ sort, object, error }: Notice): void {
    if (this.#flow === null) return;
    if (sort === 'moved') {
      this.#flow = object as Flow;
      this.#flow.attach(this);
    } else if (sort === 'closed') {
      this.#flow = null;
      this.end(error);
    }
  }

  freeze(): Frozen {
    return { version: 1, data: { port: this.#port } };
  }

  static thaw(host: TalkHost, { version, data }: Frozen): Socket {
    if (version !== 1) throw new TypeError(`a socket of layout ${version}; this build knows 1`);
    return new Socket(host, (data as { port: number }).port);
  }

  takePlace(): void {
    this.#flow = this.#host.exchange.current.reclaim(this.#key(), this, this, 'talk.settle');
  }

  left(): void {
    this.#flow = null;
  }

  #key(): { protocol: number; localPort: number; remote: number; remotePort: number } {
    return { protocol: TALK, localPort: this.#port, remote: 0, remotePort: 0 };
  }
}

import type { Frozen, NetError } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { Packet } from '../../exchange/service.ts';
import type { SocketBody, SocketFace } from '../service.ts';
import { emitSegment, MESSAGE, parseSegment, TALK } from '../wire.ts';
import type { Sitter } from './seat.ts';
import { Seat } from './seat.ts';
import type { TalkHost } from './talk-host.ts';

/** The object behind an unconnected socket: its flow takes messages from anybody. */
export class Socket extends Held implements SocketBody, Sitter {
  readonly #host: TalkHost;
  readonly #seat: Seat;
  #face: SocketFace | null = null;

  constructor(host: TalkHost, port: number) {
    super();
    this.#host = host;
    this.#seat = new Seat(host, { protocol: TALK, localPort: port, remote: 0, remotePort: 0 }, this);
  }

  get port(): number {
    return this.#seat.key.localPort;
  }

  attach(face: SocketFace): void {
    this.#face = face;
  }

  /** Held already. @throws NetError EADDRINUSE, EADDRNOTAVAIL; then it is released. */
  begin(): void {
    try {
      this.#seat.take('talk.socket');
    } catch (error) {
      this.#host.sockets.release(this);
      throw error;
    }
  }

  send(address: number, port: number, bytes: Uint8Array): boolean {
    this.#host.counters.segmentsOut.value++;
    const payload = emitSegment({ flags: MESSAGE, seq: 0, ack: 0, payload: bytes });
    return this.#host.exchange.current.send(address, { protocol: TALK, fromPort: this.port, toPort: port, payload });
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
    this.#seat.release();
    this.#host.sockets.release(this);
    this.#face?.over(why);
  }

  /** It keeps no way. */
  rerouted(): void {}

  kill(why: NetError | undefined): void {
    this.end(why);
  }

  freeze(): Frozen {
    return { version: 1, data: { port: this.port } };
  }

  static thaw(host: TalkHost, { version, data }: Frozen): Socket {
    if (version !== 1) throw new TypeError(`a socket of layout ${version}; this build knows 1`);
    return new Socket(host, (data as { port: number }).port);
  }

  takePlace(): void {
    this.#seat.takeOver();
  }

  left(): void {
    this.#seat.leave();
  }
}

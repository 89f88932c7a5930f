import { Held } from '@softnet/contract';
import type { BoundPort, Flow, FlowKey, Receiver, RouteUse } from './service.ts';
import type { PacketHeader } from './wire.ts';

/** An entry of the flow table. */
export class FlowEntry extends Held implements Flow {
  readonly protocol: number;
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
  /** Null from a hand-over until its owner attaches again. */
  receiver: Receiver | null = null;
  readonly #released: (flow: FlowEntry) => void;

  constructor(key: FlowKey, released: (flow: FlowEntry) => void) {
    super();
    this.protocol = key.protocol;
    this.localPort = key.localPort;
    this.remote = key.remote;
    this.remotePort = key.remotePort;
    this.#released = released;
  }

  attach(receiver: Receiver): void {
    this.receiver = receiver;
  }

  release(): void {
    this.#released(this);
  }
}

/** A port that somebody has. */
export class PortEntry extends Held implements BoundPort {
  readonly protocol: number;
  readonly port: number;
  readonly #released: (port: PortEntry) => void;

  constructor(protocol: number, port: number, released: (port: PortEntry) => void) {
    super();
    this.protocol = protocol;
    this.port = port;
    this.#released = released;
  }

  release(): void {
    this.#released(this);
  }
}

/** A cached way to an address. */
export class Route extends Held implements RouteUse {
  readonly remote: number;
  readonly #send: (remote: number, header: PacketHeader) => boolean;
  readonly #released: (route: Route) => void;

  constructor(remote: number, send: (remote: number, header: PacketHeader) => boolean, released: (route: Route) => void) {
    super();
    this.remote = remote;
    this.#send = send;
    this.#released = released;
  }

  output(header: PacketHeader): boolean {
    return this.#send(this.remote, header);
  }

  release(): void {
    this.#released(this);
  }
}

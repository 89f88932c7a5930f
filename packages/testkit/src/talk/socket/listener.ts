import type { Frozen, NetError, Notice, Owner } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { BoundPort, Packet } from '../../exchange/service.ts';
import type { ListenerBody, ListenerFace } from '../service.ts';
import type { Segment } from '../wire.ts';
import { TALK } from '../wire.ts';
import { Connection } from './connection.ts';
import { ConnectionHandle } from './connection-handle.ts';
import type { TalkHost } from './talk-host.ts';

/** The object behind a listener: it has the port, and makes connections of the HELLOs that come. */
export class Listener extends Held implements ListenerBody, Owner {
  readonly name = 'talk';
  readonly port: number;
  readonly backlog: number;
  face: ListenerFace | null = null;
  readonly #host: TalkHost;
  #bound: BoundPort | null = null;

  constructor(host: TalkHost, port: number, backlog: number) {
    super();
    this.#host = host;
    this.port = port;
    this.backlog = backlog;
  }

  attach(face: ListenerFace): void {
    this.face = face;
  }

  /** Gets its port. @throws NetError EADDRINUSE. */
  begin(bound: BoundPort): void {
    this.#bound = bound;
    this.#host.doors.set(this.port, this);
  }

  hello({ from, fromPort }: Packet, { seq }: Segment): void {
    const { face } = this;
    const { drops, connections } = this.#host;
    if (face === null) return;
    if (face.waiting >= this.backlog) {
      drops.backlogFull.count++;
      return;
    }
    const key = { protocol: TALK, localPort: this.port, remote: from, remotePort: fromPort };
    const child = new Connection(this.#host, key, 'hello-received');
    const handle = new ConnectionHandle(child, this.holdOwner?.name ?? 'talk');
    connections.hold(child, handle, 'talk.child');
    child.beginAsChild(face, this.port, seq);
  }

  close(): void {
    this.end(undefined);
  }

  end(why: NetError | undefined): void {
    this.#bound?.release();
    this.#bound = null;
    if (this.#host.doors.get(this.port) === this) this.#host.doors.delete(this.port);
    this.#host.listeners.release(this);
    this.face?.over(why);
  }

  /** Of its port: it moved to the next generation of the exchange, or was closed there. */
  notice({ sort, object, error }: Notice): void {
    if (this.#bound === null) return;
    if (sort === 'moved') this.#bound = object as BoundPort;
    if (sort !== 'closed') return;
    this.#bound = null;
    this.end(error);
  }

  freeze(): Frozen {
    return { version: 1, data: { port: this.port, backlog: this.backlog } };
  }

  static thaw(host: TalkHost, { version, data }: Frozen): Listener {
    if (version !== 1) throw new TypeError(`a listener of layout ${version}; this build knows 1`);
    const { port, backlog } = data as { port: number; backlog: number };
    return new Listener(host, port, backlog);
  }

  takePlace(): void {
    this.begin(this.#host.exchange.current.rebind(TALK, this.port, this));
  }

  left(): void {
    this.#bound = null;
  }
}

import type { Notice, Owner } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { SocketBody, SocketFace, TalkNotice, TalkSocket } from '../service.ts';
import { MAX_PAYLOAD } from '../wire.ts';

/** An unconnected socket as its user sees it. */
export class SocketHandle implements TalkSocket, SocketFace, Owner {
  readonly name: string;
  readonly closed: Promise<NetError | undefined>;
  onNotice: ((notice: TalkNotice) => void) | null = null;
  onMessage: TalkSocket['onMessage'] = null;
  #body: SocketBody;
  #over = false;
  #resolveClosed!: (error: NetError | undefined) => void;

  constructor(body: SocketBody, name: string) {
    this.name = name;
    this.#body = body;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    body.attach(this);
  }

  get port(): number {
    return this.#body.port;
  }

  send(address: number, port: number, bytes: Uint8Array): boolean {
    if (this.#over) throw new NetError('ENOTCONN', `send on socket ${this.port}, which is over: make another`, { syscall: 'send' });
    if (bytes.length > MAX_PAYLOAD) throw new NetError('EMSGSIZE', `a message has up to ${MAX_PAYLOAD} bytes, got ${bytes.length}`);
    return this.#body.send(address, port, bytes);
  }

  close(): void {
    if (!this.#over) this.#body.close();
  }

  notice({ sort, object, error }: Notice): void {
    // What took its place is no longer the user's.
    if (sort === 'moved' ? this.#over : object !== this.#body) return;
    if (sort === 'moved') {
      this.#body = object as SocketBody;
      this.#body.attach(this);
    } else if (sort === 'closed') {
      this.over(error);
    }
    this.onNotice?.(sort);
  }

  message(from: number, port: number, bytes: Uint8Array): void {
    try {
      this.onMessage?.({ from, port, bytes });
    } catch {
      // The user's own trouble; the message is gone.
    }
  }

  over(error: NetError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#resolveClosed(error);
  }
}

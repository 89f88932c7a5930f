import type { Notice, Owner } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { ListenerBody, ListenerFace, TalkConnection, TalkListener, TalkNotice } from '../service.ts';

interface Waiter {
  readonly resolve: (connection: TalkConnection) => void;
  readonly reject: (error: NetError) => void;
}

/** A listener as its user sees it. It has the queue of those not accepted, so that they survive with it. */
export class ListenerHandle implements TalkListener, ListenerFace, Owner {
  readonly name: string;
  readonly closed: Promise<NetError | undefined>;
  onNotice: ((notice: TalkNotice) => void) | null = null;
  #onConnection: ((connection: TalkConnection) => void) | null = null;
  #body: ListenerBody;
  #queue: TalkConnection[] = [];
  #waiters: Waiter[] = [];
  #expected = 0;
  #over = false;
  #resolveClosed!: (error: NetError | undefined) => void;

  constructor(body: ListenerBody, name: string) {
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

  get waiting(): number {
    return this.#expected + this.#queue.length;
  }

  get onConnection(): ((connection: TalkConnection) => void) | null {
    return this.#onConnection;
  }

  set onConnection(take: ((connection: TalkConnection) => void) | null) {
    this.#onConnection = take;
    if (take !== null) for (const connection of this.#queue.splice(0)) this.incoming(connection);
  }

  accept(): Promise<TalkConnection> {
    const next = this.#queue.shift();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#over) return Promise.reject(this.#refusal(undefined));
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  close(): void {
    if (!this.#over) this.#body.close();
  }

  notice({ sort, object, error }: Notice): void {
    // What took its place is no longer the user's.
    if (sort === 'moved' ? this.#over : object !== this.#body) return;
    if (sort === 'moved') {
      this.#body = object as ListenerBody;
      this.#body.attach(this);
    } else if (sort === 'closed') {
      this.over(error);
    }
    this.onNotice?.(sort);
  }

  expecting(change: number): void {
    this.#expected += change;
  }

  incoming(connection: TalkConnection): void {
    const waiter = this.#waiters.shift();
    if (this.#over) connection.reset();
    else if (waiter !== undefined) waiter.resolve(connection);
    else if (this.#onConnection === null) this.#queue.push(connection);
    else this.#give(this.#onConnection, connection);
  }

  over(error: NetError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    for (const connection of this.#queue.splice(0)) connection.reset();
    for (const { reject } of this.#waiters.splice(0)) reject(this.#refusal(error));
    this.#resolveClosed(error);
  }

  #give(take: (connection: TalkConnection) => void, connection: TalkConnection): void {
    try {
      take(connection);
    } catch {
      // The user's own trouble: it has no owner now.
      connection.reset();
    }
  }

  #refusal(cause: NetError | undefined): NetError {
    return cause ?? new NetError('ECONNABORTED', `the listener on port ${this.port} is closed`, { syscall: 'accept' });
  }
}

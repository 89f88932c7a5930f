import type { Notice, Owner } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { ConnectionBody, ConnectionFace, TalkConnection, TalkNotice } from '../service.ts';

/**
 * A connection as its user sees it. It is the owner of the object behind it, and follows that to the next generation.
 * What the user's own callbacks throw ends the connection; it never reaches the packet path.
 */
export class ConnectionHandle implements TalkConnection, ConnectionFace, Owner {
  readonly name: string;
  readonly opened: Promise<void>;
  readonly closed: Promise<NetError | undefined>;
  onNotice: ((notice: TalkNotice) => void) | null = null;
  onWritable: (() => void) | null = null;
  onEnd: (() => void) | null = null;
  #onData: ((bytes: Uint8Array) => void) | null = null;
  #body: ConnectionBody;
  #closing = false;
  #over = false;
  #failure: NetError | undefined;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: NetError) => void;
  #resolveClosed!: (error: NetError | undefined) => void;

  constructor(body: ConnectionBody, name: string) {
    this.name = name;
    this.#body = body;
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    // Whoever does not ask whether it opened hears of it by `closed`.
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    body.attach(this);
  }

  get state(): string {
    return this.#over ? 'closed' : this.#body.state;
  }

  get label(): string {
    return this.#body.label;
  }

  get onData(): ((bytes: Uint8Array) => void) | null {
    return this.#onData;
  }

  set onData(take: ((bytes: Uint8Array) => void) | null) {
    this.#onData = take;
    if (take !== null && !this.#over) this.#body.resume();
  }

  send(bytes: Uint8Array): number {
    if (this.#over) throw new NetError('ENOTCONN', `send on ${this.label}, which is over: connect again`, { syscall: 'send' });
    if (this.#closing) throw new NetError('EPIPE', `send on ${this.label} after its close: send first`, { syscall: 'send' });
    return this.#body.send(bytes);
  }

  close(): void {
    if (this.#over || this.#closing) return;
    this.#closing = true;
    this.#body.close();
  }

  reset(): void {
    if (!this.#over) this.#body.reset();
  }

  notice({ sort, object, error }: Notice): void {
    // What took its place is no longer the user's.
    if (sort === 'moved' ? this.#over : object !== this.#body) return;
    if (sort === 'moved') {
      this.#body = object as ConnectionBody;
      this.#body.attach(this);
    } else if (sort === 'closed') {
      this.over(error);
    }
    this.#call(() => this.onNotice?.(sort));
  }

  answered(): void {
    this.#resolveOpened();
  }

  data(bytes: Uint8Array): boolean {
    const take = this.#onData;
    if (take === null) return false;
    this.#call(() => take(bytes));
    return true;
  }

  writable(): void {
    this.#call(() => this.onWritable?.());
  }

  end(): void {
    this.#call(() => this.onEnd?.());
  }

  over(error: NetError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const why = this.#failure ?? error;
    this.#rejectOpened(why ?? new NetError('ECONNABORTED', `${this.label} was closed before it opened`));
    this.#resolveClosed(why);
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (cause) {
      this.#failure ??= new NetError('ECONNABORTED', `the user of ${this.label} threw in a callback: ${String(cause)}`, { cause });
      this.reset();
    }
  }
}

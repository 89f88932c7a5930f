import type { Notice, Owner } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { ConnectionBody, ConnectionFace, TalkConnection, TalkNotice } from '../service.ts';

/**
 * A connection as its user sees it. It is the owner of the object behind it, and follows that to the next generation.
 * What the user's own callbacks throw ends the connection; it never reaches the packet path.
 */
export class ConnectionHandle implements TalkConnection, ConnectionFace, Owner {
  readonly name: string;
  readonly opened$: Promise<void>;
  readonly closed: Promise<NetError | undefined>;
  onNotice: ((notice: TalkNotice) => void) | null = null;
  onWritable: (() => void) | null = null;
  onEnd: (() => void) | null = null;
  #onData: ((bytes: Uint8Array) => void) | null = null;
  #body: ConnectionBody;
  #over = false;
  #closing = false;
  #failure: NetError | undefined;
  #resolveOpened: () => void = () => undefined;
  #rejectOpened: (error: NetError) => void = () => undefined;
  #resolveClosed: (error: NetError | undefined) => void = () => undefined;

  constructor(body: ConnectionBody, name: string) {
    this.name = name;
    this.#body = body;
    this.opened$ = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    // Whoever does not ask whether it opened hears of it by `closed`.
    this.opened$.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    body.attach(this);
  }
}

import type { Held, NetError } from '@softnet/contract';
import { defineService } from '@softnet/contract';

/** For whom an object is made; shown in lists of holders. Default 'user'. */
export interface TalkOptions {
  readonly owner?: string;
}

/** The door of talk: everything here lets somebody new in. */
export interface Talk {
  /** @throws NetError EADDRINUSE, EINVAL. */
  listen(port: number, options?: TalkOptions & { readonly backlog?: number }): TalkListener;
  /** @throws NetError EADDRNOTAVAIL, EINVAL; what the peer says comes by `opened`. */
  connect(address: number, port: number, options?: TalkOptions): TalkConnection;
  /** An unconnected socket. `port` 0 (default): a free one. @throws NetError EADDRINUSE, EADDRNOTAVAIL, EINVAL. */
  socket(port?: number, options?: TalkOptions): TalkSocket;
}
export const Talk = defineService<Talk>({ name: 'Talk', version: '1.0.0', errno: 'EPROTONOSUPPORT' });

/** What a user hears about the module: it leaves, it stays after all, a new generation has the object, it is over. */
export type TalkNotice = 'leaving' | 'back' | 'moved' | 'closed';

/** What every face has. */
interface Face {
  /** For whom it is, as in lists of holders. */
  readonly name: string;
  /** Resolves when it is over: with what ended it, or undefined after a proper close. Never rejects. */
  readonly closed: Promise<NetError | undefined>;
  onNotice: ((notice: TalkNotice) => void) | null;
  close(): void;
}

/** A connection, as its user sees it. It survives a replace of the module. */
export interface TalkConnection extends Face {
  readonly state: string;
  /** '49152 → 2:80', for people. */
  readonly label: string;
  /** Resolves when the peer has answered; rejects with a NetError (ECONNREFUSED, ETIMEDOUT, ...). */
  readonly opened: Promise<void>;
  /** Takes what arrived, in order. Bytes that come before it is set wait, within bounds. */
  onData: ((bytes: Uint8Array) => void) | null;
  /** There is room again after `send` took less than it was given. */
  onWritable: (() => void) | null;
  /** The peer will send no more. */
  onEnd: (() => void) | null;
  /** Takes as many of the bytes as there is room for, and says how many. @throws NetError EPIPE after close, ENOTCONN when over. */
  send(bytes: Uint8Array): number;
  /** At once, without asking the peer. */
  reset(): void;
}

/** A listener, as its user sees it. */
export interface TalkListener extends Face {
  readonly port: number;
  /** Takes each new connection; those that came before it was set first. */
  onConnection: ((connection: TalkConnection) => void) | null;
  /** The next connection. Rejects with a NetError when the listener closes. */
  accept(): Promise<TalkConnection>;
}

/** An unconnected socket, as its user sees it. */
export interface TalkSocket extends Face {
  readonly port: number;
  onMessage: ((message: { readonly from: number; readonly port: number; readonly bytes: Uint8Array }) => void) | null;
  /** False: dropped. @throws NetError EMSGSIZE, ENOTCONN when over. */
  send(address: number, port: number, bytes: Uint8Array): boolean;
}

// Between a face and the object behind it, which may be of another version of the module than the face.

/** The object behind a connection. */
export interface ConnectionBody extends Held {
  readonly state: string;
  readonly label: string;
  attach(face: ConnectionFace): void;
  send(bytes: Uint8Array): number;
  /** The face takes data now: those that wait are given to it. */
  resume(): void;
  close(): void;
  reset(): void;
}

/** What the object says to its face. */
export interface ConnectionFace {
  /** The peer has answered: it is open. */
  answered(): void;
  /** False: not taken, keep them. */
  data(bytes: Uint8Array): boolean;
  writable(): void;
  end(): void;
  /** It is over. */
  over(error: NetError | undefined): void;
}

/** The object behind a listener. */
export interface ListenerBody extends Held {
  readonly port: number;
  attach(face: ListenerFace): void;
  close(): void;
}

export interface ListenerFace {
  /** Connections that came or are about to, and were not accepted. */
  readonly waiting: number;
  /** So many more (or fewer) are about to come. */
  expecting(change: number): void;
  incoming(connection: TalkConnection): void;
  over(error: NetError | undefined): void;
}

/** The object behind a socket. */
export interface SocketBody extends Held {
  readonly port: number;
  attach(face: SocketFace): void;
  send(address: number, port: number, bytes: Uint8Array): boolean;
  close(): void;
}

export interface SocketFace {
  message(from: number, port: number, bytes: Uint8Array): void;
  over(error: NetError | undefined): void;
}

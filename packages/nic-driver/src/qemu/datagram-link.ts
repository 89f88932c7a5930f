import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DatagramAddress, Endpoint } from './endpoint.ts';
import { connectError } from './endpoint.ts';

/** Longest datagram of UDP over IPv4. */
export const MAX_DATAGRAM_BYTES = 65_507;
/** Datagrams that wait for their device's turn, at most. */
const MOST_WAITING = 1024;
/** Room that the host is asked for, for datagrams that wait to be read. It may give less. */
const RECEIVE_BYTES = 1 << 20;
const LOOPBACK = '127.0.0.1';

/** Who works a link: told by the event loop, outside of any batch. */
export interface DatagramUser {
  /** A datagram of the peer waits in `came`. */
  came(): void;
  /** One is lost, as too many wait. */
  full(): void;
  /** The host has said that nobody is there, or something worse. */
  refused(error: Error): void;
  /** The socket is closed, by nobody's wish. */
  lost(): void;
}

/** A UDP socket that hears one peer only. It outlives the generation of the module that made it. */
export class DatagramLink {
  readonly sort = 'datagram';
  readonly endpoint: Endpoint;
  user: DatagramUser | null = null;
  /** Datagrams that have come, oldest first. They are the user's to take. */
  readonly came: Uint8Array[] = [];
  #socket: Socket | null = null;

  /** @param endpoint checked, with `local` and `remote`. */
  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  get open(): boolean {
    return this.#socket !== null;
  }

  /** The port that it has, where the host chose one. */
  get port(): number | undefined {
    return this.#socket?.address().port;
  }

  /** @throws NetError what the host says, in a sentence. */
  async begin(): Promise<void> {
    const { local, remote } = this.endpoint as { readonly local: DatagramAddress; readonly remote: DatagramAddress };
    const address = local.address ?? LOOPBACK;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port: local.port, address, exclusive: true }, () => {
          // So the host lets nobody else in, and looks no name up for each frame.
          socket.connect(remote.port, remote.address ?? LOOPBACK, (error?: Error) => {
            socket.removeListener('error', reject);
            if (error) reject(error);
            else resolve();
          });
        });
      });
    } catch (error) {
      socket.close();
      throw connectError(this.endpoint, error);
    }
    this.#watch(socket);
  }

  /**
   * Sends `lenBytes` of `bytes` from `from` on. @param done called once, when the host has this one and all before it; null: nobody asks.
   */
  send(bytes: Uint8Array, from: number, lenBytes: number, done: ((error: Error | null) => void) | null): void {
    if (this.#socket === null) done?.(null);
    else if (done === null) this.#socket.send(bytes, from, lenBytes);
    else this.#socket.send(bytes, from, lenBytes, done);
  }

  /** For good. Idempotent. */
  close(): void {
    const socket = this.#socket;
    this.user = null;
    this.#socket = null;
    socket?.close();
  }

  #take(bytes: Uint8Array): void {
    if (this.came.length === MOST_WAITING) {
      this.user?.full();
      return;
    }
    this.came.push(bytes);
    this.user?.came();
  }

  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.on('message', (bytes) => this.#take(bytes));
    socket.on('error', (error) => this.user?.refused(error));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.user?.lost();
    });
    try {
      socket.setRecvBufferSize(RECEIVE_BYTES);
    } catch {
      // What the host gives by itself has to do.
    }
  }
}

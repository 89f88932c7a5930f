import { Buffer } from 'node:buffer';
import type { Server } from 'node:net';
import { connect, createServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint } from './endpoint.ts';
import { connectError } from './endpoint.ts';
import { Incoming } from './incoming.ts';
import type { ByteWriter } from './outgoing.ts';

/** Read from a socket at once, at most. */
const CHUNK_BYTES = 65_536;

/** Who works a link: told by the event loop, outside of any batch. */
export interface LinkUser {
  peerCame(): void;
  /** There is a chunk in `incoming`. No more comes until `resume`. */
  data(): void;
  /** Less waits to be sent than the stream's limit. */
  drained(): void;
  /** The peer is gone. @param why the host's error, or null: it ended. */
  lost(why: Error | null): void;
}

/**
 * A stream to a peer: one that was connected to, one that was accepted, or one that was handed in. It outlives the generation of the
 * module that made it. Reading is paused whenever a chunk has come.
 */
export class StreamLink implements ByteWriter {
  readonly sort = 'stream';
  readonly endpoint: Endpoint;
  user: LinkUser | null = null;
  /** What the present peer sent, or the last one. */
  incoming: Incoming = new Incoming();
  /** Clients that were sent away, as one is there. */
  refusedClients = 0;
  #stream: Duplex | null = null;
  /** The stream has ended; it is in the way of the next until the user drops it. */
  #ended = false;
  #connecting: Socket | null = null;
  /** A client that came before the last one was dropped. */
  #next: Socket | null = null;
  #server: Server | null = null;
  #closed = false;

  /** @param endpoint checked. */
  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  /** An attempt to connect is under way. */
  get connecting(): boolean {
    return this.#connecting !== null;
  }

  get connected(): boolean {
    return this.#stream !== null && !this.#ended;
  }

  /** The peer is gone, and not dropped yet. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes that the stream has, and the host not yet. */
  get waitingBytes(): number {
    return this.connected ? this.#stream!.writableLength : 0;
  }

  /** The port that it listens at, where the host chose one. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** Listens, takes the stream, or connects once. @throws NetError what the host says, in a sentence. */
  async begin(): Promise<void> {
    const { stream, listen } = this.endpoint;
    try {
      if (stream !== undefined) this.#adopt(stream);
      else if (listen === true) await this.#listen();
      else await this.connect();
    } catch (error) {
      this.close();
      throw connectError(this.endpoint, error);
    }
  }

  /** Connects. Rejects with what the host says; the user is told of success only. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { path, port, host } = this.endpoint;
      const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      let socket: Socket | null = null;
      // One buffer for all that comes: it is read before the next is let in.
      const onread = {
        buffer,
        callback: (lenBytes: number) => {
          if (socket !== null && socket === this.#stream) this.#came(buffer, lenBytes);
          return false;
        },
      };
      socket = connect(path === undefined ? { port: port!, host: host ?? '127.0.0.1', onread } : { path, onread });
      this.#connecting = socket;
      const failed = (error: Error) => {
        if (this.#connecting === socket) this.#connecting = null;
        reject(error);
      };
      socket.once('error', failed);
      socket.once('close', () => failed(new Error('the attempt was given up')));
      socket.once('connect', () => {
        if (this.#closed) socket.destroy();
        else this.#watch(socket);
        resolve();
        this.user?.peerCame();
      });
    });
  }

  write(bytes: Uint8Array, done: () => void): boolean {
    if (this.#stream === null || this.#ended) {
      done();
      return true;
    }
    // Streams within the process hand the bytes themselves on, and say at once that they are done with them.
    const kept = this.#stream instanceof Socket ? bytes : new Uint8Array(bytes);
    // A stream says false also of what the host took at once.
    return this.#stream.write(kept, done) || this.#stream.writableLength === 0;
  }

  /** The chunk is read: more may come. */
  resume(): void {
    if (this.connected) this.#stream?.resume();
  }

  /** Lets go of the peer; the user is not told. One that listens takes the next. */
  drop(): void {
    const stream = this.#stream;
    const next = this.#next;
    this.#stream = null;
    this.#next = null;
    this.#ended = false;
    stream?.destroy();
    if (this.#closed || next?.destroyed === true) next?.destroy();
    else if (next !== null) this.#accepted(next);
  }

  /** For good: nothing of it is left. Idempotent. */
  close(): void {
    this.#closed = true;
    this.user = null;
    this.drop();
    this.#connecting?.destroy();
    this.#connecting = null;
    this.#server?.close();
    this.#server = null;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { path, port, host } = this.endpoint;
      const server = createServer((socket) => this.#accepted(socket));
      this.#server = server;
      server.once('error', reject);
      const listening = () => {
        server.removeListener('error', reject);
        // Of accept(2): out of descriptors, for one. It goes on.
        server.on('error', () => {});
        resolve();
      };
      if (path === undefined) server.listen(port, host ?? '127.0.0.1', listening);
      else server.listen(path, listening);
    });
  }

  #accepted(socket: Socket): void {
    socket.on('error', () => {});
    if (this.connected || this.#next !== null || this.#closed) {
      this.refusedClients++;
      socket.destroy();
      return;
    }
    if (this.#ended) {
      this.#next = socket;
      return;
    }
    this.#adopt(socket);
    this.user?.peerCame();
  }

  /** A stream whose chunks come as events. */
  #adopt(stream: Duplex): void {
    this.#watch(stream);
    stream.on('data', (chunk: unknown) => {
      if (stream !== this.#stream) return;
      stream.pause();
      if (!(chunk instanceof Uint8Array)) {
        stream.destroy(new TypeError('the stream gives strings or objects, not bytes'));
        return;
      }
      this.#came(chunk, chunk.length);
    });
    stream.pause();
  }

  #came(chunk: Uint8Array, lenBytes: number): void {
    this.incoming.take(chunk, lenBytes);
    this.user?.data();
  }

  #watch(stream: Duplex): void {
    this.#stream = stream;
    this.#ended = false;
    this.incoming = new Incoming();
    this.#connecting = null;
    (stream as Socket).setNoDelay?.(true);
    let why: Error | null = null;
    stream.on('error', (error) => {
      why = error;
    });
    stream.on('drain', () => {
      if (stream === this.#stream) this.user?.drained();
    });
    const over = () => {
      if (stream !== this.#stream || this.#ended) return;
      this.#ended = true;
      stream.destroy();
      this.user?.lost(why);
    };
    stream.on('end', over);
    stream.on('close', over);
  }
}

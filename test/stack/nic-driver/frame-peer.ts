import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** The other side of a stream socket, written anew: speaks frames with lengths of 4 bytes before them, or whatever a test wants. */
export class FramePeer {
  readonly received: Uint8Array[] = [];
  socket: Socket | null = null;
  clients = 0;
  #server: Server | null = null;
  #bytes = Buffer.alloc(0);

  /** Waits for clients. */
  static async listen(path: string): Promise<FramePeer> {
    const peer = new FramePeer();
    peer.#server = createServer((socket) => {
      peer.clients++;
      peer.#take(socket);
    });
    peer.#server.listen(path);
    await once(peer.#server, 'listening');
    return peer;
  }

  static async connect(to: { readonly path: string } | { readonly port: number }): Promise<FramePeer> {
    const peer = new FramePeer();
    const socket = connect({ ...to, port: 'port' in to ? to.port : 0 } as { port: number });
    peer.#take(socket);
    await once(socket, 'connect');
    return peer;
  }

  /** What each frame looks like in the stream. */
  static framed(...frames: readonly Uint8Array[]): Buffer {
    return Buffer.concat(
      frames.flatMap((frame) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(frame.length);
        return [length, frame];
      }),
    );
  }

  send(...frames: readonly Uint8Array[]): boolean {
    return this.write(FramePeer.framed(...frames));
  }

  write(bytes: Uint8Array): boolean {
    return this.socket!.write(bytes);
  }

  /** Ends its client, as a program that dies does. */
  hangUp(): void {
    this.socket?.destroy();
    this.socket = null;
  }

  close(): void {
    this.hangUp();
    this.#server?.close();
  }

  #take(socket: Socket): void {
    this.socket = socket;
    this.#bytes = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32BE()) {
        const end = 4 + this.#bytes.readUInt32BE();
        this.received.push(new Uint8Array(this.#bytes.subarray(4, end)));
        this.#bytes = this.#bytes.subarray(end);
      }
    });
  }
}

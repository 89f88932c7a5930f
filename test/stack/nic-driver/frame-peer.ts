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
      const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      let at = 0;
      while (bytes.length - at >= 4 && bytes.length - at >= 4 + bytes.readUInt32BE(at)) {
        const end = at + 4 + bytes.readUInt32BE(at);
        this.received.push(new Uint8Array(bytes.subarray(at + 4, end)));
        at = end;
      }
      this.#bytes = Buffer.from(bytes.subarray(at));
    });
  }
}

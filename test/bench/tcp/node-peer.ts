import type { Server, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import type { Loop } from '../span.ts';

const BLOCK = new Uint8Array(65_536).fill(7);
const OCTET = Uint8Array.of(7);

/** Node's own sockets over the machine's loopback. @param serve whoever connects. */
async function listening(serve: (socket: Socket) => void): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ noDelay: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return { server, port: (server.address() as { port: number }).port };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.on('error', reject);
  });
}

export async function nodeBulkLoop(): Promise<Loop> {
  let bytes = 0;
  let until = 0;
  let done: () => void = () => {};
  const { port } = await listening((socket) => {
    socket.on('data', (data) => {
      bytes += data.length;
      if (bytes >= until) done();
    });
  });
  const client = await connected(port);
  return async (n) => {
    until = bytes + n * BLOCK.length;
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    for (let i = 0; i < n; i++) if (!client.write(BLOCK)) await new Promise((resolve) => client.once('drain', resolve));
    await all;
    return bytes;
  };
}

function echo(socket: Socket): void {
  socket.on('data', (data) => socket.write(data));
  socket.on('error', () => {});
}

function roundTrip(client: Socket): Promise<void> {
  client.write(OCTET);
  return new Promise((resolve) => client.once('data', () => resolve()));
}

export async function nodeRoundTripLoop(): Promise<Loop> {
  const client = await connected((await listening(echo)).port);
  return async (n) => {
    for (let i = 0; i < n; i++) await roundTrip(client);
    return n;
  };
}

export async function nodeConnectionLoop(): Promise<Loop> {
  const { port } = await listening(echo);
  return async (n) => {
    for (let i = 0; i < n; i++) {
      const client = await connected(port);
      await roundTrip(client);
      // A reset: TIME-WAITs of the machine would take all its ports.
      client.resetAndDestroy();
    }
    return n;
  };
}

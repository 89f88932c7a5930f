import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server as Listener } from 'node:net';
import type { Kernel } from '@softnet/kernel';
import { createNode } from '@softnet/node';
import { pageOf } from './page.ts';

export const WEB_PORT = 80;

/** Node's http server over a kernel's TCP: it serves as long as the module is there, and again when it comes back. */
export class WebServer {
  readonly #kernel: Kernel;
  readonly #server: Server;
  readonly #failed: (error: unknown) => void;
  #listener: Listener | null = null;
  readonly #stop: () => void;

  /** @param failed is told why it cannot listen. */
  constructor(kernel: Kernel, failed: (error: unknown) => void) {
    this.#kernel = kernel;
    this.#failed = failed;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#stop = kernel.on((event) => {
      if (event.sort !== 'state' || !event.module.startsWith('tcp#')) return;
      if (event.to === 'live' && event.from === 'starting') setImmediate(() => this.#listen());
      // Who only waits for a next request lets go.
      if (event.to === 'withdrawing') this.#server.closeIdleConnections();
    });
    this.#listen();
  }

  close(): void {
    this.#stop();
    this.#listener?.close();
    this.#server.closeAllConnections();
  }

  #listen(): void {
    if (this.#listener?.listening || this.#kernel.module('tcp')?.state !== 'live') return;
    const { serve } = createNode(this.#kernel, { name: 'web server' });
    const listener = serve(this.#server, WEB_PORT, '::');
    listener.on('error', ({ message }) => this.#failed(new Error(`the web server in ${this.#kernel.name} does not listen: ${message}`)));
    listener.on('close', () => {
      if (this.#listener === listener) this.#listener = null;
    });
    this.#listener = listener;
  }

  #answer({ url = '/', method = 'GET' }: IncomingMessage, response: ServerResponse): void {
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const bytes = /^\/bytes\/(\d{1,9})$/.exec(url);
    if (bytes !== null) {
      sendBytes(response, Number(bytes[1]));
      return;
    }
    if (url !== '/') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('here are / and /bytes/COUNT\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(pageOf(this.#kernel));
  }
}

const CHUNK_BYTES = 65_536;

/** So many, as fast as they are taken. */
function sendBytes(response: ServerResponse, count: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': count });
  const chunk = Uint8Array.from({ length: CHUNK_BYTES }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
  let left = count;
  const more = (): void => {
    while (left > 0) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

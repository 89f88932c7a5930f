import type { EventEmitter } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { connect as tlsConnect } from 'node:tls';
import type { NodeHost } from '../endpoint/node-host.ts';
import { NetServer } from '../net/net-server.ts';
import { NetSocket } from '../net/net-socket.ts';

/** An `http.Agent` whose connections are made by a kernel. */
export function httpAgent(host: NodeHost, options: object = {}): HttpAgent {
  return Object.assign(new HttpAgent(options), { createConnection: (asked: object): Duplex => new NetSocket(host).connect(asked) });
}

/** An `https.Agent` whose connections are made by a kernel. */
export function httpsAgent(host: NodeHost, options: object = {}): HttpsAgent {
  return Object.assign(new HttpsAgent(options), { createConnection: (asked: object): Duplex => secured(host, asked) });
}

/** `tls.connect` over a connection of a kernel's. */
export function secured(host: NodeHost, options: object, callback?: () => void): Duplex {
  const { socket = new NetSocket(host).connect(options), ...rest } = options as ConnectionOptions;
  return tlsConnect({ ...rest, socket: socket as NonNullable<ConnectionOptions['socket']> }, callback);
}

/**
 * Gives what a kernel accepts to a server of Node's: of http, https, tls, http2; it hears 'connection', as from a listener of its own.
 * @returns who listens; closing him leaves the server as it is.
 */
export function serve(host: NodeHost, server: EventEmitter, given: readonly unknown[]): NetServer {
  // Node's servers of http want both ways open, until the answer is sent.
  const listener = new NetServer(host, { allowHalfOpen: true, noDelay: true }, (socket: NetSocket) => server.emit('connection', socket));
  return listener.listen(...given);
}

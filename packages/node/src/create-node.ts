import type * as dgram from 'node:dgram';
import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import * as nodeNet from 'node:net';
import { Duplex } from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import * as nodeTls from 'node:tls';
import type { FaceHost } from '@softnet/contract';
import { DgramSocket } from './dgram/dgram-socket.ts';
import type { NodeOptions } from './endpoint/node-host.ts';
import { NodeHost } from './endpoint/node-host.ts';
import { httpAgent, httpsAgent, secured, serve } from './http/serve.ts';
import { NetServer } from './net/net-server.ts';
import { NetSocket } from './net/net-socket.ts';
import type { ReceivedDatagram } from './web/datagram-stream.ts';
import { datagramStream } from './web/datagram-stream.ts';

/** What is in node:dgram. */
export interface DgramFace {
  readonly createSocket: typeof dgram.createSocket;
}

/** What is in node:net. */
export type NetFace = Pick<
  typeof nodeNet,
  'createServer' | 'createConnection' | 'connect' | 'isIP' | 'isIPv4' | 'isIPv6' | 'BlockList' | 'SocketAddress'
> & {
  readonly Socket: new (options?: nodeNet.SocketConstructorOpts) => nodeNet.Socket;
  readonly Server: new (options?: nodeNet.ServerOpts | object, listener?: (socket: nodeNet.Socket) => void) => nodeNet.Server;
};

/** A server of Node's that takes connections by its event 'connection': of http, https, tls, http2. */
export type ConnectionServer = Pick<NodeJS.EventEmitter, 'emit'>;

/** Node's own modules, over a kernel. */
export interface NodeFaces {
  readonly dgram: DgramFace;
  readonly net: NetFace;
  readonly http: { readonly agent: (options?: AgentOptions) => HttpAgent };
  readonly https: { readonly agent: (options?: object) => HttpsAgent };
  /** By wrapping: what is encrypted is Node's; it goes over sockets of the kernel's. */
  readonly tls: {
    readonly connect: (options: nodeTls.ConnectionOptions, callback?: () => void) => nodeTls.TLSSocket;
    readonly createServer: typeof nodeTls.createServer;
  };
  /** Gives what the kernel accepts to a server of Node's. The rest as of `listen`. @returns who listens. */
  readonly serve: (server: ConnectionServer, ...listen: unknown[]) => nodeNet.Server;
  /** A connection as WHATWG streams, or a datagram socket's messages as one. */
  readonly toWeb: {
    (socket: nodeNet.Socket): { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> };
    (socket: dgram.Socket, options?: { readonly signal?: AbortSignal }): ReadableStream<ReceivedDatagram>;
  };
}

/** Node's network modules over a kernel: `const { dgram, net } = createNode(kernel)`, in the place of `import dgram from 'node:dgram'`. */
export function createNode(face: FaceHost, options: NodeOptions = {}): NodeFaces {
  const host = new NodeHost(face, options);
  const createSocket = (type: unknown, listener?: unknown): DgramSocket => new DgramSocket(host, type, listener);
  const toWeb = (socket: unknown, asked?: { readonly signal?: AbortSignal }): unknown =>
    socket instanceof DgramSocket ? datagramStream(socket, asked) : Duplex.toWeb(socket as Duplex);
  const faces = {
    ...{ dgram: { createSocket }, net: netFace(host), toWeb },
    http: { agent: (asked?: object) => httpAgent(host, asked) },
    https: { agent: (asked?: object) => httpsAgent(host, asked) },
    tls: { connect: (asked: object, callback?: () => void) => secured(host, asked, callback), createServer: nodeTls.createServer },
    serve: (server: NodeJS.EventEmitter, ...listen: unknown[]) => serve(host, server, listen),
  };
  // The types are Node's, so that a program needs no others.
  return faces as unknown as NodeFaces;
}

function netFace(host: NodeHost): object {
  const { isIP, isIPv4, isIPv6, BlockList, SocketAddress } = nodeNet;
  class Socket extends NetSocket {
    constructor(options?: object) {
      super(host, options);
    }
  }
  class Server extends NetServer {
    constructor(options?: unknown, listener?: unknown) {
      super(host, options, listener);
    }
  }
  const connect = (...given: unknown[]): Socket => {
    const [options] = given;
    return new Socket(typeof options === 'object' && options !== null ? options : {}).connect(...given);
  };
  const createServer = (options?: unknown, listener?: unknown): Server => new Server(options, listener);
  return { Socket, Server, connect, createConnection: connect, createServer, isIP, isIPv4, isIPv6, BlockList, SocketAddress };
}

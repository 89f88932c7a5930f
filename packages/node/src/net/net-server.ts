import { EventEmitter } from 'node:events';
import type { NetError } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IPV6_OPTION, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import type { EndpointUser, EndText } from '../endpoint/endpoint.ts';
import { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import { errnoError, errnoName } from '../errors/errno-error.ts';
import { hearSignal } from '../errors/hear-signal.ts';
import { badType, checkFunction, checkSignal, nodeError } from '../errors/node-error.ts';
import type { ListenOptions } from './listen-arguments.ts';
import { listenArguments } from './listen-arguments.ts';
import type { SocketOptions } from './net-socket.ts';
import { NetSocket } from './net-socket.ts';

/** What `createServer` takes. */
export interface ServerOptions extends SocketOptions {
  readonly pauseOnConnect?: boolean | undefined;
}

/** libuv's words, which Node writes into errors of `listen`. */
const WORDS: Readonly<Record<string, string>> = Object.freeze({
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available',
  EACCES: 'permission denied',
  EINVAL: 'invalid argument',
});

/** `net.Server` of node:net, over a kernel's stream sockets. Further events: 'leaving' and 'staying', of the module that makes its sockets. */
export class NetServer extends EventEmitter implements EndpointUser {
  maxConnections: number | undefined = undefined;
  readonly #host: NodeHost;
  readonly #options: ServerOptions;
  #endpoint: Endpoint | null = null;
  /** Asked to listen, and looks the name up. */
  #begun = false;
  #referenced = true;
  readonly #connections = new Set<NetSocket>();

  constructor(host: NodeHost, given: unknown, listener?: unknown) {
    super();
    const options = typeof given === 'function' || given === null || given === undefined ? {} : given;
    if (typeof options !== 'object') throw badType('options', 'of type object', options);
    const heard = typeof given === 'function' ? given : listener;
    if (heard !== undefined) checkFunction(heard, 'listener');
    if (heard !== undefined) this.on('connection', heard);
    this.#host = host;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#endpoint !== null;
  }

  listen(...given: unknown[]): this {
    const { options, callback } = listenArguments(given);
    if (this.#begun || this.#endpoint !== null)
      throw nodeError('ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');
    if (options.signal !== undefined) checkSignal(options.signal, 'options.signal');
    if (callback !== undefined) this.once('listening', callback);
    this.#begun = true;
    if (options.signal !== undefined)
      this.once(
        'close',
        hearSignal(options.signal, () => this.close()),
      );
    // It was aborted already.
    if (!this.#begun) return this;
    if (options.path !== undefined) this.#failed(-ERRNO.EAFNOSUPPORT, options.path, undefined);
    else if (!options.host) this.#listenAny(options);
    else this.#listenOn(options.host, options);
    return this;
  }

  #listenOn(host: string, options: ListenOptions): void {
    this.#host.lookup(host, { family: 0 }, (error, found, family) => {
      if (!this.#begun) return;
      if (error) {
        this.#begun = false;
        this.emit('error', error);
      } else {
        const result = this.#start(String(found), family === 6, options);
        if (result < 0) this.#failed(result, String(found), options.port);
      }
    });
  }

  /** IPv6 and IPv4 by one socket, or IPv4 where there is nothing else. */
  #listenAny(options: ListenOptions): void {
    let result = this.#start('::', true, options);
    if (result === -ERRNO.EAFNOSUPPORT || result === -ERRNO.EINVAL || result === -ERRNO.EADDRNOTAVAIL) {
      result = this.#start('0.0.0.0', false, options);
    }
    if (result < 0) this.#failed(result, '::', options.port);
  }

  #start(address: string, isIpv6: boolean, { port, backlog, ipv6Only, reusePort }: ListenOptions): number {
    const endpoint = new Endpoint(this.#host, this, 'tcp server');
    let result = endpoint.open(isIpv6 ? ADDRESS_FAMILY.INET6 : ADDRESS_FAMILY.INET, SOCK_TYPE.STREAM);
    if (result < 0) return result;
    endpoint.setInt(SOL.SOCKET, SO.REUSEADDR, 1);
    if (reusePort) endpoint.setInt(SOL.SOCKET, SO.REUSEPORT, 1);
    if (isIpv6 && ipv6Only) endpoint.setInt(SOL.IPV6, IPV6_OPTION.V6ONLY, 1);
    result = endpoint.bind(address, port);
    if (result === 0) result = endpoint.calls.listen(endpoint.sock, backlog);
    if (result < 0) {
      endpoint.close();
      return result;
    }
    this.#endpoint = endpoint;
    endpoint.reference(this.#referenced);
    process.nextTick(() => {
      if (this.#endpoint !== endpoint) return;
      this.emit('listening');
      endpoint.schedule();
    });
    return 0;
  }

  #failed(result: number, address: string, port: number | undefined): void {
    const words = WORDS[errnoName(result)] ?? 'it cannot';
    process.nextTick(() => {
      if (!this.#begun) return;
      this.#begun = false;
      this.emit('error', errnoError(result, 'listen', { address, port, words }));
    });
  }

  address(): EndText | null {
    const end = this.#endpoint === null ? null : this.#endpoint.end(false);
    return typeof end === 'number' ? null : end;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#connections.size);
    return this;
  }

  close(callback?: unknown): this {
    if (typeof callback === 'function') {
      const open = this.#begun || this.#endpoint !== null;
      const error = nodeError('ERR_SERVER_NOT_RUNNING', 'Server is not running.');
      this.once('close', open ? (callback as () => void) : () => callback(error));
    }
    this.#begun = false;
    this.#endpoint?.close();
    this.#endpoint = null;
    this.#closeIfDrained();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#endpoint === null && !this.#begun) return;
    await new Promise<void>((resolve) => this.close(resolve));
  }

  #closeIfDrained(): void {
    if (this.#endpoint !== null || this.#begun || this.#connections.size > 0) return;
    process.nextTick(() => this.emit('close'));
  }

  ref(): this {
    this.#referenced = true;
    this.#endpoint?.reference(true);
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#endpoint?.reference(false);
    return this;
  }

  woken(): void {
    while (this.#endpoint?.isOpen) {
      const endpoint = new Endpoint(this.#host, NOBODY, 'tcp connection');
      const sock = this.#endpoint.calls.accept(this.#endpoint.sock, endpoint);
      if (sock === null) return;
      endpoint.take(sock);
      this.#accepted(endpoint);
    }
  }

  #accepted(endpoint: Endpoint): void {
    if (this.maxConnections !== undefined && this.#connections.size >= this.maxConnections) {
      this.#drop(endpoint);
      return;
    }
    const socket = new NetSocket(this.#host, this.#options);
    Object.assign(socket, { server: this, _server: this });
    if (this.#options.pauseOnConnect) socket.pause();
    socket.adopt(endpoint);
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#closeIfDrained();
    });
    if (!this.#options.pauseOnConnect) socket.read(0);
    this.emit('connection', socket);
  }

  #drop(endpoint: Endpoint): void {
    const [here, there] = [endpoint.end(false), endpoint.end(true)];
    endpoint.close();
    if (typeof here === 'number' || typeof there === 'number') return;
    this.emit('drop', {
      ...{ localAddress: here.address, localPort: here.port, localFamily: here.family },
      ...{ remoteAddress: there.address, remotePort: there.port, remoteFamily: there.family },
    });
  }

  ended(error: NetError): void {
    if (this.#endpoint === null) return;
    this.close();
    // Nobody is bound to listen for what a kernel does to its modules.
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  leaving(leaves: boolean): void {
    if (this.#endpoint !== null) this.emit(leaves ? 'leaving' : 'staying');
  }
}

/** Until a socket has taken it. */
const NOBODY: EndpointUser = Object.freeze({ woken: () => {}, ended: () => {}, leaving: () => {} });

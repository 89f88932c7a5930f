import { Duplex } from 'node:stream';
import type { NetError } from '@softnet/contract';
import { ERRNO, SO, SOL } from '@softnet/contract';
import type { Endpoint, EndpointUser, EndText } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import { errnoError } from '../errors/errno-error.ts';
import { checkFunction, checkNumber, checkSignal, nodeError } from '../errors/node-error.ts';
import type { ConnectOptions } from './connect-arguments.ts';
import { checkConnect, netArguments } from './connect-arguments.ts';
import { Connecting } from './connecting.ts';
import { IdleTimer } from './idle-timer.ts';
import { readSome, setKeepAlive, setNoDelay, writeSome } from './stream-calls.ts';

/** What `new net.Socket` takes. */
export interface SocketOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly fd?: number | undefined;
  readonly readable?: boolean | undefined;
  readonly writable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
  readonly highWaterMark?: number | undefined;
}

/** What streams of Node have, and its types do not. */
interface Reusable {
  _undestroy(): void;
}

type Done = (error?: Error | null) => void;
const NOTHING: readonly Uint8Array[] = Object.freeze([]);

/** `net.Socket` of node:net, over a kernel's stream sockets. Further events: 'leaving' and 'staying', of the module that makes its sockets. */
export class NetSocket extends Duplex implements EndpointUser {
  connecting = false;
  timeout = 0;
  bytesRead = 0;
  /** Where it was tried, where a name had several addresses: 'address:port'. */
  autoSelectFamilyAttemptedAddresses: string[] | undefined = undefined;
  readonly #host: NodeHost;
  readonly #options: SocketOptions;
  readonly #idle: IdleTimer;
  #connect: Connecting | null = null;
  /** Connected. */
  #endpoint: Endpoint | null = null;
  #referenced = true;
  #wantsData = false;
  #ended = false;
  /** What of the write at hand is not taken yet. */
  #parts = NOTHING;
  #written: Done | null = null;
  /** Of writes that are done; `writableLength` counts the one at hand as a whole. */
  #doneBytes = 0;
  #atHandBytes = 0;
  /** Ends, which are asked for when the socket is gone too. */
  #here: Partial<EndText> = {};
  #there: Partial<EndText> = {};

  constructor(host: NodeHost, options: SocketOptions = {}) {
    const { allowHalfOpen = false, highWaterMark, signal, fd } = options;
    if (typeof fd === 'number')
      throw nodeError('ERR_INVALID_FD_TYPE', 'Unsupported fd type: the sockets of a softnet kernel are no descriptors of this process');
    if (signal !== undefined) checkSignal(signal, 'options.signal');
    super({
      ...{ allowHalfOpen, emitClose: false, autoDestroy: true },
      ...(highWaterMark === undefined ? {} : { highWaterMark }),
      ...(signal === undefined ? {} : { signal }),
    });
    this.#host = host;
    this.#options = options;
    this.#idle = new IdleTimer(host.face, () => this.emit('timeout'));
    // A peer that has ended is written to no more, unless half open connections are wanted.
    this.on('end', () => {
      if (!this.allowHalfOpen) this.write = refuseWrite;
    });
  }

  connect(...given: unknown[]): this {
    const { options: asked, callback } = netArguments(given);
    const options = asked as ConnectOptions;
    checkConnect(options);
    if (callback !== undefined) this.once('connect', callback);
    if (this.connecting || (this.#endpoint !== null && !this.destroyed)) {
      process.nextTick(() => this.destroy(errnoError(-ERRNO.EISCONN, 'connect')));
      return this;
    }
    if (this.destroyed) this.#begin();
    this.connecting = true;
    if (options.timeout) this.setTimeout(options.timeout);
    this.#connect = new Connecting(this.#host, options, {
      emit: (event, ...values) => this.emit(event, ...values),
      failed: (error) => this.destroy(error),
      gone: (error) => this.ended(error),
      several: (addresses) => {
        this.autoSelectFamilyAttemptedAddresses = addresses;
      },
      connected: (endpoint) => {
        this.connecting = false;
        this.#connect = null;
        this.adopt(endpoint);
        if (options.noDelay) this.setNoDelay(true);
        if (options.keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
        this.emit('connect');
        this.emit('ready');
        if (!this.isPaused()) this.read(0);
      },
    });
    this.#connect.begin();
    return this;
  }

  /** Closed once, it is as new, as in Node. */
  #begin(): void {
    this.#endpoint = null;
    [this.#here, this.#there] = [{}, {}];
    [this.#wantsData, this.#ended] = [false, false];
    this.write = Duplex.prototype.write;
    (this as unknown as Reusable)._undestroy();
  }

  /** Takes a connection: by `connect`, or accepted. */
  adopt(endpoint: Endpoint): void {
    endpoint.hand(this);
    this.#endpoint = endpoint;
    endpoint.reference(this.#referenced);
    const { noDelay, keepAlive, keepAliveInitialDelay } = this.#options;
    if (noDelay) this.setNoDelay(true);
    if (keepAlive) this.setKeepAlive(true, keepAliveInitialDelay);
    for (const remote of [false, true]) {
      const end = endpoint.end(remote);
      if (typeof end === 'number') continue;
      if (remote) this.#there = end;
      else this.#here = end;
    }
    this.#idle.touch();
    if (this.#wantsData) endpoint.schedule();
    if (this.#written !== null) this.#writeMore();
  }

  override _read(): void {
    this.#wantsData = true;
    if (this.#endpoint !== null) this.#readMore();
  }

  #readMore(): void {
    const endpoint = this.#endpoint;
    while (this.#wantsData && !this.#ended && !this.destroyed && endpoint?.isOpen) {
      const data = readSome(this.#host, endpoint);
      if (data === -ERRNO.EAGAIN) return;
      if (typeof data === 'number') {
        this.destroy(errnoError(data, 'read'));
        return;
      }
      this.#idle.touch();
      this.bytesRead += data.byteLength;
      this.#wantsData = data.byteLength > 0 && this.push(data);
      if (data.byteLength > 0) continue;
      this.#ended = true;
      this.push(null);
      this.read(0);
    }
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#write([chunk], done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: Done): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  #write(parts: readonly Uint8Array[], done: Done): void {
    if (!this.connecting && this.#endpoint === null) {
      done(nodeError('ERR_SOCKET_CLOSED', 'Socket is closed'));
      return;
    }
    this.#parts = parts;
    this.#atHandBytes = lengthOf(parts);
    this.#written = done;
    if (this.#endpoint !== null) this.#writeMore();
  }

  #writeMore(): void {
    const done = this.#written!;
    const { result, left } = writeSome(this.#host, this.#endpoint!, this.#parts);
    if (left !== this.#parts) this.#idle.touch();
    this.#parts = left;
    if (result === -ERRNO.EAGAIN) return;
    this.#written = null;
    this.#parts = NOTHING;
    if (result >= 0) this.#doneBytes += this.#atHandBytes;
    done(result < 0 ? errnoError(result, 'write') : null);
  }

  override _final(done: Done): void {
    if (this.connecting) this.once('connect', () => this._final(done));
    else if (this.#endpoint?.isOpen) {
      const result = this.#endpoint.calls.shutdown(this.#endpoint.sock, 2);
      // The peer has gone already: then there is nothing to say.
      const error = result < 0 && result !== -ERRNO.ENOTCONN ? errnoError(result, 'shutdown') : null;
      // As in Node, a turn of the event loop later: so 'end' is heard before all is over.
      setImmediate(done, error);
    } else done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.connecting = false;
    this.#connect?.stop();
    this.#connect = null;
    this.#idle.stop();
    this.#endpoint?.close();
    const written = this.#written;
    this.#written = null;
    written?.(error ?? errnoError(-ERRNO.ECANCELED, 'write'));
    done(error);
    // Behind 'error', as in Node, which hears of it from the event loop.
    setImmediate(() => this.emit('close', error !== null));
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Ends with a reset (SO_LINGER 0). */
  resetAndDestroy(): this {
    if (this.connecting) this.once('connect', () => this.resetAndDestroy());
    else if (this.#endpoint?.isOpen) {
      this.#endpoint.setInt(SOL.SOCKET, SO.LINGER, 1, 0);
      this.destroy();
    } else this.destroy(nodeError('ERR_SOCKET_CLOSED', 'Socket is closed'));
    return this;
  }

  setTimeout(delayMs: unknown, callback?: unknown): this {
    if (this.destroyed) return this;
    checkNumber(delayMs, 'msecs');
    if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) {
      const sentence = 'It must be a non-negative finite number';
      throw nodeError('ERR_OUT_OF_RANGE', `The value of "msecs" is out of range. ${sentence}. Received ${delayMs}`);
    }
    if (callback !== undefined) checkFunction(callback, 'callback');
    this.timeout = delayMs;
    this.#idle.set(delayMs);
    if (callback !== undefined && delayMs === 0) this.removeListener('timeout', callback);
    else if (callback !== undefined) this.once('timeout', callback);
    return this;
  }

  setNoDelay(wanted: unknown = true): this {
    if (this.#endpoint !== null) setNoDelay(this.#endpoint, Boolean(wanted));
    else this.once('connect', () => this.setNoDelay(wanted));
    return this;
  }

  setKeepAlive(wanted: unknown = false, delayMs: unknown = 0): this {
    if (this.#endpoint !== null) setKeepAlive(this.#endpoint, Boolean(wanted), Number(delayMs));
    else this.once('connect', () => this.setKeepAlive(wanted, delayMs));
    return this;
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

  address(): Partial<EndText> {
    return { ...this.#here };
  }

  get localAddress(): string | undefined {
    return this.#here.address;
  }

  get localPort(): number | undefined {
    return this.#here.port;
  }

  get localFamily(): string | undefined {
    return this.#here.family;
  }

  get remoteAddress(): string | undefined {
    return this.#there.address;
  }

  get remotePort(): number | undefined {
    return this.#there.port;
  }

  get remoteFamily(): string | undefined {
    return this.#there.family;
  }

  /** Bytes given to the kernel, and those that wait here. */
  get bytesWritten(): number {
    return this.#doneBytes + this.writableLength;
  }

  get bufferSize(): number | undefined {
    return this.writableLength;
  }

  get pending(): boolean {
    return this.#endpoint === null || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  woken(): void {
    const endpoint = this.#endpoint;
    if (endpoint === null || this.destroyed) return;
    if (this.#written !== null) this.#writeMore();
    // Who does not read hears of a reset when he reads, behind what had come, as in Node.
    if (this.#wantsData) this.#readMore();
  }

  ended(error: NetError): void {
    // Nobody is bound to listen for what a kernel does to its modules.
    if (this.listenerCount('error') > 0) this.destroy(error);
    else this.destroy();
  }

  leaving(leaves: boolean): void {
    if (!this.destroyed) this.emit(leaves ? 'leaving' : 'staying');
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

function refuseWrite(this: NetSocket, _chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  const error = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
  const done = typeof encoding === 'function' ? encoding : callback;
  if (typeof done === 'function') process.nextTick(done as Done, error);
  this.destroy(error);
  return false;
}

import { EventEmitter } from 'node:events';
import type { NetError } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, POLL, SO, SOCK_TYPE, SOL, SockAddress } from '@softnet/contract';
import { fillAddress } from '../endpoint/address-text.ts';
import type { EndpointUser, EndText } from '../endpoint/endpoint.ts';
import { Endpoint } from '../endpoint/endpoint.ts';
import type { LookupFunction } from '../endpoint/lookup.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import { checked, errnoError } from '../errors/errno-error.ts';
import { hearSignal } from '../errors/hear-signal.ts';
import { checkString, nodeError, portOf } from '../errors/node-error.ts';
import { bindArguments } from './bind-arguments.ts';
import { DgramOptions } from './dgram-options.ts';
import { onceBound } from './once-bound.ts';
import { receiveSome } from './receive-some.ts';
import type { SendArguments } from './send-arguments.ts';
import { checkSendTo, sendArguments } from './send-arguments.ts';
import { SendQueue } from './send-queue.ts';
import type { SocketOptions } from './socket-options.ts';
import { socketOptions } from './socket-options.ts';

type Ends = 'not' | 'meanwhile' | 'done';

/** `dgram.Socket` of node:dgram, over a kernel's sockets. Further events: 'leaving' and 'staying', of the module that makes its sockets. */
export class DgramSocket extends EventEmitter implements EndpointUser {
  readonly type: 'udp4' | 'udp6';
  readonly #host: NodeHost;
  readonly #options: SocketOptions;
  readonly #endpoint: Endpoint;
  readonly #queue: SendQueue;
  readonly #settings: DgramOptions;
  readonly #lookup: LookupFunction;
  #bound: Ends = 'not';
  #connected: Ends = 'not';
  #closed = false;
  #paused = false;
  /** What was asked while it was being bound, and is done then; or it is told why not. */
  #later: ((failed: Error | null) => void)[] = [];

  constructor(host: NodeHost, given: unknown, listener?: unknown) {
    super();
    const options = socketOptions(given);
    this.type = options.type;
    this.#host = host;
    this.#options = options;
    this.#lookup = options.lookup ?? host.lookup;
    this.#endpoint = new Endpoint(host, this, options.type);
    this.#queue = new SendQueue(host, this.#endpoint);
    this.#settings = new DgramOptions(host, this.#endpoint, () => this.#openBound());
    if (typeof listener === 'function') this.on('message', listener as (...args: unknown[]) => void);
    const { signal } = options;
    if (signal !== undefined)
      this.once(
        'close',
        hearSignal(signal, () => this.#closed || this.#closeNow()),
      );
  }

  bind(...given: unknown[]): this {
    this.#check();
    if (this.#bound !== 'not') throw nodeError('ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound');
    const { port, address, callback } = bindArguments(given);
    this.#bound = 'meanwhile';
    if (callback !== undefined) onceBound(this, callback);
    this.#lookup(address || this.#anyAddress(), { family: this.#ipVersion() }, (error, found) => {
      if (this.#closed) return;
      if (error) this.#notBound(error);
      else this.#bindTo(String(found), port);
    });
    return this;
  }

  #bindTo(address: string, port: number): void {
    let result = this.#endpoint.isOpen ? 0 : this.#open();
    if (result === 0) result = this.#endpoint.bind(address, port);
    if (result < 0) {
      this.#endpoint.close();
      this.#notBound(errnoError(result, 'bind', { address, port }));
      return;
    }
    this.#bound = 'done';
    const later = this.#later;
    this.#later = [];
    this.emit('listening');
    for (const each of later) each(null);
    // What came before, and was not read yet.
    if (this.#endpoint.isOpen) this.#endpoint.schedule();
  }

  #notBound(error: Error): void {
    this.#bound = 'not';
    const later = this.#later;
    this.#later = [];
    for (const each of later) each(error);
    this.emit('error', error);
  }

  /** Opened, and with what its options say. 0, or -errno. */
  #open(): number {
    const { reuseAddr, reusePort, ipv6Only, recvBufferSize, sendBufferSize } = this.#options;
    const endpoint = this.#endpoint;
    const result = endpoint.open(this.type === 'udp4' ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6, SOCK_TYPE.DGRAM);
    if (result < 0) return result;
    if (reuseAddr) endpoint.setInt(SOL.SOCKET, SO.REUSEADDR, 1);
    if (reusePort) endpoint.setInt(SOL.SOCKET, SO.REUSEPORT, 1);
    if (ipv6Only && this.type === 'udp6') this.#settings.setV6Only();
    if (recvBufferSize) endpoint.setInt(SOL.SOCKET, SO.RCVBUF, recvBufferSize);
    if (sendBufferSize) endpoint.setInt(SOL.SOCKET, SO.SNDBUF, sendBufferSize);
    return 0;
  }

  /** As Node does for memberships: bound to any port by itself. */
  #openBound(): number {
    if (this.#endpoint.isOpen) return 0;
    const result = this.#open();
    return result < 0 ? result : this.#endpoint.bind(this.#anyAddress(), 0);
  }

  /** Runs it at once, or when it is bound, for which it is bound if nobody has done that. */
  #whenBound(then: (failed: Error | null) => void): void {
    if (this.#bound === 'not') this.bind(0);
    if (this.#bound === 'done') then(null);
    else this.#later.push(then);
  }

  connect(port: unknown, address?: unknown, callback?: unknown): void {
    const number = portOf(port, 'Port', true);
    const then = typeof address === 'function' ? address : callback;
    const to = typeof address === 'function' || address === undefined ? '' : address;
    checkString(to, 'address');
    this.#check();
    if (this.#connected !== 'not') throw nodeError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    this.#connected = 'meanwhile';
    const heard = typeof then === 'function' ? (then as (error?: Error) => void) : undefined;
    this.#whenBound((failed) => {
      if (failed === null) this.#connectTo(number, to, heard);
      else this.#notConnected(failed, heard);
    });
  }

  /** @param callback hears of it, else who listens for errors; where binding failed they were told. */
  #notConnected(error: Error, callback: ((error?: Error) => void) | undefined): void {
    this.#connected = 'not';
    if (callback !== undefined) process.nextTick(callback, error);
  }

  #connectTo(port: number, address: string, callback: ((error?: Error) => void) | undefined): void {
    if (callback !== undefined) this.once('connect', callback as () => void);
    this.#lookup(address || this.#ownAddress(), { family: this.#ipVersion() }, (error, found) => {
      if (this.#closed) return;
      const result = error ? 0 : this.#endpoint.connect(String(found), port);
      const failed = error ?? (result < 0 ? errnoError(result, 'connect', { address: String(found), port }) : null);
      this.#connected = failed === null ? 'done' : 'not';
      if (failed === null) process.nextTick(() => this.emit('connect'));
      else {
        if (callback !== undefined) this.removeListener('connect', callback as () => void);
        process.nextTick(() => (callback === undefined ? this.emit('error', failed) : callback(failed)));
      }
    });
  }

  disconnect(): void {
    if (this.#connected !== 'done') throw nodeError('ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
    checked(this.#endpoint.isOpen ? this.#endpoint.disconnect() : -ERRNO.EBADF, 'connect');
    this.#connected = 'not';
  }

  send(...given: unknown[]): void {
    const asked = sendArguments(this.#connected === 'done', given);
    this.#check();
    if (this.#bound === 'done') this.#sendBound(asked);
    else
      this.#whenBound((failed) => {
        if (failed === null) this.#sendBound(asked);
        else if (asked.callback !== undefined) process.nextTick(asked.callback, failed, 0);
      });
  }

  /** The old name, with all arguments. */
  sendto(buffer: unknown, offset: unknown, length: unknown, port: unknown, address: unknown, callback?: unknown): void {
    checkSendTo(offset, length, port, address);
    this.send(buffer, offset, length, port, address, callback);
  }

  #sendBound(asked: SendArguments): void {
    const { parts, port, address } = asked;
    if (this.#closed) this.#sent(asked, address, -ERRNO.ECANCELED);
    else if (port === 0) this.#queue.send(parts, null, (result) => this.#sent(asked, undefined, result));
    else this.#lookUpAndSend(asked);
  }

  #lookUpAndSend(asked: SendArguments): void {
    const { address, callback } = asked;
    this.#lookup(address ?? this.#ownAddress(), { family: this.#ipVersion() }, (error, found) => {
      if (error) {
        if (callback !== undefined) process.nextTick(callback, error, 0);
        else process.nextTick(() => this.#closed || this.emit('error', error));
      } else this.#sendTo(asked, String(found));
    });
  }

  #sendTo(asked: SendArguments, address: string): void {
    const to = new SockAddress();
    const { sendBlockList } = this.#options;
    if (this.#closed) {
      this.#sent(asked, address, -ERRNO.ECANCELED);
      return;
    }
    const family = this.type === 'udp4' ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6;
    if (sendBlockList?.check(address, this.type === 'udp4' ? 'ipv4' : 'ipv6')) {
      if (asked.callback !== undefined)
        process.nextTick(asked.callback, nodeError('ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`), 0);
      return;
    }
    const filled = fillAddress(to, family, address, asked.port, this.#host.scopeOf);
    if (filled < 0) this.#sent(asked, address, filled);
    else this.#queue.send(asked.parts, to, (result) => this.#sent(asked, address, result));
  }

  /** As in Node, who brings no callback hears of no error. */
  #sent({ callback, port }: SendArguments, address: string | undefined, result: number): void {
    if (callback === undefined) return;
    if (result < 0) process.nextTick(callback, errnoError(result, 'send', { address, port }), result);
    else process.nextTick(callback, null, result);
  }

  close(callback?: unknown): this {
    if (typeof callback === 'function') this.on('close', callback as () => void);
    if (this.#bound === 'meanwhile' && this.#later.length > 0) {
      this.#later.push(this.#closeLater);
      return this;
    }
    this.#check();
    this.#closeNow();
    return this;
  }

  readonly #closeLater = (): void => {
    if (!this.#closed) this.#closeNow();
  };

  #closeNow(): void {
    this.#closed = true;
    this.#later = [];
    this.#queue.cancel();
    this.#endpoint.close();
    process.nextTick(() => this.emit('close'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => this.close(resolve));
  }

  address(): EndText {
    this.#check();
    return this.#end(false, 'getsockname');
  }

  remoteAddress(): EndText {
    this.#check();
    if (this.#connected !== 'done') throw nodeError('ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
    return this.#end(true, 'getpeername');
  }

  #end(remote: boolean, syscall: string): EndText {
    const end = this.#endpoint.end(remote);
    if (typeof end === 'number') throw errnoError(end, syscall);
    return end;
  }

  setBroadcast(wanted: unknown): void {
    this.#check();
    this.#settings.setBroadcast(Boolean(wanted));
  }

  setTTL(ttl: unknown): number {
    return this.#settings.setTtl(ttl, false, () => this.#check());
  }

  setMulticastTTL(ttl: unknown): number {
    return this.#settings.setTtl(ttl, true, () => this.#check());
  }

  setMulticastLoopback(wanted: unknown): unknown {
    this.#check();
    this.#settings.setLoopback(Boolean(wanted));
    return wanted;
  }

  setMulticastInterface(via: unknown): void {
    this.#check();
    this.#settings.setInterface(via);
  }

  addMembership(group: unknown, via?: unknown): void {
    this.#check();
    this.#settings.membership('addMembership', group, via);
  }

  dropMembership(group: unknown, via?: unknown): void {
    this.#check();
    this.#settings.membership('dropMembership', group, via);
  }

  addSourceSpecificMembership(source: unknown, group: unknown, via?: unknown): void {
    this.#check();
    this.#settings.sourceMembership('addSourceSpecificMembership', source, group, via);
  }

  dropSourceSpecificMembership(source: unknown, group: unknown, via?: unknown): void {
    this.#check();
    this.#settings.sourceMembership('dropSourceSpecificMembership', source, group, via);
  }

  setRecvBufferSize(size: unknown): void {
    this.#settings.setBuffer(SO.RCVBUF, size);
  }

  setSendBufferSize(size: unknown): void {
    this.#settings.setBuffer(SO.SNDBUF, size);
  }

  getRecvBufferSize(): number {
    return this.#settings.getBuffer(SO.RCVBUF);
  }

  getSendBufferSize(): number {
    return this.#settings.getBuffer(SO.SNDBUF);
  }

  /** Bytes that wait for room. */
  getSendQueueSize(): number {
    return this.#queue.bytes;
  }

  /** Datagrams that wait for room. */
  getSendQueueCount(): number {
    return this.#queue.count;
  }

  ref(): this {
    this.#endpoint.reference(true);
    return this;
  }

  unref(): this {
    this.#endpoint.reference(false);
    return this;
  }

  /** Nothing is read until `resume`: what comes waits in the kernel, as far as SO_RCVBUF allows. Ours; node:dgram has no such thing. */
  pause(): this {
    this.#paused = true;
    return this;
  }

  resume(): this {
    this.#paused = false;
    if (this.#bound === 'done' && this.#endpoint.isOpen) this.#endpoint.schedule();
    return this;
  }

  woken(): void {
    if ((this.#endpoint.poll() & POLL.OUT) !== 0) this.#queue.flush();
    if (this.#bound === 'done') receiveSome(this.#host, this.#endpoint, this, () => this.#paused, this.#options.receiveBlockList);
  }

  ended(error: NetError): void {
    if (this.#closed) return;
    this.#closeNow();
    // Nobody is bound to listen for what a kernel does to its modules.
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  leaving(leaves: boolean): void {
    if (!this.#closed) this.emit(leaves ? 'leaving' : 'staying');
  }

  #check(): void {
    if (this.#closed) throw nodeError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
  }

  #ipVersion(): 4 | 6 {
    return this.type === 'udp4' ? 4 : 6;
  }

  #anyAddress(): string {
    return this.type === 'udp4' ? '0.0.0.0' : '::';
  }

  #ownAddress(): string {
    return this.type === 'udp4' ? '127.0.0.1' : '::1';
  }
}

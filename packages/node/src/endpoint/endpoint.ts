import type { NetError, Notice, Owner, SockCommon, SocketCalls } from '@softnet/contract';
import { ERRNO, NetError as NetErrorClass, readEnd, SO, SOL, SockAddress, Sockets } from '@softnet/contract';
import { addressText, familyName, fillAddress } from './address-text.ts';
import type { NodeHost } from './node-host.ts';

/** Whose endpoint it is. */
export interface EndpointUser {
  /** What `poll` says may have changed. In a tick of its own: what it throws is the program's, not the kernel's. */
  woken(): void;
  /** The kernel closed it: its module went, or was forced. Nothing can be called on it any more. */
  ended(error: NetError): void;
  /** Its module wants to go, or with false stays after all. */
  leaving(leaves: boolean): void;
}

/** An end, as `address()` gives it. */
export interface EndText {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** A kernel's socket in the hands of a Node program: its hold on the module. One release path: {@link Endpoint.close}. */
export class Endpoint implements Owner {
  readonly name: string;
  readonly #host: NodeHost;
  #user: EndpointUser;
  #sock: SockCommon | null = null;
  #scheduled = false;
  #referenced = true;
  readonly #address = new SockAddress();

  constructor(host: NodeHost, user: EndpointUser, kind: string) {
    this.name = `${host.name} ${kind}`;
    this.#host = host;
    this.#user = user;
  }

  /** 0, or -errno. */
  open(family: number, type: number): number {
    try {
      this.take(this.#host.face.port(Sockets).current.open(family, type, 0, this));
      return 0;
    } catch (error) {
      if (error instanceof NetErrorClass) return error.errno;
      throw error;
    }
  }

  /** A socket that was made for this owner. */
  take(sock: SockCommon): void {
    this.#sock = sock;
    sock.user = this;
    sock.wake = () => this.schedule();
    if (this.#referenced) this.#host.keepAwake(1);
  }

  /** From now on another's. */
  hand(user: EndpointUser): void {
    this.#user = user;
  }

  get isOpen(): boolean {
    return this.#sock !== null;
  }

  get family(): number {
    return this.#sock?.family ?? 0;
  }

  /** Who calls it has asked `isOpen`. */
  get sock(): SockCommon {
    return this.#sock!;
  }

  get calls(): SocketCalls {
    return this.#sock!.ops.calls!;
  }

  reference(wanted: boolean): void {
    if (this.#referenced === wanted) return;
    this.#referenced = wanted;
    if (this.#sock !== null) this.#host.keepAwake(wanted ? 1 : -1);
  }

  /** Tells the user in the next tick. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      if (this.#sock !== null) this.#user.woken();
    });
  }

  notice({ sort, object, before = object, error }: Notice): void {
    // Said by the kernel in the midst of its work: the program hears of it in a tick of its own.
    if (sort === 'moved') {
      // What its connection left behind (TIME-WAIT) is no socket of its user's.
      if (before === this.#sock) this.#moved(object as SockCommon);
    } else if (sort === 'leaving' || sort === 'back') process.nextTick(() => this.#user.leaving(sort === 'leaving'));
    else if (sort === 'closed' && object === this.#sock) {
      this.close();
      const why = error ?? new NetErrorClass('ESHUTDOWN', 'the module that made this socket has gone');
      process.nextTick(() => this.#user.ended(why));
    }
  }

  #moved(now: SockCommon): void {
    this.#sock = now;
    now.user = this;
    now.wake = () => this.schedule();
    this.schedule();
  }

  /** 0, or -errno: of the family's text. */
  bind(address: string, port: number): number {
    return this.#at(address, port, (end) => this.calls.bind(this.sock, end));
  }

  connect(address: string, port: number): number {
    return this.#at(address, port, (end) => this.calls.connect(this.sock, end));
  }

  /** Ends a connection of a datagram socket: connect to AF_UNSPEC. */
  disconnect(): number {
    Object.assign(this.#address, new SockAddress());
    return this.calls.connect(this.sock, this.#address);
  }

  #at(text: string, port: number, call: (end: SockAddress) => number): number {
    if (this.#sock === null) return -ERRNO.EBADF;
    const filled = fillAddress(this.#address, this.family, text, port, this.#host.scopeOf);
    return filled < 0 ? filled : call(this.#address);
  }

  poll(): number {
    return this.calls.poll(this.sock);
  }

  /** getsockname, and with `remote` getpeername; or -errno. */
  end(remote: boolean): EndText | number {
    if (this.#sock === null) return -ERRNO.EBADF;
    const result = readEnd(this.#sock, remote, this.#address);
    return result < 0 ? result : this.textOf(this.#address);
  }

  textOf(end: SockAddress): EndText {
    const address = addressText(end);
    const isLinkLocal = end.ifindex > 0 && (end.address0 & 0xffc00000) >>> 0 === 0xfe800000;
    const zone = isLinkLocal ? `%${this.#host.nameOf(end.ifindex)}` : '';
    return { address: address + zone, family: familyName(end.family), port: end.port };
  }

  /** setsockopt of an int; 0, or -errno. */
  setInt(level: number, name: number, ...values: number[]): number {
    const bytes = new Uint8Array(4 * values.length);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of values.entries()) view.setInt32(4 * index, value | 0, true);
    return this.setBytes(level, name, bytes);
  }

  setBytes(level: number, name: number, bytes: Uint8Array): number {
    return this.#sock === null ? -ERRNO.EBADF : this.calls.setOption(this.sock, level, name, bytes);
  }

  /** getsockopt of an int: what it is, or -errno by `failed`. */
  getInt(level: number, name: number): { failed: number; value: number } {
    if (this.#sock === null) return { failed: -ERRNO.EBADF, value: 0 };
    const bytes = new Uint8Array(4);
    const failed = Math.min(0, this.calls.getOption(this.sock, level, name, bytes));
    return { failed, value: new DataView(bytes.buffer).getInt32(0, true) };
  }

  /** SO_ERROR, told once: 0, or -errno. */
  takeError(): number {
    const { failed, value } = this.getInt(SOL.SOCKET, SO.ERROR);
    return failed < 0 ? failed : value === 0 ? 0 : -value;
  }

  /** Idempotent. */
  close(): void {
    const sock = this.#sock;
    if (sock === null) return;
    this.#sock = null;
    sock.wake = null;
    if (this.#referenced) this.#host.keepAwake(-1);
    sock.ops.calls!.close(sock);
  }
}

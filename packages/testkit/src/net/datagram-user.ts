import type { Notice, Owner, SockAddress, SockCommon, SocketCalls } from '@softnet/contract';
import { ERRNO, Message, NetError, POLL, SOCK_TYPE, Sockets } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { formatAddress, parseAddress } from '@softnet/wire';
import { checked, errnoError } from './errno-error.ts';

/** What came, and from whom. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/** How to open a {@link DatagramUser}. */
export interface DatagramUserOptions {
  /** Shown in lists of holders. */
  readonly name: string;
  /** `ADDRESS_FAMILY.INET` or `INET6`. */
  readonly family: number;
  /** IP protocol; 0, the default: UDP. */
  readonly protocol?: number;
  /** Longest datagram that is received whole. Default 65,535. */
  readonly maxBytes?: number;
}

/** A program with a datagram socket, in promises. For tests and the command; the faces of Node programs come with their own packages. */
export class DatagramUser implements Owner {
  readonly name: string;
  readonly sock: SockCommon;
  /** The module that manages the socket said so. */
  leaving = false;
  readonly #calls: SocketCalls;
  readonly #message = new Message();
  readonly #buffer: Uint8Array;
  #waiting: { mask: number; resolve: () => void }[] = [];
  #ended: NetError | null = null;

  /** @throws NetError as `Sockets.open` does. */
  constructor(kernel: Kernel, { name, family, protocol = 0, maxBytes = 65_535 }: DatagramUserOptions) {
    this.name = name;
    this.#buffer = new Uint8Array(maxBytes);
    this.sock = kernel.port(Sockets).current.open(family, SOCK_TYPE.DGRAM, protocol, this);
    this.#calls = this.sock.ops.calls!;
    this.sock.wake = () => this.#wake();
  }

  notice({ sort, error }: Notice): void {
    if (sort === 'leaving') this.leaving = true;
    if (sort === 'back') this.leaving = false;
    if (sort !== 'closed') return;
    this.#ended = error ?? new NetError('ESHUTDOWN', `${this.name}'s socket was closed`);
    this.#wake();
  }

  /** Why it is over, other than by `close`; null: it is not. */
  get ended(): NetError | null {
    return this.#ended;
  }

  get localPort(): number {
    return this.sock.localPort;
  }

  /** @param ifindex scope of a link-local address. @throws NetError */
  bind(address: string, port: number, ifindex = 0): void {
    checked(this.#calls.bind(this.sock, this.#address(address, port, ifindex)), 'bind', `${address} port ${port}`);
  }

  /** @throws NetError */
  connect(address: string, port: number, ifindex = 0): void {
    checked(this.#calls.connect(this.sock, this.#address(address, port, ifindex)), 'connect', `${address} port ${port}`);
  }

  /** To whom it is connected, or to `address`; waits for room. Rejects with a NetError. */
  async send(data: Uint8Array, address?: string, port = 0, ifindex = 0): Promise<void> {
    for (;;) {
      const result = this.trySend(data, address, port, ifindex);
      if (result >= 0) return;
      if (result !== -ERRNO.EAGAIN) throw errnoError(result, 'send', address === undefined ? '' : `to ${address} port ${port}`);
      await this.#until(POLL.OUT);
    }
  }

  /** Bytes sent, or -errno. */
  trySend(data: Uint8Array, address?: string, port = 0, ifindex = 0): number {
    const message = this.#message;
    if (this.#ended !== null) throw this.#ended;
    message.data = data;
    message.more = null;
    message.flags = 0;
    message.hasAddress = address !== undefined;
    if (address !== undefined) this.#address(address, port, ifindex);
    return this.#calls.send(this.sock, message);
  }

  /** The next datagram. Rejects with a NetError: an ICMP error, or the socket is over. */
  async receive(): Promise<Datagram> {
    for (;;) {
      const result = this.tryReceive();
      if (typeof result !== 'number') return result;
      if (result !== -ERRNO.EAGAIN) throw errnoError(result, 'receive', `on port ${this.sock.localPort}`);
      await this.#until(POLL.IN);
    }
  }

  /** The next datagram, or -errno. */
  tryReceive(): Datagram | number {
    if (this.#ended !== null) throw this.#ended;
    const message = this.#message;
    message.data = this.#buffer;
    message.more = null;
    message.flags = 0;
    const lenBytes = this.#calls.receive(this.sock, message);
    if (lenBytes < 0) return lenBytes;
    const { family, address0, address1, address2, address3, port } = message.address;
    const address = formatAddress(family, address0, address1, address2, address3);
    return { data: this.#buffer.slice(0, lenBytes), address, port };
  }

  /** Idempotent. Who waits is told EBADF. */
  close(): void {
    if (this.#ended !== null) return;
    this.#ended = new NetError('EBADF', `${this.name} has closed its socket`);
    this.sock.wake = null;
    this.#calls.close(this.sock);
    this.#wake();
  }

  #address(text: string, port: number, ifindex: number): SockAddress {
    const parsed = parseAddress(text);
    if (parsed === null) throw new NetError('EINVAL', `'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
    const { address } = this.#message;
    address.family = this.sock.family;
    [address.address0, address.address1, address.address2, address.address3] = parsed.words;
    address.port = port;
    address.ifindex = ifindex;
    return address;
  }

  #until(mask: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ mask: mask | POLL.ERR | POLL.HUP, resolve }));
  }

  #wake(): void {
    const bits = this.#ended === null ? this.#calls.poll(this.sock) : -1;
    const woken = this.#waiting.filter(({ mask }) => (mask & bits) !== 0);
    this.#waiting = this.#waiting.filter(({ mask }) => (mask & bits) === 0);
    for (const { resolve } of woken) resolve();
  }
}

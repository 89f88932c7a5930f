import type { Notice, Owner, SockAddress, SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Message, NetError, POLL, SOCK_TYPE, Sockets } from '@softnet/contract';
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
  /** SO_MARK: of its packets, for rules that ask for it. 32 bits. Default 0. */
  readonly mark?: number;
  /** SO_BINDTODEVICE: packets leave and come in by this one only. Default: any. */
  readonly device?: string;
}

/** Linux's `SOL_SOCKET`, `SO_*` and `MCAST_*`. */
const SOL_SOCKET = 1;
const SOL_IP = 0;
const SOL_IPV6 = 41;
const SO_MARK = 36;
const SO_BINDTODEVICE = 25;
const MCAST_JOIN_GROUP = 42;
const MCAST_LEAVE_GROUP = 45;
/** `struct group_req`, with a `sockaddr_storage`. */
const GROUP_REQ_BYTES = 136;

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
  constructor(kernel: Kernel, { name, family, protocol = 0, maxBytes = 65_535, mark, device }: DatagramUserOptions) {
    this.name = name;
    this.#buffer = new Uint8Array(maxBytes);
    this.sock = kernel.port(Sockets).current.open(family, SOCK_TYPE.DGRAM, protocol, this);
    this.#calls = this.sock.ops.calls!;
    this.sock.wake = () => this.#wake();
    try {
      if (mark !== undefined) this.setOption(SOL_SOCKET, SO_MARK, mark);
      if (device !== undefined)
        this.setOption(
          SOL_SOCKET,
          SO_BINDTODEVICE,
          Uint8Array.from(`${device}\0`, (char) => char.charCodeAt(0)),
        );
    } catch (error) {
      this.close();
      throw error;
    }
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

  /** `setsockopt`, by Linux's numbers. @param value an int, or bytes as Linux lays them out. @throws NetError ENOPROTOOPT, EINVAL ... */
  setOption(level: number, name: number, value: number | Uint8Array): void {
    const bytes = typeof value === 'number' ? intBytes(value) : value;
    checked(this.#calls.setOption(this.sock, level, name, bytes), 'setsockopt', `level ${level} option ${name}`);
  }

  /** Hears what is sent to a group (MCAST_JOIN_GROUP, RFC 3678 §5.1.1). @param ifindex 0: the device that a route leads by. @throws NetError EADDRINUSE ... */
  join(group: string, ifindex = 0): void {
    this.#setGroup(MCAST_JOIN_GROUP, group, ifindex);
  }

  /** @throws NetError EADDRNOTAVAIL where it is no member. */
  leave(group: string, ifindex = 0): void {
    this.#setGroup(MCAST_LEAVE_GROUP, group, ifindex);
  }

  #setGroup(name: number, group: string, ifindex: number): void {
    const request = new Uint8Array(GROUP_REQ_BYTES);
    const view = new DataView(request.buffer);
    const { family, address0, address1, address2, address3 } = this.#address(group, 0, 0);
    const isIpv4 = family === ADDRESS_FAMILY.INET;
    view.setInt32(0, ifindex, true);
    view.setUint16(8, family, true);
    // The address of a sockaddr_in is at 4, that of a sockaddr_in6 at 8; in network order.
    if (isIpv4) view.setInt32(12, address3);
    else for (const [index, word] of [address0, address1, address2, address3].entries()) view.setInt32(16 + 4 * index, word);
    this.setOption(isIpv4 ? SOL_IP : SOL_IPV6, name, request);
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

function intBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value | 0, true);
  return bytes;
}

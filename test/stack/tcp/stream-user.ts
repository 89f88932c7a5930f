import type { Notice, Owner, SockAddress, SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, SockAddress as Address, ERRNO, Message, NetError, POLL, SOCK_TYPE, Sockets } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { parseAddress } from '@softnet/wire';

const { INET, INET6 } = ADDRESS_FAMILY;
const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name]));

/** 'ECONNREFUSED' of -111; '' of what is no error. */
export function errnoName(result: number): string {
  return result < 0 ? (NAMES.get(-result) ?? `${result}`) : '';
}

/** A call that failed. */
class CallFailed extends Error {
  readonly code: string;

  constructor(call: string, result: number) {
    super(`${call}: ${errnoName(result)}`);
    this.code = errnoName(result);
  }
}

/** A program with a stream, in promises. It follows its socket to the next generation. */
export class StreamUser implements Owner {
  readonly name: string;
  sock: SockCommon;
  readonly notices: string[] = [];
  /** Called when its socket has moved, before its user goes on. */
  moved: (() => void) | null = null;
  readonly #message = new Message();
  readonly #kernel: Kernel;
  #waiting: { mask: number; resolve: () => void }[] = [];
  #isClosed = false;
  #ended: NetError | null = null;

  constructor(kernel: Kernel, { name = 'program', family = INET as number, sock = null as SockCommon | null } = {}) {
    this.name = name;
    this.#kernel = kernel;
    this.sock = sock ?? kernel.port(Sockets).current.open(family, SOCK_TYPE.STREAM, 0, this);
    this.sock.wake = () => this.#wake();
  }

  get calls(): SocketCalls {
    return this.sock.ops.calls!;
  }

  notice({ sort, object, error }: Notice): void {
    if (object !== this.sock && sort !== 'moved') return;
    this.notices.push(sort);
    if (sort === 'moved') {
      this.sock = object as SockCommon;
      this.moved?.();
      this.sock.wake = () => this.#wake();
      this.#wake();
    }
    if (sort !== 'closed') return;
    this.#ended = error ?? new NetError('ESHUTDOWN', `${this.name}'s socket was closed`);
    this.#wake();
  }

  bind(address: string, port: number): void {
    this.#checked('bind', this.calls.bind(this.sock, this.#address(address, port)));
  }

  listen(backlog = 16): void {
    this.#checked('listen', this.calls.listen(this.sock, backlog));
  }

  /** The call's answer: -errno. */
  tryConnect(address: string, port: number, ifindex = 0): number {
    return this.calls.connect(this.sock, this.#address(address, port, ifindex));
  }

  async connect(address: string, port: number, ifindex = 0): Promise<void> {
    const result = this.tryConnect(address, port, ifindex);
    if (result === -ERRNO.EINPROGRESS) await this.until(POLL.OUT);
    else this.#checked('connect', result);
    this.#throwError('connect');
  }

  /** The next connection's user. */
  async accept(name = 'accepted'): Promise<StreamUser> {
    for (;;) {
      const owner: Owner & { user: StreamUser | null } = {
        name,
        user: null,
        notice(notice) {
          this.user?.notice(notice);
        },
      };
      const sock = this.calls.accept(this.sock, owner);
      if (sock !== null) {
        owner.user = new StreamUser(this.#kernel, { name, sock });
        return owner.user;
      }
      this.#throwError('accept');
      await this.until(POLL.IN);
    }
  }

  /** Bytes taken, or -errno. */
  trySend(data: Uint8Array, flags = 0): number {
    const message = this.#message;
    message.data = data;
    message.more = null;
    message.flags = flags;
    message.hasAddress = false;
    return this.calls.send(this.sock, message);
  }

  /** All of it is taken. */
  async send(data: Uint8Array, flags = 0): Promise<void> {
    for (let sent = 0; sent < data.length; ) {
      if (this.#ended !== null) throw this.#ended;
      const result = this.trySend(data.subarray(sent), flags);
      if (result === -ERRNO.EAGAIN) await this.until(POLL.OUT);
      else sent += this.#checked('send', result);
    }
  }

  /** Bytes, or -errno. */
  tryReceive(into: Uint8Array, flags = 0): number {
    const message = this.#message;
    message.data = into;
    message.more = null;
    message.flags = flags;
    return this.calls.receive(this.sock, message);
  }

  /** What is there, or comes next: nothing, at the end. */
  async receive(mostBytes = 65_536): Promise<Uint8Array> {
    const buffer = new Uint8Array(mostBytes);
    for (;;) {
      if (this.#ended !== null) throw this.#ended;
      const result = this.tryReceive(buffer);
      if (result !== -ERRNO.EAGAIN) return buffer.subarray(0, this.#checked('receive', result));
      await this.until(POLL.IN);
    }
  }

  /** So many bytes, or as many as come before the end. */
  async receiveAll(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    let got = 0;
    while (got < count) {
      const part = await this.receive(Math.min(65_536, count - got));
      if (part.length === 0) break;
      all.set(part, got);
      got += part.length;
    }
    return all.subarray(0, got);
  }

  shutdown(how: number): void {
    this.#checked('shutdown', this.calls.shutdown(this.sock, how));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.calls.close(this.sock);
  }

  setOption(level: number, name: number, value: number | Uint8Array): number {
    return this.calls.setOption(this.sock, level, name, typeof value === 'number' ? intBytes(value) : value);
  }

  /** An int, or -errno. */
  option(level: number, name: number): number {
    const bytes = new Uint8Array(4);
    const result = this.calls.getOption(this.sock, level, name, bytes);
    return result < 0 ? result : new DataView(bytes.buffer).getInt32(0, true);
  }

  get poll(): number {
    return this.calls.poll(this.sock);
  }

  /** Waits for one of these bits of POLL, an error, or the end. */
  until(mask: number): Promise<void> {
    if ((this.poll & (mask | POLL.ERR | POLL.HUP)) !== 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ mask: mask | POLL.ERR | POLL.HUP, resolve }));
  }

  #wake(): void {
    const bits = this.#ended === null ? this.poll : -1;
    const woken = this.#waiting.filter(({ mask }) => (mask & bits) !== 0);
    this.#waiting = this.#waiting.filter(({ mask }) => (mask & bits) === 0);
    for (const { resolve } of woken) resolve();
  }

  #throwError(call: string): void {
    const { error } = this.sock;
    this.sock.error = 0;
    if (error !== 0) throw new CallFailed(call, -error);
  }

  #checked(call: string, result: number): number {
    if (result < 0) throw new CallFailed(call, result);
    return result;
  }

  #address(text: string, port: number, ifindex = 0): SockAddress {
    const address = new Address();
    address.family = text === '' ? ADDRESS_FAMILY.UNSPEC : text.includes(':') ? INET6 : INET;
    address.port = port;
    address.ifindex = ifindex;
    if (text !== '') [address.address0, address.address1, address.address2, address.address3] = parseAddress(text)!.words;
    return address;
  }
}

function intBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value | 0, true);
  return bytes;
}

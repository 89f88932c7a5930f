import type { SockAddress } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { EpollEvent } from '@softnet/posix';
import { readSockaddr, writeSockaddr } from '@softnet/posix';
import type { CallAnswer, CallMessage, CallPoll, SystemCalls } from '@softnet/testkit/packetdrill';
import type { LinuxClock } from './linux-clock.ts';
import type { LinuxHost } from './linux-host.ts';

/** What a call that may block was answered by. */
type Reply<T> = T | { readonly pending: number };
type Received = readonly [count: number, data: string, flags: number, controls: readonly (readonly [number, number, string])[]];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function sockaddr(address: SockAddress): string {
  if (address.family === ADDRESS_FAMILY.UNSPEC) return '00000000000000000000000000000000';
  return hex(writeSockaddr(address));
}

/** The calls of a script, made by the process in the namespace. */
export class LinuxCalls implements SystemCalls {
  readonly #host: LinuxHost;
  readonly #clock: LinuxClock;

  constructor(host: LinuxHost, clock: LinuxClock) {
    this.#host = host;
    this.#clock = clock;
  }

  #number(name: string, ...args: unknown[]): number {
    return this.#host.ask(name, ...args) as number;
  }

  /** One that may block: at once, or when it has ended. */
  #waiting<T>(take: (reply: T) => number, name: string, ...args: unknown[]): CallAnswer {
    const reply = this.#host.ask(name, ...args) as Reply<T>;
    if (typeof reply !== 'object' || reply === null || !('pending' in reply)) return take(reply);
    return this.#clock.ended(reply.pending).then((value) => take(value as T));
  }

  socket(domain: number, type: number, protocol: number): number {
    return this.#number('socket', domain, type, protocol);
  }

  bind(fd: number, address: SockAddress): number {
    return this.#number('bind', fd, sockaddr(address));
  }

  connect(fd: number, address: SockAddress): CallAnswer {
    return this.#waiting<number>((answer) => answer, 'connect', fd, sockaddr(address));
  }

  listen(fd: number, backlog: number): number {
    return this.#number('listen', fd, backlog);
  }

  accept(fd: number, flags: number): CallAnswer {
    return this.#waiting<number>((answer) => answer, 'accept', fd, flags);
  }

  send(fd: number, { data, address, flags, control }: CallMessage): CallAnswer {
    const controls = control.map((each) => [each.level, each.type, hex(each.data)]);
    const to = address === null ? '' : sockaddr(address);
    return this.#waiting<number>((answer) => answer, 'send', fd, hex(data), flags, to, controls);
  }

  receive(fd: number, message: CallMessage): CallAnswer {
    const take = ([count, data, flags, controls]: Received) => {
      if (count >= 0) message.data.set(Buffer.from(data, 'hex'));
      message.flags = flags;
      message.control = controls.map(([level, type, value]) => ({ level, type, data: Uint8Array.from(Buffer.from(value, 'hex')) }));
      return count;
    };
    return this.#waiting<Received>(take, 'receive', fd, message.data.length, message.flags);
  }

  shutdown(fd: number, how: number): number {
    return this.#number('shutdown', fd, how);
  }

  close(fd: number): CallAnswer {
    return this.#waiting<number>((answer) => answer, 'close', fd);
  }

  setOption(fd: number, level: number, name: number, value: Uint8Array): number {
    return this.#number('setOption', fd, level, name, hex(value));
  }

  getOption(fd: number, level: number, name: number, value: Uint8Array): number {
    const [count, data] = this.#host.ask('getOption', fd, level, name, value.length) as [number, string];
    if (count > 0) value.set(Buffer.from(data, 'hex').subarray(0, value.length));
    return count;
  }

  nameOf(fd: number, peer: boolean, address: SockAddress): number {
    const [answer, data] = this.#host.ask('nameOf', fd, peer) as [number, string];
    const read = answer < 0 ? null : readSockaddr(Uint8Array.from(Buffer.from(data, 'hex')));
    if (read !== null) Object.assign(address, read);
    return answer;
  }

  fcntl(fd: number, command: number, argument: number): number {
    return this.#number('fcntl', fd, command, argument);
  }

  ioctl(fd: number, request: number, value: Uint8Array): number {
    const view = new DataView(value.buffer, value.byteOffset);
    const [answer, given] = this.#host.ask('ioctl', fd, request, view.getInt32(0, true)) as [number, number];
    view.setInt32(0, given, true);
    return answer;
  }

  poll(fds: readonly CallPoll[], timeoutMs: number): CallAnswer {
    const take = ([count, revents]: readonly [number, readonly number[]]) => {
      for (const [i, item] of fds.entries()) item.revents = revents[i]!;
      return count;
    };
    return this.#waiting(
      take,
      'poll',
      fds.map(({ fd, events }) => [fd, events]),
      timeoutMs,
    );
  }

  epollCreate(): number {
    return this.#number('epollCreate');
  }

  epollControl(epoll: number, operation: number, fd: number, event: EpollEvent | null): number {
    return this.#number('epollControl', epoll, operation, fd, event?.events ?? 0, Number(event?.data ?? 0));
  }

  epollWait(epoll: number, events: EpollEvent[], most: number, timeoutMs: number): CallAnswer {
    const take = ([count, ready]: readonly [number, readonly (readonly [number, number])[]]) => {
      for (const [bits, data] of ready) events.push({ events: bits, data });
      return count;
    };
    return this.#waiting(take, 'epollWait', epoll, most, timeoutMs);
  }

  /** They end with their process. */
  closeAll(): void {}
}

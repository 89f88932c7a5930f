import type { FaceHost, SockAddress } from '@softnet/contract';
import { SockAddress as Address } from '@softnet/contract';
import type { EpollEvent, MessageHeader } from '@softnet/posix';
import { Posix, readControl, writeControl } from '@softnet/posix';
import type { Answer, CallMessage, CallPoll, SystemCalls } from './system-calls.ts';

/** Room for control messages: more than any message has. */
const CONTROL_BYTES = 1024;

/** The calls of scripts as a C program's, by the face that C programmers know. */
export class PosixCalls implements SystemCalls {
  readonly #posix: Posix;

  constructor(host: FaceHost) {
    this.#posix = new Posix(host);
  }

  socket(domain: number, type: number, protocol: number): number {
    return this.#posix.socket(domain, type, protocol);
  }

  bind(fd: number, address: SockAddress): number {
    return this.#posix.bind(fd, address);
  }

  connect(fd: number, address: SockAddress): Answer {
    return this.#posix.connect(fd, address);
  }

  listen(fd: number, backlog: number): number {
    return this.#posix.listen(fd, backlog);
  }

  accept(fd: number, flags: number): Answer {
    return this.#posix.accept4(fd, null, flags);
  }

  send(fd: number, { data, address, flags, control }: CallMessage): Answer {
    const header = { name: address, iov: [data], control: control.length === 0 ? null : writeControl(control) };
    return this.#posix.sendmsg(fd, header, flags);
  }

  receive(fd: number, message: CallMessage): Answer {
    const header: MessageHeader = { name: new Address(), iov: [message.data], control: new Uint8Array(CONTROL_BYTES) };
    const answer = this.#posix.recvmsg(fd, header, message.flags);
    if (typeof answer === 'number') return given(answer, header, message);
    return answer.then((value) => given(value, header, message));
  }

  shutdown(fd: number, how: number): number {
    return this.#posix.shutdown(fd, how);
  }

  close(fd: number): Answer {
    return this.#posix.close(fd);
  }

  setOption(fd: number, level: number, name: number, value: Uint8Array): number {
    return this.#posix.setsockopt(fd, level, name, value);
  }

  getOption(fd: number, level: number, name: number, value: Uint8Array): number {
    return this.#posix.getsockopt(fd, level, name, value);
  }

  nameOf(fd: number, peer: boolean, address: SockAddress): number {
    return peer ? this.#posix.getpeername(fd, address) : this.#posix.getsockname(fd, address);
  }

  fcntl(fd: number, command: number, argument: number): number {
    return this.#posix.fcntl(fd, command, argument);
  }

  ioctl(fd: number, request: number, value: Uint8Array): number {
    return this.#posix.ioctl(fd, request, value);
  }

  poll(fds: readonly CallPoll[], timeoutMs: number): Answer {
    return this.#posix.poll(fds, timeoutMs);
  }

  epollCreate(): number {
    return this.#posix.epoll_create1(0);
  }

  epollControl(epoll: number, operation: number, fd: number, event: EpollEvent | null): number {
    return this.#posix.epoll_ctl(epoll, operation, fd, event);
  }

  epollWait(epoll: number, events: EpollEvent[], most: number, timeoutMs: number): Answer {
    return this.#posix.epoll_wait(epoll, events, most, timeoutMs);
  }

  closeAll(): void {
    this.#posix.exit();
  }
}

function given(answer: number, header: MessageHeader, message: CallMessage): number {
  if (answer < 0) return answer;
  message.flags = header.flags ?? 0;
  message.address = header.hasName === true ? header.name : null;
  message.control = readControl(header.control!.subarray(0, header.controlBytes ?? 0)) ?? [];
  return answer;
}

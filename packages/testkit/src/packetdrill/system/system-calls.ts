import type { SockAddress } from '@softnet/contract';
import type { EpollEvent } from '@softnet/posix';

/** What a call answers: 0 or more, or -errno; a promise where it blocks. */
export type Answer = number | Promise<number>;

/** `struct msghdr`, in and out. */
export interface CallMessage {
  /** Sent, or where to put what is received. */
  readonly data: Uint8Array;
  address: SockAddress | null;
  flags: number;
  control: readonly CallControl[];
}

export interface CallControl {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** `struct pollfd`. */
export interface CallPoll {
  readonly fd: number;
  readonly events: number;
  revents: number;
}

/**
 * The socket calls that scripts make, by descriptors: what the runner needs of a program's face of a kernel. Values of options are as in Linux's
 * ABI. Nothing throws.
 */
export interface SystemCalls {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: SockAddress): number;
  connect(fd: number, address: SockAddress): Answer;
  listen(fd: number, backlog: number): number;
  accept(fd: number, flags: number): Answer;
  send(fd: number, message: CallMessage): Answer;
  receive(fd: number, message: CallMessage): Answer;
  shutdown(fd: number, how: number): number;
  /** A promise: it lingers. The descriptor is free at once. */
  close(fd: number): Answer;
  setOption(fd: number, level: number, name: number, value: Uint8Array): number;
  /** Bytes written into `value`. */
  getOption(fd: number, level: number, name: number, value: Uint8Array): number;
  /** Its own end, or its peer's. */
  nameOf(fd: number, peer: boolean, address: SockAddress): number;
  fcntl(fd: number, command: number, argument: number): number;
  /** @param value in and out. */
  ioctl(fd: number, request: number, value: Uint8Array): number;
  /** @param timeoutMs below 0: for ever. */
  poll(fds: readonly CallPoll[], timeoutMs: number): Answer;
  epollCreate(): number;
  epollControl(epoll: number, operation: number, fd: number, event: EpollEvent | null): number;
  /** Fills `events`; how many. */
  epollWait(epoll: number, events: EpollEvent[], most: number, timeoutMs: number): Answer;
  /** What are open yet are closed. */
  closeAll(): void;
}

import type { FaceHost, SockAddress } from '@softnet/contract';
import { ERRNO, NetError, POLL, Sockets } from '@softnet/contract';
import { Connections } from './connections.ts';
import { FCNTL } from './constants.ts';
import type { EpollEvent } from './epoll-file.ts';
import { EpollFile } from './epoll-file.ts';
import { ioctl } from './ioctls.ts';
import type { PollItem } from './poll-files.ts';
import { PollWait, pollNow } from './poll-files.ts';
import type { Answer, ProcessOptions } from './process.ts';
import { Process } from './process.ts';
import { SocketFile } from './socket-file.ts';
import type { MessageHeader } from './transfers.ts';
import { Transfers } from './transfers.ts';

const O_RDWR = 2;
const NONBLOCK = 0o4000;
const CLOEXEC = 0o2000000;
const MODES = NONBLOCK | CLOEXEC;
/** Linux's SOCK_TYPE_MASK, and the first type beyond those that there are. */
const TYPE_MASK = 0xf;
const TYPE_END = 11;
/** An int holds no longer time. */
const MAX_TIMEOUT_MS = 0x7fffffff;

/**
 * The socket calls of one process over a kernel, as C programmers know them: Linux's names and numbers, values or -errno, never a throw for a caller's mistake. A call that
 * would block answers a promise instead, which never rejects; so `await` takes both, and who steps a virtual clock sees by `typeof` whether it is done. What is waited for
 * ends by itself, by SO_RCVTIMEO or SO_SNDTIMEO, by a signal (-EINTR), or as its descriptor is closed (-EBADF).
 */
export class Posix {
  readonly #process: Process;
  readonly #connections: Connections;
  readonly #transfers: Transfers;

  constructor(host: FaceHost, options: ProcessOptions = {}) {
    this.#process = new Process(host, options);
    this.#connections = new Connections(this.#process);
    this.#transfers = new Transfers(this.#process);
  }

  /** Why the last call that failed did, in a sentence that says what to do; '' before one has. */
  get lastError(): string {
    return this.#process.lastError;
  }

  /** Descriptors that are open. */
  get descriptors(): readonly number[] {
    return this.#process.descriptors.open();
  }

  /** `type` may have SOCK_NONBLOCK and SOCK_CLOEXEC in it. A descriptor; -EAFNOSUPPORT, -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EINVAL, -EMFILE ... */
  socket(domain: number, type: number, protocol = 0): number {
    const { descriptors, host } = this.#process;
    if ((type & ~(MODES | TYPE_MASK)) !== 0 || (type & TYPE_MASK) >= TYPE_END || protocol < 0) return this.#said('socket', -ERRNO.EINVAL);
    if (descriptors.isFull) return this.#said('socket', -ERRNO.EMFILE);
    try {
      const file = new SocketFile(host.port(Sockets).current.open(domain, type & ~MODES, protocol, this.#process));
      file.nonBlocking = (type & NONBLOCK) !== 0;
      return descriptors.add(file, (type & CLOEXEC) !== 0);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      this.#process.lastError = error.message;
      return error.errno;
    }
  }

  bind(fd: number, address: SockAddress): number {
    return this.#said(`bind(${fd})`, this.#connections.bind(fd, address));
  }

  listen(fd: number, backlog: number): number {
    return this.#said(`listen(${fd})`, this.#connections.listen(fd, backlog));
  }

  accept(fd: number, from: SockAddress | null = null, signal?: AbortSignal): Answer {
    return this.accept4(fd, from, 0, signal);
  }

  /** @param flags SOCK_NONBLOCK, SOCK_CLOEXEC: of the new descriptor. */
  accept4(fd: number, from: SockAddress | null, flags: number, signal?: AbortSignal): Answer {
    if ((flags & ~MODES) !== 0) return this.#said(`accept4(${fd})`, -ERRNO.EINVAL);
    const answer = this.#connections.accept(fd, from, (flags & NONBLOCK) !== 0, (flags & CLOEXEC) !== 0, signal);
    return this.#answered(`accept(${fd})`, answer);
  }

  /** Blocking, -EINPROGRESS is what SO_SNDTIMEO ends it with. AF_UNSPEC disconnects. */
  connect(fd: number, address: SockAddress, signal?: AbortSignal): Answer {
    return this.#answered(`connect(${fd})`, this.#connections.connect(fd, address, signal));
  }

  shutdown(fd: number, how: number): number {
    return this.#said(`shutdown(${fd})`, this.#connections.shutdown(fd, how));
  }

  getsockname(fd: number, into: SockAddress): number {
    return this.#said(`getsockname(${fd})`, this.#connections.name(fd, false, into));
  }

  getpeername(fd: number, into: SockAddress): number {
    return this.#said(`getpeername(${fd})`, this.#connections.name(fd, true, into));
  }

  send(fd: number, data: Uint8Array, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('send', this.#transfers.send('send', fd, data, flags, null, signal));
  }

  sendto(fd: number, data: Uint8Array, flags: number, to: SockAddress | null, signal?: AbortSignal): Answer {
    return this.#answered('sendto', this.#transfers.send('sendto', fd, data, flags, to, signal));
  }

  sendmsg(fd: number, header: MessageHeader, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('sendmsg', this.#transfers.sendMessage('sendmsg', fd, header, flags, signal));
  }

  write(fd: number, data: Uint8Array, signal?: AbortSignal): Answer {
    return this.#answered('write', this.#transfers.send('write', fd, data, 0, null, signal));
  }

  writev(fd: number, iov: readonly Uint8Array[], signal?: AbortSignal): Answer {
    return this.#answered('writev', this.#transfers.sendMessage('writev', fd, { name: null, iov, control: null }, 0, signal));
  }

  recv(fd: number, place: Uint8Array, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('recv', this.#transfers.receive('recv', fd, place, flags, null, signal));
  }

  /** @param from filled; its family is 0 where nobody is named (a stream). */
  recvfrom(fd: number, place: Uint8Array, flags: number, from: SockAddress | null, signal?: AbortSignal): Answer {
    return this.#answered('recvfrom', this.#transfers.receive('recvfrom', fd, place, flags, from, signal));
  }

  recvmsg(fd: number, header: MessageHeader, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('recvmsg', this.#transfers.receiveMessage('recvmsg', fd, header, flags, signal));
  }

  read(fd: number, place: Uint8Array, signal?: AbortSignal): Answer {
    return this.#answered('read', this.#transfers.receive('read', fd, place, 0, null, signal));
  }

  readv(fd: number, iov: readonly Uint8Array[], signal?: AbortSignal): Answer {
    return this.#answered('readv', this.#transfers.receiveMessage('readv', fd, { name: null, iov, control: null }, 0, signal));
  }

  /** The value as in Linux's ABI: see `intValue` and its kin. */
  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number {
    const file = this.#process.socket(fd);
    const result = typeof file === 'number' ? file : file.calls.setOption(file.sock, level, name, value);
    return this.#said(`setsockopt(${fd}, ${level}, ${name})`, result);
  }

  /** Bytes written into `value`, or -errno. */
  getsockopt(fd: number, level: number, name: number, value: Uint8Array): number {
    const file = this.#process.socket(fd);
    const result = typeof file === 'number' ? file : file.calls.getOption(file.sock, level, name, value);
    return this.#said(`getsockopt(${fd}, ${level}, ${name})`, result);
  }

  close(fd: number): number {
    return this.#said(`close(${fd})`, this.#process.descriptors.remove(fd));
  }

  dup(fd: number): number {
    return this.fcntl(fd, FCNTL.DUPFD, 0);
  }

  /** `to` names what `fd` does, and is closed before, if it is open. */
  dup2(fd: number, to: number): number {
    const file = this.#process.file(fd);
    if (typeof file === 'number') return this.#said(`dup2(${fd})`, file);
    return fd === to ? fd : this.#said(`dup2(${fd})`, this.#process.descriptors.put(to, file, false));
  }

  /** F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL. */
  fcntl(fd: number, command: number, argument = 0): number {
    const { descriptors } = this.#process;
    const file = descriptors.file(fd);
    if (file === null) return this.#said(`fcntl(${fd})`, -ERRNO.EBADF);
    switch (command) {
      case FCNTL.DUPFD:
      case FCNTL.DUPFD_CLOEXEC:
        return this.#said(`fcntl(${fd})`, descriptors.add(file, command === FCNTL.DUPFD_CLOEXEC, argument));
      case FCNTL.GETFD:
        return Number(descriptors.closesOnExec(fd));
      case FCNTL.SETFD:
        descriptors.setClosesOnExec(fd, (argument & 1) !== 0);
        return 0;
      case FCNTL.GETFL:
        return file.nonBlocking ? O_RDWR | NONBLOCK : O_RDWR;
      case FCNTL.SETFL:
        file.nonBlocking = (argument & NONBLOCK) !== 0;
        return 0;
      default:
        return this.#said(`fcntl(${fd})`, -ERRNO.EINVAL);
    }
  }

  /** @param value an int or a `struct ifreq`, in and out. */
  ioctl(fd: number, request: number, value: Uint8Array): number {
    const file = this.#process.file(fd);
    return this.#said(`ioctl(${fd})`, typeof file === 'number' ? file : ioctl(this.#process, file, request, value));
  }

  /** How many say something in `revents`. @param timeoutMs below 0: for ever; 0: it does not wait. */
  poll(items: readonly PollItem[], timeoutMs: number, signal?: AbortSignal): Answer {
    const { descriptors, host } = this.#process;
    const count = pollNow(descriptors, items);
    return count > 0 || timeoutMs === 0 ? count : new PollWait(host, descriptors, items, timeoutUs(timeoutMs), signal).promise;
  }

  epoll_create1(flags = 0): number {
    if ((flags & ~CLOEXEC) !== 0) return this.#said('epoll_create1', -ERRNO.EINVAL);
    return this.#said('epoll_create1', this.#process.descriptors.add(new EpollFile(), flags !== 0));
  }

  epoll_ctl(epfd: number, op: number, fd: number, event: EpollEvent | null): number {
    const [epoll, file] = [this.#process.file(epfd), this.#process.file(fd)];
    if (typeof epoll === 'number' || typeof file === 'number') return this.#said(`epoll_ctl(${epfd})`, -ERRNO.EBADF);
    return this.#said(`epoll_ctl(${epfd})`, epoll instanceof EpollFile ? epoll.control(op, fd, file, event) : -ERRNO.EINVAL);
  }

  /** Fills `events`, at most `max`; how many. @param timeoutMs below 0: for ever. */
  epoll_wait(epfd: number, events: EpollEvent[], max: number, timeoutMs: number, signal?: AbortSignal): Answer {
    const file = this.#process.file(epfd);
    if (typeof file === 'number') return this.#said(`epoll_wait(${epfd})`, file);
    if (!(file instanceof EpollFile) || max <= 0) return this.#said(`epoll_wait(${epfd})`, -ERRNO.EINVAL);
    const count = file.collect(events, max);
    if (count > 0 || timeoutMs === 0) return count;
    const terms = { bits: POLL.IN, timeoutUs: Math.max(0, timeoutUs(timeoutMs)), late: 0, signal };
    return this.#process.wait('epoll_wait', file, terms, () => file.collect(events, max) || -ERRNO.EAGAIN);
  }

  /** Closes all that is open, as the end of a process does. */
  exit(): void {
    for (const fd of this.descriptors) this.#process.descriptors.remove(fd);
  }

  #said(call: string, result: number): number {
    return this.#process.answered(call, result);
  }

  #answered(call: string, answer: Answer): Answer {
    return typeof answer === 'number' ? this.#process.answered(call, answer) : answer;
  }
}

/** Below 0: for ever. */
function timeoutUs(timeoutMs: number): number {
  return Math.min(timeoutMs, MAX_TIMEOUT_MS) * 1000;
}

import type { FaceHost, SockAddress } from '@softnet/contract';
import { ERRNO, NetError, Sockets } from '@softnet/contract';
import { Connections } from './connections.ts';
import type { EpollEvent } from './epoll-file.ts';
import { EpollFile } from './epoll-file.ts';
import { fcntl } from './fcntl.ts';
import { ioctl } from './ioctls.ts';
import type { BatchMessage } from './message-batches.ts';
import { MessageBatches } from './message-batches.ts';
import type { MessageHeader } from './message-header.ts';
import { MAX_IOV } from './message-header.ts';
import { FCNTL } from './names/file-names.ts';
import type { PollItem } from './poll-files.ts';
import { Polls, toUs } from './polls.ts';
import type { Answer, ProcessOptions } from './process.ts';
import { Process } from './process.ts';
import { readOption } from './read-option.ts';
import { Receiving } from './receiving.ts';
import type { DescriptorSet } from './select-files.ts';
import { Sending } from './sending.ts';
import { SocketFile } from './socket-file.ts';

const NONBLOCK = 0o4000;
const CLOEXEC = 0o2000000;
const MODES = NONBLOCK | CLOEXEC;
/** Linux's SOCK_TYPE_MASK, and the first type beyond those that there are. */
const TYPE_MASK = 0xf;
const TYPE_END = 11;
/**
 * The socket calls of one process over a kernel, as C programmers know them: Linux's names and numbers, values or -errno, never a throw for a caller's mistake. A call that
 * would block answers a promise instead, which never rejects; so `await` takes both, and who steps a virtual clock sees by `typeof` whether it is done. What is waited for
 * ends by itself, by SO_RCVTIMEO or SO_SNDTIMEO, by a signal (-EINTR), or as its descriptor is closed (-EBADF).
 */
export class Posix {
  readonly #process: Process;
  readonly #connections: Connections;
  readonly #sending: Sending;
  readonly #receiving: Receiving;
  readonly #batches: MessageBatches;
  readonly #polls: Polls;

  constructor(host: FaceHost, options: ProcessOptions = {}) {
    this.#process = new Process(host, options);
    this.#connections = new Connections(this.#process);
    this.#sending = new Sending(this.#process);
    this.#receiving = new Receiving(this.#process);
    this.#polls = new Polls(this.#process);
    this.#batches = new MessageBatches(this.#process, this.#sending, this.#receiving);
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

  /** Never: of the families that there are none has pairs, as in Linux (-EOPNOTSUPP). Otherwise what `socket` says: -EAFNOSUPPORT for AF_UNIX. */
  socketpair(domain: number, type: number, protocol = 0): number {
    const fd = this.socket(domain, type, protocol);
    if (fd >= 0) this.#process.descriptors.remove(fd);
    return fd < 0 ? fd : this.#said('socketpair', -ERRNO.EOPNOTSUPP);
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
    return this.#answered('send', this.#sending.send('send', fd, data, flags, null, signal));
  }

  sendto(fd: number, data: Uint8Array, flags: number, to: SockAddress | null, signal?: AbortSignal): Answer {
    return this.#answered('sendto', this.#sending.send('sendto', fd, data, flags, to, signal));
  }

  sendmsg(fd: number, header: MessageHeader, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('sendmsg', this.#sending.sendMessage('sendmsg', fd, header, flags, signal));
  }

  /** How many were sent, in `lenBytes` of each how much of it. @param batch at most 1024. */
  sendmmsg(fd: number, batch: readonly BatchMessage[], flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('sendmmsg', this.#batches.send(fd, batch, flags, signal));
  }

  write(fd: number, data: Uint8Array, signal?: AbortSignal): Answer {
    return this.#answered('write', ofFile(this.#sending.send('write', fd, data, 0, null, signal)));
  }

  /** -EINVAL: more than 1024 places. */
  writev(fd: number, iov: readonly Uint8Array[], signal?: AbortSignal): Answer {
    if (iov.length > MAX_IOV) return this.#said('writev', -ERRNO.EINVAL);
    return this.#answered('writev', ofFile(this.#sending.sendMessage('writev', fd, { name: null, iov, control: null }, 0, signal)));
  }

  recv(fd: number, place: Uint8Array, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('recv', this.#receiving.receive('recv', fd, place, flags, null, signal));
  }

  /** @param from filled; its family is 0 where nobody is named (a stream). */
  recvfrom(fd: number, place: Uint8Array, flags: number, from: SockAddress | null, signal?: AbortSignal): Answer {
    return this.#answered('recvfrom', this.#receiving.receive('recvfrom', fd, place, flags, from, signal));
  }

  recvmsg(fd: number, header: MessageHeader, flags = 0, signal?: AbortSignal): Answer {
    return this.#answered('recvmsg', this.#receiving.receiveMessage('recvmsg', fd, header, flags, signal));
  }

  /**
   * How many came, in `lenBytes` of each how much; MSG_WAITFORONE waits for the first only. @param batch at most 1024.
   * @param timeoutUs looked at when a message has come, as in Linux: it ends no wait, as SO_RCVTIMEO does. Null: none.
   */
  recvmmsg(fd: number, batch: readonly BatchMessage[], flags = 0, timeoutUs: number | null = null, signal?: AbortSignal): Answer {
    return this.#answered('recvmmsg', this.#batches.receive(fd, batch, flags, timeoutUs, signal));
  }

  read(fd: number, place: Uint8Array, signal?: AbortSignal): Answer {
    return this.#answered('read', ofFile(this.#receiving.receive('read', fd, place, 0, null, signal)));
  }

  /** -EINVAL: more than 1024 places. */
  readv(fd: number, iov: readonly Uint8Array[], signal?: AbortSignal): Answer {
    if (iov.length > MAX_IOV) return this.#said('readv', -ERRNO.EINVAL);
    return this.#answered('readv', ofFile(this.#receiving.receiveMessage('readv', fd, { name: null, iov, control: null }, 0, signal)));
  }

  /** The value as in Linux's ABI: see `intValue` and its kin. */
  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number {
    const file = this.#process.socket(fd);
    const result = typeof file === 'number' ? file : file.calls.setOption(file.sock, level, name, value);
    return this.#said(`setsockopt(${fd}, ${level}, ${name})`, result);
  }

  /** Bytes written into `value`, or -errno. What does not fit is cut, as Linux does. */
  getsockopt(fd: number, level: number, name: number, value: Uint8Array): number {
    const file = this.#process.socket(fd);
    const result = typeof file === 'number' ? file : readOption(file, level, name, value);
    return this.#said(`getsockopt(${fd}, ${level}, ${name})`, result);
  }

  /**
   * The descriptor is free at once. With the last one of a stream whose SO_LINGER is above 0 s it waits until the peer has all that was sent, or for so long, whether O_NONBLOCK is
   * set or not, and answers 0 in any case.
   */
  close(fd: number): Answer {
    const { descriptors, host } = this.#process;
    const file = descriptors.file(fd);
    const result = this.#said(`close(${fd})`, descriptors.remove(fd));
    return file instanceof SocketFile && file.isClosed ? (file.lingering(host) ?? result) : result;
  }

  dup(fd: number): number {
    return this.fcntl(fd, FCNTL.DUPFD, 0);
  }

  /** `to` names what `fd` does, and is closed before, if it is open, without a wait. */
  dup2(fd: number, to: number): number {
    return fd === to && typeof this.#process.file(fd) !== 'number' ? fd : this.#put(`dup2(${fd})`, fd, to, 0);
  }

  /** As dup2, but -EINVAL for one and the same. @param flags O_CLOEXEC. */
  dup3(fd: number, to: number, flags = 0): number {
    const isWrong = fd === to || (flags & ~CLOEXEC) !== 0;
    return isWrong ? this.#said(`dup3(${fd})`, -ERRNO.EINVAL) : this.#put(`dup3(${fd})`, fd, to, flags);
  }

  /** F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL. */
  fcntl(fd: number, command: number, argument = 0): number {
    return this.#said(`fcntl(${fd})`, fcntl(this.#process.descriptors, fd, command, argument));
  }

  /** @param value an int or a `struct ifreq`, in and out. */
  ioctl(fd: number, request: number, value: Uint8Array): number {
    const file = this.#process.file(fd);
    return this.#said(`ioctl(${fd})`, typeof file === 'number' ? file : ioctl(this.#process, fd, file, request, value));
  }

  /** How many say something in `revents`. @param timeoutMs below 0: for ever; 0: it does not wait. */
  poll(items: readonly PollItem[], timeoutMs: number, signal?: AbortSignal): Answer {
    return this.#answered('poll', this.#polls.poll('poll', items, toUs(timeoutMs), signal));
  }

  /** @param timeoutUs null: for ever. There are no signals to be masked but the one that ends it. */
  ppoll(items: readonly PollItem[], timeoutUs: number | null, signal?: AbortSignal): Answer {
    return this.#answered('ppoll', this.#polls.poll('ppoll', items, timeoutUs, signal));
  }

  /**
   * How many descriptors below `end` are left in the sets, which it writes over: those that can be read, written, or have urgent data. -EBADF: one is not open.
   * @param timeoutUs null: for ever.
   */
  select(
    end: number,
    read: DescriptorSet,
    write: DescriptorSet,
    except: DescriptorSet,
    timeoutUs: number | null,
    signal?: AbortSignal,
  ): Answer {
    return this.#answered('select', this.#polls.select(end, [read, write, except], timeoutUs, signal));
  }

  /** As `select`: there are no signals to be masked but the one that ends it. */
  pselect(
    end: number,
    read: DescriptorSet,
    write: DescriptorSet,
    except: DescriptorSet,
    timeoutUs: number | null,
    signal?: AbortSignal,
  ): Answer {
    return this.select(end, read, write, except, timeoutUs, signal);
  }

  /** As epoll_create1; -EINVAL for a size that is none. */
  epoll_create(size: number): number {
    return size > 0 ? this.epoll_create1() : this.#said('epoll_create', -ERRNO.EINVAL);
  }

  epoll_create1(flags = 0): number {
    if ((flags & ~CLOEXEC) !== 0) return this.#said('epoll_create1', -ERRNO.EINVAL);
    return this.#said('epoll_create1', this.#process.descriptors.add(new EpollFile(), flags !== 0));
  }

  epoll_ctl(epfd: number, op: number, fd: number, event: EpollEvent | null): number {
    return this.#said(`epoll_ctl(${epfd})`, this.#polls.control(epfd, op, fd, event));
  }

  /** Fills `events`, at most `max`; how many. @param timeoutMs below 0: for ever. */
  epoll_wait(epfd: number, events: EpollEvent[], max: number, timeoutMs: number, signal?: AbortSignal): Answer {
    return this.#answered(`epoll_wait(${epfd})`, this.#polls.wait('epoll_wait', epfd, events, max, toUs(timeoutMs), signal));
  }

  /** As epoll_wait: there are no signals to be masked but the one that ends it. */
  epoll_pwait(epfd: number, events: EpollEvent[], max: number, timeoutMs: number, signal?: AbortSignal): Answer {
    return this.epoll_wait(epfd, events, max, timeoutMs, signal);
  }

  /** @param timeoutUs null: for ever. */
  epoll_pwait2(epfd: number, events: EpollEvent[], max: number, timeoutUs: number | null, signal?: AbortSignal): Answer {
    return this.#answered(`epoll_pwait2(${epfd})`, this.#polls.wait('epoll_pwait2', epfd, events, max, timeoutUs, signal));
  }

  /** Closes all that is open, as the end of a process does. */
  exit(): void {
    for (const fd of this.descriptors) this.#process.descriptors.remove(fd);
  }

  #put(call: string, fd: number, to: number, flags: number): number {
    const file = this.#process.file(fd);
    return this.#said(call, typeof file === 'number' ? file : this.#process.descriptors.put(to, file, flags !== 0));
  }

  #said(call: string, result: number): number {
    return this.#process.answered(call, result);
  }

  #answered(call: string, answer: Answer): Answer {
    return typeof answer === 'number' ? this.#process.answered(call, answer) : answer;
  }
}

/** Files that are no sockets can be neither read nor written here. */
function ofFile(answer: Answer): Answer {
  return answer === -ERRNO.ENOTSOCK ? -ERRNO.EINVAL : answer;
}

import type { SockAddress } from '@softnet/contract';
import { SockAddress as Address, ERRNO, POLL, readEnd, SOCK_FLAG } from '@softnet/contract';
import type { Answer, Process } from './process.ts';
import { SocketFile } from './socket-file.ts';

/** SOMAXCONN, which is also the usual `net.core.somaxconn`. */
const MAX_BACKLOG = 4096;

/** AF_UNSPEC. */
const NOBODY: Readonly<SockAddress> = Object.freeze(new Address());

/** The calls about both ends of sockets: bind, listen, accept, connect, shutdown, names. */
export class Connections {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  bind(fd: number, address: SockAddress): number {
    const file = this.#process.socket(fd);
    return typeof file === 'number' ? file : file.calls.bind(file.sock, address);
  }

  /** A backlog below 0 is the most, as in Linux. */
  listen(fd: number, backlog: number): number {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    return file.calls.listen(file.sock, backlog < 0 ? MAX_BACKLOG : Math.min(backlog, MAX_BACKLOG));
  }

  /** A connection's new descriptor. */
  accept(fd: number, address: SockAddress | null, nonBlocking: boolean, closesOnExec: boolean, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    if (!file.isStream) return -ERRNO.EOPNOTSUPP;
    const attempt = (): number => this.#take(file, address, nonBlocking, closesOnExec);
    const result = attempt();
    if (result !== -ERRNO.EAGAIN || file.nonBlocking) return result;
    const timeoutUs = file.sock.options?.receiveTimeoutUs ?? 0;
    return this.#process.wait('accept', file, { bits: POLL.IN, timeoutUs, late: -ERRNO.EAGAIN, signal }, attempt);
  }

  /**
   * -EINPROGRESS where it must wait and may not, or its time (SO_SNDTIMEO) is over. Where one is under way already, who may wait waits for the same, with -EALREADY in the end; who
   * comes too late for the error that it had is told -ECONNABORTED (Linux's `inet_stream_connect`).
   */
  connect(fd: number, address: SockAddress, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const result = file.calls.connect(file.sock, address);
    const isUnderWay = result === -ERRNO.EINPROGRESS || (result === -ERRNO.EALREADY && file.isStream);
    if (!isUnderWay || file.nonBlocking) return result;
    const terms = { bits: POLL.OUT, timeoutUs: file.sock.options?.sendTimeoutUs ?? 0, late: result, signal };
    return this.#process.wait('connect', file, terms, () => {
      const error = takeError(file) || ((file.poll() & POLL.HUP) === 0 ? 0 : -ERRNO.ECONNABORTED);
      // Who waited knows how it ended: the next connect is told nothing of this one (Linux's `inet_stream_connect`).
      file.calls.connect(file.sock, error === 0 ? address : NOBODY);
      return error;
    });
  }

  shutdown(fd: number, how: number): number {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    // SHUT_RD, SHUT_WR, SHUT_RDWR: the bits are one more.
    return how < 0 || how > 2 ? -ERRNO.EINVAL : file.calls.shutdown(file.sock, how + 1);
  }

  /** Both names are one function (row I6). */
  name(fd: number, remote: boolean, into: SockAddress): number {
    const file = this.#process.socket(fd);
    return typeof file === 'number' ? file : readEnd(file.sock, remote, into);
  }

  #take(file: SocketFile, address: SockAddress | null, nonBlocking: boolean, closesOnExec: boolean): number {
    const { descriptors } = this.#process;
    // It may have been shut while somebody waited.
    if ((file.sock.flags & SOCK_FLAG.LISTENING) === 0) return takeError(file) || -ERRNO.EINVAL;
    // Before one is taken that then has no number.
    if (descriptors.isFull) return -ERRNO.EMFILE;
    const sock = file.calls.accept(file.sock, this.#process);
    if (sock === null) return takeError(file) || -ERRNO.EAGAIN;
    const accepted = new SocketFile(sock);
    accepted.nonBlocking = nonBlocking;
    if (address !== null) readEnd(sock, true, address);
    return descriptors.add(accepted, closesOnExec);
  }
}

/** SO_ERROR, negated, and cleared. */
function takeError({ sock }: SocketFile): number {
  const { error } = sock;
  sock.error = 0;
  return -error || 0;
}

/** A record to be filled by `accept`, `recvfrom`, `getsockname`. */
export function emptyAddress(): SockAddress {
  return new Address();
}

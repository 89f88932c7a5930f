import type { Message, SockAddress } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, POLL } from '@softnet/contract';
import { chainOf, readControl } from './control-data.ts';
import { LentMessage } from './lent-message.ts';
import type { MessageHeader } from './message-header.ts';
import { behind, bytesOf, copyAddress, MAX_IOV } from './message-header.ts';
import { partByPart } from './part-by-part.ts';
import type { Answer, Process } from './process.ts';
import type { SocketFile } from './socket-file.ts';

/** Flags of the first part of a message alone. */
const FIRST_FLAGS = MESSAGE_FLAG.FASTOPEN;

/** Send calls, of all kinds. Those that need not wait leave no garbage, but for control messages that are read. */
export class Sending {
  readonly #process: Process;
  readonly #lent = new LentMessage();

  constructor(process: Process) {
    this.#process = process;
  }

  /** One place, one address or none. */
  send(call: string, fd: number, data: Uint8Array, flags: number, to: SockAddress | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const message = this.#lent.take(data, null, flags);
    message.control = null;
    const sent = this.#sendLent(file, message, to);
    if (!mustWait(file, flags, sent, data.length)) return this.#signalled(file, flags, sent);
    return this.#sendAll(call, file, { name: to, iov: [data], control: null }, flags, Math.max(0, sent), signal);
  }

  /** -EMSGSIZE: of more than 1024 places. */
  sendMessage(call: string, fd: number, header: MessageHeader, flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    if (header.iov.length > MAX_IOV) return -ERRNO.EMSGSIZE;
    const sent = this.#sendHeader(file, header, header.iov, flags);
    if (!mustWait(file, flags, sent, bytesOf(header.iov))) return this.#signalled(file, flags, sent);
    return this.#sendAll(call, file, header, flags, Math.max(0, sent), signal);
  }

  #sendHeader(file: SocketFile, { name, control }: MessageHeader, iov: readonly Uint8Array[], flags: number): number {
    const items = control === null ? [] : readControl(control);
    if (items === null) return -ERRNO.EINVAL;
    const message = this.#lent.take(null, iov, flags);
    message.control = chainOf(items);
    return this.#sendLent(file, message, name);
  }

  #sendLent(file: SocketFile, message: Message, to: SockAddress | null): number {
    message.hasAddress = to !== null;
    if (to !== null) copyAddress(to, message.address);
    const sent = file.calls.send(file.sock, message);
    message.control = null;
    this.#lent.giveBack(message);
    return sent;
  }

  /** What a stream takes in parts, as Linux's blocking send does. */
  #sendAll(call: string, file: SocketFile, header: MessageHeader, flags: number, doneBytes: number, signal?: AbortSignal): Answer {
    return partByPart(this.#process, file, {
      ...{ call, enoughBytes: bytesOf(header.iov), doneBytes },
      terms: { bits: POLL.OUT, timeoutUs: file.sock.options?.sendTimeoutUs ?? 0, late: -ERRNO.EAGAIN, signal },
      step: (count) => this.#sendHeader(file, header, behind(header.iov, count), count === 0 ? flags : flags & ~FIRST_FLAGS),
      settled: (result) => this.#signalled(file, flags, result),
    });
  }

  /** Where Linux sends SIGPIPE. */
  #signalled(file: SocketFile, flags: number, result: number): number {
    if (result === -ERRNO.EPIPE && file.isByteStream && (flags & MESSAGE_FLAG.NOSIGNAL) === 0) this.#process.signal('SIGPIPE');
    return result;
  }
}

/** A stream takes a part: the rest waits. */
function mustWait(file: SocketFile, flags: number, sent: number, lenBytes: number): boolean {
  if (file.nonBlocking || (flags & MESSAGE_FLAG.DONTWAIT) !== 0) return false;
  return sent === -ERRNO.EAGAIN || (file.isByteStream && sent >= 0 && sent < lenBytes);
}

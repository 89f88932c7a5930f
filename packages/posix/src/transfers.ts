import type { SockAddress } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, Message, POLL } from '@softnet/contract';
import { chainOf, fillControl, readControl } from './control-data.ts';
import type { Answer, Process } from './process.ts';
import type { SocketFile } from './socket-file.ts';
import type { WaitTerms } from './waiting.ts';

/** `struct msghdr`. */
export interface MessageHeader {
  /** Where to, or filled with where from; null: not wanted. */
  name: SockAddress | null;
  /** What is sent, or where to put what comes, in order. */
  readonly iov: readonly Uint8Array[];
  /** Control messages as bytes (CMSG layout); null: none wanted. */
  control: Uint8Array | null;
  /** Received: bytes of `control` that were filled. */
  controlBytes?: number;
  /** Received: MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE ... */
  flags?: number;
  /** Received: somebody sent it, whom `name` names. */
  hasName?: boolean;
}

/** Send and receive, of all kinds. Those that need not wait leave no garbage, but for control messages and addresses that are read. */
export class Transfers {
  readonly #process: Process;
  /** Lent to one call at a time: another one may come in its midst, as a socket may wake its peer at once. */
  #idle: Message | null = new Message();

  constructor(process: Process) {
    this.#process = process;
  }

  /** One place, one address or none. */
  send(call: string, fd: number, data: Uint8Array, flags: number, to: SockAddress | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const sent = this.#sendOnce(file, data, flags, to);
    if (!this.#mustWait(file, flags, sent, data.length)) return sent;
    return this.#sendAll(call, file, { name: to, iov: [data], control: null }, flags, Math.max(0, sent), signal);
  }

  sendMessage(call: string, fd: number, header: MessageHeader, flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const sent = this.#sendHeader(file, header, flags);
    if (!this.#mustWait(file, flags, sent, bytesOf(header.iov))) return sent;
    return this.#sendAll(call, file, header, flags, Math.max(0, sent), signal);
  }

  receive(call: string, fd: number, place: Uint8Array, flags: number, from: SockAddress | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const result = this.#receiveOnce(file, place, null, flags, from);
    if (takesAll(file, flags) && (result > 0 || result === -ERRNO.EAGAIN))
      return this.#waitForAll(call, file, this.#receiving(file, signal), place.length, Math.max(0, result), (count) =>
        this.#receiveOnce(file, place.subarray(count), null, flags, from),
      );
    if (result !== -ERRNO.EAGAIN || !blocks(file, flags)) return result;
    return this.#process.wait(call, file, this.#receiving(file, signal), () => this.#receiveOnce(file, place, null, flags, from));
  }

  receiveMessage(call: string, fd: number, header: MessageHeader, flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const attempt = (): number => this.#receiveOnce(file, null, header.iov, flags, header.name, header);
    const result = attempt();
    if (result !== -ERRNO.EAGAIN || !blocks(file, flags)) return result;
    return this.#process.wait(call, file, this.#receiving(file, signal), attempt);
  }

  #sendOnce(file: SocketFile, data: Uint8Array, flags: number, to: SockAddress | null): number {
    const message = this.#lend(data, null, flags);
    message.control = null;
    return this.#sendLent(file, message, to);
  }

  #sendHeader(file: SocketFile, { name, iov, control }: MessageHeader, flags: number): number {
    const items = control === null ? [] : readControl(control);
    if (items === null) return -ERRNO.EINVAL;
    const message = this.#lend(null, iov, flags);
    message.control = chainOf(items);
    return this.#sendLent(file, message, name);
  }

  #lend(data: Uint8Array | null, more: readonly Uint8Array[] | null, flags: number): Message {
    const message = this.#idle ?? new Message();
    this.#idle = null;
    message.data = data;
    message.more = more;
    message.flags = flags & ~MESSAGE_FLAG.SKB;
    return message;
  }

  #sendLent(file: SocketFile, message: Message, to: SockAddress | null): number {
    message.hasAddress = to !== null;
    if (to !== null) copyAddress(to, message.address);
    const sent = file.calls.send(file.sock, message);
    message.control = null;
    this.#idle = message;
    return sent;
  }

  /** A stream takes a part: the rest waits, as Linux's blocking send does. */
  #mustWait(file: SocketFile, flags: number, sent: number, lenBytes: number): boolean {
    if (!blocks(file, flags)) return false;
    return sent === -ERRNO.EAGAIN || (file.isStream && sent >= 0 && sent < lenBytes);
  }

  #sendAll(call: string, file: SocketFile, header: MessageHeader, flags: number, sent: number, signal?: AbortSignal): Answer {
    const lenBytes = bytesOf(header.iov);
    const terms = { bits: POLL.OUT, timeoutUs: file.sock.options?.sendTimeoutUs ?? 0, late: -ERRNO.EAGAIN, signal };
    return this.#waitForAll(call, file, terms, lenBytes, sent, (count) =>
      this.#sendHeader(file, count === 0 ? header : { ...header, iov: behind(header.iov, count) }, flags),
    );
  }

  /**
   * Goes on part by part until all is done, in one wait: it keeps its turn and its time, and no wake-up falls between two parts. What was done before an error counts;
   * the next call says the error.
   * @param step the next part, behind so many bytes; 0: there are no more.
   */
  #waitForAll(
    call: string,
    file: SocketFile,
    terms: Omit<WaitTerms, 'place'>,
    lenBytes: number,
    done: number,
    step: (count: number) => number,
  ): Answer {
    let count = done;
    const settled = (result: number): number => (result < 0 && count > 0 ? count : result);
    const attempt = (): number => {
      while (count < lenBytes || count === 0) {
        const { error } = file.sock;
        const result = step(count);
        if (result === -ERRNO.EAGAIN) return result;
        if (result < 0 && count > 0 && file.sock.error === 0) file.sock.error = error;
        if (result <= 0) return settled(result) || count;
        count += result;
      }
      return count;
    };
    const result = attempt();
    return result === -ERRNO.EAGAIN ? this.#process.wait(call, file, terms, attempt, settled) : result;
  }

  #receiveOnce(
    file: SocketFile,
    place: Uint8Array | null,
    more: readonly Uint8Array[] | null,
    flags: number,
    from: SockAddress | null,
    header: MessageHeader | null = null,
  ): number {
    const message = this.#lend(place, more, flags);
    const count = file.calls.receive(file.sock, message);
    if (count >= 0) fillFrom(message, from, header);
    this.#idle = message;
    return count;
  }

  #receiving({ sock }: SocketFile, signal: AbortSignal | undefined) {
    return { bits: POLL.IN | POLL.RDHUP, timeoutUs: sock.options?.receiveTimeoutUs ?? 0, late: -ERRNO.EAGAIN, signal };
  }
}

const NOTHING = Object.freeze({ lenBytes: 0, flags: 0 });

function blocks(file: SocketFile, flags: number): boolean {
  return !file.nonBlocking && (flags & (MESSAGE_FLAG.DONTWAIT | MESSAGE_FLAG.ERRQUEUE)) === 0;
}

/** MSG_WAITALL of a stream. Peeked at is what is there. */
function takesAll(file: SocketFile, flags: number): boolean {
  return file.isStream && (flags & (MESSAGE_FLAG.WAITALL | MESSAGE_FLAG.PEEK)) === MESSAGE_FLAG.WAITALL && blocks(file, flags);
}

function bytesOf(iov: readonly Uint8Array[]): number {
  return iov.reduce((sum, { length }) => sum + length, 0);
}

/** What a receive call says beside its bytes. */
function fillFrom(message: Message, from: SockAddress | null, header: MessageHeader | null): void {
  if (from !== null) {
    if (message.hasAddress) copyAddress(message.address, from);
    else from.family = 0;
  }
  if (header === null) return;
  const given = header.control === null ? NOTHING : fillControl(message.control, header.control);
  header.controlBytes = given.lenBytes;
  header.hasName = message.hasAddress;
  header.flags = message.flags | given.flags;
}

/** What is left of places when so many bytes are taken. */
function behind(iov: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  const rest: Uint8Array[] = [];
  for (const place of iov) {
    if (left < place.length) rest.push(place.subarray(left));
    left = Math.max(0, left - place.length);
  }
  return rest;
}

function copyAddress(from: SockAddress, to: SockAddress): void {
  to.family = from.family;
  to.address0 = from.address0;
  to.address1 = from.address1;
  to.address2 = from.address2;
  to.address3 = from.address3;
  to.port = from.port;
  to.ifindex = from.ifindex;
}

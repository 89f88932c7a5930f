import type { SockAddress } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, Message, POLL } from '@softnet/contract';
import { chainOf, fillControl, readControl } from './control-data.ts';
import type { Answer, Process } from './process.ts';
import type { SocketFile } from './socket-file.ts';

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
  /** Of the call at hand; no call comes in between. */
  readonly #message = new Message();

  constructor(process: Process) {
    this.#process = process;
  }

  /** One place, one address or none. */
  send(call: string, fd: number, data: Uint8Array, flags: number, to: SockAddress | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const sent = this.#sendOnce(file, data, null, flags, to);
    if (!this.#mustWait(file, flags, sent, data.length)) return sent;
    return this.#sendAll(call, file, { name: to, iov: [data], control: null }, flags, Math.max(0, sent), signal);
  }

  sendMessage(call: string, fd: number, header: MessageHeader, flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const sent = this.#sendHeader(file, header, flags);
    const lenBytes = header.iov.reduce((sum, { length }) => sum + length, 0);
    if (!this.#mustWait(file, flags, sent, lenBytes)) return sent;
    return this.#sendAll(call, file, header, flags, Math.max(0, sent), signal);
  }

  receive(call: string, fd: number, place: Uint8Array, flags: number, from: SockAddress | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const attempt = this.#receiveOnce(file, place, null, flags, from);
    const isAll = file.isStream && (flags & MESSAGE_FLAG.WAITALL) !== 0;
    if (!blocks(file, flags) || (isAll ? attempt <= 0 && attempt !== -ERRNO.EAGAIN : attempt !== -ERRNO.EAGAIN)) return attempt;
    if (isAll) return this.#receiveAll(call, file, place, flags, Math.max(0, attempt), signal);
    return this.#process.wait(call, file, this.#receiving(file, signal), () => this.#receiveOnce(file, place, null, flags, from));
  }

  receiveMessage(call: string, fd: number, header: MessageHeader, flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const attempt = (): number => this.#receiveHeader(file, header, flags);
    const result = attempt();
    if (result !== -ERRNO.EAGAIN || !blocks(file, flags)) return result;
    return this.#process.wait(call, file, this.#receiving(file, signal), attempt);
  }

  #sendOnce(file: SocketFile, data: Uint8Array | null, more: readonly Uint8Array[] | null, flags: number, to: SockAddress | null): number {
    const message = this.#message;
    message.data = data;
    message.more = more;
    message.flags = flags & ~MESSAGE_FLAG.SKB;
    message.control = null;
    message.hasAddress = to !== null;
    if (to !== null) copyAddress(to, message.address);
    return file.calls.send(file.sock, message);
  }

  #sendHeader(file: SocketFile, { name, iov, control }: MessageHeader, flags: number): number {
    const message = this.#message;
    const items = control === null ? [] : readControl(control);
    if (items === null) return -ERRNO.EINVAL;
    message.data = null;
    message.more = iov;
    message.flags = flags & ~MESSAGE_FLAG.SKB;
    message.hasAddress = name !== null;
    if (name !== null) copyAddress(name, message.address);
    message.control = chainOf(items);
    const sent = file.calls.send(file.sock, message);
    message.control = null;
    return sent;
  }

  /** A stream takes a part: the rest waits, as Linux's blocking send does. */
  #mustWait(file: SocketFile, flags: number, sent: number, lenBytes: number): boolean {
    if (!blocks(file, flags)) return false;
    return sent === -ERRNO.EAGAIN || (file.isStream && sent >= 0 && sent < lenBytes);
  }

  /** What was sent before an error counts; the error is said by the next call. */
  async #sendAll(
    call: string,
    file: SocketFile,
    header: MessageHeader,
    flags: number,
    done: number,
    signal?: AbortSignal,
  ): Promise<number> {
    const lenBytes = header.iov.reduce((sum, { length }) => sum + length, 0);
    const terms = { bits: POLL.OUT, timeoutUs: file.sock.options?.sendTimeoutUs ?? 0, late: -ERRNO.EAGAIN, signal };
    let sent = done;
    for (;;) {
      const rest = sent === 0 ? header : { ...header, iov: behind(header.iov, sent) };
      const result = await this.#process.wait(call, file, terms, () => this.#sendHeader(file, rest, flags));
      if (result < 0) return sent > 0 ? sent : result;
      sent += result;
      if (!file.isStream || sent >= lenBytes) return sent;
    }
  }

  #receiveOnce(
    file: SocketFile,
    place: Uint8Array | null,
    more: readonly Uint8Array[] | null,
    flags: number,
    from: SockAddress | null,
  ): number {
    const message = this.#message;
    message.data = place;
    message.more = more;
    message.flags = flags & ~MESSAGE_FLAG.SKB;
    const count = file.calls.receive(file.sock, message);
    if (count >= 0 && from !== null) {
      if (message.hasAddress) copyAddress(message.address, from);
      else from.family = 0;
    }
    return count;
  }

  #receiveHeader(file: SocketFile, header: MessageHeader, flags: number): number {
    const message = this.#message;
    const count = this.#receiveOnce(file, null, header.iov, flags, header.name);
    if (count < 0) return count;
    const given = header.control === null ? NOTHING : fillControl(message.control, header.control);
    header.controlBytes = given.lenBytes;
    header.hasName = message.hasAddress;
    header.flags = message.flags | given.flags;
    return count;
  }

  /** MSG_WAITALL of a stream: until the place is full, the stream ends, or an error comes. */
  async #receiveAll(call: string, file: SocketFile, place: Uint8Array, flags: number, done: number, signal?: AbortSignal): Promise<number> {
    let got = done;
    while (got < place.length) {
      const rest = place.subarray(got);
      const result = await this.#process.wait(call, file, this.#receiving(file, signal), () =>
        this.#receiveOnce(file, rest, null, flags, null),
      );
      if (result < 0) return got > 0 ? got : result;
      if (result === 0) return got;
      got += result;
    }
    return got;
  }

  #receiving({ sock }: SocketFile, signal: AbortSignal | undefined) {
    return { bits: POLL.IN | POLL.RDHUP, timeoutUs: sock.options?.receiveTimeoutUs ?? 0, late: -ERRNO.EAGAIN, signal };
  }
}

const NOTHING = Object.freeze({ lenBytes: 0, flags: 0 });

function blocks(file: SocketFile, flags: number): boolean {
  return !file.nonBlocking && (flags & (MESSAGE_FLAG.DONTWAIT | MESSAGE_FLAG.ERRQUEUE)) === 0;
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

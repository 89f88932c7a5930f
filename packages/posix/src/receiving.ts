import type { SockAddress } from '@softnet/contract';
import { ERRNO, MESSAGE_FLAG, POLL } from '@softnet/contract';
import { LentMessage } from './lent-message.ts';
import type { MessageHeader } from './message-header.ts';
import { behind, bytesOf, fillFrom, MAX_IOV } from './message-header.ts';
import { partByPart } from './part-by-part.ts';
import type { Answer, Process } from './process.ts';
import type { SocketFile } from './socket-file.ts';
import type { WaitTerms } from './waiting.ts';

/** Nothing more comes: the peer has ended, or the connection is gone. */
const OVER = POLL.RDHUP | POLL.HUP | POLL.ERR;
/** What never waits: a queue of errors, and urgent data (Linux's `tcp_recv_urg`). */
const NEVER_WAITS = MESSAGE_FLAG.DONTWAIT | MESSAGE_FLAG.ERRQUEUE | MESSAGE_FLAG.OOB;

/** One receive call: where to put what comes, and what is told beside it. */
interface Receipt {
  readonly call: string;
  readonly file: SocketFile;
  readonly data: Uint8Array | null;
  readonly iov: readonly Uint8Array[] | null;
  readonly flags: number;
  readonly from: SockAddress | null;
  readonly header: MessageHeader | null;
}

/** Receive calls, of all kinds. Those that need not wait leave no garbage, but for control messages. */
export class Receiving {
  readonly #process: Process;
  readonly #lent = new LentMessage();

  constructor(process: Process) {
    this.#process = process;
  }

  receive(call: string, fd: number, data: Uint8Array, flags: number, from: SockAddress | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const result = this.#once(file, data, null, flags, from, null);
    if (!this.#mustWait(file, flags, result, data.length)) return result;
    return this.#wait({ call, file, data, iov: null, flags, from, header: null }, result, data.length, signal);
  }

  /** -EMSGSIZE: of more than 1024 places. */
  receiveMessage(call: string, fd: number, header: MessageHeader, flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const { iov, name } = header;
    if (iov.length > MAX_IOV) return -ERRNO.EMSGSIZE;
    const result = this.#once(file, null, iov, flags, name, header);
    const lenBytes = bytesOf(iov);
    if (!this.#mustWait(file, flags, result, lenBytes)) return result;
    return this.#wait({ call, file, data: null, iov, flags, from: name, header }, result, lenBytes, signal);
  }

  #once(
    file: SocketFile,
    data: Uint8Array | null,
    more: readonly Uint8Array[] | null,
    flags: number,
    from: SockAddress | null,
    header: MessageHeader | null,
  ): number {
    const message = this.#lent.take(data, more, flags);
    const count = file.calls.receive(file.sock, message);
    if (count >= 0) fillFrom(message, from, header);
    this.#lent.giveBack(message);
    return count;
  }

  /** A stream that has given less than was asked for: less than all by MSG_WAITALL, else than SO_RCVLOWAT says. */
  #mustWait(file: SocketFile, flags: number, result: number, lenBytes: number): boolean {
    if (file.nonBlocking || (flags & NEVER_WAITS) !== 0) return false;
    return result === -ERRNO.EAGAIN || (file.isByteStream && result > 0 && result < enoughOf(file, flags, lenBytes));
  }

  #wait(receipt: Receipt, result: number, lenBytes: number, signal: AbortSignal | undefined): Answer {
    const { call, file, data, iov, flags, from, header } = receipt;
    const timeoutUs = file.sock.options?.receiveTimeoutUs ?? 0;
    const terms = { bits: POLL.IN | POLL.RDHUP, timeoutUs, late: -ERRNO.EAGAIN, signal };
    const enoughBytes = enoughOf(file, flags, lenBytes);
    if ((flags & MESSAGE_FLAG.PEEK) !== 0) return this.#peek(receipt, enoughBytes, terms);
    return partByPart(this.#process, file, {
      ...{ call, terms, enoughBytes, doneBytes: Math.max(0, result), takesRest: file.isByteStream },
      step: (count) => this.#once(file, data?.subarray(count) ?? null, iov === null ? null : behind(iov, count), flags, from, header),
    });
  }

  /** What is peeked at stays: it is looked at whole, again and again, until there is enough, or no more will come. */
  #peek({ call, file, data, iov, flags, from, header }: Receipt, enoughBytes: number, terms: Omit<WaitTerms, 'place'>): Answer {
    let seen = 0;
    const attempt = (): number => {
      const count = this.#once(file, data, iov, flags, from, header);
      if (count > 0) seen = count;
      if (count <= 0 || count >= enoughBytes || (file.poll() & OVER) !== 0) return count;
      return -ERRNO.EAGAIN;
    };
    const result = attempt();
    if (result !== -ERRNO.EAGAIN) return result;
    return this.#process.wait(call, file, terms, attempt, (ended) => {
      if (ended === -ERRNO.EAGAIN) attempt();
      return ended < 0 && seen > 0 ? seen : ended;
    });
  }
}

/** What a call that waits waits for, in bytes; of datagrams: one, however short. */
function enoughOf(file: SocketFile, flags: number, lenBytes: number): number {
  if (!file.isByteStream) return 0;
  return (flags & MESSAGE_FLAG.WAITALL) !== 0 ? lenBytes : Math.min(file.sock.options?.receiveLowBytes ?? 1, lenBytes);
}

import { ERRNO, MESSAGE_FLAG } from '@softnet/contract';
import type { MessageHeader } from './message-header.ts';
import { bytesOf, MAX_IOV } from './message-header.ts';
import { BATCH_FLAG } from './names/file-names.ts';
import type { Answer, Process } from './process.ts';
import type { Receiving } from './receiving.ts';
import type { Sending } from './sending.ts';

/** `struct mmsghdr`: a message, and how many bytes of it were sent or came. */
export interface BatchMessage {
  readonly header: MessageHeader;
  lenBytes: number;
}

/** `sendmmsg` and `recvmmsg`: one message after the other; at most 1024. */
export class MessageBatches {
  readonly #process: Process;
  readonly #sending: Sending;
  readonly #receiving: Receiving;

  constructor(process: Process, sending: Sending, receiving: Receiving) {
    this.#process = process;
    this.#sending = sending;
    this.#receiving = receiving;
  }

  /** How many were sent; an errno only where the first was not. */
  send(fd: number, batch: readonly BatchMessage[], flags: number, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    const messages = batch.slice(0, MAX_IOV);
    const step = ({ header }: BatchMessage): Answer => this.#sending.sendMessage('sendmmsg', fd, header, flags, signal);
    // What is sent in part is the last.
    const goesOn = (message: BatchMessage): boolean => message.lenBytes >= bytesOf(message.header.iov);
    return inTurn(messages, 0, step, goesOn, () => undefined);
  }

  /**
   * How many came. Each is waited for, but after the first none with MSG_WAITFORONE. An error behind some is the next call's.
   * @param timeoutUs of kernel time, looked at when a message has come, as in Linux: it ends no wait. Null: none.
   */
  receive(fd: number, batch: readonly BatchMessage[], flags: number, timeoutUs: number | null, signal?: AbortSignal): Answer {
    const file = this.#process.socket(fd);
    if (typeof file === 'number') return file;
    if (timeoutUs !== null && timeoutUs < 0) return -ERRNO.EINVAL;
    const { clock } = this.#process.host;
    const endUs = timeoutUs === null ? Number.POSITIVE_INFINITY : clock.nowUs + timeoutUs;
    const mask = (index: number): number =>
      (flags & BATCH_FLAG.WAITFORONE) === 0 ? flags : (flags & ~BATCH_FLAG.WAITFORONE) | (index === 0 ? 0 : MESSAGE_FLAG.DONTWAIT);
    const step = ({ header }: BatchMessage, index: number): Answer =>
      this.#receiving.receiveMessage('recvmmsg', fd, header, mask(index), signal);
    const goesOn = ({ header }: BatchMessage): boolean => clock.nowUs < endUs && ((header.flags ?? 0) & MESSAGE_FLAG.OOB) === 0;
    return inTurn(batch.slice(0, MAX_IOV), 0, step, goesOn, (error) => {
      if (error !== ERRNO.EAGAIN && error !== ERRNO.EINTR && !file.isClosed) file.sock.error = error;
    });
  }
}

/** From this index on: each when the one before it is done. @param left an errno behind some that were done. */
function inTurn(
  batch: readonly BatchMessage[],
  from: number,
  step: (message: BatchMessage, index: number) => Answer,
  goesOn: (message: BatchMessage) => boolean,
  left: (errno: number) => void,
): Answer {
  /** What the call answers; null: the next one's turn. */
  const done = (index: number, result: number): number | null => {
    const message = batch[index]!;
    if (result < 0) {
      if (index > 0) left(-result);
      return index || result;
    }
    message.lenBytes = result;
    return goesOn(message) && index + 1 < batch.length ? null : index + 1;
  };
  for (let index = from; index < batch.length; index++) {
    const answer = step(batch[index]!, index);
    if (typeof answer !== 'number') return answer.then((result) => done(index, result) ?? inTurn(batch, index + 1, step, goesOn, left));
    const result = done(index, answer);
    if (result !== null) return result;
  }
  return 0;
}

import { ERRNO, POLL } from '@softnet/contract';
import type { EpollEvent } from './epoll-file.ts';
import { EPOLL_CTL, EpollFile } from './epoll-file.ts';
import type { PollItem } from './poll-files.ts';
import { PollWait, pollNow } from './poll-files.ts';
import type { Answer, Process } from './process.ts';
import type { DescriptorSet } from './select-files.ts';
import { Selection } from './select-files.ts';

/** An int holds no longer time. */
const MAX_TIMEOUT_MS = 0x7fffffff;

/** The calls that wait for several descriptors. Times in µs, null: for ever; below 0 it is none (-EINVAL). */
export class Polls {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  /** -EINVAL: more than there can be descriptors. */
  poll(call: string, items: readonly PollItem[], timeoutUs: number | null, signal: AbortSignal | undefined): Answer {
    const { descriptors, host } = this.#process;
    if (items.length > descriptors.limit || !isTime(timeoutUs)) return -ERRNO.EINVAL;
    const count = pollNow(descriptors, items);
    if (count > 0 || timeoutUs === 0) return count;
    const files = items.flatMap(({ fd }) => descriptors.file(fd) ?? []);
    const wait = new PollWait(host, files, () => pollNow(descriptors, items), timeoutUs, signal);
    return wait.promise.then((result) => this.#process.answered(call, result));
  }

  select(end: number, sets: readonly DescriptorSet[], timeoutUs: number | null, signal: AbortSignal | undefined): Answer {
    const { descriptors, host } = this.#process;
    if (!isTime(timeoutUs)) return -ERRNO.EINVAL;
    const asked = Selection.of(descriptors, end, sets);
    if (typeof asked === 'number') return asked;
    const ended = (count: number): number => {
      if (count === 0) asked.clear();
      return this.#process.answered('select', count);
    };
    const count = asked.look();
    if (count > 0 || timeoutUs === 0) return ended(count);
    return new PollWait(host, asked.files, () => asked.look(), timeoutUs, signal).promise.then(ended);
  }

  /** -EFAULT comes before all else, as in Linux. */
  control(epfd: number, op: number, fd: number, event: EpollEvent | null): number {
    if (op !== EPOLL_CTL.DEL && event === null) return -ERRNO.EFAULT;
    const [epoll, file] = [this.#process.file(epfd), this.#process.file(fd)];
    if (typeof epoll === 'number' || typeof file === 'number') return -ERRNO.EBADF;
    return epoll instanceof EpollFile ? epoll.control(op, fd, file, event) : -ERRNO.EINVAL;
  }

  wait(call: string, epfd: number, events: EpollEvent[], max: number, timeoutUs: number | null, signal: AbortSignal | undefined): Answer {
    const file = this.#process.file(epfd);
    if (typeof file === 'number') return file;
    if (!(file instanceof EpollFile) || max <= 0 || !isTime(timeoutUs)) return -ERRNO.EINVAL;
    const count = file.collect(events, max);
    if (count > 0 || timeoutUs === 0) return count;
    const terms = { bits: POLL.IN, timeoutUs: timeoutUs ?? 0, late: 0, signal };
    return this.#process.wait(call, file, terms, () => file.collect(events, max) || -ERRNO.EAGAIN);
  }
}

/** Of milliseconds, below 0: for ever. */
export function toUs(timeoutMs: number): number | null {
  return timeoutMs < 0 ? null : Math.min(timeoutMs, MAX_TIMEOUT_MS) * 1000;
}

function isTime(timeoutUs: number | null): boolean {
  return timeoutUs === null || timeoutUs >= 0;
}

import { ERRNO, POLL } from '@softnet/contract';
import type { FileWatcher } from './open-file.ts';
import { OpenFile } from './open-file.ts';
import { POLL_ALWAYS, POLL_ANY, POLL_KIN, READ_KEYS } from './poll-bits.ts';

/** Linux's `EPOLL_CTL_*`. */
export const EPOLL_CTL = Object.freeze({ ADD: 1, DEL: 2, MOD: 3 } as const);
/** Linux's `EPOLL*` beyond those that are POLL's. int32. */
export const EPOLL = Object.freeze({ EXCLUSIVE: 1 << 28, WAKEUP: 1 << 29, ONESHOT: 1 << 30, ET: 1 << 31 } as const);

const MODES = EPOLL.EXCLUSIVE | EPOLL.WAKEUP | EPOLL.ONESHOT | EPOLL.ET;
/** What may be asked for beside EPOLLEXCLUSIVE. */
const EXCLUSIVE_BITS = POLL.IN | POLL.OUT | POLL_ALWAYS | EPOLL.WAKEUP | EPOLL.ET | EPOLL.EXCLUSIVE;
/** What is told of an epoll instance. */
const READY = POLL.IN | POLL_KIN.RDNORM;
/** Of files that watch one another: Linux's `EP_MAX_NESTS`. */
const MAX_NESTS = 4;

/** `struct epoll_event`: bits, and what its user wants to be told with them. */
export interface EpollEvent {
  events: number;
  data: number;
}

/** One descriptor that is watched. */
class Interest implements FileWatcher {
  readonly fd: number;
  readonly file: OpenFile;
  events: number;
  data: number;
  readonly #list: InterestList;

  constructor(fd: number, file: OpenFile, { events, data }: EpollEvent, list: InterestList) {
    this.fd = fd;
    this.file = file;
    this.events = events | POLL_ALWAYS;
    this.data = data;
    this.#list = list;
  }

  /** What holds of what was asked for; a ONESHOT that was told asks for nothing, not even errors. */
  get holds(): number {
    return this.file.poll() & this.events & ~MODES;
  }

  changed(_file: OpenFile, keys: number): boolean {
    const isWoken = this.#list.changed(this, keys);
    return isWoken && !(this.file instanceof EpollFile);
  }

  lost(): void {
    this.#list.changed(this, POLL_ANY);
  }

  closed(): void {
    this.#list.closed(this);
  }
}

/** Whose interests they are. */
interface InterestList {
  changed(interest: Interest, keys: number): boolean;
  closed(interest: Interest): void;
}

/** An epoll instance: a file of its own, so that it can be watched too. */
export class EpollFile extends OpenFile {
  readonly #interests = new Map<number, Interest>();
  /** Those that may have something to tell, in order. */
  readonly #ready = new Set<Interest>();
  readonly #list: InterestList = {
    changed: (interest, keys) => this.#look(interest, keys),
    closed: (interest) => this.#remove(interest),
  };

  /** `epoll_ctl`. 0, -EEXIST, -ENOENT, -EINVAL, -ELOOP. @param event null where it is not needed. */
  control(op: number, fd: number, file: OpenFile, event: EpollEvent | null): number {
    const known = this.#interests.get(fd);
    const own = known !== undefined && known.file === file ? known : undefined;
    if (file === this) return -ERRNO.EINVAL;
    if (op === EPOLL_CTL.DEL) return own === undefined ? -ERRNO.ENOENT : this.#remove(own);
    if (op === EPOLL_CTL.ADD) return own === undefined ? this.#add(fd, file, event!) : -ERRNO.EEXIST;
    return op === EPOLL_CTL.MOD ? this.#modify(own, event!) : -ERRNO.EINVAL;
  }

  /** `epoll_wait` that does not: what holds now, into `events`. Returns how many. Those told by level come last the next time, so that all have their turn. */
  collect(events: EpollEvent[], max: number): number {
    let count = 0;
    for (const interest of [...this.#ready]) {
      if (count >= max) break;
      const holds = interest.holds;
      this.#ready.delete(interest);
      if (holds === 0) continue;
      events[count++] = { events: holds, data: interest.data };
      if ((interest.events & EPOLL.ONESHOT) !== 0) interest.events &= MODES;
      else if ((interest.events & EPOLL.ET) === 0) this.#ready.add(interest);
    }
    events.length = count;
    return count;
  }

  poll(): number {
    for (const interest of this.#ready) {
      if (interest.holds !== 0) return READY;
      this.#ready.delete(interest);
    }
    return 0;
  }

  protected release(): void {
    for (const interest of this.#interests.values()) interest.file.unwatch(interest);
    this.#interests.clear();
    this.#ready.clear();
  }

  #add(fd: number, file: OpenFile, event: EpollEvent): number {
    const isExclusive = (event.events & EPOLL.EXCLUSIVE) !== 0;
    if (isExclusive && (file instanceof EpollFile || (event.events & ~EXCLUSIVE_BITS) !== 0)) return -ERRNO.EINVAL;
    if (file instanceof EpollFile && (file.#reaches(this) || file.#depth() >= MAX_NESTS)) return -ERRNO.ELOOP;
    // A descriptor that was closed and opened anew while another one names its file.
    const before = this.#interests.get(fd);
    if (before !== undefined) this.#remove(before);
    const interest = new Interest(fd, file, event, this.#list);
    this.#interests.set(fd, interest);
    file.watch(interest, isExclusive);
    this.#look(interest, POLL_ANY);
    return 0;
  }

  /** One that is exclusive stays as it is, and none becomes so. */
  #modify(own: Interest | undefined, { events, data }: EpollEvent): number {
    if ((events & EPOLL.EXCLUSIVE) !== 0) return -ERRNO.EINVAL;
    if (own === undefined) return -ERRNO.ENOENT;
    if ((own.events & EPOLL.EXCLUSIVE) !== 0) return -ERRNO.EINVAL;
    own.events = events | POLL_ALWAYS;
    own.data = data;
    this.#look(own, POLL_ANY);
    return 0;
  }

  #remove(interest: Interest): number {
    if (this.#interests.get(interest.fd) === interest) this.#interests.delete(interest.fd);
    this.#ready.delete(interest);
    interest.file.unwatch(interest);
    return 0;
  }

  /** Something of these keys has changed: if it is what was asked for, it is ready, and who waits is told. True: somebody is woken. */
  #look(interest: Interest, keys: number): boolean {
    if ((interest.events & keys) === 0 || interest.holds === 0) return false;
    this.#ready.add(interest);
    return this.changed(READ_KEYS);
  }

  #reaches(other: EpollFile): boolean {
    return this === other || [...this.#interests.values()].some(({ file }) => file instanceof EpollFile && file.#reaches(other));
  }

  #depth(): number {
    const nested = [...this.#interests.values()].map(({ file }) => (file instanceof EpollFile ? file.#depth() : 0));
    return 1 + Math.max(0, ...nested);
  }
}

import { NetError } from '@softnet/contract';
import type { Executive, Loop } from './executive.ts';
import { IndexedHeap } from './indexed-heap.ts';
import type { VirtualTime } from './kernel-clock.ts';

/**
 * The event queue of a virtual World: ordered by time, then kernel, then (within the kernel's wheel) the sequence of
 * arming. It knows nothing of promises.
 */
export class VirtualLoop implements Loop {
  readonly #time: VirtualTime;
  readonly #maxSteps: number;
  readonly #queue = new IndexedHeap<Executive>((a, b) => a.queuedUs < b.queuedUs || (a.queuedUs === b.queuedUs && a.index < b.index));
  /** Steps done at this instant. */
  #steps = 0;

  /** @param maxSteps steps that one instant may take before it counts as endless. */
  constructor(time: VirtualTime, maxSteps: number) {
    this.#time = time;
    this.#maxSteps = maxSteps;
  }

  add(executive: Executive): void {
    executive.dueAgain();
    this.#queue.add(executive);
  }

  remove(executive: Executive): void {
    this.#queue.remove(executive);
  }

  sooner(executive: Executive): void {
    executive.dueAgain();
    this.#queue.update(executive);
  }

  emptied(executive: Executive): void {
    this.sooner(executive);
  }

  /** Something is to happen, and not later than `us`. */
  isDue(us: number): boolean {
    const first = this.#queue.top;
    return first !== undefined && first.queuedUs <= us && first.queuedUs < Number.POSITIVE_INFINITY;
  }

  /** A call from outside begins to move time: it has steps of its own. */
  begin(): void {
    this.#steps = 0;
  }

  /** To when the next thing happens; there is one ({@link isDue}). Its time is not handed about: V8 may box it, at each event. */
  moveOn(): void {
    const { queuedUs } = this.#queue.top!;
    if (queuedUs !== this.#time.nowUs) this.#steps = 0;
    this.#time.nowUs = queuedUs;
  }

  moveTo(us: number): void {
    if (us !== this.#time.nowUs) this.#steps = 0;
    this.#time.nowUs = us;
  }

  /**
   * Runs all that is due at this instant, that which it brings about included.
   * @throws NetError ELOOP when the instant does not end.
   */
  runInstant(): void {
    for (let first = this.#queue.top; first !== undefined && first.queuedUs <= this.#time.nowUs; first = this.#queue.top) {
      try {
        this.#steps += first.turn();
      } finally {
        this.sooner(first);
      }
      if (this.#steps > this.#maxSteps) throw this.#endless(first);
    }
  }

  #endless(executive: Executive): NetError {
    const { name, place } = executive;
    return new NetError(
      'ELOOP',
      `${this.#time.nowUs} µs does not end: more than ${this.#maxSteps} steps at this instant, the last in kernel ${name} at '${place}'; ` +
        'something raises itself, or arms a timer with delay 0, again and again',
    );
  }
}

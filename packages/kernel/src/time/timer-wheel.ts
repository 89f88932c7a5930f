import type { RunContext } from './run-context.ts';
import type { TimerAccount } from './wheel-timer.ts';
import { UNARMED, WheelTimer } from './wheel-timer.ts';

// A slot of level n spans 64ⁿ µs. A timer stands at the level of the highest base-64 digit in which its time differs
// from the wheel's base, in the slot of its own digit there. So timers of one instant always stand in one slot, in the
// order in which they were armed, whatever level they came by; the first slot of the lowest level holds the earliest.
// Nine levels hold every whole number of µs up to 2⁵³, so nothing overflows and nothing wraps.
const DIGIT_BITS = 6;
const SLOTS = 64;
const LEVELS = 9;
/** Times are split into 24 low bits (levels 0-3) and up to 29 high bits (levels 4-8), for integer arithmetic. */
const SPLIT = 2 ** 24;
const LOW_LEVELS = 4;
/** Behind the slots: the ring of timers that are due. */
const DUE = LEVELS * SLOTS;

/** All timers of a kernel: a hierarchical timing wheel of 1 µs. Arming and cancelling are O(1) and allocate nothing. */
export class TimerWheel {
  readonly context: RunContext;
  /** How many timers are armed, those that are due but did not fire yet included. */
  count = 0;
  /** No timer of the slots fires earlier than this, µs; Infinity when there is none. Exact, unless the earliest was cancelled. */
  boundUs = Number.POSITIVE_INFINITY;
  /** Where the wheel stands: no timer in a slot is earlier, and time never is. */
  #baseHi = 0;
  #baseLo = 0;
  /** The first timer of each ring. */
  readonly #heads = new Array<WheelTimer | undefined>(DUE + 1).fill(undefined);
  /** A bit for each slot that is not empty, two words a level; and a bit for each level that is not. */
  readonly #bits = new Int32Array(LEVELS * 2);
  #levels = 0;
  /** No timer of the slot is earlier; exact at level 0. Meaningless for an empty slot. */
  readonly #earliest = new Float64Array(DUE);

  constructor(context: RunContext) {
    this.context = context;
  }

  /** Makes a timer. `place`: a static name for lists. */
  timer<A>(account: TimerAccount, fire: (arg: A) => void, arg: A, place: string): WheelTimer {
    return new WheelTimer(this, account, fire as (arg: unknown) => void, arg, place);
  }

  /** True when timers are due that did not fire yet. */
  get due(): boolean {
    return this.#heads[DUE] !== undefined;
  }

  /** When the next timer fires, µs, exactly; Infinity when none is armed. It may look through a slot: not for hot paths. */
  get nextUs(): number {
    const first = this.#heads[DUE] ?? this.#heads[this.#firstSlot()];
    if (first === undefined) return Number.POSITIVE_INFINITY;
    let nextUs = first.whenUs;
    if (first.slot !== DUE) for (let timer = first.next; timer !== first; timer = timer.next) nextUs = Math.min(nextUs, timer.whenUs);
    return nextUs;
  }

  /** For {@link WheelTimer}: (re)arms it at its `whenUs`, which is not in the past. */
  put(timer: WheelTimer): void {
    if (timer.slot === UNARMED) {
      this.count++;
      timer.account.armed++;
    } else this.#unlink(timer);
    this.#link(timer);
    if (timer.whenUs < this.boundUs) {
      this.boundUs = timer.whenUs;
      this.context.sooner();
    }
  }

  /** For {@link WheelTimer}: takes an armed timer off. */
  drop(timer: WheelTimer): void {
    this.#unlink(timer);
    timer.slot = UNARMED;
    timer.account.armed--;
    if (--this.count === 0) {
      this.boundUs = Number.POSITIVE_INFINITY;
      this.context.emptied();
    }
  }

  /** Makes due, in time order, all timers up to the clock's `nowUs`. What is armed from here on fires at another turn. */
  collect(): void {
    const nowUs = this.context.clock.nowUs;
    while (this.boundUs <= nowUs) {
      const slot = this.#firstSlot();
      const earliestUs = slot < 0 ? Number.POSITIVE_INFINITY : this.#earliest[slot]!;
      if (earliestUs === this.boundUs) {
        this.#moveToBound();
        if (slot < SLOTS) this.#empty(slot, true);
      } else this.boundUs = earliestUs;
    }
    const nowHi = (nowUs / SPLIT) | 0;
    this.#moveBase(nowHi, (nowUs - nowHi * SPLIT) | 0);
  }

  /** Fires up to `limit` of the due timers and returns how many. A throw is the context's fault, and the others fire. */
  fire(limit: number): number {
    const { current } = this.context;
    const before = current.id;
    let left = limit;
    while (left > 0 && this.#heads[DUE] !== undefined) {
      try {
        while (left > 0 && this.#heads[DUE] !== undefined) {
          left--;
          this.#fireFirst(this.#heads[DUE]);
        }
      } catch (error) {
        this.context.fault(error);
      }
    }
    current.id = before;
    return limit - left;
  }

  /** Cancels all timers of an account and returns their places. It walks the wheel: for modules that leave. */
  cancelAllOf(account: TimerAccount): string[] {
    const found: WheelTimer[] = [];
    for (const head of this.#heads) {
      if (head === undefined) continue;
      let timer = head;
      do {
        if (timer.account === account) found.push(timer);
        timer = timer.next;
      } while (timer !== head);
    }
    for (const timer of found) this.drop(timer);
    return found.map((timer) => timer.place);
  }

  #fireFirst(timer: WheelTimer): void {
    this.drop(timer);
    const { fire, arg, account } = timer;
    this.context.current.id = account.owner;
    this.context.place = timer.place;
    fire(arg);
  }

  /** The slot that holds the earliest timer, or -1. */
  #firstSlot(): number {
    const levels = this.#levels;
    if (levels === 0) return -1;
    const level = 31 - Math.clz32(levels & -levels);
    const low = this.#bits[level * 2]!;
    const word = low !== 0 ? low : this.#bits[level * 2 + 1]!;
    return level * SLOTS + (low !== 0 ? 0 : 32) + 31 - Math.clz32(word & -word);
  }

  /** The slot of a time, as seen from the base. */
  #slotOf(hi: number, lo: number): number {
    const high = hi ^ this.#baseHi;
    const differing = high !== 0 ? high : lo ^ this.#baseLo;
    const digit = ((31 - Math.clz32(differing)) / DIGIT_BITS) | 0;
    const value = ((high !== 0 ? hi : lo) >>> (digit * DIGIT_BITS)) & (SLOTS - 1);
    return ((high !== 0 ? LOW_LEVELS : 0) + digit) * SLOTS + value;
  }

  #link(timer: WheelTimer): void {
    const { whenUs } = timer;
    const hi = (whenUs / SPLIT) | 0;
    const slot = this.#slotOf(hi, (whenUs - hi * SPLIT) | 0);
    if (this.#heads[slot] === undefined) {
      this.#bits[slot >> 5]! |= 1 << (slot & 31);
      this.#levels |= 1 << (slot >> DIGIT_BITS);
      this.#earliest[slot] = whenUs;
    } else if (whenUs < this.#earliest[slot]!) this.#earliest[slot] = whenUs;
    this.#append(timer, slot);
  }

  #append(timer: WheelTimer, slot: number): void {
    const head = this.#heads[slot];
    timer.slot = slot;
    if (head === undefined) {
      this.#heads[slot] = timer;
      return;
    }
    const last = head.prev;
    last.next = timer;
    timer.prev = last;
    timer.next = head;
    head.prev = timer;
  }

  /** Takes it out of its ring, and leaves it its own neighbour. `slot` stays. */
  #unlink(timer: WheelTimer): void {
    const { slot, next, prev } = timer;
    if (next === timer) {
      this.#clear(slot);
      return;
    }
    prev.next = next;
    next.prev = prev;
    if (this.#heads[slot] === timer) this.#heads[slot] = next;
    timer.prev = timer;
    timer.next = timer;
  }

  #clear(slot: number): void {
    this.#heads[slot] = undefined;
    if (slot === DUE) return;
    const level = slot >> DIGIT_BITS;
    this.#bits[slot >> 5]! &= ~(1 << (slot & 31));
    if ((this.#bits[level * 2]! | this.#bits[level * 2 + 1]!) === 0) this.#levels &= ~(1 << level);
  }

  #moveToBound(): void {
    const hi = (this.boundUs / SPLIT) | 0;
    this.#moveBase(hi, (this.boundUs - hi * SPLIT) | 0);
  }

  /** Moves the base forward, to no later than the earliest timer. One slot at most then stands at too high a level. */
  #moveBase(hi: number, lo: number): void {
    const slot = this.#slotOf(hi, lo);
    this.#baseHi = hi;
    this.#baseLo = lo;
    if (slot >= SLOTS && this.#heads[slot] !== undefined) this.#empty(slot, false);
  }

  /** Moves all timers of a slot to the due ones, or to where they belong now, in their order. */
  #empty(slot: number, due: boolean): void {
    const head = this.#heads[slot]!;
    this.#clear(slot);
    let timer = head;
    do {
      const next = timer.next;
      timer.prev = timer;
      timer.next = timer;
      if (due) this.#append(timer, DUE);
      else this.#link(timer);
      timer = next;
    } while (timer !== head);
  }
}

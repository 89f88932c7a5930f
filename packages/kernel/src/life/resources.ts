import type { Poll, PollSource, SysctlBranch, Timer } from '@softnet/contract';
import type { SoftirqPoll } from '../time/softirq.ts';
import type { TimerAccount } from '../time/wheel-timer.ts';
import type { Parts } from './parts.ts';

/** Reckoned bytes of a poll source, a setting, a counter and the like. */
const HANDLER_BYTES = 120;
/** Reckoned bytes of a timer. */
const TIMER_BYTES = 120;

/** What a generation has in the kernel beside objects and publications: timers, polls, settings, reasons, slots, counters. */
export class Resources {
  readonly sysctl: SysctlBranch;
  readonly #parts: Parts;
  readonly #of: { readonly label: string; readonly owner: number };
  readonly #account: TimerAccount;
  #polls: SoftirqPoll[] = [];
  /** How to end what it watches. */
  #watches: (() => void)[] = [];
  #committed = false;

  constructor(of: { readonly label: string; readonly owner: number }, parts: Parts) {
    this.#of = of;
    this.#parts = parts;
    this.#account = { owner: of.owner, label: of.label, armed: 0, dead: false };
    this.sysctl = parts.settings.branch(of);
  }

  timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer {
    return this.#parts.executive.wheel.timer(this.#account, fire, arg, place);
  }

  poll(source: PollSource, place: string): Poll {
    const poll = this.#parts.executive.softirq.register(source, this.#of.owner, place);
    if (!this.#committed) poll.disable();
    this.#polls.push(poll);
    return poll;
  }

  /** It watches something until it is taken back. */
  watching(end: () => void): void {
    this.#watches.push(end);
  }

  /** Settings become visible (a value set by hand in the last generation is carried over), and what was raised is polled. */
  commit(): void {
    this.#committed = true;
    this.#parts.settings.commit(this.#of);
    for (const poll of this.#polls) poll.enable();
  }

  /** Settings can be read, not set. */
  shut(): void {
    this.#parts.settings.shut(this.#of);
  }

  reopen(): void {
    this.#parts.settings.reopen(this.#of);
  }

  /** Corridors close: no more polls. */
  stopPolls(): void {
    for (const poll of this.#polls) poll.remove();
    this.#polls = [];
  }

  /** Its code runs no more: neither polls nor timers. Returns the places of the timers that were armed. */
  silence(): string[] {
    this.stopPolls();
    this.#account.dead = true;
    return this.#parts.executive.wheel.cancelAllOf(this.#account);
  }

  /** Takes the rest back. Returns what the module left behind. */
  takeBack(): string[] {
    const places = this.silence();
    for (const end of this.#watches) end();
    this.#watches = [];
    this.#parts.settings.remove(this.#of);
    this.#parts.dropReasons.remove(this.#of.owner);
    this.#parts.skbSlots.remove(this.#of.owner);
    this.#parts.counters.remove(this.#of.label);
    return places.map((place) => `timer ${place} still armed after stop`);
  }

  usage(): { timers: number; handlers: number; bytes: number } {
    const { owner, label } = this.#of;
    const { settings, dropReasons, skbSlots, counters } = this.#parts;
    const registered = settings.countOf(this.#of) + dropReasons.countOf(owner) + skbSlots.countOf(owner) + counters.countOf(label);
    const handlers = this.#polls.length + registered;
    const timers = this.#account.armed;
    return { timers, handlers, bytes: handlers * HANDLER_BYTES + timers * TIMER_BYTES };
  }
}

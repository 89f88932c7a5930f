import type { Timer } from '@softnet/contract';
import { ModuleFault } from '@softnet/contract';
import type { TimerWheel } from './timer-wheel.ts';

/** Whose timers they are: one for each generation of a module. */
export interface TimerAccount {
  /** Integer for `CurrentOwner`. */
  readonly owner: number;
  /** `name#generation`. */
  readonly label: string;
  /** How many are armed now: exact, kept by the wheel. Begins as 0. */
  armed: number;
  /** The module is gone: arming throws. */
  dead: boolean;
}

/** `slot` of a timer that is not armed. */
export const UNARMED = -1;

/** The longest delay: 2⁴⁸ µs, 8.9 years. */
const MAX_DELAY_US = 2 ** 48;

/** A timer of a {@link TimerWheel}, its own link in the list of its slot. Made by `TimerWheel.timer`. */
export class WheelTimer implements Timer {
  readonly wheel: TimerWheel;
  readonly account: TimerAccount;
  readonly fire: (arg: unknown) => void;
  readonly arg: unknown;
  readonly place: string;
  /**
   * Begins as Infinity, not as 0: V8 then keeps the field as a double for ever, and writes it in place without
   * allocating. (Seen as a small integer first, it would change the map of every timer when time passes 2³¹.)
   */
  whenUs = Number.POSITIVE_INFINITY;
  /** The slot of the wheel that it stands in, or {@link UNARMED}. Only the wheel writes this and the links. */
  slot = UNARMED;
  /** Ring of the slot's timers, in the order of arming; a timer alone is its own neighbour. */
  prev: WheelTimer = this;
  next: WheelTimer = this;

  constructor(wheel: TimerWheel, account: TimerAccount, fire: (arg: unknown) => void, arg: unknown, place: string) {
    this.wheel = wheel;
    this.account = account;
    this.fire = fire;
    this.arg = arg;
    this.place = place;
  }

  get armed(): boolean {
    return this.slot !== UNARMED;
  }

  /**
   * Fires once, `delayUs` from now: 0 and negative at the next turn; fractions are rounded up, never early.
   * @throws ModuleFault when the module is gone, or the delay is not a number up to 2⁴⁸.
   */
  arm(delayUs: number): void {
    if (this.account.dead || !(delayUs <= MAX_DELAY_US)) throw this.#refusal(delayUs);
    const nowUs = this.wheel.context.clock.nowUs;
    this.whenUs = delayUs > 0 ? nowUs + Math.ceil(delayUs) : nowUs;
    this.wheel.put(this);
  }

  /**
   * Fires once at this kernel time, µs; a time that has passed is now.
   * @throws ModuleFault when the module is gone, or the time is not a number up to 2⁴⁸ from now.
   */
  armAt(whenUs: number): void {
    const nowUs = this.wheel.context.clock.nowUs;
    if (this.account.dead || !(whenUs - nowUs <= MAX_DELAY_US)) throw this.#refusal(whenUs - nowUs);
    this.whenUs = whenUs > nowUs ? Math.ceil(whenUs) : nowUs;
    this.wheel.put(this);
  }

  cancel(): void {
    if (this.slot !== UNARMED) this.wheel.drop(this);
  }

  #refusal(delayUs: number): ModuleFault {
    const { account, place } = this;
    if (account.dead) return new ModuleFault(account.label, `arms its timer '${place}' though the module is gone: cancel timers in stop()`);
    return new ModuleFault(account.label, `arms its timer '${place}' with a delay of ${delayUs} µs; it takes a number up to 2^48`);
  }
}

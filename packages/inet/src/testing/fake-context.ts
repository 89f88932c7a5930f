// What the library asks of a module's context, for its own tests: time that the test moves, points and ports that it fills.
import type { Contributions, Counter, ModuleContext, PointToken, Port, ServiceToken, Timer } from '@softnet/contract';
import { Counter as Count, CurrentOwner, DropReason, NetError } from '@softnet/contract';

class FakeTimer implements Timer {
  armed = false;
  whenUs = 0;
  readonly fire: () => void;
  readonly #clock: { nowUs: number };

  constructor(clock: { nowUs: number }, fire: () => void) {
    this.#clock = clock;
    this.fire = fire;
  }
  arm(delayUs: number): void {
    this.armAt(this.#clock.nowUs + delayUs);
  }
  armAt(whenUs: number): void {
    this.armed = true;
    this.whenUs = whenUs;
  }
  cancel(): void {
    this.armed = false;
  }
}

/** A point that the test fills. */
export class FakePoint<T extends object> implements Contributions<T> {
  readonly token: PointToken<T>;
  items: readonly T[] = [];
  owners: readonly number[] = [];

  constructor(token: PointToken<T>) {
    this.token = token;
  }
  add(item: T, owner: number): void {
    this.items = [...this.items, item];
    this.owners = [...this.owners, owner];
  }
}

/** The parts of a context that libraries use; `as` {@link ModuleContext} they are handed on. */
export class FakeContext {
  readonly name = 'test';
  readonly owner = 7;
  readonly current = new CurrentOwner();
  readonly clock = { nowUs: 0, nowMs: 0, virtual: true, readUs: () => this.clock.nowUs };
  readonly random = { u32: () => 0x2545f491, below: () => 0, fraction: () => 0.5, fill: () => {} };
  readonly timers: FakeTimer[] = [];
  readonly #points = new Map<symbol, FakePoint<object>>();
  readonly #ports = new Map<symbol, Port<object>>();
  readonly #reasons = new Map<string, DropReason>();

  get context(): ModuleContext {
    return this as unknown as ModuleContext;
  }
  point<T extends object>(token: PointToken<T>): FakePoint<T> {
    const point = this.#points.get(token.key) ?? new FakePoint(token);
    this.#points.set(token.key, point as FakePoint<object>);
    return point as FakePoint<T>;
  }
  contributions<T extends object>(token: PointToken<T>): Contributions<T> {
    return this.point(token);
  }
  provide<T extends object>(token: ServiceToken<T>, current: T, owner: number): void {
    this.#ports.set(token.key, { token, current, present: true, owner } as unknown as Port<object>);
  }
  port<T extends object>(token: ServiceToken<T>): Port<T> {
    const absent = { token, current: token.absent(() => new NetError(token.errno, 'absent')), present: false, owner: 0 };
    return (this.#ports.get(token.key) ?? absent) as unknown as Port<T>;
  }
  timer<A>(fire: (arg: A) => void, arg: A): Timer {
    const timer = new FakeTimer(this.clock, () => fire(arg));
    this.timers.push(timer);
    return timer;
  }
  dropReason(name: string, text = ''): DropReason {
    const reason = this.#reasons.get(name) ?? new DropReason(this.#reasons.size + 1, name, text);
    this.#reasons.set(name, reason);
    return reason;
  }
  counter(name: string): Counter {
    return new Count(name);
  }
  /** How often packets were dropped, by reason. */
  get drops(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#reasons.values(), ({ name, count }) => [name, count]).filter(([, count]) => count !== 0));
  }
  /** Time goes on; timers fire on the way. */
  advance(us: number): void {
    const endUs = this.clock.nowUs + us;
    for (;;) {
      const due = this.timers.filter(({ armed, whenUs }) => armed && whenUs <= endUs).sort((a, b) => a.whenUs - b.whenUs)[0];
      if (due === undefined) break;
      this.clock.nowUs = Math.max(this.clock.nowUs, due.whenUs);
      due.armed = false;
      due.fire();
    }
    this.clock.nowUs = endUs;
  }
}

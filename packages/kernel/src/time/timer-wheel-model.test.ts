import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Executive } from './executive.ts';
import { VirtualTime } from './kernel-clock.ts';
import type { TimerAccount } from './wheel-timer.ts';

/** A wheel in its surroundings, but driven by hand. */
function setup() {
  const time = new VirtualTime();
  const { wheel, clock } = new Executive({ name: 'h1', time, onFault: (_owner, error) => expect.fail(String(error)) });
  const fired: string[] = [];
  const owner: TimerAccount = { owner: 1, label: 'm#1', armed: 0, dead: false };
  const make = (name: string, then?: () => void) => {
    const fire = (label: string) => {
      fired.push(`${label}@${clock.nowUs}`);
      then?.();
    };
    return wheel.timer(owner, fire, name, 'test');
  };
  /** As a virtual World does: from instant to instant, up to a time. */
  const advanceTo = (toUs: number) => {
    while (wheel.due || wheel.boundUs <= toUs) {
      time.nowUs = Math.max(time.nowUs, wheel.due ? 0 : wheel.boundUs);
      wheel.collect();
      wheel.fire(Number.POSITIVE_INFINITY);
    }
    time.nowUs = toUs;
    wheel.collect();
  };
  return { time, wheel, clock, fired, owner, make, advanceTo };
}

const COUNT = 12;
const when = fc.oneof(
  fc.nat(3),
  fc.nat(70),
  fc.nat(5000),
  fc.nat(300_000),
  fc.nat(2 ** 30),
  fc.maxSafeNat().map((n) => n % 2 ** 40),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('arm' as const), timer: fc.nat(COUNT - 1), us: when }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), timer: fc.nat(COUNT - 1), us: when }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), timer: fc.nat(COUNT - 1), us: when }) },
);

/** What a wheel must do, said simply: armed timers in a list, sorted by time and sequence. */
class Model {
  armed: { timer: number; whenUs: number; seq: number }[] = [];
  seq = 0;

  arm(timer: number, whenUs: number): void {
    this.cancel(timer);
    this.armed.push({ timer, whenUs, seq: this.seq++ });
    this.armed.sort((a, b) => a.whenUs - b.whenUs || a.seq - b.seq);
  }

  cancel(timer: number): void {
    this.armed = this.armed.filter((each) => each.timer !== timer);
  }

  /** Fires one after another, so that what a timer does is seen by the next. */
  runTo(us: number, act: (timer: number, whenUs: number) => void): void {
    for (let next = this.armed[0]; next !== undefined && next.whenUs <= us; next = this.armed[0]) {
      this.cancel(next.timer);
      act(next.timer, next.whenUs);
    }
  }

  advanceTo(us: number): string[] {
    const due = this.armed.filter((each) => each.whenUs <= us);
    this.armed = this.armed.filter((each) => each.whenUs > us);
    return due.map(({ timer, whenUs }) => `${timer}@${whenUs}`);
  }
}

describe('TimerWheel beside a sorted list', () => {
  it('fires the same timers at the same times in the same order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { clock, wheel, fired, make, advanceTo, owner } = setup();
        const timers = Array.from({ length: COUNT }, (_, i) => make(`${i}`));
        const model = new Model();
        for (const { kind, timer, us } of steps) {
          const nowUs = clock.nowUs;
          if (kind === 'cancel') {
            timers[timer]!.cancel();
            model.cancel(timer);
          } else if (kind === 'arm') {
            timers[timer]!.arm(us);
            model.arm(timer, nowUs + us);
          } else {
            advanceTo(nowUs + us);
            expect(fired.splice(0)).toEqual(model.advanceTo(nowUs + us));
          }
          expect(wheel.nextUs).toBe(model.armed[0]?.whenUs ?? Number.POSITIVE_INFINITY);
          expect(wheel.boundUs).toBeLessThanOrEqual(wheel.nextUs);
          expect([wheel.count, owner.armed]).toEqual([model.armed.length, model.armed.length]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the same, in leaps as real time makes them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { time, wheel, fired, make } = setup();
        const timers = Array.from({ length: COUNT }, (_, i) => make(`${i}`));
        const model = new Model();
        for (const { kind, timer, us } of steps) {
          const nowUs = time.nowUs;
          if (kind === 'cancel') {
            timers[timer]!.cancel();
            model.cancel(timer);
          } else if (kind === 'arm') {
            timers[timer]!.arm(us);
            model.arm(timer, nowUs + us);
          } else {
            time.nowUs += us;
            wheel.collect();
            expect(wheel.boundUs).toBeGreaterThan(time.nowUs);
            wheel.fire(Number.POSITIVE_INFINITY);
            const names = model.advanceTo(nowUs + us).map((each) => each.split('@')[0]);
            expect(fired.splice(0).map((each) => each.split('@')[0])).toEqual(names);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** What a timer does when it fires: arms or cancels another, or itself. */
const deed = fc.record({ arm: fc.boolean(), timer: fc.nat(COUNT - 1), us: fc.oneof(fc.constant(0), when) });

describe('TimerWheel beside a sorted list, with timers that arm and cancel one another', () => {
  it('fires the same timers at the same times in the same order', () => {
    const deeds = fc.array(fc.array(deed, { maxLength: 3 }), { minLength: COUNT, maxLength: COUNT });
    fc.assert(
      fc.property(fc.array(when, { minLength: COUNT, maxLength: COUNT }), deeds, when, (delays, scripts, us) => {
        const { fired, make, advanceTo, wheel } = setup();
        const model = new Model();
        const expected: string[] = [];
        const left = 200;
        const timers = delays.map((_, i) =>
          make(`${i}`, () => {
            if (fired.length >= left) return;
            for (const { arm, timer, us: delay } of scripts[i]!) arm ? timers[timer]!.arm(delay) : timers[timer]!.cancel();
          }),
        );
        delays.forEach((delay, i) => {
          timers[i]!.arm(delay);
          model.arm(i, delay);
        });
        advanceTo(us);
        model.runTo(us, (timer, nowUs) => {
          expected.push(`${timer}@${nowUs}`);
          if (expected.length >= left) return;
          for (const { arm, timer: other, us: delay } of scripts[timer]!) arm ? model.arm(other, nowUs + delay) : model.cancel(other);
        });
        expect(fired).toEqual(expected);
        expect(wheel.count).toBe(model.armed.length);
      }),
      { numRuns: 500 },
    );
  });
});

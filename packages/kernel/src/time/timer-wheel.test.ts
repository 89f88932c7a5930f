import { describe, expect, it } from 'vitest';
import { Executive } from './executive.ts';
import { VirtualTime } from './kernel-clock.ts';
import type { TimerAccount, WheelTimer } from './wheel-timer.ts';

const account = (owner = 1): TimerAccount => ({ owner, label: `m${owner}#1`, armed: 0, dead: false });

/** A wheel in its surroundings, but driven by hand. */
function setup() {
  const time = new VirtualTime();
  const faults: { owner: number; message: string; place: string }[] = [];
  const told: string[] = [];
  const onFault = (owner: number, error: unknown, place: string) => void faults.push({ owner, message: String(error), place });
  const context = new Executive({ name: 'h1', time, onFault });
  context.join({ sooner: () => told.push('sooner'), emptied: () => told.push('emptied') }, 0);
  const { wheel } = context;
  const fired: string[] = [];
  const owner = account();
  const make = (name: string, then?: () => void, of: TimerAccount = owner) =>
    wheel.timer(
      of,
      (label: string) => {
        fired.push(`${label}@${context.clock.nowUs}`);
        then?.();
      },
      name,
      `test.${name}`,
    );
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
  return { time, faults, told, context, wheel, fired, owner, make, advanceTo };
}

describe('TimerWheel', () => {
  it('fires at the exact microsecond, on every level', () => {
    const { make, advanceTo, fired, wheel } = setup();
    const delays = [0, 1, 63, 64, 4095, 4096, 2 ** 18, 2 ** 24 - 1, 2 ** 24, 2 ** 31, 2 ** 32 + 5, 2 ** 47, 2 ** 48];
    for (const delay of [...delays].reverse()) make(`t${delay}`).arm(delay);
    expect(wheel.nextUs).toBe(0);
    advanceTo(2 ** 49);
    expect(fired).toEqual(delays.map((delay) => `t${delay}@${delay}`));
    expect(wheel.nextUs).toBe(Number.POSITIVE_INFINITY);
    expect(wheel.boundUs).toBe(Number.POSITIVE_INFINITY);
  });

  it('goes on past 2⁴⁸ µs of uptime', () => {
    const { make, advanceTo, fired, faults } = setup();
    advanceTo(2 ** 48 + 12345);
    make('late').arm(2 ** 48);
    make('soon').arm(7);
    advanceTo(2 ** 50);
    expect(fired).toEqual([`soon@${2 ** 48 + 12352}`, `late@${2 ** 49 + 12345}`]);
    expect(faults).toEqual([]);
  });

  it('fires timers of one instant in the order of arming, though they came by different levels', () => {
    const { make, advanceTo, fired } = setup();
    make('far').armAt(10_000);
    advanceTo(9_000);
    make('nearer').armAt(10_000);
    advanceTo(9_990);
    make('near').armAt(10_000);
    const again = make('again');
    again.armAt(10_000);
    make('last').armAt(10_000);
    again.armAt(10_000);
    advanceTo(20_000);
    expect(fired).toEqual(['far@10000', 'nearer@10000', 'near@10000', 'last@10000', 'again@10000']);
  });

  it('lets a callback arm and cancel anything: itself, others due at this instant, others later', () => {
    const { make, advanceTo, fired } = setup();
    const victim = make('victim');
    const later = make('later');
    const late = make('late');
    const again: WheelTimer = make('again', () => fired.length < 3 && again.arm(10));
    const killer = make('killer', () => {
      killer.cancel();
      victim.cancel();
      later.cancel();
      late.armAt(55);
    });
    killer.arm(5);
    victim.arm(5);
    later.arm(50);
    again.arm(5);
    advanceTo(100);
    expect(fired).toEqual(['killer@5', 'again@5', 'again@15', 'late@55']);
    expect([killer, victim, later, late, again].some((timer) => timer.armed)).toBe(false);
  });

  it('fires what is armed with delay 0 in a callback at another turn of the same instant', () => {
    const { make, wheel, fired } = setup();
    let rounds = 0;
    const self: WheelTimer = make('self', () => ++rounds < 3 && self.arm(0));
    self.arm(-5);
    wheel.collect();
    expect(wheel.fire(100)).toBe(1);
    expect(wheel.nextUs).toBe(0);
    wheel.collect();
    expect(wheel.fire(100)).toBe(1);
    expect(fired).toEqual(['self@0', 'self@0']);
  });

  it('fires overdue timers in time order, and those beyond the limit at the next turn', () => {
    const { make, wheel, time, fired } = setup();
    for (const when of [300, 100, 200, 100, 5000]) make(`t${when}`).armAt(when);
    time.nowUs = 1000;
    wheel.collect();
    expect(wheel.fire(3)).toBe(3);
    expect(wheel.due).toBe(true);
    expect(wheel.nextUs).toBe(300);
    const past = make('t150');
    past.armAt(150);
    expect(past.whenUs).toBe(1000);
    wheel.collect();
    expect(wheel.fire(3)).toBe(2);
    expect(wheel.due).toBe(false);
    expect(fired.map((each) => each.split('@')[0])).toEqual(['t100', 't100', 't200', 't300', 't150']);
    expect(wheel.nextUs).toBe(5000);
  });

  it('rounds fractions up: never early', () => {
    const { make, advanceTo, fired } = setup();
    make('a').arm(1.2);
    make('b').armAt(2.5);
    advanceTo(10);
    expect(fired).toEqual(['a@2', 'b@3']);
  });

  it('keeps the counts of accounts, and takes all timers of one', () => {
    const { make, wheel, advanceTo, owner } = setup();
    const other = account(2);
    const timers = [0, 70, 5000, 2 ** 30].map((delay) => {
      const timer = make(`x${delay}`, undefined, other);
      timer.arm(delay);
      timer.arm(delay);
      return timer;
    });
    const kept = make('kept');
    kept.arm(70);
    wheel.collect();
    expect([other.armed, owner.armed, wheel.count]).toEqual([4, 1, 5]);
    expect(wheel.cancelAllOf(other).sort()).toEqual(['test.x0', 'test.x1073741824', 'test.x5000', 'test.x70']);
    expect(timers.some((timer) => timer.armed)).toBe(false);
    expect([other.armed, owner.armed, wheel.count]).toEqual([0, 1, 1]);
    advanceTo(70);
    expect([owner.armed, wheel.count, wheel.nextUs]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
  });

  it('refuses to arm for a dead account, naming the module and the place', () => {
    const { make, owner, wheel } = setup();
    const timer = make('rto');
    owner.dead = true;
    expect(() => timer.arm(5)).toThrow("m1#1: arms its timer 'test.rto' though the module is gone");
    expect(() => timer.armAt(5)).toThrow("m1#1: arms its timer 'test.rto' though the module is gone");
    timer.cancel();
    expect([owner.armed, wheel.count]).toEqual([0, 0]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 48 + 1])('refuses the delay %s, and stays as it was', (delay) => {
    const { make, wheel } = setup();
    const timer = make('rto');
    timer.arm(9);
    expect(() => timer.arm(delay)).toThrow(/m1#1: arms its timer 'test.rto' with a delay of .* it takes a number up to 2\^48/);
    expect(() => timer.armAt(delay)).toThrow(/it takes a number up to 2\^48/);
    expect([timer.whenUs, wheel.nextUs, wheel.count]).toEqual([9, 9, 1]);
  });

  it('says whose throw it was and where, and fires the others', () => {
    const { make, wheel, context, faults, fired } = setup();
    const two = account(2);
    context.current.id = 77;
    make('a').arm(0);
    make(
      'bad',
      () => {
        throw new Error('oops');
      },
      two,
    ).arm(0);
    make('worse', () => {
      context.current.id = 5;
      throw new Error('deeper');
    }).arm(0);
    make('b', () => expect(context.current.id).toBe(1)).arm(0);
    wheel.collect();
    expect(wheel.fire(100)).toBe(4);
    expect(fired).toEqual(['a@0', 'bad@0', 'worse@0', 'b@0']);
    expect(faults).toEqual([
      { owner: 2, message: 'Error: oops', place: 'test.bad' },
      { owner: 5, message: 'Error: deeper', place: 'test.worse' },
    ]);
    expect(context.current.id).toBe(77);
  });

  it('tells its context when the earliest got earlier, and when the last is cancelled', () => {
    const { make, told } = setup();
    const [a, b] = [make('a'), make('b')];
    a.arm(100);
    b.arm(200);
    expect(told).toEqual(['sooner']);
    b.arm(50);
    expect(told).toEqual(['sooner', 'sooner']);
    a.cancel();
    a.cancel();
    expect(told).toHaveLength(2);
    b.cancel();
    expect(told).toEqual(['sooner', 'sooner', 'emptied']);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdvertisementSchedule } from './advertisement-schedule.ts';

const S = 1_000_000;
const INTERVAL = { minUs: 200 * S, maxUs: 600 * S };

/** Times of multicast advertisements, in seconds, until `untilS`; somebody asks at `asks`. Beside them, how many asked in vain. */
function run(fraction: () => number, untilS: number, asks: readonly number[] = []): { at: number[]; alone: number } {
  const schedule = new AdvertisementSchedule(fraction);
  const at: number[] = [];
  let alone = 0;
  schedule.begin(0);
  const left = [...asks].sort((a, b) => a - b);
  for (;;) {
    const askUs = (left[0] ?? Number.POSITIVE_INFINITY) * S;
    const nowUs = Math.min(askUs, schedule.nextUs);
    if (nowUs > untilS * S) return { at, alone };
    if (askUs <= schedule.nextUs) {
      left.shift();
      if (!schedule.solicited(nowUs)) alone++;
    } else {
      at.push(nowUs / S);
      schedule.sent(nowUs, INTERVAL);
    }
  }
}

describe('AdvertisementSchedule', () => {
  test('the first three are at most 16 s apart, the others as the interval says (RFC 4861 §6.2.4)', () => {
    const { at } = run(() => 0.5, 1300);
    expect(at).toEqual([0.25, 16.25, 32.25, 432.25, 832.25, 1232.25]);
  });

  test('what begins after a farewell waits as after any advertisement to all (§6.2.6)', () => {
    const schedule = new AdvertisementSchedule(() => 0);
    schedule.told(10 * S);
    schedule.begin(11 * S);
    expect(schedule.nextUs).toBe(13 * S);
  });

  test('who asks is answered within half a second (§6.2.6)', () => {
    expect(run(() => 0.5, 200, [100]).at.at(-1)).toBe(100.25);
  });

  test('who asks just after all were told is answered alone', () => {
    expect(run(() => 0.5, 110, [100, 102])).toEqual({ at: [0.25, 16.25, 32.25, 100.25], alone: 1 });
  });

  test('all are never told twice within 3 s, and never later than the interval, whoever asks', () => {
    const asks = fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(asks, fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 7, maxLength: 7 }), (times, lots) => {
        let index = 0;
        const { at } = run(() => lots[index++ % lots.length]!, 1000, times);
        const waits = at.slice(1).map((time, i) => time - at[i]!);
        expect(waits.every((wait) => wait >= 3 - 1e-6 && wait <= 600)).toBe(true);
      }),
    );
  });

  test('too many that ask bring it forward, but not too far', () => {
    const schedule = new AdvertisementSchedule(() => 0.5);
    schedule.begin(0);
    schedule.sent(S, INTERVAL);
    schedule.crowded(2 * S);
    expect(schedule.nextUs).toBe(4.25 * S);
    const next = new AdvertisementSchedule(() => 0.5);
    next.thaw(schedule.freeze());
    expect(next.freeze()).toEqual(schedule.freeze());
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SolicitationSchedule } from './solicitation-schedule.ts';

const S = 1_000_000;
const TIMES = { delayUs: S, intervalUs: 4 * S, maxIntervalUs: 3600 * S, limit: -1 };

/** When solicitations go out, in seconds, as long as nobody answers. */
function sentAt(fraction: () => number, count: number, times = TIMES): number[] {
  const schedule = new SolicitationSchedule(fraction);
  const at: number[] = [];
  schedule.begin(0, times);
  while (at.length < count && schedule.nextUs !== Number.POSITIVE_INFINITY) {
    at.push(schedule.nextUs / S);
    schedule.sent(schedule.nextUs, times);
  }
  return at;
}

describe('SolicitationSchedule', () => {
  test('waits twice as long each time (RFC 7559 §2), up to an hour', () => {
    const at = sentAt(() => 0.5, 14);
    expect(at.slice(0, 5)).toEqual([0.5, 4.5, 12.5, 28.5, 60.5]);
    expect(at[13]! - at[12]!).toBe(3600);
  });

  test('who is answered before he asks asks once (RFC 4861 §6.3.7)', () => {
    const schedule = new SolicitationSchedule(() => 0.5);
    schedule.begin(0, TIMES);
    schedule.answered();
    expect(schedule.nextUs).toBe(0.5 * S);
    schedule.sent(0.5 * S, TIMES);
    schedule.answered();
    expect(schedule.nextUs).toBe(Number.POSITIVE_INFINITY);
  });

  test('asks so often as the setting says, and not at all for 0', () => {
    expect(sentAt(() => 0, 9, { ...TIMES, limit: 3 })).toHaveLength(3);
    expect(sentAt(() => 0, 9, { ...TIMES, limit: 0 })).toEqual([]);
  });

  test('is within a tenth of what RFC 8415 §15 says, whatever chance says', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 12, maxLength: 12 }), (lots) => {
        let index = 0;
        const at = sentAt(() => lots[index++ % lots.length]!, 9);
        const waits = at.slice(1).map((time, i) => time - at[i]!);
        expect(at[0]).toBeLessThanOrEqual(1);
        expect(waits[0]! >= 3.599 && waits[0]! <= 4.401).toBe(true);
        for (let i = 1; i < waits.length; i++) expect(waits[i]! / waits[i - 1]! >= 1.89 && waits[i]! / waits[i - 1]! <= 2.11).toBe(true);
      }),
    );
  });

  test('goes on in the next generation where it was', () => {
    const schedule = new SolicitationSchedule(() => 0.5);
    schedule.begin(0, TIMES);
    schedule.sent(S / 2, TIMES);
    const next = new SolicitationSchedule(() => 0.5);
    next.thaw(schedule.freeze());
    next.sent(next.nextUs, TIMES);
    schedule.sent(schedule.nextUs, TIMES);
    expect(next.freeze()).toEqual(schedule.freeze());
    next.stop();
    expect(next.nextUs).toBe(Number.POSITIVE_INFINITY);
  });
});

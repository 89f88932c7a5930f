import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RoundTrip, timestampRttUs } from './round-trip.ts';

const S = 1_000_000;

test('RFC 6298 (2.1): 1 s before the first sample', () => {
  expect(new RoundTrip().timeoutUs).toBe(S);
});

test('(2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR', () => {
  const trip = new RoundTrip();
  trip.sample(S, 0, 0);
  expect([trip.srttUs, trip.rttvar4Us / 4, trip.timeoutUs]).toEqual([S, S / 2, 3 * S]);
});

test('(2.4) as Linux: SRTT + 200 ms at least; (2.5): 120 s at most', () => {
  const trip = new RoundTrip();
  for (let i = 0; i < 99; i++) trip.sample(100, 0, 0);
  expect(trip.timeoutUs).toBe(200_100);
  trip.sample(500 * S, 0, 0);
  expect(trip.timeoutUs).toBeLessThanOrEqual(120 * S);
});

test('(5.5): doubled until 120 s; a sample ends it', () => {
  const trip = new RoundTrip();
  const waits = Array.from({ length: 10 }, () => {
    const { timeoutUs } = trip;
    trip.backOff();
    return timeoutUs / S;
  });
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 120]);
  trip.sample(1000, 0, 0);
  expect(trip.timeoutUs).toBeLessThan(S);
});

/** Linux's RTTVAR in floating point: the deviation of (2.3), damped where round trips become shorter; the largest of a window, falling by a quarter of the difference. */
class Model {
  srtt = 0;
  deviation = 0;
  rttvar = 0;
  #largest = 0;
  #windowEnd = 0;

  sample(r: number, una: number, nxt: number, min: number): void {
    if (this.srtt === 0) {
      [this.srtt, this.deviation] = [r, r / 2];
      this.rttvar = this.#largest = Math.max(r / 2, min / 4);
      this.#windowEnd = nxt;
      return;
    }
    const change = Math.abs(this.srtt - r) / 4 - this.deviation / 4;
    this.deviation += r < this.srtt && change > 0 ? change / 8 : change;
    this.srtt = (7 / 8) * this.srtt + r / 8;
    this.#largest = Math.max(this.#largest, this.deviation);
    this.rttvar = Math.max(this.rttvar, this.#largest);
    if (una <= this.#windowEnd) return;
    this.rttvar -= (this.rttvar - this.#largest) / 4;
    [this.#largest, this.#windowEnd] = [min / 4, nxt];
  }
}

test('(2.3): α = 1/8, β = 1/4, with RTTVAR as Linux has it, within rounding', () => {
  const aTrip = fc.record({
    r: fc.integer({ min: 1000, max: 3 * S }),
    acked: fc.integer({ min: 0, max: 3 }),
    sent: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(aTrip, { minLength: 1, maxLength: 60 }), fc.constantFrom(200_000, 5000), (samples, minUs) => {
      const [trip, model] = [new RoundTrip(), new Model()];
      trip.minUs = minUs;
      let [una, nxt] = [0, 0];
      for (const { r, acked, sent } of samples) {
        una = Math.min(nxt, una + acked);
        nxt += sent;
        trip.sample(r, una, nxt);
        model.sample(r, una, nxt, minUs);
        expect(Math.abs(trip.srttUs - model.srtt)).toBeLessThan(20);
        expect(Math.abs(trip.deviation4Us / 4 - model.deviation)).toBeLessThan(30);
        expect(Math.abs(trip.rttvar4Us / 4 - model.rttvar)).toBeLessThan(40);
        expect(trip.timeoutUs).toBe(trip.srttUs + trip.rttvar4Us);
      }
      expect(trip.minRttUs).toBe(Math.min(...samples.map(({ r }) => r)));
    }),
  );
});

test('as Linux: round trips that become shorter are no reason to wait longer; one that was long is forgotten in some windows', () => {
  const shorter = new RoundTrip();
  for (const [i, ms] of [108, 8, 2].entries()) shorter.sample(ms * 1000, i, i);
  expect(shorter.timeoutUs).toBeLessThan(320_000);
  const trip = new RoundTrip();
  for (const [i, ms] of [2, 1000].entries()) trip.sample(ms * 1000, i, i);
  const waits = Array.from({ length: 40 }, (_, i) => {
    trip.sample(2000, i + 2, i + 2);
    return trip.timeoutUs;
  });
  expect(waits[0]).toBeGreaterThan(1_000_000);
  expect(waits[39]).toBeLessThan(220_000);
});

test('RFC 7323 §4.1: a timestamp that came back; none, from the future and ancient ones say nothing', () => {
  expect([timestampRttUs(1050, 1000), timestampRttUs(1000, 1000), timestampRttUs(1000, 0)]).toEqual([50_000, 1000, -1]);
  expect([timestampRttUs(1000, 1001), timestampRttUs(1_000_000, 1)]).toEqual([-1, -1]);
  expect(timestampRttUs(-(2 ** 31) + 9, 2 ** 31 - 1)).toBe(10_000);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RoundTrip, timestampRttUs } from './round-trip.ts';

const S = 1_000_000;

test('RFC 6298 (2.1): 1 s before the first sample', () => {
  expect(new RoundTrip().timeoutUs).toBe(S);
});

test('(2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR', () => {
  const trip = new RoundTrip();
  trip.sample(S);
  expect([trip.srttUs, trip.rttvar4Us / 4, trip.timeoutUs]).toEqual([S, S / 2, 3 * S]);
});

test('(2.4) as Linux: SRTT + 200 ms at least; (2.5): 120 s at most', () => {
  const trip = new RoundTrip();
  for (let i = 0; i < 99; i++) trip.sample(100);
  expect(trip.timeoutUs).toBe(200_100);
  trip.sample(500 * S);
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
  trip.sample(1000);
  expect(trip.timeoutUs).toBeLessThan(S);
});

test('(2.3): α = 1/8, β = 1/4, within rounding', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1000, max: 3 * S }), { minLength: 1, maxLength: 40 }), (samples) => {
      const trip = new RoundTrip();
      let [srtt, rttvar] = [0, 0];
      for (const [i, r] of samples.entries()) {
        trip.sample(r);
        if (i === 0) [srtt, rttvar] = [r, r / 2];
        else [rttvar, srtt] = [(3 / 4) * rttvar + Math.abs(srtt - r) / 4, (7 / 8) * srtt + r / 8];
        expect(Math.abs(trip.srttUs - srtt)).toBeLessThan(20);
        expect(Math.abs(trip.rttvar4Us / 4 - rttvar)).toBeLessThan(30);
      }
      expect(trip.minRttUs).toBe(Math.min(...samples));
    }),
  );
});

test('RFC 7323 §4.1: a timestamp that came back; none, from the future and ancient ones say nothing', () => {
  expect([timestampRttUs(1050, 1000), timestampRttUs(1000, 1000), timestampRttUs(1000, 0)]).toEqual([50_000, 1000, -1]);
  expect([timestampRttUs(1000, 1001), timestampRttUs(1_000_000, 1)]).toEqual([-1, -1]);
  expect(timestampRttUs(-(2 ** 31) + 9, 2 ** 31 - 1)).toBe(10_000);
});

import { expect, test } from 'vitest';
import { persistTimeoutUs } from './persist.ts';
import { decideSend, SEND, SendQuestion } from './send-decision.ts';

const EASY = { unsentBytes: 10, usableBytes: 9000, maxWindowBytes: 9000, mssBytes: 1000 };

test.each<[string, Partial<SendQuestion>, keyof typeof SEND]>([
  ['nothing there', { unsentBytes: 0 }, 'NOTHING'],
  ['the window is shut', { usableBytes: 0 }, 'NOTHING'],
  ['the window has shrunk', { usableBytes: -5 }, 'NOTHING'],
  ['RFC 1122 §4.2.3.4 (1): a whole segment', { unsentBytes: 1000 }, 'FULL'],
  ['(1) corked too', { unsentBytes: 1000, isCorked: true }, 'FULL'],
  ['(2): all there is, nothing small in flight', {}, 'REST'],
  ['Nagle, by Minshall: small in flight', { isSmallInFlight: true }, 'HELD'],
  ['TCP_NODELAY', { isSmallInFlight: true, isNoDelay: true }, 'REST'],
  ['TCP_CORK, even so', { isNoDelay: true, isCorked: true }, 'HELD'],
  ['(4): FIN, or the override timer', { isSmallInFlight: true, isCorked: true, isForced: true }, 'REST'],
  ['(3): half the largest window', { unsentBytes: 900, usableBytes: 400, maxWindowBytes: 800 }, 'HALF_WINDOW'],
  ['silly: less than half', { unsentBytes: 900, usableBytes: 399, maxWindowBytes: 800 }, 'SILLY'],
  ['silly, and forced', { unsentBytes: 900, usableBytes: 1, isForced: true }, 'HALF_WINDOW'],
])('%s', (_, fields, decision) => {
  expect(decideSend(Object.assign(new SendQuestion(), EASY, fields))).toBe(SEND[decision]);
});

test('RFC 1122 §4.2.2.17: probes are doubled from the RTO to 120 s', () => {
  expect([0, 1, 2, 9, 10, 99].map((probes) => persistTimeoutUs(250_000, probes) / 1e6)).toEqual([0.25, 0.5, 1, 120, 120, 120]);
  expect(persistTimeoutUs(10, 0)).toBe(200_000);
});

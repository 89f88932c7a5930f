import { expect, test } from 'vitest';
import { AckPolicy } from './ack-policy.ts';
import { receiveBuffer, sendBuffer } from './buffer-size.ts';

const MSS = 1000;

test('RFC 5681 §4.2: of full segments at least every second; disorder and holes filled at once', () => {
  const policy = new AckPolicy();
  expect([policy.isDue(MSS, MSS, false), policy.isDue(MSS + 1, MSS, false), policy.isDue(1, MSS, true)]).toEqual([false, true, true]);
});

test('quick at first, as many as half a window’s segments, 2 to 16', () => {
  for (const [windowBytes, many] of [
    [65535, 16],
    [10_000, 5],
    [100, 2],
  ] as const) {
    const policy = new AckPolicy();
    policy.received(-1, windowBytes, MSS);
    let quick = 0;
    for (; policy.isDue(1, MSS, false); quick++) policy.sent(false);
    expect(quick).toBe(many);
  }
});

test('who answers is interactive: acknowledgements ride on answers', () => {
  const policy = new AckPolicy();
  policy.received(-1, 65535, MSS);
  policy.sent(true);
  expect(policy.isDue(1, MSS, false)).toBe(false);
});

test('RFC 1122 §4.2.3.2: it waits 40 ms to 200 ms, as long as segments are apart', () => {
  const policy = new AckPolicy();
  expect(policy.delayUs).toBe(40_000);
  policy.received(-1, 65535, MSS);
  for (let i = 0; i < 9; i++) policy.received(5_000, 65535, MSS);
  expect(policy.delayUs).toBe(40_000);
  for (let i = 0; i < 9; i++) policy.received(39_000, 65535, MSS);
  expect(policy.delayUs).toBeGreaterThan(60_000);
  for (let i = 0; i < 99; i++) policy.received(policy.atoUs - 1, 65535, MSS);
  expect(policy.delayUs).toBe(200_000);
});

test('the receive buffer follows what is read in a round trip, and never shrinks', () => {
  expect(receiveBuffer(100_000, 50_000, 50_000, MSS, 6e6)).toBe(100_000);
  expect(receiveBuffer(100_000, 100_000, 50_000, MSS, 6e6)).toBe(216_000 + 2 * 216_000);
  expect(receiveBuffer(100_000, 10, 5, MSS, 6e6)).toBe(100_000);
  expect(receiveBuffer(100_000, 5e6, 1, MSS, 6e6)).toBe(6e6);
});

test('the send buffer is two windows', () => {
  expect([sendBuffer(10, 100, 10, 3, 2000, 4e6), sendBuffer(10, 1, 10, 3, 2000, 4e6), sendBuffer(10, 1e6, 10, 3, 2000, 4e6)]).toEqual([
    400_000, 40_000, 4e6,
  ]);
});

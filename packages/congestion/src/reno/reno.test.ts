import type { Objects } from '@softnet/contract';
import { AckSample, CONGESTION_PHASE, CongestionState } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reno } from './reno.ts';

const USES = {} as Objects<CongestionState>;

function sender(
  fields: Partial<CongestionState> = {},
  limit = 0,
): { reno: Reno; state: CongestionState; ack: (packets: number) => number } {
  const reno = new Reno(USES, () => limit);
  const state = new CongestionState(reno);
  reno.begin(state);
  Object.assign(state, { isCwndLimited: true, ...fields });
  const sample = new AckSample();
  return {
    ...{ reno, state },
    ack: (packets) => {
      sample.acked = packets;
      reno.increase(state, sample);
      return state.cwnd;
    },
  };
}

/** Section, where it begins, what is acknowledged, where `cwnd` ends. */
test.each([
  ['RFC 5681 §3.1: slow start, a packet for each', { cwnd: 10 }, [1, 1, 1], 13],
  ['RFC 3465 §2.2: two in one acknowledgement are two', { cwnd: 10 }, [2, 2], 14],
  ['RFC 5681 §3.1: not behind ssthresh; the rest is avoidance', { cwnd: 10, ssthresh: 12 }, [4], 12],
  ['RFC 5681 (3): one a window', { cwnd: 10, ssthresh: 10 }, new Array(10).fill(1), 11],
  ['RFC 5681 (3): not before', { cwnd: 10, ssthresh: 10 }, new Array(9).fill(1), 10],
  ['RFC 3465 §2.1: bytes, not acknowledgements', { cwnd: 10, ssthresh: 10 }, [5, 5], 11],
  ['a stretch acknowledgement of windows', { cwnd: 2, ssthresh: 2 }, [2 + 3 + 4], 5],
  ['RFC 7661 §4.3: not while the window is not used', { cwnd: 10, isCwndLimited: false }, [5], 10],
  ['the clamp: slow start', { cwnd: 10, cwndClamp: 12 }, [5], 12],
  ['the clamp: avoidance', { cwnd: 10, ssthresh: 5, cwndClamp: 10 }, [25], 10],
])('%s', (_, fields, acks, cwnd) => {
  const { ack, state } = sender(fields);
  for (const packets of acks) ack(packets);
  expect(state.cwnd).toBe(cwnd);
});

test('RFC 3465 §2.3: L, and 1 after a timeout', () => {
  expect(sender({ cwnd: 10 }, 2).ack(5)).toBe(12);
  expect(sender({ cwnd: 10, phase: CONGESTION_PHASE.LOSS }, 2).ack(5)).toBe(11);
  expect(sender({ cwnd: 10, phase: CONGESTION_PHASE.LOSS }, 0).ack(5)).toBe(15);
});

test.each([
  [100, 50],
  [11, 5],
  [3, 2],
  [1, 2],
])('RFC 5681 (4): of %i to %i', (cwnd, half) => {
  const { reno, state } = sender({ cwnd });
  expect(reno.ssthresh(state)).toBe(half);
});

test('RFC 3522: a loss that was none is undone, and takes nothing from who has more', () => {
  const { reno, state } = sender({ cwnd: 5, priorCwnd: 20 });
  expect(reno.undo(state)).toBe(20);
  state.cwnd = 30;
  expect(reno.undo(state)).toBe(30);
});

test('avoidance is cwnd += acked / cwnd, within a packet, however acknowledgements are cut', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 500 }), fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 60 }), (cwnd, acks) => {
      const { ack, state } = sender({ cwnd, ssthresh: 2 });
      let model = cwnd;
      for (const packets of acks) {
        ack(packets);
        // A window's worth is Σ cwnd, so after n packets cwnd² grows by 2n, and a little.
        for (let i = 0; i < packets; i++) model += 1 / Math.floor(model + 1e-9);
      }
      expect(Math.abs(state.cwnd - model)).toBeLessThan(1.01);
    }),
    { numRuns: 200 },
  );
});

test('an acknowledgement is no garbage', () => {
  const { ack, state } = sender({ cwnd: 10, ssthresh: 20 });
  expect(
    heapPerCall(0.2, () => {
      ack(2);
      if (state.cwnd > 5000) state.cwnd = 10;
    }),
  ).toBeLessThan(0.2);
});

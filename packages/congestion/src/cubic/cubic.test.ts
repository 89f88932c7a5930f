import type { Objects } from '@softnet/contract';
import { AckSample, CONGESTION_EVENT, CONGESTION_PHASE, CongestionState } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { climbedPackets, cubeRootMs } from './cube-root-ms.ts';
import { Cubic } from './cubic.ts';
import { CubicModel } from './testing/cubic-model.ts';

/** A sender with a window of packets each round trip, and the RFC's formulas beside it. */
class Sender {
  readonly cubic = new Cubic({} as Objects<CongestionState>, () => 0);
  readonly state = new CongestionState(this.cubic);
  readonly model: CubicModel;
  readonly sample = new AckSample();
  readonly rttMs: number;
  nowMs: number;

  constructor(cwnd: number, rttMs = 100, nowMs = 0x7fffff00) {
    this.cubic.begin(this.state);
    Object.assign(this.state, { cwnd, isCwndLimited: true, srttUs: rttMs * 1000 });
    this.model = new CubicModel(cwnd);
    this.rttMs = rttMs;
    this.nowMs = nowMs;
  }
  ack(packets: number, elapsedS = this.nowMs / 1000): void {
    this.sample.acked = packets;
    this.sample.nowMs = this.nowMs | 0;
    this.cubic.increase(this.state, this.sample);
    this.model.ack(packets, elapsedS, this.rttMs / 1000);
  }
  rounds(count: number, perAck = 2): void {
    for (let i = 0; i < count; i++) {
      const beganMs = this.nowMs;
      const { cwnd } = this.state;
      for (let left = cwnd; left > 0; left -= perAck) {
        this.nowMs = beganMs + Math.round((this.rttMs * (cwnd - left + 1)) / cwnd);
        this.ack(Math.min(perAck, left));
      }
      this.nowMs = beganMs + this.rttMs;
    }
  }
  alignModel(): void {
    this.model.cwnd = this.state.cwnd;
    this.model.ssthresh = this.state.ssthresh;
  }
  /** @param timeout RFC 5681 §3.1: to one packet. */
  loss(timeout = false): this {
    const { state, cubic } = this;
    state.priorCwnd = state.cwnd;
    state.ssthresh = cubic.ssthresh(state);
    if (timeout) cubic.phaseChanged(state, CONGESTION_PHASE.LOSS);
    state.cwnd = timeout ? 1 : state.ssthresh;
    if (timeout) this.model.timeout();
    else this.model.loss();
    return this;
  }
}

test('RFC 9438 §4.2 (2): K, to the millisecond, and C t³', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 30, noNaN: true }), (packets) => {
      expect(Math.abs(cubeRootMs(packets) - 1000 * Math.cbrt(packets / 0.4))).toBeLessThanOrEqual(1);
    }),
  );
  expect([climbedPackets(1000), climbedPackets(-2000), climbedPackets(0)]).toEqual([0.4, -3.2, 0]);
});

/** Section, cwnd, what happens, cwnd and ssthresh behind it. */
test.each<[string, number, (sender: Sender) => unknown, number, number]>([
  ['§4.6: β is 0.7', 100, (s) => s.loss(), 70, 70],
  ['§4.6: ssthresh is 2 at least', 2, (s) => s.loss(), 2, 2],
  ['§4.8: after a timeout slow start to 0.7', 100, (s) => s.loss(true).rounds(7), 71, 70],
  ['§4.2, concave: back at W_max after K = (0.3 · 1000 / 0.4)^⅓ s', 1000, (s) => s.loss().rounds(91), 999, 700],
])('RFC 9438 %s', (_, cwnd, act, after, ssthresh) => {
  const sender = new Sender(cwnd);
  act(sender);
  expect(Math.abs(sender.state.cwnd - after)).toBeLessThanOrEqual(1);
  expect(sender.state.ssthresh).toBe(ssthresh);
});

test('§4.4, §4.5: flat at W_max, then faster and faster, never by more than half in a round trip', () => {
  const sender = new Sender(1000);
  sender.loss();
  const grown: number[] = [];
  for (let i = 0; i < 250; i++) {
    const before = sender.state.cwnd;
    sender.rounds(1);
    grown.push(sender.state.cwnd - before);
  }
  expect(Math.max(...grown.slice(80, 100))).toBeLessThan(2);
  // C · 3 K² a second: 99 packets at the begin.
  expect(Math.abs(grown[3]! - 9)).toBeLessThanOrEqual(1);
  expect(grown[240]).toBeGreaterThan(grown[160]!);
});

test('§4.3: on a short path it is what Reno would be', () => {
  const sender = new Sender(20, 5);
  sender.loss();
  sender.rounds(40);
  // α = 9/17 a round trip to 20, then 1: 14 → 20 takes 12 rounds.
  expect(Math.abs(sender.state.cwnd - (20 + 40 - 12))).toBeLessThanOrEqual(2);
  expect(Math.abs(sender.state.cwnd - sender.model.cwnd)).toBeLessThanOrEqual(1);
});

test('§4.10: slow start that ends without a loss: the curve begins at its turn, α is 1', () => {
  const sender = new Sender(100);
  sender.state.ssthresh = sender.model.ssthresh = 100;
  sender.rounds(1);
  expect(sender.cubic.freeze(sender.state)).toMatchObject({ now: { wMax: 0, kMs: 0, origin: 100 * 256, cwndPrior: 100 } });
  sender.rounds(60);
  expect(Math.abs(sender.state.cwnd - sender.model.cwnd)).toBeLessThan(3);
});

test('§4.7: who loses before he was back gives way: W_max is 0.85 of it', () => {
  const [once, twice] = [new Sender(1000), new Sender(1000)];
  once.loss();
  once.state.cwnd = 700;
  twice.loss();
  twice.loss();
  expect(twice.cubic.freeze(twice.state)).toMatchObject({ now: { wMax: 700 * 0.85 * 256 } });
  expect(once.cubic.freeze(once.state)).toMatchObject({ now: { wMax: 1000 * 256 } });
});

test('§4.9: a loss that was none: cwnd, W_max, K and the stage are as before', () => {
  for (const timeout of [false, true]) {
    const sender = new Sender(500);
    sender.loss();
    sender.rounds(20);
    const before = sender.cubic.freeze(sender.state) as { now: unknown };
    const cwnd = sender.state.cwnd;
    sender.loss(timeout);
    expect(sender.cubic.undo(sender.state)).toBe(cwnd);
    expect(sender.cubic.freeze(sender.state)).toMatchObject({ now: before.now });
  }
});

test('§5.8: time without anything to send is none of the curve’s, silent or slow', () => {
  for (const silent of [true, false]) {
    const [idle, busy] = [new Sender(1000), new Sender(1000)];
    for (const sender of [idle, busy]) {
      sender.loss();
      sender.rounds(10);
    }
    idle.state.isCwndLimited = silent;
    for (let i = 0; i < 60; i++) {
      idle.nowMs += 1000;
      if (!silent) idle.ack(1);
    }
    if (silent) idle.cubic.event(idle.state, CONGESTION_EVENT.TRANSMIT_START, idle.nowMs | 0);
    idle.state.isCwndLimited = true;
    for (const sender of [idle, busy]) sender.rounds(10);
    expect(idle.state.cwnd).toBe(busy.state.cwnd);
  }
});

test('§4: within two packets, or 2 %, of the formulas, whatever is lost, however it is acknowledged', () => {
  const life = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom('loss', 'loss', 'timeout')), {
    minLength: 1,
    maxLength: 6,
  });
  const from = { cwnd: fc.integer({ min: 10, max: 800 }), rttMs: fc.constantFrom(2, 20, 100, 300), perAck: fc.constantFrom(1, 2, 7) };
  fc.assert(
    fc.property(fc.record({ ...from, life }), ({ cwnd, rttMs, perAck, life }) => {
      const sender = new Sender(cwnd, rttMs);
      sender.loss();
      // From one and the same window on each time: packets are whole here, and half a packet less is another K.
      sender.alignModel();
      for (const [rounds, end] of life) {
        sender.rounds(rounds, perAck);
        expect(Math.abs(sender.state.cwnd - sender.model.cwnd)).toBeLessThan(Math.max(2, sender.model.cwnd * 0.02));
        sender.alignModel();
        sender.loss(end === 'timeout');
        sender.alignModel();
      }
    }),
    { numRuns: 100 },
  );
});

test('frozen and thawed it goes on the same; what is no state of ours is survived', () => {
  const [one, other] = [new Sender(300), new Sender(300)];
  for (const sender of [one, other]) {
    sender.loss();
    sender.rounds(9);
  }
  const frozen = structuredClone(other.cubic.freeze(other.state));
  other.cubic.begin(other.state);
  other.cubic.thaw(other.state, frozen);
  for (const sender of [one, other]) sender.rounds(30);
  expect(other.state.cwnd).toBe(one.state.cwnd);
  for (const odd of [{}, { now: null }, { now: { wMax: 'x', kMs: 1.5 }, before: 7 }]) other.cubic.thaw(other.state, odd);
  other.rounds(1);
  expect(Number.isInteger(other.state.cwnd)).toBe(true);
});

test('an acknowledgement and a loss are no garbage', () => {
  const { cubic, state, sample } = new Sender(100, 20);
  Object.assign(state, { ssthresh: 70 });
  let nowMs = 0;
  const bytes = heapPerCall(0.5, (call) => {
    sample.acked = 2;
    sample.nowMs = ++nowMs | 0;
    cubic.increase(state, sample);
    if (call % 500 === 0 || state.cwnd > 3000) state.cwnd = state.ssthresh = cubic.ssthresh(state);
  });
  expect(bytes).toBeLessThan(0.5);
});

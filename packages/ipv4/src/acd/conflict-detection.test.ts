import { describe, expect, test } from 'vitest';
import { ACD, CLAIM, ConflictDetection, ConflictRate, DEFENCE } from './conflict-detection.ts';

/** A claim whose time the test moves; `told` says what it did, and when, in seconds. */
class Bench {
  nowUs = 0;
  readonly told: string[] = [];
  readonly claim: ConflictDetection;

  constructor(defence: number, fraction = 0.5) {
    const tell = (what: string) => (): void => void this.told.push(`${what} ${this.nowUs / 1e6}`);
    const actions = { probe: tell('probe'), announce: tell('announce'), claimed: tell('claimed'), lost: tell('lost') };
    this.claim = new ConflictDetection(defence, { ...actions, fraction: () => fraction });
  }

  /** Until then all that is due is done. */
  until(seconds: number): this {
    const { claim } = this;
    while (claim.dueUs <= seconds * 1e6) {
      this.nowUs = claim.dueUs;
      claim.timeout(this.nowUs);
    }
    this.nowUs = seconds * 1e6;
    return this;
  }
}

const TAKEN = ['probe 0.5', 'probe 2', 'probe 3.5', 'claimed 5.5', 'announce 5.5', 'announce 7.5'];

test('probes three times, waits, and announces twice (§2.1.1, §2.3)', () => {
  const bench = new Bench(DEFENCE.ONCE);
  bench.claim.begin(0);
  bench.until(60);
  expect(bench.told).toEqual(TAKEN);
  expect([bench.claim.state, bench.claim.dueUs]).toEqual([CLAIM.CLAIMED, Number.POSITIVE_INFINITY]);
});

test.each([
  [0, ['probe 0', 'probe 1', 'probe 2', 'claimed 4', 'announce 4', 'announce 6']],
  [0.999999, ['probe 0.999999', 'probe 2.999998', 'probe 4.999997', 'claimed 6.999997', 'announce 6.999997', 'announce 8.999997']],
])('chance of %s stays within PROBE_WAIT, PROBE_MIN and PROBE_MAX', (fraction, told) => {
  const bench = new Bench(DEFENCE.ONCE, fraction);
  bench.claim.begin(0);
  bench.until(60);
  expect(bench.told.map((line) => line.replace(/(\.\d{6})\d+$/, '$1'))).toEqual(told);
});

describe('before it is ours (§2.1.1)', () => {
  test.each<[what: string, seconds: number, hear: (bench: Bench) => void, told: string[]]>([
    ['in use, before the first probe', 0.2, ({ claim, nowUs }) => claim.used(nowUs), ['lost 0.2']],
    ['in use, between probes', 3, ({ claim, nowUs }) => claim.used(nowUs), ['probe 0.5', 'probe 2', 'lost 3']],
    ['in use, in ANNOUNCE_WAIT', 5.4, ({ claim, nowUs }) => claim.used(nowUs), ['probe 0.5', 'probe 2', 'probe 3.5', 'lost 5.4']],
    ['probed for by another, before the first probe', 0.2, ({ claim }) => claim.probed(), ['lost 0.2']],
    ['probed for by another', 3, ({ claim }) => claim.probed(), ['probe 0.5', 'probe 2', 'lost 3']],
  ])('%s', (_what, seconds, hear, told) => {
    const bench = new Bench(DEFENCE.ALWAYS);
    bench.claim.begin(0);
    hear(bench.until(seconds));
    expect(bench.until(60).told).toEqual(told);
    expect(bench.claim.state).toBe(CLAIM.IDLE);
  });
});

describe('once it is ours (§2.4)', () => {
  const A = DEFENCE.NONE;
  const B = DEFENCE.ONCE;
  const C = DEFENCE.ALWAYS;
  test.each<[policy: string, defence: number, conflicts: number[], told: string[]]>([
    ['a', A, [20], ['lost 20']],
    ['b', B, [20], ['announce 20']],
    ['b', B, [20, 29.9], ['announce 20', 'lost 29.9']],
    ['b', B, [20, 30], ['announce 20', 'announce 30']],
    ['b', B, [20, 31, 42, 43], ['announce 20', 'announce 31', 'announce 42', 'lost 43']],
    ['c', C, [20, 21, 22, 29.9], ['announce 20']],
    ['c', C, [20, 25, 30, 35, 40], ['announce 20', 'announce 30', 'announce 40']],
  ])('(%s) with conflicts: %i, %j', (_policy, defence, conflicts, told) => {
    const bench = new Bench(defence);
    bench.claim.begin(0);
    for (const seconds of conflicts) {
      bench.until(seconds);
      bench.claim.used(bench.nowUs);
    }
    expect(bench.until(100).told).toEqual([...TAKEN, ...told]);
    expect(bench.claim.state).toBe(told.at(-1)!.startsWith('lost') ? CLAIM.IDLE : CLAIM.CLAIMED);
  });

  test('a probe of another is only answered', () => {
    const bench = new Bench(A);
    bench.claim.claim(0, false);
    bench.claim.probed();
    expect([bench.told, bench.claim.state]).toEqual([[], CLAIM.CLAIMED]);
  });

  test('a conflict between the announcements counts', () => {
    const bench = new Bench(A);
    bench.claim.begin(0);
    bench.until(6.5).claim.used(bench.nowUs);
    expect(bench.until(60).told).toEqual([...TAKEN.slice(0, -1), 'lost 6.5']);
  });
});

test('stopped, it hears nothing, and can begin again', () => {
  const bench = new Bench(DEFENCE.ONCE);
  bench.claim.begin(0);
  bench.until(1).claim.stop();
  bench.claim.used(bench.nowUs);
  bench.claim.probed();
  expect(bench.until(60).told).toEqual(['probe 0.5']);
  bench.claim.begin(bench.nowUs);
  expect(bench.until(100).told.length).toBe(1 + TAKEN.length);
});

test.each([0.1, 0.6, 2.5, 4, 6, 12, 25])('frozen at %s s, it goes on in the next generation as if nothing had been', (seconds) => {
  const run = (isMoved: boolean): string[] => {
    const bench = new Bench(DEFENCE.ONCE);
    bench.claim.begin(0);
    bench.until(seconds);
    let last = bench;
    if (isMoved) {
      last = new Bench(DEFENCE.ONCE);
      last.claim.thaw(structuredClone(bench.claim.freeze()));
      last.until(seconds);
    }
    for (const conflict of [20, 31, 32]) {
      last.until(conflict);
      last.claim.used(last.nowUs);
    }
    return isMoved ? [...bench.told, ...last.told] : bench.told;
  };
  expect(run(true)).toEqual(run(false));
});

test('after ten conflicts, one address a minute (§2.1.1), until one is claimed', () => {
  const rate = new ConflictRate();
  for (let i = 0; i < ACD.MAX_CONFLICTS; i++) {
    expect(rate.next(i)).toBe(i);
    rate.conflict();
  }
  expect(rate.next(1000)).toBe(9 + ACD.RATE_LIMIT_INTERVAL_US);
  expect(rate.next(1001)).toBe(9 + 2 * ACD.RATE_LIMIT_INTERVAL_US);
  expect(rate.next(500e6)).toBe(500e6);
  rate.claimed();
  expect(rate.next(500e6 + 1)).toBe(500e6 + 1);
});

import { describe, expect, test } from 'vitest';
import type { DetectionPlan } from './duplicate-detection.ts';
import { DETECTION, DuplicateDetection } from './duplicate-detection.ts';

const SECOND_US = 1_000_000;
const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6);
const OTHER = Uint8Array.of(1, 2, 3, 4, 5, 7);
const PLAN: DetectionPlan = { transmits: 1, retransUs: SECOND_US, delayUs: 0.5 * SECOND_US, nonce: NONCE };

/** A search whose time the test moves; `told` says what it did, and when, in seconds. */
class Bench {
  nowUs = 0;
  readonly told: string[] = [];
  readonly detection: DuplicateDetection;

  constructor(plan: Partial<DetectionPlan> = {}) {
    const tell = (what: string) => (): void => void this.told.push(`${what} ${this.nowUs / SECOND_US}`);
    const probe = (nonce: Uint8Array | null): void => void this.told.push(`probe${nonce === null ? '' : '*'} ${this.nowUs / SECOND_US}`);
    this.detection = new DuplicateDetection({ probe, unique: tell('unique'), duplicate: tell('duplicate'), looped: tell('looped') });
    this.detection.begin(0, { ...PLAN, ...plan });
  }

  /** Until then all that is due is done. */
  until(seconds: number, does: (detection: DuplicateDetection) => void = () => {}): this {
    const { detection } = this;
    while (detection.dueUs <= seconds * SECOND_US) {
      this.nowUs = detection.dueUs;
      detection.timeout(this.nowUs);
    }
    this.nowUs = seconds * SECOND_US;
    does(detection);
    return this;
  }
}

test.each([
  [{}, ['probe* 0.5', 'unique 1.5']],
  [{ delayUs: 0 }, ['probe* 0', 'unique 1']],
  [{ transmits: 3 }, ['probe* 0.5', 'probe* 1.5', 'probe* 2.5', 'unique 3.5']],
  [{ transmits: 2, retransUs: 0.1 * SECOND_US }, ['probe* 0.5', 'probe* 0.6', 'unique 0.7']],
  [{ nonce: null }, ['probe 0.5', 'unique 1.5']],
])('with %j: %j (RFC 4862 §5.4.2)', (plan, told) => {
  const { told: said, detection } = new Bench(plan).until(60);
  expect(said).toEqual(told);
  expect([detection.state, detection.dueUs]).toEqual([DETECTION.UNIQUE, Number.POSITIVE_INFINITY]);
});

describe('what is heard meanwhile', () => {
  const none = (it: DuplicateDetection): boolean => it.probed(new Uint8Array(), -1, 0);
  const ours = (it: DuplicateDetection): boolean => it.probed(Uint8Array.of(9, ...NONCE), 1, 6);
  const other = (it: DuplicateDetection): boolean => it.probed(OTHER, 0, 6);
  const longer = (it: DuplicateDetection): boolean => it.probed(Uint8Array.of(...NONCE, 0, 0, 0, 0, 0, 0, 0, 0), 0, 14);
  const claim = (it: DuplicateDetection): void => it.claimed();
  test.each<[what: string, seconds: number, hear: (it: DuplicateDetection) => void, plan: Partial<DetectionPlan>, told: string[]]>([
    ['an advertisement (RFC 4862 §5.4.4)', 1, claim, {}, ['probe* 0.5', 'duplicate 1']],
    ['one before we have asked', 0.2, claim, {}, ['duplicate 0.2']],
    ['one too late', 2, claim, {}, ['probe* 0.5', 'unique 1.5']],
    ['a solicitation without nonce (§5.4.3)', 1, none, {}, ['probe* 0.5', 'duplicate 1']],
    ['one before we have asked: both want it', 0.2, none, {}, ['duplicate 0.2']],
    ['another nonce (RFC 7527 §4.2)', 1, other, {}, ['probe* 0.5', 'duplicate 1']],
    ['a longer nonce that begins alike', 1, longer, {}, ['probe* 0.5', 'duplicate 1']],
    ['our nonce before we have asked is nobody’s we know', 0.2, ours, {}, ['duplicate 0.2']],
    ['a nonce, where we send none', 1, ours, { nonce: null }, ['probe 0.5', 'duplicate 1']],
    [
      'our own: three more, and all is well (§4.1)',
      1,
      ours,
      {},
      ['probe* 0.5', 'looped 1', 'probe* 1.5', 'probe* 2.5', 'probe* 3.5', 'unique 4.5'],
    ],
    [
      'our own, with more to be sent anyhow: it is the last that counts',
      1,
      ours,
      { transmits: 2 },
      ['probe* 0.5', 'looped 1', 'probe* 1.5', 'unique 2.5'],
    ],
  ])('%s', (_what, seconds, hear, plan, told) => {
    expect(new Bench(plan).until(seconds, hear).until(60).told).toEqual(told);
  });

  test('a loop that stays: it is tentative for ever, at one solicitation a second, and told once; gone, it ends', () => {
    const bench = new Bench({ delayUs: 0 });
    for (let second = 0; second < 100; second++) bench.until(second + 0.5, ours);
    expect(bench.told.filter((each) => !each.startsWith('probe'))).toEqual(['looped 0.5']);
    expect(bench.told).toHaveLength(101);
    bench.until(200);
    expect(bench.told.at(-1)).toBe('unique 103');
  });

  test('a conflict while it loops is one', () => {
    const bench = new Bench().until(1, ours).until(2, other);
    expect(bench.until(60).told).toEqual(['probe* 0.5', 'looped 1', 'probe* 1.5', 'duplicate 2']);
  });
});

test('stopped, it hears nothing, and can begin again', () => {
  const bench = new Bench().until(0.7, (it) => it.stop()).until(5, (it) => it.claimed());
  expect([bench.told, bench.detection.state]).toEqual([['probe* 0.5'], DETECTION.IDLE]);
  bench.detection.begin(bench.nowUs, PLAN);
  expect(bench.until(60).told.slice(1)).toEqual(['probe* 5.5', 'unique 6.5']);
});

test.each([0.2, 0.7, 1.2, 2.2, 5])('frozen at %s s, it goes on in the next generation as if nothing had been', (seconds) => {
  const run = (isMoved: boolean): string[] => {
    const bench = new Bench({ transmits: 2 });
    bench.until(seconds);
    if (!isMoved) return bench.until(1.8, (it) => it.probed(NONCE, 0, 6)).until(60).told;
    const next = new Bench();
    next.detection.thaw(structuredClone(bench.detection.freeze()));
    next.nowUs = bench.nowUs;
    return [...bench.told, ...next.until(1.8, (it) => it.probed(NONCE, 0, 6)).until(60).told];
  };
  if (seconds < 1.8) expect(run(true)).toEqual(run(false));
  else expect(run(true).at(-1)).toMatch(/^unique/);
});

test('two that ask at the same time both fail; one that asks first, wins (RFC 4862 §5.4.3)', () => {
  for (const apartUs of [0, 1, 200_000]) {
    const latencyUs = 100;
    const [a, b] = [new Bench({ nonce: NONCE }), new Bench({ nonce: OTHER, delayUs: PLAN.delayUs + apartUs })];
    a.until(0.5);
    const heardB = (PLAN.delayUs + latencyUs) / SECOND_US;
    b.until(heardB, (it) => it.probed(NONCE, 0, 6));
    if (b.told.some((each) => each.startsWith('probe'))) a.until(0.5 + (apartUs + latencyUs) / SECOND_US, (it) => it.probed(OTHER, 0, 6));
    expect([a.until(60).detection.state, b.until(60).detection.state]).toEqual([
      apartUs < latencyUs ? DETECTION.DUPLICATE : DETECTION.UNIQUE,
      DETECTION.DUPLICATE,
    ]);
  }
});

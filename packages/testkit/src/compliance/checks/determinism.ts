import { differenceOf, historyOf } from '../history.ts';
import type { ComplianceSubject, Verdict } from '../subject.ts';
import { Trial } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { seen, skipped } from './check.ts';

/** What a host says when it is asked for chance and time. */
const HOSTS = Object.freeze([
  { chance: 0.1, date: 1_000_000_000_123 },
  { chance: 0.9, date: 2_000_000_000_777 },
] as const);
type Host = (typeof HOSTS)[number];

/** The same seed gives the same run. */
export const determinismCheck: CheckKind = Object.freeze({
  name: 'determinism',
  async run(subject: ComplianceSubject): Promise<Verdict> {
    const trial = new Trial(subject);
    if (!trial.world.virtual) return skipped('it runs in real time, where no two runs are the same');
    const [one, two] = [await elsewhere(HOSTS[0], subject), await elsewhere(HOSTS[1], subject)];
    const difference = differenceOf(one.lines, two.lines);
    if (difference !== undefined) throw trial.failure(`two runs of one seed differ: ${difference}; ${await adviceFor(one.lines, subject)}`);
    const asked = one.askedAt ?? two.askedAt;
    trial.must(asked === undefined, `it, or its traffic, asks the host for chance: Math.random ${asked}; take it from ctx.random`);
    return seen(`${one.lines.length} events, twice the same`);
  },
});

/** The host's answers may be the cause, or what an earlier run left: a third run, at the first one's host, tells. */
async function adviceFor(one: readonly string[], subject: ComplianceSubject): Promise<string> {
  const again = await elsewhere(HOSTS[0], subject);
  return differenceOf(one, again.lines) === undefined
    ? 'take time and chance from ctx, not from Date or Math.random'
    : 'something outlives a run: keep no state at module level, and take time and timers from ctx, not from performance or setTimeout';
}

/**
 * The same program on another machine, at another time: who asks the host for time or chance gets other answers. Nothing
 * that keeps to its kernel's can tell.
 */
async function elsewhere({ chance, date }: Host, subject: ComplianceSubject): Promise<{ lines: string[]; askedAt: string | undefined }> {
  const { random } = Math;
  const { now } = Date;
  const { now: performanceNow } = performance;
  let asked = 0;
  let askedAt: string | undefined;
  Math.random = () => {
    askedAt ??= callerOf(new Error());
    return (chance + ++asked * 0.618) % 1;
  };
  Date.now = () => date + asked++ * 7;
  performance.now = () => performanceNow.call(performance) * (1 + chance) + chance * 1000;
  try {
    return { lines: await historyOf(subject), askedAt };
  } finally {
    Math.random = random;
    Date.now = now;
    performance.now = performanceNow;
  }
}

/** Where Math.random was called; undefined where that was in a library: a test runner draws too, at any time. */
function callerOf({ stack = '' }: Error): string | undefined {
  const [frame] = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(1);
  return frame === undefined || /node_modules|\bnode:/.test(frame) ? undefined : frame.trim();
}

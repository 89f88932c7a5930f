import { differenceOf, historyOf, SEED } from '../history.ts';
import type { ComplianceSubject, Verdict } from '../subject.ts';
import { ComplianceFailure } from '../subject.ts';
import { Trial } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { seen } from './check.ts';

/** Into the exchange of the other, µs, when this one's life begins. */
const MIDST_US = 300;
const ADVICE = 'state at module level is shared by all kernels of the process: keep it in the instance, made in start';

/**
 * Two Worlds in one process know nothing of one another. Both have the same seed: so what they draw (ids, ports) is alike,
 * and meets where it is kept in one place.
 */
export const strangersCheck: CheckKind = Object.freeze({
  name: 'kernels share nothing',
  async run(subject: ComplianceSubject): Promise<Verdict> {
    const other = new Trial(subject, SEED);
    const alone = await historyOf(subject);
    try {
      const traffic = await other.underTraffic();
      const moving = traffic.exchange();
      moving.catch(() => undefined);
      await other.pace.pass(MIDST_US);
      const beside = await besides(other, historyOf(subject));
      // In real time no two lives are the same: there, that both go well must do.
      const difference = other.world.virtual ? differenceOf(alone, beside) : undefined;
      // Without determinism, a run differs beside whomever it is.
      other.stage = 'determinism';
      other.must(difference === undefined, `beside another kernel of it, a run differs from one alone: ${difference}; ${ADVICE}`);
      other.stage = undefined;
      const moved = await besides(
        other,
        other.step('an exchange, in the midst of which another kernel unloaded it,', () => moving),
      );
      await besides(other, other.moves(traffic, 'after another kernel unloaded it'));
      await besides(other, other.close(traffic));
      // How it goes was judged before.
      other.stage = 'everything';
      await besides(other, other.gone(other.unload(), 'unload, after another kernel unloaded it,'));
      return seen(
        other.world.virtual
          ? `the same beside another kernel as alone, where ${moved} bytes moved on`
          : `it goes well beside another kernel, where ${moved} bytes moved on; events are not compared, since it runs in real time`,
      );
    } finally {
      await other.end();
    }
  },
});

/** What fails here did well alone. */
async function besides<T>(other: Trial, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ComplianceFailure)) throw error;
    throw new ComplianceFailure(`${other.name}: beside another kernel of it: ${error.message}; ${ADVICE}`, {
      cause: error,
      stage: other.stage,
    });
  }
}

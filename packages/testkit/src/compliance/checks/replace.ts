import type { ReplaceReport } from '@softnet/kernel';
import type { Traffic, Verdict } from '../subject.ts';
import type { Trial } from '../trial.ts';
import { isNetError } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { defineCheck, replacementOf, seen, skipped } from './check.ts';

/** Moments in the midst of an exchange, µs after its begin. */
const MOMENTS_US = Object.freeze([0, 300, 1700, 5000] as const);

/** Another build takes over. */
export const replaceChecks: readonly CheckKind[] = Object.freeze([
  defineCheck('replace by draining', async (trial) => {
    const traffic = await trial.underTraffic();
    const report = await replaced(trial, traffic, 'drain', 500);
    if (report instanceof Error) {
      if (report.message.includes('owns a registry')) return skipped('it owns a registry, so it is replaced by hand-over only');
      throw trial.failure(`replace by draining was refused: ${report.message}`);
    }
    await trial.step('openAnother() at the new generation', () => traffic.openAnother());
    await trial.moves(traffic, 'with objects of both generations');
    await trial.close(traffic);
    await trial.gone(report.drained, 'the old generation');
    await trial.gone(trial.unload(), 'the new generation');
    return seen(`${report.to} took new work while ${report.from} drained`);
  }),

  defineCheck('replace by hand-over', async (trial) => {
    const traffic = await trial.underTraffic();
    for (const moment of MOMENTS_US) {
      const report = await replaced(trial, traffic, 'handover', moment);
      if (report instanceof Error) {
        if (moment === 0 && report.message.includes('hand-over is impossible')) return await handsNothingOver(trial, traffic, report);
        throw trial.failure(`hand-over was refused: ${report.message}`);
      }
      const adopted = Object.values(report.adopted).reduce((sum, count) => sum + count, 0);
      trial.must(adopted > 0, 'a hand-over moved no objects, though some were open');
      await trial.gone(report.drained, 'the old generation, after a hand-over,');
      trial.well();
    }
    await trial.step('openAnother() after a hand-over', () => traffic.openAnother());
    await trial.moves(traffic, 'after a hand-over');
    await trial.close(traffic);
    await trial.gone(trial.unload(), 'unload after a hand-over');
    return seen(`handed over ${MOMENTS_US.length} times in the midst of an exchange`);
  }),
]);

/** A module that does not hand over must at least drain. */
async function handsNothingOver(trial: Trial, traffic: Traffic, refusal: Error): Promise<Verdict> {
  const report = await replaced(trial, traffic, 'drain', 0);
  if (report instanceof Error) throw trial.failure(`it can neither drain nor hand over: ${refusal.message}; ${report.message}`);
  return skipped(`it does not hand over: ${refusal.message}`);
}

/** Replaces in the midst of an exchange, which must end well. A refusal is returned. */
async function replaced(trial: Trial, traffic: Traffic, mode: 'drain' | 'handover', afterUs: number): Promise<ReplaceReport | Error> {
  const moving = traffic.exchange();
  moving.catch(() => undefined);
  if (afterUs > 0) await trial.pace.pass(afterUs);
  trial.noteDoors();
  const report = await trial.step('replace', () =>
    trial.kernel.replace(trial.name, replacementOf(trial.subject), { mode }).catch((error: unknown): Error => {
      if (isNetError(error)) return error;
      throw error;
    }),
  );
  if (report instanceof Error) return report;
  const moved = await trial.step(
    `an exchange, in the midst of which it was replaced (${mode}, after ${afterUs} µs),`,
    () => moving,
    () => (mode === 'drain' ? trial.taken : undefined),
  );
  trial.must(moved > 0, 'exchange() moved no bytes while it was replaced');
  return report;
}

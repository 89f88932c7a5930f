import type { Traffic } from '../subject.ts';
import type { Trial } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { defineDrainCheck, seen, skipped } from './check.ts';

const ROUNDS = 2;
/** Longer than the answer to a knock takes, µs. */
const PATIENCE_US = 1_000_000;

/** Coming back from an unload. */
export const returnChecks: readonly CheckKind[] = Object.freeze([
  defineDrainCheck('a deadline that passes means live again', async (trial) => {
    const traffic = await trial.underTraffic();
    const report = await trial.step('the deadline', () => trial.unload({ deadlineMs: trial.pace.deadlineMs(1000) }));
    trial.must(report.outcome === 'live' && report.reason === 'deadline', `after its deadline it must be live, but is ${report.outcome}`);
    trial.faultless(report.faults);
    await isBack(trial, traffic, 'after the deadline');
    return seen('every door is open again');
  }),

  defineDrainCheck('abort', async (trial) => {
    const traffic = await trial.underTraffic();
    for (let round = 0; round < ROUNDS; round++) {
      const unload = trial.unload();
      await trial.draining();
      await trial.moves(traffic, 'while it drains');
      await trial.step('abort', () => trial.kernel.abort(trial.name));
      const report = await trial.step('the report of an unload that was called off', () => unload);
      trial.must(report.outcome === 'live', 'after an abort it must be live');
      trial.faultless(report.faults);
      await isBack(trial, traffic, 'after an abort');
    }
    return seen(`live again, ${ROUNDS} times`);
  }),

  defineDrainCheck('parked objects are silent, and live again', async (trial) => {
    const traffic = await trial.underTraffic();
    const { parks } = trial.kernel.dryRun(trial.name);
    if (parks.length === 0) return skipped('its traffic opens nothing that it parks');
    trial.must(traffic.knock !== undefined, `it parks ${parks[0]!.kind} objects, so its traffic needs knock()`);
    const knock = async (): Promise<boolean> => {
      const knocking = await trial.step('knock()', async () => traffic.knock!());
      await trial.pace.settle(PATIENCE_US, () => knocking.answered);
      const { answered } = knocking;
      knocking.withdraw();
      return answered;
    };
    trial.must(await knock(), 'a knock was not answered when all is well');
    const unload = trial.unload();
    await trial.draining();
    trial.must(!(await knock()), 'a knock was answered while it leaves: parked objects must be silent');
    await trial.step('abort', () => trial.kernel.abort(trial.name));
    await unload;
    trial.must(await knock(), 'a knock was not answered after an abort: resume what was parked');
    return seen(`${parks.length} parked, silent, and live again`);
  }),
]);

async function isBack(trial: Trial, traffic: Traffic, when: string): Promise<void> {
  const state = trial.kernel.module(trial.name)?.state;
  trial.must(state === 'live', `${when} it must be live, but is ${state}`);
  await trial.step(`openAnother() ${when}`, () => traffic.openAnother());
  await trial.moves(traffic, when);
  trial.well();
}

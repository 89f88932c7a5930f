import { failingStart, sourceOf } from '../source.ts';
import { isNetError } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { defineCheck, seen } from './check.ts';

/** What a module does with nobody in it. */
export const lifeChecks: readonly CheckKind[] = Object.freeze([
  defineCheck('manifest', async (trial) => {
    try {
      [trial.name] = trial.kernel.offer(sourceOf(trial.subject)) as [string];
    } catch (error) {
      throw trial.failure(`its manifest is refused: ${(error as Error).message}`);
    }
    return seen('the kernel takes it');
  }),

  defineCheck('load', async (trial) => {
    await trial.load();
    trial.well();
    const state = trial.kernel.module(trial.name)?.state;
    trial.must(state === 'live', `after load it must be live, but is ${state}`);
    return seen('it goes live');
  }),

  defineCheck('unload at rest', async (trial) => {
    await trial.load();
    await trial.gone(trial.unload(), 'unload at rest');
    trial.must(trial.kernel.module(trial.name) === undefined, 'it is gone, but still listed');
    await trial.loadInto(trial.kernel, 'load again');
    await trial.gone(trial.unload(), 'unload of the second generation');
    return seen('it goes, and comes again');
  }),

  defineCheck('a start that fails leaves nothing', async (trial) => {
    await trial.loadNeeds();
    const error = await trial.step('load of a build whose start fails', () =>
      trial.kernel.load(failingStart(sourceOf(trial.subject))).then(
        () => undefined,
        (failure: unknown) => failure,
      ),
    );
    trial.must(isNetError(error), `a load whose start throws must reject with a NetError, but got ${String(error)}`);
    const needed = trial.subject.needs?.length ?? 0;
    trial.must(trial.kernel.modules().length === needed, 'after a failed start it is still listed');
    await trial.loadInto(trial.kernel, 'load after a failed start');
    return seen('nothing is left, and the next load works');
  }),
]);

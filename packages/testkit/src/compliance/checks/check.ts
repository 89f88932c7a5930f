import type { ModuleSource } from '@softnet/kernel';
import { HostState } from '../../host-state.ts';
import { sourceOf } from '../source.ts';
import type { ComplianceSubject, Verdict } from '../subject.ts';
import { Trial } from '../trial.ts';

/** A check, before it is given its subject. */
export interface CheckKind {
  readonly name: string;
  /** @param before what there was before the module ran at all. */
  run(subject: ComplianceSubject, before: HostState): Promise<Verdict>;
}

/** What is closed is gone a little later, µs. */
const HANDLES_US = 1_000_000;

/** It was seen to be so. */
export const seen = (sentence: string): Verdict => ({ applies: true, sentence });
/** It cannot be judged here, and this is why. */
export const skipped = (sentence: string): Verdict => ({ applies: false, sentence });

/** A check that takes one trial, which is taken down whatever happens. */
export function defineCheck(name: string, judge: (trial: Trial) => Promise<Verdict>): CheckKind {
  return {
    name,
    run: async (subject) => {
      const host = HostState.now();
      const trial = new Trial(subject);
      let verdict: Verdict;
      try {
        verdict = await judge(trial);
      } finally {
        await trial.end();
      }
      if (!trial.world.virtual) await leavesNoHandles(trial, host);
      return verdict;
    },
  };
}

/**
 * Modules in real time have sockets, files and servers: whatever was done to them, none is left. (Timers come and go with a
 * test runner: only the leak guard judges those.)
 */
async function leavesNoHandles(trial: Trial, before: HostState): Promise<void> {
  const left = (): string[] => before.newResources().filter((each) => !/of Node's Timeout /.test(each));
  await trial.pace.settle(HANDLES_US, () => left().length === 0);
  trial.must(left().length === 0, `when all was taken down, there were ${left().join('; ')}`);
}

/** The same, for modules that wait for their users. */
export function defineDrainCheck(name: string, judge: (trial: Trial) => Promise<Verdict>): CheckKind {
  return defineCheck(name, async (trial) => {
    return trial.subject.holdsNothingUp === true
      ? skipped('its objects hold nothing up, as its author says: it goes at once')
      : judge(trial);
  });
}

/** What to replace it by. */
export function replacementOf(subject: ComplianceSubject): ModuleSource {
  return subject.replacement ?? sourceOf(subject);
}

import type { ModuleSource } from '@softnet/kernel';
import type { HostState } from '../../host-state.ts';
import { sourceOf } from '../source.ts';
import type { ComplianceSubject, Verdict } from '../subject.ts';
import { Trial } from '../trial.ts';

/** A check, before it is given its subject. */
export interface CheckKind {
  readonly name: string;
  /** @param before what there was before the module ran at all. */
  run(subject: ComplianceSubject, before: HostState): Promise<Verdict>;
}

/** It was seen to be so. */
export const seen = (sentence: string): Verdict => ({ applies: true, sentence });
/** It cannot be judged here, and this is why. */
export const skipped = (sentence: string): Verdict => ({ applies: false, sentence });

/** A check that takes one trial, which is taken down whatever happens. */
export function defineCheck(name: string, judge: (trial: Trial) => Promise<Verdict>): CheckKind {
  return {
    name,
    run: async (subject) => {
      const trial = new Trial(subject);
      try {
        return await judge(trial);
      } finally {
        await trial.end();
      }
    },
  };
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

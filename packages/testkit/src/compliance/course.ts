import { HostState } from '../host-state.ts';
import { ComplianceFailure } from './subject.ts';

/** How the checks of one subject went so far: what only repeats an earlier failure is told as that. */
export class Course {
  #before: HostState | undefined;
  /** Checks that failed for a reason of their own, with what was wrong, in order. */
  readonly #failed = new Map<string, string>();

  /** What there was before the module ran at all. */
  get before(): HostState {
    this.#before ??= HostState.now();
    return this.#before;
  }

  passed(check: string): void {
    this.#failed.delete(check);
  }

  /** The failure as it is to be told: where an earlier check failed for the same reason, that one is named. */
  failed(check: string, failure: ComplianceFailure): ComplianceFailure {
    const wrong = plain(failure);
    const because = this.#culprit(check, failure, wrong);
    if (because === undefined) {
      this.#failed.set(check, wrong);
      return failure;
    }
    const [module] = failure.message.split(': ', 1);
    return new ComplianceFailure(`${module}: not run: '${because}' failed`, { because });
  }

  #culprit(check: string, { stage }: ComplianceFailure, wrong: string): string | undefined {
    const earlier = [...this.#failed].filter(([name]) => name !== check);
    const same = earlier.find(([, message]) => message === wrong)?.[0];
    if (same !== undefined || stage === undefined) return same;
    // It came no further than what those judge.
    const judges: readonly string[] = stage === 'load' ? ['manifest', 'load'] : [stage];
    return earlier.find(([name]) => stage === 'everything' || judges.includes(name))?.[0];
  }
}

/** What is wrong, without hints, times, ages and numbers. */
function plain({ message }: Error): string {
  return message.replace(/; .*$/s, '').replace(/\d+/g, '#');
}

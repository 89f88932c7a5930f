import { LeakGuard } from '../leak-guard.ts';
import type { CheckKind } from './checks/check.ts';
import { departureChecks, trafficCheck } from './checks/departure.ts';
import { determinismCheck } from './checks/determinism.ts';
import { lifeChecks } from './checks/life.ts';
import { leakGuardCheck, remainsChecks } from './checks/remains.ts';
import { replaceChecks } from './checks/replace.ts';
import { returnChecks } from './checks/return.ts';
import { strangersCheck } from './checks/strangers.ts';
import { Course } from './course.ts';
import { nameOfSource, sourceOf } from './source.ts';
import type { ComplianceCheck, ComplianceReport, ComplianceResult, ComplianceSubject, Verdict } from './subject.ts';
import { ComplianceFailure } from './subject.ts';

/**
 * Every check of the kit for this module, to be given to a test runner, one test each. They run one after another; each
 * can also run alone. What only repeats an earlier failure says so, and fails too.
 */
export function complianceChecks(subject: ComplianceSubject): ComplianceCheck[] {
  // What others build upon comes first.
  const kinds: readonly CheckKind[] = [
    ...lifeChecks,
    trafficCheck,
    ...departureChecks,
    ...returnChecks,
    ...replaceChecks,
    leakGuardCheck,
    ...remainsChecks,
    determinismCheck,
    strangersCheck,
  ];
  const course = new Course();
  return kinds.map((kind) => ({ name: kind.name, run: () => guarded(kind, subject, course) }));
}

/** Runs every check, and says how each ended. Never rejects for what a module does. */
export async function runCompliance(subject: ComplianceSubject): Promise<ComplianceReport> {
  const results: ComplianceResult[] = [];
  for (const { name, run } of complianceChecks(subject)) {
    try {
      const { applies, sentence } = await run();
      results.push({ check: name, outcome: applies ? 'passed' : 'not applicable', sentence });
    } catch (error) {
      const { message, because } = error as ComplianceFailure;
      results.push({ check: name, outcome: because === undefined ? 'failed' : 'not run', sentence: message });
    }
  }
  const module = nameOfSource(sourceOf(subject));
  return { module, passed: results.every(({ outcome }) => outcome === 'passed' || outcome === 'not applicable'), results };
}

/** The report as lines: what failed first. */
export function describeCompliance({ module, results }: ComplianceReport): string {
  const order = ['failed', 'not run', 'not applicable', 'passed'];
  const lines = [...results].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return [`${module}:`, ...lines.map(({ check, outcome, sentence }) => `  ${outcome}: ${check}: ${sentence}`)].join('\n');
}

/** Runs one check. Errors that nobody handles meanwhile are the module's, not the runner's. */
async function guarded(kind: CheckKind, subject: ComplianceSubject, course: Course): Promise<Verdict> {
  const guard = LeakGuard.watch();
  let verdict: Verdict | undefined;
  let failure: unknown;
  try {
    verdict = await kind.run(subject, course.before);
  } catch (error) {
    failure = error;
  }
  const unhandled = new Set((await guard.end(0)).filter((leak) => /^an un/.test(leak)));
  const name = nameOfSource(sourceOf(subject));
  if (failure === undefined && unhandled.size > 0) failure = new ComplianceFailure(`${name}: ${[...unhandled].join('; ')}`);
  if (failure === undefined) {
    course.passed(kind.name);
    return verdict as Verdict;
  }
  const told = failure instanceof ComplianceFailure ? failure : unexpected(name, kind, failure);
  throw course.failed(kind.name, told);
}

/** The check itself could not go on: most often since a module whose traffic fails is not where it should be. */
function unexpected(name: string, kind: CheckKind, cause: unknown): ComplianceFailure {
  return new ComplianceFailure(`${name}: ${kind.name}: ${String(cause)}`, { cause, stage: 'traffic' });
}

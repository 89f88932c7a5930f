import { LeakGuard } from '../leak-guard.ts';
import type { CheckKind } from './checks/check.ts';
import { departureChecks } from './checks/departure.ts';
import { determinismCheck } from './checks/determinism.ts';
import { lifeChecks } from './checks/life.ts';
import { leakGuardCheck, remainsChecks } from './checks/remains.ts';
import { replaceChecks } from './checks/replace.ts';
import { returnChecks } from './checks/return.ts';
import { nameOfSource, sourceOf } from './source.ts';
import type { ComplianceCheck, ComplianceReport, ComplianceResult, ComplianceSubject, Verdict } from './subject.ts';
import { ComplianceFailure } from './subject.ts';

/** Every check of the kit for this module, to be given to a test runner, one test each. They run one after another. */
export function complianceChecks(subject: ComplianceSubject): ComplianceCheck[] {
  // The guard first: it knows what is new only as long as the module has not run.
  const kinds: readonly CheckKind[] = [
    leakGuardCheck,
    ...lifeChecks,
    ...departureChecks,
    ...returnChecks,
    ...replaceChecks,
    ...remainsChecks,
    determinismCheck,
  ];
  return kinds.map((kind) => ({ name: kind.name, run: () => guarded(kind, subject) }));
}

/** Runs every check, and says how each ended. Never rejects for what a module does. */
export async function runCompliance(subject: ComplianceSubject): Promise<ComplianceReport> {
  const results: ComplianceResult[] = [];
  for (const { name, run } of complianceChecks(subject)) {
    if (results.some(({ check, outcome }) => check === 'load' && outcome === 'failed')) {
      results.push({ check: name, outcome: 'not applicable', sentence: 'it does not load' });
      continue;
    }
    try {
      const { applies, sentence } = await run();
      results.push({ check: name, outcome: applies ? 'passed' : 'not applicable', sentence });
    } catch (error) {
      results.push({ check: name, outcome: 'failed', sentence: (error as Error).message });
    }
  }
  const module = nameOfSource(sourceOf(subject));
  return { module, passed: results.every(({ outcome }) => outcome !== 'failed'), results };
}

/** The report as lines: what failed first. */
export function describeCompliance({ module, results }: ComplianceReport): string {
  const order = ['failed', 'not applicable', 'passed'];
  const lines = [...results].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return [`${module}:`, ...lines.map(({ check, outcome, sentence }) => `  ${outcome}: ${check}: ${sentence}`)].join('\n');
}

/** Errors that nobody handles during a check are the module's, not the runner's. */
async function guarded(kind: CheckKind, subject: ComplianceSubject): Promise<Verdict> {
  const guard = LeakGuard.watch();
  let verdict: Verdict | undefined;
  let failure: unknown;
  try {
    verdict = await kind.run(subject);
  } catch (error) {
    failure = error;
  }
  const unhandled = new Set((await guard.end(0)).filter((leak) => /^an un/.test(leak)));
  if (failure instanceof ComplianceFailure) throw failure;
  const name = nameOfSource(sourceOf(subject));
  if (failure !== undefined) throw new ComplianceFailure(`${name}: ${kind.name}: ${String(failure)}`, { cause: failure });
  if (unhandled.size > 0) throw new ComplianceFailure(`${name}: ${[...unhandled].join('; ')}`);
  return verdict as Verdict;
}

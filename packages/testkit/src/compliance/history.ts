import type { ComplianceSubject, Traffic } from './subject.ts';
import { Trial } from './trial.ts';

/** A life, as lines with the time of each event: what happened, who held, what went over the wire, what was counted. */
export async function historyOf(subject: ComplianceSubject): Promise<string[]> {
  const trial = new Trial(subject, SEED);
  const lines = trial.events;
  const note = (line: string): void => void lines.push(`${trial.world.nowUs} ${line}`);
  try {
    const traffic = await trial.underTraffic();
    noteObjects(trial, traffic, note);
    await trial.step('openAnother()', () => traffic.openAnother());
    noteObjects(trial, traffic, note);
    const unload = trial.unload();
    if (subject.holdsNothingUp !== true) {
      note(`moved ${await trial.moves(traffic, 'while it drains')}`);
      trial.must(trial.kernel.module(trial.name) !== undefined, 'it went while its objects were open');
      noteObjects(trial, traffic, note);
    }
    await trial.close(traffic);
    await trial.step('unload', () => unload);
    noteObjects(trial, traffic, note);
    for (const kernel of trial.kernels) {
      for (const { module, name, value } of kernel.counters()) note(`${kernel.name} ${module} ${name} ${value}`);
      for (const { name, count } of kernel.dropReasons()) note(`${kernel.name} ${name} ${count}`);
    }
    return [...lines];
  } finally {
    await trial.end();
  }
}

/** Of all chance in such a life: whoever lives beside it has the same, so that all that they draw is alike. */
export const SEED = 7;

/** Where two lives differ first; undefined where they are the same. */
export function differenceOf(one: readonly string[], two: readonly string[]): string | undefined {
  const at = one.findIndex((line, index) => line !== two[index]);
  if (at < 0 && one.length === two.length) return undefined;
  const index = at < 0 ? one.length : at;
  return `first '${one[index] ?? 'nothing'}', then '${two[index] ?? 'nothing'}'`;
}

function noteObjects(trial: Trial, traffic: Traffic, note: (line: string) => void): void {
  for (const kernel of trial.kernels) {
    const parks = kernel.modules().flatMap(({ name, state }) => (state === 'live' ? kernel.dryRun(name).parks : []));
    for (const { module, kind, description, owner, ageMs } of [...kernel.holders(), ...parks]) {
      note(`${kernel.name} ${module} holds ${kind} ${description} of ${owner}, ${ageMs} ms old`);
    }
  }
  if (traffic.trace !== undefined) note(`the wire's trace is ${traffic.trace()}`);
}

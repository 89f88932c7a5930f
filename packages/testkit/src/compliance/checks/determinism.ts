import type { ComplianceSubject, Verdict } from '../subject.ts';
import { Trial } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { seen, skipped } from './check.ts';

/** The same seed gives the same run. */
export const determinismCheck: CheckKind = Object.freeze({
  name: 'determinism',
  async run(subject: ComplianceSubject): Promise<Verdict> {
    if (!isVirtual(subject)) return skipped('its World runs in real time');
    const one = await elsewhere(0.1, 1_000_000_000_123, () => history(subject));
    const two = await elsewhere(0.9, 2_000_000_000_777, () => history(subject));
    const at = one.findIndex((line, index) => line !== two[index]);
    if (at >= 0 || one.length !== two.length) {
      const trial = new Trial(subject);
      throw trial.failure(
        `two runs of one seed differ: first '${one[at] ?? 'nothing'}', then '${two[at] ?? 'nothing'}'; take time and chance from ctx, not from Date, Math.random or setTimeout`,
      );
    }
    return seen(`${one.length} events, twice the same`);
  },
});

function isVirtual(subject: ComplianceSubject): boolean {
  return new Trial(subject).world.virtual;
}

/** A life, as lines with the time of each event. */
async function history(subject: ComplianceSubject): Promise<string[]> {
  const trial = new Trial(subject, 7);
  const lines = trial.events;
  const note = (line: string): void => void lines.push(`${trial.world.nowUs} ${line}`);
  try {
    const traffic = await trial.underTraffic();
    note('exchanged');
    await trial.step('openAnother()', () => traffic.openAnother());
    const unload = trial.unload();
    if (subject.holdsNothingUp !== true) {
      note(`moved ${await trial.moves(traffic, 'while it drains')}`);
      for (const { kind, description, ageMs } of trial.kernel.holders(trial.name)) note(`holds ${kind} ${description} ${ageMs}`);
    }
    await trial.close(traffic);
    await trial.step('unload', () => unload);
    for (const kernel of trial.kernels) {
      for (const { module, name, value } of kernel.counters()) note(`${kernel.name} ${module} ${name} ${value}`);
      for (const { name, count } of kernel.dropReasons()) note(`${kernel.name} ${name} ${count}`);
    }
    return [...lines];
  } finally {
    await trial.end();
  }
}

/**
 * The same program on another machine, at another time: who asks the host for time or chance gets other answers. Nothing
 * that keeps to its kernel's can tell.
 */
async function elsewhere<T>(chance: number, date: number, act: () => Promise<T>): Promise<T> {
  const { random } = Math;
  const { now } = Date;
  const { now: performanceNow } = performance;
  let asked = 0;
  Math.random = () => (chance + ++asked * 0.618) % 1;
  Date.now = () => date + asked++ * 7;
  performance.now = () => performanceNow.call(performance) * (1 + chance) + chance * 1000;
  try {
    return await act();
  } finally {
    Math.random = random;
    Date.now = now;
    performance.now = performanceNow;
  }
}

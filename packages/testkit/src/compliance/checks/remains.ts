import type { ModuleInfo } from '@softnet/kernel';
import type { HostState } from '../../host-state.ts';
import { LeakGuard } from '../../leak-guard.ts';
import { isBundle, sourceOf, watchedBundle } from '../source.ts';
import type { ComplianceSubject, Verdict } from '../subject.ts';
import { Trial } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { defineCheck, seen, skipped } from './check.ts';

const CYCLES = 50;
/** Some rounds until caches are warm and code is compiled. */
const WARM_UP = 10;
/** Heap that a cycle may leave, bytes: noise of the collector, spread over the cycles. */
const SLACK_BYTES = 20_000;

/** Longer than what an object may leave behind takes, µs. */
const LONG_US = 60_000_000;

/** A whole life under the guard, and then kernels in which nothing is armed. */
export const leakGuardCheck: CheckKind = Object.freeze({ name: 'leak guard', run: leavesNothing });

/** What is left in memory when it is gone. */
export const remainsChecks: readonly CheckKind[] = Object.freeze([
  defineCheck('heap is flat', heapIsFlat),
  defineCheck('code is collected', codeIsCollected),
]);

async function leavesNothing(subject: ComplianceSubject, before: HostState): Promise<Verdict> {
  const guard = LeakGuard.watch(before);
  const trial = new Trial(subject);
  let leaks: string[] = [];
  try {
    await wholeLife(trial);
  } finally {
    await trial.end();
    leaks = await guard.end();
  }
  trial.must(leaks.length === 0, `it left behind: ${leaks.join('; ')}`);
  return seen('no object, timer, global, resource of Node or unhandled error is left');
}

async function wholeLife(trial: Trial): Promise<void> {
  const traffic = await trial.underTraffic();
  if (trial.subject.holdsNothingUp !== true) {
    const first = trial.unload();
    await trial.draining();
    await trial.step('abort', () => trial.kernel.abort(trial.name));
    await first;
  }
  await trial.close(traffic);
  const rest = (): ModuleInfo | undefined => trial.kernel.module(trial.name);
  await trial.pace.settle(LONG_US, () => rest()?.usage.timers === 0 && rest()?.usage.holds === 0);
  const info = rest();
  trial.must(info?.state === 'live', `after an abort it must be live, but is ${info?.state ?? 'gone'}`);
  const { usage } = info!;
  trial.must(usage.timers === 0, `with nobody inside, ${usage.timers} of its timers are armed after ${trial.pace.inWords(LONG_US)}`);
  trial.must(usage.holds === 0, `with nobody inside, it still has ${usage.holds} holds`);
  for (const kernel of trial.kernels) {
    for (const { name } of kernel.modules().reverse()) {
      const report = await trial.step(`unload of ${name}`, () => kernel.unload(name));
      trial.faultless(report.faults);
      trial.must(report.leaks.length === 0, `unload of ${name} left behind: ${report.leaks.join('; ')}`);
    }
    trial.must(kernel.counters().length === 0, `counters are left: ${kernel.counters()[0]?.name}`);
    trial.must(kernel.sysctl.list().length === 0, `settings are left: ${kernel.sysctl.list()[0]?.name}`);
  }
  trial.must(trial.world.idle(), 'all is unloaded, but a timer is armed or work is raised');
}

async function heapIsFlat(trial: Trial): Promise<Verdict> {
  const { gc } = globalThis;
  if (gc === undefined) return skipped('the heap is judged where globalThis.gc is there: run with node --expose-gc');
  await trial.loadNeeds();
  const cycle = async (): Promise<void> => {
    await trial.loadInto(trial.kernel);
    await trial.gone(trial.unload(), 'unload');
  };
  for (let round = 0; round < WARM_UP; round++) await cycle();
  trial.events.length = 0;
  const before = await heapBytes(gc);
  for (let round = 0; round < CYCLES; round++) await cycle();
  trial.events.length = 0;
  const growth = Math.round(((await heapBytes(gc)) - before) / CYCLES);
  trial.must(growth < SLACK_BYTES, `${CYCLES} loads and unloads left ${growth} bytes each on the heap`);
  return seen(`${growth} bytes a cycle, over ${CYCLES}`);
}

/** Rounds in between let finalizers and weak references settle. */
async function heapBytes(gc: () => void): Promise<number> {
  for (let round = 0; round < 3; round++) {
    gc();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

async function codeIsCollected(trial: Trial): Promise<Verdict> {
  const { gc } = globalThis;
  const source = sourceOf(trial.subject);
  if (!isBundle(source)) return skipped('it is a class, which its importer keeps: give a bundle');
  if (gc === undefined) return skipped('collection is judged where globalThis.gc is there: run with node --expose-gc');
  const key = `softnet:compliance:${trial.world.seed}:${source.filename}`;
  const evaluated: WeakRef<object>[] = [];
  const see = (exports: object): void => {
    for (const each of [exports, ...Object.values(exports)]) if (typeof each === 'function') evaluated.push(new WeakRef(each));
  };
  Object.defineProperty(globalThis, Symbol.for(key), { configurable: true, value: see });
  try {
    await trial.loadNeeds();
    await trial.loadInto(trial.kernel, 'load', watchedBundle(source, key));
    await trial.gone(trial.unload(), 'unload');
    trial.events.length = 0;
    for (let round = 0; round < 10 && evaluated.some((each) => each.deref() !== undefined); round++) await heapBytes(gc);
  } finally {
    Reflect.deleteProperty(globalThis, Symbol.for(key));
  }
  trial.must(evaluated.length > 0, 'its code was not evaluated');
  trial.must(
    evaluated.every((each) => each.deref() === undefined),
    'its code is still in memory after it is gone: something outside keeps one of its objects',
  );
  return seen('nothing of it is in memory');
}

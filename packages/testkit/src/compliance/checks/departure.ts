import type { DryRun, HolderInfo } from '@softnet/kernel';
import type { Traffic } from '../subject.ts';
import type { Trial } from '../trial.ts';
import type { CheckKind } from './check.ts';
import { defineCheck, defineDrainCheck, seen, skipped } from './check.ts';

/** Into an exchange, µs: before it is over. */
const MIDST_US = 300;

/** Its objects, and that they let go: what all checks under traffic build upon. */
export const trafficCheck: CheckKind = defineCheck('traffic', async (trial) => {
  const traffic = await trial.underTraffic();
  await trial.step('openAnother()', () => traffic.openAnother());
  const moved = await trial.moves(traffic, 'with another object open');
  const objects = trial.subject.holdsNothingUp === true ? keptObjects(trial) : namedHolders(trial);
  await trial.close(traffic);
  await trial.pace.settle(60_000_000, () => trial.kernel.holders(trial.name).length === 0);
  const left = trial.kernel.holders(trial.name);
  trial.must(left.length === 0, `all was closed, but it still lists holders: ${left.map(nameOfHolder).join('; ')}`);
  return seen(`${objects} objects moved ${moved} bytes`);
});

/** Going while others are inside. */
export const departureChecks: readonly CheckKind[] = Object.freeze([
  defineCheck('quarantine is not triggered by traffic', async (trial) => {
    const traffic = await trial.underTraffic();
    await trial.moves(traffic, 'a second time');
    await trial.close(traffic);
    await trial.pace.pass(1_000_000);
    const info = trial.kernel.module(trial.name);
    trial.well();
    trial.must(
      info?.state === 'live' && info.throws === 0,
      `it threw ${info?.throws} times on the packet path: ${info?.trouble ?? 'see its faults'}`,
    );
    return seen('it threw nothing on the packet path');
  }),

  defineCheck('closed in the midst of an exchange', async (trial) => {
    const traffic = await trial.underTraffic();
    traffic.exchange().catch(() => undefined);
    await trial.pace.pass(MIDST_US);
    await trial.close(traffic);
    await trial.gone(trial.unload(), 'unload, as soon as all was closed in the midst of an exchange,');
    return seen('what was closed left nothing behind');
  }),

  defineDrainCheck('unload under traffic', async (trial) => {
    const traffic = await trial.underTraffic();
    await trial.step('openAnother()', () => traffic.openAnother());
    const { doors } = trial.kernel.dryRun(trial.name);
    const unload = trial.unload();
    await trial.refusesNewcomers(traffic, 'in the moment of stage 1');
    trial.must(doors.length > 0, 'it publishes no door, yet openAnother() comes in: publish by ctx.door what lets users in');
    await trial.draining();
    namedHolders(trial);
    await trial.refusesNewcomers(traffic, 'while it drains');
    const moved = await trial.moves(traffic, 'while it drains');
    trial.must(trial.kernel.module(trial.name)?.state === 'draining', 'it went while its objects were open');
    await trial.close(traffic);
    await trial.gone(unload, 'unload, after the last object was closed,');
    return seen(`doors shut, ${moved} bytes moved meanwhile, gone at the last release`);
  }),

  defineDrainCheck('the dry run says what happens', async (trial) => {
    const traffic = await trial.underTraffic();
    const dry = trial.kernel.dryRun(trial.name);
    trial.must(same(ageless(trial.kernel.dryRun(trial.name)), ageless(dry)), 'two dry runs in a row differ: a dry run changes something');
    const unload = trial.unload();
    const holders = trial.kernel.holders(trial.name);
    trial.must(
      same(holders.map(nameOfHolder), dry.holders.map(nameOfHolder)),
      `the dry run saw ${dry.holders.length} holders (${dry.holders.map(nameOfHolder).join('; ')}), the unload ${holders.length}`,
    );
    await trial.draining();
    await trial.close(traffic);
    const report = await trial.gone(unload, 'unload after a dry run');
    trial.must(same(report.gone, dry.order), `the dry run said ${dry.order.join(', ')} go, but gone are ${report.gone.join(', ')}`);
    return seen(`${dry.holders.length} holders, ${dry.doors.length} doors, as it said`);
  }),

  defineCheck('it goes at once', async (trial) => {
    if (trial.subject.holdsNothingUp !== true) return skipped('it waits for its users');
    const traffic = await trial.underTraffic();
    const unload = trial.unload();
    await trial.refusesNewcomers(traffic, 'in the moment of stage 1');
    await trial.gone(unload, 'unload, with nobody to wait for,');
    await trial.close(traffic);
    return seen('nothing held it up, and nothing is left');
  }),

  defineDrainCheck('force', async (trial) => {
    const traffic = await trial.underTraffic();
    const report = await trial.gone(trial.unload({ force: true }), 'unload by force');
    trial.must(report.broken.length > 0, 'force broke nothing, though objects were open: it must list what it closes');
    const still = await trial.step('exchange() after force', () =>
      traffic.exchange().then(
        (count) => count > 0,
        () => false,
      ),
    );
    trial.must(!still, 'bytes still move after force: its objects live on');
    await trial.refusesNewcomers(traffic, 'after force');
    await trial.close(traffic);
    await trial.pace.pass(10_000_000);
    trial.well();
    return seen(`closed ${report.broken.length} objects, told their owners`);
  }),

  defineDrainCheck('unload in the midst of opening', async (trial) => {
    const traffic = await trial.underTraffic();
    for (const afterUs of [0, 150]) {
      const opening = settled(traffic.openAnother());
      if (afterUs > 0) await trial.pace.pass(afterUs);
      const unload = trial.unload({ deadlineMs: trial.pace.deadlineMs(5000) });
      const outcome = await trial.step('openAnother(), overtaken by an unload,', () => opening);
      const refused = outcome === undefined || (outcome.error as { name?: string }).name === 'NetError';
      trial.must(refused, `openAnother(), overtaken by an unload, must come in or fail with a NetError, but got ${String(outcome?.error)}`);
      await trial.moves(traffic, 'after an unload in the midst of opening');
      const report = await trial.step('its deadline', () => unload);
      trial.must(report.outcome === 'live', 'it went though objects were open');
    }
    const last = trial.unload();
    await trial.close(traffic);
    await trial.gone(last, 'unload');
    return seen('nothing was lost or left');
  }),
]);

/** Holders, each with a name. Returns how many. */
function namedHolders(trial: Trial): number {
  const holders = trial.kernel.holders(trial.name);
  trial.must(holders.length > 0, 'its objects are open, but nobody holds it: hold each by ctx.objects, or unload will not wait for them');
  const nameless = holders.find(({ owner, place, description }) => owner === '' || place === '' || description === '');
  trial.must(nameless === undefined, `a holder has no name: ${JSON.stringify(nameless)}`);
  return holders.length;
}

/** Objects that hold nothing up. */
function keptObjects(trial: Trial): number {
  const { objectCount } = trial.kernel.module(trial.name)!.usage;
  trial.must(objectCount > 0, 'its objects are open, but the kernel knows of none: hold each by ctx.objects');
  return objectCount;
}

function nameOfHolder({ kind, owner, place, count, description }: HolderInfo): string {
  return `${kind} ${description} of ${owner} at ${place}${count === 1 ? '' : ` (${count})`}`;
}

/** In real time holders grow older between two looks. */
function ageless(dry: DryRun): unknown {
  return { ...dry, holders: dry.holders.map((holder) => ({ ...holder, ageMs: 0 })) };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function settled(promise: ReturnType<Traffic['openAnother']>): Promise<{ error: unknown } | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
}

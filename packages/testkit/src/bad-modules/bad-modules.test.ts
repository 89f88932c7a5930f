import { fileURLToPath } from 'node:url';
import type { ModuleSource } from '@softnet/kernel';
import { SkbModule } from '@softnet/skb';
import { afterAll, expect, test } from 'vitest';
import { complianceChecks } from '../compliance/compliance.ts';
import type { ComplianceFailure, ComplianceSubject } from '../compliance/subject.ts';
import { buildBundle } from '../node.ts';
import { AbortIgnoredByDoors } from './abort-ignored-by-doors.ts';
import { AbortIgnoredByListeners } from './abort-ignored-by-listeners.ts';
import { AbortThrows } from './abort-throws.ts';
import { AnswersWhileParked } from './answers-while-parked.ts';
import { CorridorAsDoor } from './corridor-as-door.ts';
import { CorridorForgets } from './corridor-forgets.ts';
import { CorridorTakenEarly } from './corridor-taken-early.ts';
import { CountsAtModuleLevel } from './counts-at-module-level.ts';
import { DerivedNewcomers } from './derived-newcomers.ts';
import { DoorLeftOpen } from './door-left-open.ts';
import { DoubleRelease } from './double-release.ts';
import { EchoModule } from './echo.ts';
import { echoTraffic } from './echo-traffic.ts';
import { ForceClosesNothing } from './force-closes-nothing.ts';
import { FreezeNotPlain } from './freeze-not-plain.ts';
import { HoardsMemory } from './hoards-memory.ts';
import { KeepsMemoryCharged } from './keeps-memory-charged.ts';
import { KeepsNoHolds } from './keeps-no-holds.ts';
import KeptCode from './kept-code.ts';
import { LeakedGlobal } from './leaked-global.ts';
import { LeakedHold } from './leaked-hold.ts';
import { LeakedNodeTimer } from './leaked-node-timer.ts';
import { LeakedSetting } from './leaked-setting.ts';
import { LeakedTimer } from './leaked-timer.ts';
import { ModuleLevelState } from './module-level-state.ts';
import { NoticeAsUncaughtError } from './notice-as-uncaught-error.ts';
import { RandomIds } from './random-ids.ts';
import { RandomUnseen } from './random-unseen.ts';
import { ReleasesAnothers } from './releases-anothers.ts';
import { StartNeverSettles } from './start-never-settles.ts';
import { StartThrowsLate } from './start-throws-late.ts';
import { StopNeverSettles } from './stop-never-settles.ts';
import { StopThrows } from './stop-throws.ts';
import { ThawCorruptsBytes } from './thaw-corrupts-bytes.ts';
import { ThawLosesBytes } from './thaw-loses-bytes.ts';
import { ThrowsOnPacketPath } from './throws-on-packet-path.ts';
import { TimerOutlivesClose } from './timer-outlives-close.ts';
import { UnhandledRejection } from './unhandled-rejection.ts';
import { UsesDate } from './uses-date.ts';
import { UsesMathRandom } from './uses-math-random.ts';
import { UsesSetTimeout } from './uses-set-timeout.ts';
import { WithdrawNeverSettles } from './withdraw-never-settles.ts';
import { WithdrawThrows } from './withdraw-throws.ts';

const bundle = (file: string): Promise<ModuleSource> => buildBundle(fileURLToPath(new URL(file, import.meta.url)));
const keptCode = await bundle('kept-code.ts');
const goodBundle = await bundle('echo.ts');

/** The module, the checks that reject it, and what they say. */
type Row = readonly [source: ModuleSource, checks: readonly string[], says: RegExp];

// The last two make the heap large: they come last, so that the others are not slowed down.
const rows: Readonly<Record<string, Row>> = {
  'abort-ignored-by-doors': [AbortIgnoredByDoors, ['a deadline that passes means live again', 'abort'], /openAnother\(\) after/],
  'abort-ignored-by-listeners': [AbortIgnoredByListeners, ['parked objects are silent, and live again'], /not answered after an abort/],
  'abort-throws': [AbortThrows, ['abort'], /did not come back, so it was forced out/],
  'answers-while-parked': [AnswersWhileParked, ['parked objects are silent, and live again'], /answered while it leaves/],
  'corridor-as-door': [CorridorAsDoor, ['unload under traffic'], /; EchoPost was taken at stage 1: should it be a corridor\?/],
  'corridor-forgets': [CorridorForgets, ['unload under traffic'], /while it drains failed/],
  'corridor-taken-early': [CorridorTakenEarly, ['unload under traffic'], /must be draining after stage 1, but is gone/],
  'counts-at-module-level': [CountsAtModuleLevel, ['determinism'], /differ: .*keep no state at module level/],
  'derived-newcomers': [DerivedNewcomers, ['unload under traffic'], /let somebody new in/],
  'door-left-open': [DoorLeftOpen, ['unload under traffic'], /publishes no door/],
  'double-release': [DoubleRelease, ['traffic', 'force'], /was released before/],
  'force-closes-nothing': [ForceClosesNothing, ['force'], /did not release/],
  'freeze-not-plain': [FreezeNotPlain, ['replace by hand-over'], /other than plain data/],
  'keeps-memory-charged': [
    KeepsMemoryCharged,
    ['unload under traffic', 'force', 'replace by draining'],
    /left \d+ bytes in its memory account/,
  ],
  'keeps-no-holds': [KeepsNoHolds, ['traffic'], /nobody holds it/],
  'leaked-global': [LeakedGlobal, ['leak guard'], /a new global: echoWasHere/],
  'leaked-hold': [LeakedHold, ['traffic', 'unload under traffic', 'leak guard'], /hold|pending/],
  'leaked-node-timer': [LeakedNodeTimer, ['leak guard'], /Timeout left open/],
  'leaked-setting': [LeakedSetting, ['leak guard'], /environment variable: ECHO_DELAY_US/],
  'leaked-timer': [LeakedTimer, ['leak guard', 'unload at rest'], /timer/],
  'module-level-state': [ModuleLevelState, ['kernels share nothing'], /beside another kernel of it.*state at module level/],
  'notice-as-uncaught-error': [NoticeAsUncaughtError, ['load', 'leak guard'], /uncaught exception/],
  'random-ids': [RandomIds, ['determinism'], /two runs of one seed differ: .*holds line line .*take time and chance from ctx/],
  'random-unseen': [RandomUnseen, ['determinism'], /asks the host for chance: Math.random at .*random-unseen.ts/],
  'releases-anothers': [ReleasesAnothers, ['traffic'], /belongs to who holds it/],
  'start-never-settles': [StartNeverSettles, ['load'], /start has not settled/],
  'start-throws-late': [StartThrowsLate, ['load'], /a sin/],
  'stop-never-settles': [StopNeverSettles, ['unload at rest'], /stop has not settled/],
  'stop-throws': [StopThrows, ['unload at rest'], /stop of .* failed/],
  'thaw-corrupts-bytes': [ThawCorruptsBytes, ['replace by hand-over'], /byte \d+ is/],
  'thaw-loses-bytes': [ThawLosesBytes, ['replace by hand-over'], /in the midst of which it was replaced/],
  'throws-on-packet-path': [ThrowsOnPacketPath, ['quarantine is not triggered by traffic'], /sin|packet path|force/],
  'timer-outlives-close': [TimerOutlivesClose, ['closed in the midst of an exchange'], /timer echo.line still armed/],
  'unhandled-rejection': [UnhandledRejection, ['leak guard'], /unhandled rejection/],
  'uses-date': [UsesDate, ['determinism'], /two runs of one seed differ/],
  'uses-math-random': [UsesMathRandom, ['determinism'], /two runs of one seed differ/],
  'uses-set-timeout': [UsesSetTimeout, ['traffic'], /pending/],
  'withdraw-never-settles': [WithdrawNeverSettles, ['unload at rest'], /withdraw has not settled/],
  'withdraw-throws': [WithdrawThrows, ['unload at rest'], /withdraw of .* failed/],
  'hoards-memory': [HoardsMemory, ['heap is flat'], /bytes each on the heap/],
  'kept-code': [keptCode, ['code is collected'], /still in memory/],
};

/** Those that ask for memory accounts. */
const CHARGED: readonly ModuleSource[] = Object.freeze([KeepsMemoryCharged]);

const subjectOf = (source: ModuleSource): ComplianceSubject => ({
  ...{ source, traffic: echoTraffic },
  needs: CHARGED.includes(source) ? [SkbModule] : [],
});

test.each(Object.entries(rows))('%s is rejected by name', async (sin, [source, expected, says]) => {
  const failed = new Map<string, string>();
  const repeats: string[] = [];
  for (const { name, run } of complianceChecks(subjectOf(source))) {
    // Memory takes time to judge: only where that is the sin.
    if (/^(?:heap|code)/.test(name) && !expected.includes(name)) continue;
    await run().catch(({ message, because }: ComplianceFailure) =>
      because === undefined ? failed.set(name, message) : repeats.push(because),
    );
  }
  // What only repeats names one that failed for a reason of its own.
  expect([...failed.keys()]).toEqual(expect.arrayContaining(repeats));
  expect([...failed.keys()]).toEqual(expect.arrayContaining([...expected]));
  for (const check of expected) {
    expect(failed.get(check)).toMatch(says);
    expect(failed.get(check)).toMatch(new RegExp(sin));
  }
  if (MILD.includes(sin)) expect([...failed.keys()].sort()).toEqual([...expected].sort());
});

/** Sins that do not show in any other check. */
const MILD: readonly string[] = Object.freeze([
  'abort-ignored-by-listeners',
  'answers-while-parked',
  'counts-at-module-level',
  'module-level-state',
  'random-ids',
  'random-unseen',
  'timer-outlives-close',
  'freeze-not-plain',
  'uses-date',
  'hoards-memory',
  'kept-code',
  'door-left-open',
]);

test('there are no others', async () => {
  const { readdirSync } = await import('node:fs');
  const files = readdirSync(fileURLToPath(new URL('.', import.meta.url))).filter((file) => !/^echo|test/.test(file));
  expect(files.map((file) => file.replace(/\.ts$/, '')).sort()).toEqual(Object.keys(rows).sort());
  expect(files.length).toBeGreaterThanOrEqual(18);
  expect(KeptCode.name).toBe('KeptCode');
});

test('the same without a sin passes, as a class and as a bundle', async () => {
  for (const source of [EchoModule, goodBundle]) {
    for (const { run } of complianceChecks(subjectOf(source))) await run();
  }
});

afterAll(() => {
  Reflect.deleteProperty(globalThis, 'echoWasHere');
  delete process.env.ECHO_DELAY_US;
});

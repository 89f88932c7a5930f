import { expect, test } from 'vitest';
import { describeCompliance, runCompliance } from '../compliance/compliance.ts';
import { AbortIgnoredByDoors } from './abort-ignored-by-doors.ts';
import { AbortIgnoredByListeners } from './abort-ignored-by-listeners.ts';
import { AbortThrows } from './abort-throws.ts';
import { AnswersWhileParked } from './answers-while-parked.ts';
import { CorridorForgets } from './corridor-forgets.ts';
import { CorridorTakenEarly } from './corridor-taken-early.ts';
import { DerivedNewcomers } from './derived-newcomers.ts';
import { DoorLeftOpen } from './door-left-open.ts';
import { DoubleRelease } from './double-release.ts';
import { EchoModule } from './echo.ts';
import { echoTraffic } from './echo-traffic.ts';
import { ForceClosesNothing } from './force-closes-nothing.ts';
import { FreezeNotPlain } from './freeze-not-plain.ts';
import { HoardsMemory } from './hoards-memory.ts';
import { KeepsNoHolds } from './keeps-no-holds.ts';
import { LeakedGlobal } from './leaked-global.ts';
import { LeakedHold } from './leaked-hold.ts';
import { LeakedNodeTimer } from './leaked-node-timer.ts';
import { LeakedSetting } from './leaked-setting.ts';
import { LeakedTimer } from './leaked-timer.ts';
import { NoticeAsUncaughtError } from './notice-as-uncaught-error.ts';
import { ReleasesAnothers } from './releases-anothers.ts';
import { StartNeverSettles } from './start-never-settles.ts';
import { StartThrowsLate } from './start-throws-late.ts';
import { StopNeverSettles } from './stop-never-settles.ts';
import { StopThrows } from './stop-throws.ts';
import { ThawCorruptsBytes } from './thaw-corrupts-bytes.ts';
import { ThawLosesBytes } from './thaw-loses-bytes.ts';
import { ThrowsOnPacketPath } from './throws-on-packet-path.ts';
import { UnhandledRejection } from './unhandled-rejection.ts';
import { UsesDate } from './uses-date.ts';
import { UsesMathRandom } from './uses-math-random.ts';
import { UsesSetTimeout } from './uses-set-timeout.ts';
import { WithdrawNeverSettles } from './withdraw-never-settles.ts';
import { WithdrawThrows } from './withdraw-throws.ts';

const all = [
  AbortIgnoredByDoors,
  AbortIgnoredByListeners,
  AbortThrows,
  AnswersWhileParked,
  CorridorForgets,
  CorridorTakenEarly,
  DerivedNewcomers,
  DoorLeftOpen,
  DoubleRelease,
  ForceClosesNothing,
  FreezeNotPlain,
  HoardsMemory,
  KeepsNoHolds,
  LeakedGlobal,
  LeakedHold,
  LeakedNodeTimer,
  LeakedSetting,
  LeakedTimer,
  NoticeAsUncaughtError,
  ReleasesAnothers,
  StartNeverSettles,
  StartThrowsLate,
  StopNeverSettles,
  StopThrows,
  ThawCorruptsBytes,
  ThawLosesBytes,
  ThrowsOnPacketPath,
  UnhandledRejection,
  UsesDate,
  UsesMathRandom,
  UsesSetTimeout,
  WithdrawNeverSettles,
  WithdrawThrows,
];

test('echo', async () => {
  console.log(describeCompliance(await runCompliance({ source: EchoModule, traffic: echoTraffic })));
});
test.each(all.map((source) => ({ name: source.name, source })))('$name', async ({ source }) => {
  const begin = performance.now();
  const report = await runCompliance({ source, traffic: echoTraffic });
  console.log(
    (performance.now() - begin) | 0,
    'ms',
    describeCompliance({ ...report, results: report.results.filter(({ outcome }) => outcome !== 'passed') }),
  );
  expect(report.passed).toBe(false);
});

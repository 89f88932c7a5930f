import type { Manifest, ModuleContext, Random } from '@softnet/contract';
import { Module, manifestOf } from '@softnet/contract';
import { expect, test } from 'vitest';
import { echoTraffic } from '../bad-modules/echo-traffic.ts';
import { LeakedHold } from '../bad-modules/leaked-hold.ts';
import { StartThrowsLate } from '../bad-modules/start-throws-late.ts';
import { TestExchange } from '../exchange/module.ts';
import { TestLink } from '../link/module.ts';
import { TalkModule } from '../talk/module.ts';
import { complianceChecks, runCompliance } from './compliance.ts';
import { takenAtStage1 } from './hints.ts';
import type { ComplianceSubject } from './subject.ts';
import { talkTraffic } from './talk-traffic.ts';

/** What a check says that fails. */
async function failureOf(subject: ComplianceSubject, name: string): Promise<string> {
  const check = complianceChecks(subject).find((each) => each.name === name);
  return check!.run().then(
    () => 'it passed',
    (error: Error) => error.message,
  );
}

test('a step that does not end names who still holds', async () => {
  const said = await failureOf({ source: LeakedHold, traffic: echoTraffic }, 'unload under traffic');
  expect(said).toMatch(
    /^leaked-hold: unload, after the last object was closed, failed: ETIMEDOUT: nothing is left to happen in this World/,
  );
  expect(said).toMatch(/; still held by 1 line of leaked-hold#1 in kernel a: owner caller 0, place echo\.open; 1 line of /);
  expect(said).toMatch(/owner caller 2, place echo\.open: does close\(\) or traffic\.close\(\) release it\?$/);
});

test('doors that stage 1 took, by name', () => {
  expect(takenAtStage1([])).toBeUndefined();
  expect(takenAtStage1(['pingpong#1: PingpongInput'])).toBe('PingpongInput was taken at stage 1: should it be a corridor?');
  expect(takenAtStage1(['a#1: A', 'a#1: B'])).toMatch(/^A, B were taken at stage 1: which of them/);
  expect(takenAtStage1(['a#1: A', 'a#1: B'], 'a#1 is leaving, so A takes nobody new')).toMatch(/^B was taken at stage 1/);
});

test('what does not load fails once; the rest was not run', async () => {
  const { passed, results } = await runCompliance({ source: StartThrowsLate, traffic: echoTraffic });
  expect(passed).toBe(false);
  expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([expect.objectContaining({ check: 'load' })]);
  const rest = results.filter(({ outcome }) => outcome === 'not run');
  expect(rest.length).toBeGreaterThan(15);
  for (const { sentence } of rest) expect(sentence).toBe("start-throws-late: not run: 'load' failed");
});

test('a check that is run alone says itself what is wrong', async () => {
  expect(await failureOf({ source: StartThrowsLate, traffic: echoTraffic }, 'force')).toMatch(/load failed: .*a sin/);
});

const hostsRandom: Random = {
  u32: () => Math.floor(Math.random() * 2 ** 32),
  below: (bound) => Math.floor(Math.random() * bound),
  fraction: () => Math.random(),
  fill: (bytes) => void bytes.fill(7),
};

/** First sequence numbers are the host's: nothing but the frames shows it. */
class TalkByChance extends TalkModule {
  override start(ctx: ModuleContext): void {
    super.start(
      new Proxy(ctx, {
        get: (target, key) => {
          const value: unknown = key === 'random' ? hostsRandom : Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
    );
  }
}
Module(manifestOf(TalkModule) as Manifest)(TalkByChance);

test("the host's chance shows in what goes over the wire", async () => {
  const subject = { source: TalkByChance, needs: [TestLink, TestExchange], traffic: talkTraffic };
  expect(await failureOf(subject, 'determinism')).toMatch(/two runs of one seed differ: first '\d+ the wire's trace is -?\d+', then/);
});

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EchoModule } from '../bad-modules/echo.ts';
import { echoTraffic } from '../bad-modules/echo-traffic.ts';
import { TestExchange } from '../exchange/module.ts';
import { TestLink } from '../link/module.ts';
import { buildBundle } from '../node.ts';
import { TalkModule } from '../talk/module.ts';
import { complianceChecks, describeCompliance, runCompliance } from './compliance.ts';
import { exchangeTraffic, linkTraffic, TestEar } from './stack-traffic.ts';
import type { ComplianceSubject } from './subject.ts';
import { talkTraffic } from './talk-traffic.ts';

const talk2 = await buildBundle(fileURLToPath(new URL('../../fixtures/talk2/talk2.ts', import.meta.url)));
const overTalk = { needs: [TestLink, TestExchange], traffic: talkTraffic };

const good: Readonly<Record<string, ComplianceSubject>> = {
  echo: { source: EchoModule, traffic: echoTraffic },
  talk: { source: TalkModule, ...overTalk },
  'talk, replaced by talk 2': { source: TalkModule, replacement: talk2, ...overTalk },
  'talk 2, a bundle': { source: () => talk2, ...overTalk },
  'test-exchange': { source: TestExchange, needs: [TestLink, TestEar], traffic: exchangeTraffic },
  'test-link': { source: TestLink, needs: [TestEar], holdsNothingUp: true, traffic: linkTraffic },
};

const NOT_APPLICABLE: Readonly<Record<string, readonly string[]>> = {
  echo: ['it goes at once', 'code is collected'],
  talk: ['it goes at once', 'code is collected'],
  'talk, replaced by talk 2': ['it goes at once', 'code is collected'],
  'talk 2, a bundle': ['it goes at once'],
  'test-exchange': ['it goes at once', 'replace by draining', 'code is collected'],
};

describe.each(Object.entries(good))('%s', (name, subject) => {
  test.each(complianceChecks(subject).map((check) => [check.name, check] as const))('%s', async (_name, check) => {
    const { applies, sentence } = await check.run();
    expect(sentence).not.toBe('');
    if (name in NOT_APPLICABLE) expect(applies).toBe(!NOT_APPLICABLE[name]!.includes(check.name));
  });
});

test('a report says of each check how it ended, and why', async () => {
  const report = await runCompliance({
    source: EchoModule,
    traffic: async (kernels) => ({ ...(await echoTraffic(kernels)), exchange: async () => 0 }),
  });
  expect(report).toMatchObject({ module: 'echo', passed: false });
  expect(report.results.find(({ check }) => check === 'traffic')).toEqual({
    check: 'traffic',
    outcome: 'failed',
    sentence: 'echo: exchange() moved no bytes when all is well: it must move some over every open object',
  });
  // One culprit; what cannot be tried without traffic names it.
  expect(report.results.filter(({ outcome }) => outcome === 'failed')).toHaveLength(1);
  expect(report.results.find(({ check }) => check === 'determinism')).toEqual({
    check: 'determinism',
    outcome: 'not run',
    sentence: "echo: not run: 'traffic' failed",
  });
  expect(describeCompliance(report)).toMatch(/^echo:\n {2}failed: traffic: .*\n(?:.*\n)* {2}passed: load: it goes live/);
});

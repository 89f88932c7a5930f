import { describeCompliance, runCompliance, TalkModule, TestExchange, TestLink, talkTraffic } from '@softnet/testkit';
import { expect, test } from 'vitest';

test('a report', async () => {
  const report = await runCompliance({ source: TalkModule, needs: [TestLink, TestExchange], traffic: talkTraffic });
  if (!report.passed) console.error(describeCompliance(report));
  expect(report.passed).toBe(true);
});

import { expect, test } from 'vitest';
import { TestExchange } from '../exchange/module.ts';
import { TestLink } from '../link/module.ts';
import { TalkModule } from '../talk/module.ts';
import { complianceChecks, describeCompliance, runCompliance } from './compliance.ts';
import type { ComplianceSubject } from './subject.ts';
import { talkTraffic } from './talk-traffic.ts';

const talk: ComplianceSubject = { source: TalkModule, needs: [TestLink, TestExchange], traffic: (kernels) => talkTraffic(kernels) };

test.each(complianceChecks(talk))('talk: $name', async ({ run }) => {
  const { sentence } = await run();
  expect(sentence).not.toBe('');
});

test('debug', async () => {
  console.log(describeCompliance(await runCompliance(talk)));
});

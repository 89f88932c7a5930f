import { complianceChecks, TalkModule, TestExchange, TestLink, talkTraffic } from '@softnet/testkit';
import { describe, test } from 'vitest';

describe('talk complies', () => {
  const checks = complianceChecks({
    source: TalkModule,
    needs: [TestLink, TestExchange],
    traffic: (kernels) => talkTraffic(kernels),
  });
  // Names as they are: '$name' would cut them.
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
    await run();
  });
});

import { complianceChecks, TalkModule, TestExchange, TestLink, talkTraffic } from '@softnet/testkit';
import { describe, test } from 'vitest';

describe('talk complies', () => {
  const checks = complianceChecks({
    source: TalkModule,
    needs: [TestLink, TestExchange],
    traffic: (kernels) => talkTraffic(kernels),
  });
  test.each(checks)('$name', async ({ run }) => {
    await run();
  });
});

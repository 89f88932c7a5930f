import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Bundle } from '@softnet/kernel';
import { buildBundle } from '@softnet/testkit/node';

/** For tests: the second version of talk, of which the testkit has the source: other classes, a newer layout, a bundle of its own. */
export function talk2(): Promise<Bundle> {
  const testkit = dirname(createRequire(import.meta.url).resolve('@softnet/testkit/package.json'));
  return buildBundle(join(testkit, 'fixtures', 'talk2', 'talk2.ts'));
}

import { MulticastGroups } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { ipv4Words, parseIpv4 } from '@softnet/wire';
import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

test('ip maddr shows what devices listen to and who is in which group, and sets link addresses', async () => {
  const { type, session } = await testSession({ ms: 0 });
  const device = new NetHost(session.kernel).device('eth0');
  const groups = session.kernel.contributions(MulticastGroups).items.find(({ family }) => family === 2)!;
  const members = [1, 2].map(() => groups.join(device, ipv4Words(parseIpv4('239.1.1.1')!), { name: 'test' }));
  expect(await type('ip -4 maddr')).toMatch(
    /^1:\tlo\n(\tinet {2}224\.0\.0\.1\n)?2:\teth0\n\tinet {2}224\.0\.0\.1\n\tinet {2}239\.1\.1\.1 users 2\n/,
  );
  expect(await type('ip maddr show dev eth0')).toMatch(/\tlink {2}01:00:5e:00:00:01\n\tlink {2}01:00:5e:01:01:01 users 2\n/);
  for (const member of members) groups.leave(member);
  expect(await type('ip maddr add 01:00:5e:00:00:05 dev eth0')).toBe('');
  expect(await type('ip m s eth0')).toMatch(/01:00:5e:00:00:05\n/);
  expect(await type('ip maddr del 01:00:5e:00:00:05 dev eth0')).toBe('');
  expect(await type('ip maddr')).not.toMatch(/5e:00:00:05|239/);
  expect(await type('ip maddr add 239.1.1.1 dev eth0')).toMatch(/^softnet: '239\.1\.1\.1' is no link address/);
});

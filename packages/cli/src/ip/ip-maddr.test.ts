import { MulticastGroups } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { ipv4Words, parseIpv4, parseIpv6 } from '@softnet/wire';
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
  // IPv6's groups stand among them.
  const all = await type('ip maddr show dev eth0');
  expect(all).toMatch(/^\tlink {2}01:00:5e:00:00:01$/m);
  expect(all).toMatch(/^\tlink {2}01:00:5e:01:01:01 users 2$/m);
  expect(all).toMatch(/^\tinet6 ff02::1$/m);
  for (const member of members) groups.leave(member);
  expect(await type('ip maddr add 01:00:5e:00:00:05 dev eth0')).toBe('');
  expect(await type('ip m s eth0')).toMatch(/01:00:5e:00:00:05\n/);
  expect(await type('ip maddr del 01:00:5e:00:00:05 dev eth0')).toBe('');
  expect(await type('ip maddr')).not.toMatch(/5e:00:00:05|239/);
  expect(await type('ip maddr add 239.1.1.1 dev eth0')).toMatch(/^softnet: '239\.1\.1\.1' is no link address/);
});

test('ip -6 maddr shows the groups of addresses, and those that somebody is in', async () => {
  const { type, session } = await testSession({ ms: 0 });
  const device = new NetHost(session.kernel).device('eth0');
  const groups = session.kernel.contributions(MulticastGroups).items.find(({ family }) => family === 10)!;
  groups.join(device, parseIpv6('ff05::1:3')!, { name: 'test' });
  const lines = (await type('ip -6 maddr show dev eth0')).split('\n').map((line) => line.trim());
  expect(lines).toEqual(expect.arrayContaining(['inet6 ff02::1', 'inet6 ff01::1', 'inet6 ff05::1:3']));
  expect(lines.some((line) => line.startsWith('inet6 ff02::1:ff'))).toBe(true);
  expect(await type('ip maddr show dev eth0')).toMatch(/\tlink {2}33:33:00:01:00:03\n/);
});

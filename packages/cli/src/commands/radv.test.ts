import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

test('radv: on, shown, off', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('radv eth0 show')).toBe('eth0 says nothing\n');
  expect(await type('radv')).toBe('');
  await type('sysctl net.ipv6.conf.all.forwarding=1');
  const words =
    'interval 60 lifetime 900 preference high hoplimit 64 mtu 1400 other prefix fd0b::/64 route 2001:db8::/32 dns fd0b::53 search example.org';
  expect(await type(`radv eth0 on ${words}`)).toBe('');
  expect(await type('radv eth0')).toBe(`eth0 ${words}\n`);
  expect(await type('radv')).toBe(`eth0 ${words}\n`);
  expect(await type('radv eth0 off')).toBe('');
  expect(await type('radv')).toBe('');
});

const REFUSED = [
  ['eth0 up', /radv eth0 takes on, off or show/],
  ['eth0 on interval', /interval wants a word behind it/],
  ['eth0 on interval 3', /interval takes a whole number from 4 to 1800/],
  ['eth0 on preference best', /preference takes low, medium or high/],
  ['eth0 on prefix 10.0.0.0/8', /is no IPv6 prefix/],
  ['eth0 on dns nobody', /is no IPv6 address/],
  ['eth0 on colour blue', /radv does not know 'colour'/],
  ['eth0 on interval 60 lifetime 30', /EINVAL: eth0 cannot advertise that: lifetimeMs/],
  ['eth0 on prefix fe80::/64', /EINVAL: eth0 cannot advertise that: fe80::\/64 is no prefix of hosts/],
  ['eth0 on search -', /'-' is no domain name/],
  ['lo on', /EOPNOTSUPP/],
  ['eth9 on', /ENODEV/],
] as const;

test('radv refuses what no router may say, in a sentence', async () => {
  const { type } = await testSession({ ms: 0 });
  for (const [words, message] of REFUSED) expect(await type(`radv ${words}`), words).toMatch(message);
});

import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

test('ip addrlabel shows the policy table, changes it, and sources follow', async () => {
  const { type } = await testSession({ ms: 0 });
  const lines = async (line: string): Promise<string[]> => (await type(line)).trimEnd().split('\n');
  expect(await lines('ip addrlabel')).toEqual([
    'prefix ::1/128 label 0',
    'prefix ::ffff:0.0.0.0/96 label 4',
    'prefix ::/96 label 3',
    'prefix 2001::/32 label 5',
    'prefix 2002::/16 label 2',
    'prefix 3ffe::/16 label 12',
    'prefix fec0::/10 label 11',
    'prefix fc00::/7 label 13',
    'prefix ::/0 label 1',
  ]);
  // Two sources for one destination: the one that matches longer, until the labels say otherwise.
  for (const line of [
    'ip addr add fd77::1/64 dev eth0 nodad',
    'ip addr add 2001:db8:1::1/64 dev eth0 nodad',
    'ip -6 route add 2001:db8:9::/48 dev eth0',
  ]) {
    expect(await type(line), line).toBe('');
  }
  const source = async (): Promise<string> => /src (\S+)/.exec(await type('ip -6 route get 2001:db8:9::5'))![1]!;
  expect(await source()).toBe('2001:db8:1::1');
  for (const line of ['ip addrlabel add prefix fd77::/64 label 77', 'ip addrl add prefix 2001:db8:9::/48 dev eth0 label 77'])
    expect(await type(line), line).toBe('');
  expect(await source()).toBe('fd77::1');
  expect(await lines('ip addrlabel list')).toContain('prefix 2001:db8:9::/48 dev eth0 label 77');
  expect(await type('ip addrlabel add prefix fd77::/64 label 5')).toMatch('EEXIST: fd77::/64 has label 77');
  expect(await type('ip addrlabel del prefix fd78::/64')).toMatch('ENOENT');
  expect(await type('ip addrlabel add prefix fd78::/64')).toMatch('label N is missing');
  expect(await type('ip addrlabel add prefix 10.0.0.0/8 label 4')).toMatch('no prefix of IPv6');
  // It is the next generation's.
  for (const mode of ['handover', 'drain']) {
    await type(`replace ipv6 ipv6 --mode ${mode}`);
    expect([mode, await source(), (await lines('ip addrlabel')).length]).toEqual([mode, 'fd77::1', 11]);
  }
  expect(await type('ip addrlabel del prefix fd77::/64')).toBe('');
  expect(await source()).toBe('2001:db8:1::1');
  expect(await type('ip addrlabel flush')).toBe('');
  expect(await type('ip addrlabel')).toBe('');
});

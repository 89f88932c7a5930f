import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

describe('what a module took along comes back with it', () => {
  test.each(['ipv4', 'ipv6', 'route', 'wire', 'netdev'])('%s', async (name) => {
    const { type, pass } = await testSession({ ms: 0 });
    const shown = async (): Promise<string> => {
      const lines = [await type('ip addr show eth0'), await type('ip r'), await type('ip -6 r')].join('');
      // Link-local addresses and what begins so follow from a link address, which is another one.
      return lines
        .split('\n')
        .filter((line) => /inet6? (?!fe80)|default/.test(line))
        .sort()
        .join('\n');
    };
    await pass(2000);
    const before = await shown();
    expect(before.split('\n')).toHaveLength(4);
    await type(`rmmod --cascade ${name}`);
    for (const module of ['netdev', 'route', 'wire', 'ipv4', 'ipv6', 'udp', 'udp-echo']) await type(`modprobe ${module}`);
    await pass(2000);
    expect(await shown()).toBe(before);
    expect(await type('ping -c 2 -i 100 10.0.2.2')).toMatch(/[12] received/);
    expect(await type('ping -c 2 -i 100 fd00:2::2')).toMatch(/[12] received/);
  });

  test('a router forwards again', async () => {
    const { type, pass } = await testSession({ ms: 0 });
    await type('use r');
    await type('rmmod --cascade netdev');
    for (const module of ['wire', 'ipv4', 'ipv6']) await type(`modprobe ${module}`);
    await pass(3000);
    expect(await type('sysctl net.ipv4.ip_forward')).toMatch(/ip_forward +1 /);
    await type('use a');
    expect(await type('ping -c 3 -i 100 10.0.2.2')).toMatch(/[123] received/);
  });

  test('what was changed by hand stays as it is, where its module stays', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip addr add 192.0.2.1/24 dev eth0');
    await type('sysctl traffic.clients=1');
    await type('rmmod udp');
    await type('modprobe udp');
    expect(await type('ip addr show eth0')).toMatch(/inet 192\.0\.2\.1\/24/);
    expect(await type('sysctl traffic.clients')).toMatch(/clients +1 /);
  });
});

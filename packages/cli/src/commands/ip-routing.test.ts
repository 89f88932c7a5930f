import { Flow, Route } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

/** A quiet network: every line is typed, every answer read. */
async function quiet() {
  const { type, session, pass } = await testSession({ ms: 0 });
  /** Types lines that answer nothing. */
  const silently = async (...lines: string[]): Promise<void> => {
    for (const line of lines) expect(await type(line), line).toBe('');
  };
  const lines = async (line: string): Promise<string[]> => (await type(line)).trimEnd().split('\n');
  return { type, session, pass, silently, lines };
}

describe('ip rule', () => {
  test('shows rules as iproute2 does, and takes its words', async () => {
    const { type, silently, lines } = await quiet();
    expect(await type('ip rule')).toBe('0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n');
    const long =
      'from 10.0.0.0/8 to 1.2.3.0/24 tos 0x10 fwmark 0x5/0xf iif eth0 oif eth1 uidrange 0-5 ipproto udp sport 10-20 dport 53' +
      ' lookup 100 suppress_prefixlength 0 realms 3/5';
    await silently(
      `ip rule add ${long} pref 100`,
      'ip rule add not fwmark 7 iif nodev table 7',
      'ip rule add goto 32766 prio 50',
      'ip rule add goto 40000 prio 51',
      'ip rule add nop prio 52',
      'ip rule add prohibit prio 53',
      'ip ru add blackhole realms 5 prio 54',
      'ip rule add from 10.0.0.1 proto static lookup main',
      'ip -6 rule add to 2001:db8::/32 lookup 9',
    );
    expect(await lines('ip rule')).toEqual([
      '0:\tfrom all lookup local',
      '49:\tfrom 10.0.0.1 lookup main proto static',
      '50:\tfrom all goto 32766',
      '51:\tfrom all goto 40000 [unresolved]',
      '52:\tfrom all nop',
      '53:\tfrom all prohibit',
      '54:\tfrom all realms 5 blackhole',
      '99:\tnot from all fwmark 0x7 iif nodev [detached] lookup 7',
      `100:\t${long.replace('oif eth1', 'oif eth1 [detached]')}`,
      '32766:\tfrom all lookup main',
      '32767:\tfrom all lookup default',
    ]);
    expect(await lines('ip rule show table 7')).toHaveLength(1);
    expect(await lines('ip -6 rule')).toEqual([
      '0:\tfrom all lookup local',
      '32765:\tfrom all to 2001:db8::/32 lookup 9',
      '32766:\tfrom all lookup main',
    ]);
    await silently('ip rule del prio 53', 'ip rule del from 10.0.0.1', `ip rule del ${long}`, 'ip rule del table 7');
    expect(await lines('ip rule')).toHaveLength(7);
  });

  test('decides what ip route get answers', async () => {
    const { type, silently } = await quiet();
    await silently('ip route add 192.0.2.0/24 via 10.0.1.9 table 7', 'ip rule add fwmark 5 dport 53 lookup 7');
    expect(await type('ip route get 192.0.2.1 mark 5')).toBe('192.0.2.1 via 10.0.1.1 dev eth0 src 10.0.1.2 mark 0x5\n');
    expect(await type('ip route get 192.0.2.1 mark 5 dport 53')).toBe('192.0.2.1 via 10.0.1.9 dev eth0 src 10.0.1.2 mark 0x5\n');
    await silently('ip rule add prohibit from 10.0.1.2 tos 10');
    expect(await type('ip route get 192.0.2.1 from 10.0.1.2')).toBe('192.0.2.1 from 10.0.1.2 via 10.0.1.1 dev eth0\n');
    expect(await type('ip route get 192.0.2.1 from 10.0.1.2 tos 0x10')).toMatch(/^softnet: EACCES/);
  });
});

describe('ip nexthop', () => {
  test('shows next hops and groups, and the routes that use them', async () => {
    const { silently, lines } = await quiet();
    await silently(
      'ip nexthop add id 1 via 10.0.1.1 dev eth0',
      'ip nexthop add id 2 dev eth0',
      'ip nexthop add id 3 blackhole',
      'ip nexthop add id 4 via 9.9.9.9 dev eth0 onlink proto static',
      'ip nexthop add id 5 via inet6 fe80::1 dev eth0',
      'ip nexthop add id 10 group 1/4,3',
      'ip nexthop add id 11 group 1,2/5 type resilient buckets 32 idle_timer 60 unbalanced_timer 300',
      'ip route add 20.0.0.0/24 nhid 1',
      'ip route add 20.0.1.0/24 nhid 10',
      'ip route add 20.0.2.0/24 nhid 5 metric 5',
      'ip route add 20.0.4.0/24 nhid 2',
    );
    expect(await lines('ip nexthop')).toEqual([
      'id 1 via 10.0.1.1 dev eth0 scope link',
      'id 2 dev eth0 scope host',
      'id 3 blackhole',
      'id 4 via 9.9.9.9 dev eth0 scope link proto static onlink',
      'id 5 via fe80::1 dev eth0 scope link',
      'id 10 group 1/4,3',
      'id 11 group 1,2/5 type resilient buckets 32 idle_timer 60 unbalanced_timer 300',
    ]);
    expect((await lines('ip route')).slice(2)).toEqual([
      '20.0.0.0/24 nhid 1 via 10.0.1.1 dev eth0',
      '20.0.1.0/24 nhid 10',
      '        nexthop via 10.0.1.1 dev eth0 weight 1',
      '        nexthop via 9.9.9.9 dev eth0 weight 3 onlink',
      '20.0.2.0/24 nhid 5 via inet6 fe80::1 dev eth0 metric 5',
      '20.0.4.0/24 nhid 2 dev eth0',
    ]);
    await silently('ip nexthop replace id 1 via 10.0.1.7 dev eth0', 'ip nexthop del id 4', 'ip route del 20.0.2.0/24 nhid 5');
    expect(await lines('ip nexthop show id 10')).toEqual(['id 10 group 1']);
    expect((await lines('ip route')).slice(2)).toEqual([
      '20.0.0.0/24 nhid 1 via 10.0.1.7 dev eth0',
      '20.0.1.0/24 nhid 10 via 10.0.1.7 dev eth0',
      '20.0.4.0/24 nhid 2 dev eth0',
    ]);
  });
});

test('ip rule flush leaves priority 0, ip nexthop flush nothing', async () => {
  const { type, silently } = await quiet();
  await silently('ip rule add fwmark 5 table 7', 'ip rule add fwmark 6 table 8', 'ip rule flush table 7');
  expect(await type('ip rule')).not.toContain('lookup 7');
  expect(await type('ip rule')).toContain('lookup 8');
  await silently('ip rule flush', 'ip nexthop add id 1 dev eth0', 'ip nexthop add id 2 dev eth0', 'ip nexthop add id 9 group 1/2');
  expect(await type('ip rule')).toBe('0:\tfrom all lookup local\n');
  await silently('ip nexthop flush');
  expect(await type('ip nexthop')).toBe('');
});

test('ip neigh get shows one', async () => {
  const { type, silently } = await quiet();
  await silently('ip neigh add 10.0.1.77 lladdr 02:00:00:00:00:77 dev eth0');
  expect(await type('ip neigh get 10.0.1.77 dev eth0')).toBe('10.0.1.77 dev eth0 lladdr 02:00:00:00:00:77 PERMANENT\n');
  expect(await type('ip neigh get 10.0.1.78 dev eth0')).toMatch(/^softnet: ENOENT: there is no neighbour 10\.0\.1\.78 on eth0/);
  expect(await type('ip neigh get 10.0.1.77')).toMatch(/^softnet: dev DEVICE is missing/);
});

describe('ip route', () => {
  test('takes what iproute2 takes, and shows it so', async () => {
    const { type, silently, lines, pass } = await quiet();
    await silently(
      'ip route add 20.0.3.0/24 via 10.0.1.1 tos 0x10 metric 7 mtu 1400 realms 3/5 src 10.0.1.2 onlink dev eth0',
      'ip route add 21.0.0.0/8 nexthop via 10.0.1.1 weight 3 nexthop via 9.9.9.9 dev eth0 onlink',
      'ip route add throw 22.0.0.0/8 table 100',
      'ip route add 23.0.0.0/8 dev eth0 scope global proto static',
      'ip route add 24.0.0.0/8 dev eth0 expires 1',
      'ip route add 25.0.0.0/8 via inet6 fe80::1 dev eth0',
      'ip route add unreachable 26.0.0.0/8 metric 9',
      'ip -6 route add 2001:db8::/32 dev eth0 pref high',
    );
    expect((await lines('ip route')).slice(2)).toEqual([
      '20.0.3.0/24 tos 0x10 via 10.0.1.1 dev eth0 src 10.0.1.2 metric 7 onlink realms 3/5 mtu 1400',
      '21.0.0.0/8',
      '        nexthop via 10.0.1.1 dev eth0 weight 3',
      '        nexthop via 9.9.9.9 dev eth0 weight 1 onlink',
      '23.0.0.0/8 dev eth0 proto static',
      '24.0.0.0/8 dev eth0 scope link expires 1sec',
      '25.0.0.0/8 via inet6 fe80::1 dev eth0',
      'unreachable 26.0.0.0/8 metric 9',
    ]);
    expect(await type('ip route show table all')).toContain('throw 22.0.0.0/8 table 100\n');
    expect(await type('ip -6 route')).toContain('2001:db8::/32 dev eth0 metric 1024 pref high\n');
    expect(await type('ip route get 20.0.3.1 tos 10')).toBe('20.0.3.1 via 10.0.1.1 dev eth0 src 10.0.1.2 realms 3/5\n    cache mtu 1400\n');
    await pass(1000);
    expect(await type('ip route')).not.toContain('24.0.0.0/8');
    await silently('ip route del 21.0.0.0/8', 'ip route del 20.0.3.0/24 tos 10', 'ip route del throw 22.0.0.0/8 table 100');
  });

  test('show and flush take iproute2’s words for which routes', async () => {
    const { type, silently, lines } = await quiet();
    await silently(
      'ip nexthop add id 1 via 10.0.1.7 dev eth0',
      'ip route add 20.0.0.0/8 via 10.0.1.1',
      'ip route add 20.1.0.0/16 via 10.0.1.1 proto static src 10.0.1.2',
      'ip route add 20.1.2.0/24 nhid 1',
      'ip route add blackhole 30.0.0.0/8',
      'ip route add 40.0.0.0/8 via 10.0.1.1 table 100',
    );
    const chosen = async (words: string): Promise<string[]> =>
      (await lines(`ip route show ${words}`)).map((line) => /(?:default|[\d.]+(?:\/\d+)?)/.exec(line)?.[0] ?? line);
    expect(await chosen('20.1.0.0/16')).toEqual(['20.1.0.0/16']);
    expect(await chosen('exact 20.1.2.0/24')).toEqual(['20.1.2.0/24']);
    expect(await chosen('root 20.1.0.0/16')).toEqual(['20.1.0.0/16', '20.1.2.0/24']);
    expect(await chosen('match 20.1.9.9')).toEqual(['default', '20.0.0.0/8', '20.1.0.0/16']);
    expect(await chosen('default')).toEqual(['default']);
    expect(await chosen('proto kernel')).toEqual(['10.0.1.0/24']);
    expect(await chosen('scope link')).toEqual(['10.0.1.0/24']);
    expect(await chosen('type blackhole')).toEqual(['30.0.0.0/8']);
    expect(await chosen('via 10.0.1.7')).toEqual(['20.1.2.0/24']);
    expect(await chosen('src 10.0.1.2 proto static')).toEqual(['20.1.0.0/16']);
    expect(await chosen('dev eth0 root 20.0.0.0/8')).toEqual(['20.0.0.0/8', '20.1.0.0/16', '20.1.2.0/24']);
    expect(await type('ip route show table all')).toMatch(/^40\.0\.0\.0\/8 .*table 100$[\s\S]*^fd00:1::\/64/m);
    expect(await type('ip -4 route show table all')).not.toContain('fd00');
    await silently('ip route flush root 20.1.0.0/16', 'ip route flush table 100');
    expect(await chosen('root 20.0.0.0/8')).toEqual(['20.0.0.0/8']);
    expect(await type('ip route show table 100')).toBe('');
    expect(await type('ip route flush')).toMatch(/^softnet: which routes\?/);
    expect(await type('ip route add 25.0.0.0/8 dev eth0 expires 2147484')).toContain('expires takes at most 2147483 seconds');
    expect(await type('ip route flush cache')).toMatch(/^softnet: EOPNOTSUPP: .*net\.ipv4\.route\.mtu_expires/);
  });

  test('change wants one that is there', async () => {
    const { type, silently } = await quiet();
    await silently('ip route add 20.0.0.0/8 via 10.0.1.1 metric 5', 'ip route change 20.0.0.0/8 via 10.0.1.7 metric 5');
    expect(await type('ip route show 20.0.0.0/8')).toBe('20.0.0.0/8 via 10.0.1.7 dev eth0 metric 5\n');
    expect(await type('ip route change 21.0.0.0/8 via 10.0.1.7')).toMatch(/^softnet: ENOENT: there is no such route to 21\.0\.0\.0\/8/);
  });

  test('show cache lists what is known of single destinations', async () => {
    const { type, session } = await quiet();
    const route = session.kernel.port(Route).current;
    const flow = new Flow();
    const ask = (last: number): Flow =>
      Object.assign(flow, { family: 2, dst2: 0xffff, dst3: (192 << 24) | (2 << 8) | last, src3: 0, oif: 0 });
    route.learnMtu(ask(1), 1000, true);
    route.learnGateway(ask(2), 0, 0, 0xffff, (10 << 24) | (1 << 8) | 9);
    expect(await type('ip route show cache')).toBe(
      [
        '192.0.2.1 dev eth0',
        '    cache expires 600sec mtu lock 1000',
        '192.0.2.2 via 10.0.1.9 dev eth0',
        '    cache <redirected> expires 600sec',
        '',
      ].join('\n'),
    );
    expect(await type('ip route get 192.0.2.1')).toBe('192.0.2.1 via 10.0.1.1 dev eth0 src 10.0.1.2\n    cache mtu lock 1000\n');
    expect(await type('ip -6 route show table cache')).toBe('');
  });
});

test('what it does not understand is one sentence', async () => {
  const { type } = await quiet();
  for (const [line, expected] of [
    ['ip rule add', /^softnet: what is the rule\?/],
    ['ip rule add from 10.0.0.0/8 odd', /^softnet: an action is nop, blackhole, unreachable or prohibit, got 'odd'/],
    ['ip rule add from 10.0.0.0/8 to 2001:db8::/32 table 7', /^softnet: both prefixes are of one family/],
    ['ip rule add fwmark x table 7', /^softnet: fwmark takes a number/],
    ['ip rule add from all goto 5 prio 9', /^softnet: EINVAL: the rule cannot be: it goes on behind/],
    ['ip rule del', /^softnet: which rule\?/],
    ['ip rule del prio 9', /^softnet: ENOENT: there is no such rule: 'ip rule'/],
    ['ip nexthop add via 10.0.1.1 dev eth0', /^softnet: id N is missing/],
    ['ip nexthop add id 1', /^softnet: via GATEWAY, dev DEVICE, blackhole or group is missing/],
    ['ip nexthop add id 1 group 2', /^softnet: ENOENT: there is no next hop 2 for group 1/],
    ['ip nexthop add id 1 group 2 type odd', /^softnet: type takes mpath or resilient/],
    ['ip nexthop show id 7', /^softnet: ENOENT: there is no next hop 7/],
    ['ip nexthop del id 7', /^softnet: ENOENT: there is no next hop 7/],
    ['ip route add 1.0.0.0/8 onlink', /^softnet: onlink is said of a gateway/],
    ['ip route add 1.0.0.0/8 dev eth0 nexthop dev eth0', /^softnet: ways stand behind nexthop/],
    ['ip route add 1.0.0.0/8 nexthop weight 2', /^softnet: behind nexthop, via GATEWAY or dev DEVICE is missing/],
    ['ip route add 1.0.0.0/8 dev eth0 scope odd', /^softnet: scope takes global/],
    ['ip route add 1.0.0.0/8 dev eth0 pref odd', /^softnet: pref takes low/],
    ['ip route get 1.0.0.1 from ::1', /^softnet: both addresses are of one family/],
  ] as const) {
    const text = await type(line);
    expect(text, line).toMatch(expected);
    expect(text.trimEnd().split('\n'), line).toHaveLength(1);
  }
});

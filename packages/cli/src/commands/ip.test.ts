import { describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

describe('ip shows', () => {
  test('devices, addresses, routes and neighbours, in words cut short', async () => {
    const { type } = await testSession();
    const links = await type('ip link');
    expect(links).toMatch(/^1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 /);
    expect(links).toMatch(/^2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 .* state UP/m);
    const all = await type('ip a');
    expect(all).toMatch(/^ {4}inet 127\.0\.0\.1\/8 scope host lo$/m);
    expect(all).toMatch(/^ {4}inet6 fe80::[\da-f:]+\/64 scope link$/m);
    expect(await type('ip -4 addr show dev eth0')).toMatch(
      /^2: eth0: .*\n.*\n {4}inet 10\.0\.1\.2\/24 brd 10\.0\.1\.255 scope global eth0\n.*\n$/,
    );
    expect(await type('ip -6 addr show lo')).not.toMatch(/inet /);
    expect(await type('ip r')).toBe(
      'default via 10.0.1.1 dev eth0 proto static\n10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.2\n',
    );
    expect(await type('ip -6 route list')).toMatch(/^default via fd00:1::1 dev eth0 proto static/m);
    expect(await type('ip route show table local')).toMatch(/^local 10\.0\.1\.2 dev \w+ proto kernel scope host/m);
    expect(await type('ip route show table all')).toMatch(/table local/);
    expect(await type('ip n')).toMatch(
      /^10\.0\.1\.1 dev eth0 lladdr [\da-f:]{17} \w+\nfd00:1::1 dev eth0 lladdr [\da-f:]{17} router \w+\n/,
    );
    expect(await type('ip -stats link show eth0')).toMatch(/^ {4}RX: +bytes +packets[\s\S]*^ {4}TX: /m);
  });
});

test('ip route get says which way a packet would go', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('ip route get 10.0.2.2')).toBe('10.0.2.2 via 10.0.1.1 dev eth0 src 10.0.1.2\n');
  expect(await type('ip r g 10.0.1.9')).toBe('10.0.1.9 dev eth0 src 10.0.1.2\n');
  expect(await type('ip route get fd00:2::2 oif eth0')).toBe('fd00:2::2 via fd00:1::1 dev eth0 src fd00:1::2\n');
  expect(await type('ip route get 10.0.1.2')).toBe('local 10.0.1.2 dev lo src 10.0.1.2\n');
  for (const kind of ['blackhole', 'unreachable', 'prohibit']) await type(`ip route add ${kind} 10.${kind.length}.0.0/16`);
  expect(await type('ip route get 10.9.0.1')).toMatch(/^softnet: EINVAL: a blackhole takes what is for 10\.9\.0\.1: 'ip route'/);
  expect(await type('ip route get 10.11.0.1')).toMatch(/^softnet: EHOSTUNREACH: by a route or rule nobody reaches 10\.11\.0\.1/);
  expect(await type('ip route get 10.8.0.1')).toMatch(/^softnet: EACCES: a route or rule prohibits 10\.8\.0\.1/);
  await type('ip route del default');
  expect(await type('ip route get 192.0.2.1')).toMatch(/^softnet: ENETUNREACH: there is no way to 192\.0\.2\.1: 'ip route'/);
  expect(await type('ip route get nowhere')).toMatch(/^softnet: 'nowhere' is no address/);
  expect(await type('ip route get')).toMatch(/^softnet: ADDRESS is missing/);
});

test('ip -br shows each device in one line', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('ip -br -4 a')).toBe('lo               UP             127.0.0.1/8\neth0             UP             10.0.1.2/24\n');
  expect(await type('ip -br link show eth0')).toMatch(/^eth0 {13}UP {13}[\da-f:]{17} <BROADCAST,MULTICAST,UP,LOWER_UP>\n$/);
});

test('of too many words it names the one that it does not know', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('ip route add 10.9.0.0/16 via 10.0.1.1 advmss 1100')).toMatch(/^softnet: what is 'advmss'\?/);
  expect(await type('ip route get fibmatch 10.0.2.2')).toMatch(/^softnet: what is 'fibmatch'\?/);
  expect(await type('ip link set eth0 promisc on')).toMatch(/^softnet: what is 'promisc'\?/);
  expect(await type('ip link set eth0 lo')).toMatch(/^softnet: what is 'lo'\?/);
});

test('ip helps where it is asked', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('ip link help')).toMatch(/^ip link \[show\].*\nip link set /);
  expect(await type('ip help')).toMatch(/^ip addr [\s\S]*^ip neigh flush/m);
});

test('devices that only code can make say so', async () => {
  const { type } = await testSession({ ms: 0 });
  expect(await type('ip link add w0 type wire queues')).toMatch(/^softnet: EOPNOTSUPP: a wire is made by code.*'ethtool -L eth0/);
  expect(await type('ip link add v0 type veth peer name v1')).toMatch(
    /^softnet: EOPNOTSUPP: no module makes a veth; .* a wire, which code makes/,
  );
  expect(await type('ip link')).not.toMatch(/w0|v0/);
});

describe('ip changes', () => {
  test('addresses', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('ip addr add 192.0.2.1/24 dev eth0')).toBe('');
    expect(await type('ip a show eth0')).toMatch(/inet 192\.0\.2\.1\/24/);
    expect(await type('ip r')).toMatch(/^192\.0\.2\.0\/24 dev eth0/m);
    expect(await type('ip addr add 192.0.2.1/24 dev eth0')).toMatch(/^softnet: EEXIST/);
    expect(await type('ip a d 192.0.2.1/24 dev eth0')).toBe('');
    expect(await type('ip addr del 192.0.2.1/24 dev eth0')).toMatch(/^softnet: EADDRNOTAVAIL/);
    await type('ip addr flush dev eth0');
    expect(await type('ip addr show eth0')).not.toMatch(/inet/);
  });

  test('devices: down, up, their MTU and name', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip link set eth0 down');
    expect(await type('ip link show eth0')).toMatch(/<BROADCAST,MULTICAST> .* state DOWN/);
    await type('ip link set dev eth0 mtu 1400 name lan0 up');
    expect(await type('ip link show lan0')).toMatch(/UP.* mtu 1400 /);
    expect(await type('ip link show eth0')).toMatch(/^softnet: ENODEV: there is no device 'eth0'; there are: lo, lan0/);
    await type('ip link del lan0');
    expect(await type('ip link')).not.toMatch(/lan0/);
  });

  test('routes', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip route add 192.0.2.0/24 via 10.0.1.1');
    await type('ip route add 198.51.100.0/24 dev eth0 metric 7');
    await type('ip route add blackhole 203.0.113.0/24');
    await type('ip -6 route del default');
    expect(await type('ip r')).toMatch(/^192\.0\.2\.0\/24 via 10\.0\.1\.1 dev eth0$/m);
    expect(await type('ip r')).toMatch(/^198\.51\.100\.0\/24 dev eth0 scope link metric 7$/m);
    expect(await type('ip r')).toMatch(/^blackhole 203\.0\.113\.0\/24$/m);
    expect(await type('ip -6 r')).not.toMatch(/default/);
    await type('ip route del 192.0.2.0/24');
    await type('ip route del blackhole 203.0.113.0/24');
    await type('ip route replace default via 10.0.1.9');
    expect(await type('ip r')).toMatch(/^default via 10\.0\.1\.9 dev eth0\n(?!default)[\s\S]*198/);
    expect(await type('ip route del 192.0.2.0/24')).toMatch(/^softnet: ENOENT: there is no such route to 192\.0\.2\.0\/24/);
  });

  test('neighbours', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip neigh add 10.0.1.77 lladdr 02:00:00:00:00:77 dev eth0');
    expect(await type('ip neigh')).toMatch(/^10\.0\.1\.77 dev eth0 lladdr 02:00:00:00:00:77 PERMANENT$/m);
    await type('ip neigh del 10.0.1.77 dev eth0');
    expect(await type('ip neigh')).not.toMatch(/10\.0\.1\.77/);
    expect(await type('ip neigh flush dev eth0')).toBe('');
    expect(await type('ip neigh del 10.0.1.77 dev eth0')).toMatch(/^softnet: ENOENT: eth0 has no neighbour 10\.0\.1\.77/);
  });

  test('neighbours in all their states, of a prefix, by state', async () => {
    const { type } = await testSession({ ms: 0 });
    const mac = (last: number): string => `lladdr 02:00:00:00:00:0${last} dev eth0`;
    expect(await type(`ip neigh change 10.0.1.71 ${mac(1)}`)).toMatch(/^softnet: ENOENT: eth0 has no neighbour 10\.0\.1\.71: add it/);
    await type(`ip neigh add 10.0.1.71 ${mac(1)}`);
    expect(await type(`ip neigh add 10.0.1.71 ${mac(2)}`)).toMatch(/^softnet: EEXIST/);
    await type(`ip neigh change 10.0.1.71 ${mac(3)} router`);
    await type(`ip neigh replace 10.0.1.72 ${mac(4)} nud stale`);
    await type(`ip neigh add 10.0.1.80 ${mac(5)} nud reachable`);
    await type(`ip neigh add 10.0.1.81 ${mac(6)} nud noarp`);
    const lines = async (line: string): Promise<string[]> => (await type(line)).trimEnd().split('\n').sort();
    expect(await lines('ip neigh show 10.0.1.64/28')).toEqual([
      '10.0.1.71 dev eth0 lladdr 02:00:00:00:00:03 router PERMANENT',
      '10.0.1.72 dev eth0 lladdr 02:00:00:00:00:04 STALE',
    ]);
    expect(await lines('ip neigh show nud reachable')).toEqual(['10.0.1.80 dev eth0 lladdr 02:00:00:00:00:05 REACHABLE']);
    expect(await lines('ip neigh show nud noarp 10.0.1.81')).toEqual(['10.0.1.81 dev eth0 lladdr 02:00:00:00:00:06 NOARP']);
    expect(await type('ip -s neigh show 10.0.1.80')).toMatch(/:05 ref 0 used \d+\/\d+\/\d+ probes 0 REACHABLE\n$/);
    await type('ip neigh flush nud stale');
    expect(await lines('ip neigh show 10.0.1.64/27')).toHaveLength(2);
    await type('ip neigh flush all');
    expect(await lines('ip neigh show all to 10.0.1.64/27')).toEqual([
      '10.0.1.71 dev eth0 lladdr 02:00:00:00:00:03 router PERMANENT',
      '10.0.1.81 dev eth0 lladdr 02:00:00:00:00:06 NOARP',
    ]);
  });

  test('whom this host answers for', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip neigh add proxy 10.0.1.90 dev eth0');
    await type('ip neigh add proxy fd00::90');
    expect(await type('ip neigh show proxy')).toBe('10.0.1.90 dev eth0 proxy\nfd00::90 proxy\n');
    expect(await type('ip -6 neigh show proxy')).toBe('fd00::90 proxy\n');
    expect(await type('ip neigh add proxy fd00::90')).toMatch(/^softnet: EEXIST/);
    await type('ip neigh del proxy 10.0.1.90 dev eth0');
    expect(await type('ip neigh show proxy dev eth0')).toBe('');
  });
});

test('what it does not understand is one sentence, and so is what no module does', async () => {
  const { type } = await testSession({ ms: 0 });
  for (const [line, expected] of [
    ['ip', /^softnet: missing required argument 'object'/],
    ['ip tunnel', /^softnet: ip knows addr, link, route, neigh, .*rule, nexthop.*, not 'tunnel'/],
    ['ip addr frob', /^softnet: ip addr does not take 'frob'\. Usage: ip addr \[show\]/],
    ['ip addr add', /^softnet: PREFIX, such as 192\.0\.2\.1\/24, is missing/],
    ['ip addr add 10.0.0.1/8', /^softnet: dev DEVICE is missing/],
    ['ip addr add 10.0.0/8 dev eth0', /^softnet: EINVAL: '10\.0\.0\/8' is no prefix/],
    ['ip addr add 10.0.0.1/8 dev eth9', /^softnet: ENODEV: there is no device 'eth9'/],
    ['ip route add 10.0.0.0/8', /^softnet: via GATEWAY or dev DEVICE is missing/],
    ['ip route add 10.0.0.0/8 via here', /^softnet: 'here' is no address/],
    ['ip route add odd 10.0.0.0/8 dev eth0', /^softnet: what is 'odd'\?/],
    ['ip route show table x', /^softnet: table takes main, local/],
    ['ip link set eth0 sideways', /^softnet: what is 'sideways'\?/],
    ['ip link set eth0 mtu many', /^softnet: mtu takes a whole number/],
    ['ip link set eth0 address 1', /^softnet: '1' is no link address/],
    ['ip link add x type odd', /^softnet: EOPNOTSUPP: no module makes devices of kind 'odd'; there are: wire/],
    ['ip link add x type wire', /^softnet: EOPNOTSUPP: a wire is made by code/],
    ['ip link add x', /^softnet: type KIND is missing/],
    ['ip neigh add 10.0.1.7 dev eth0', /^softnet: lladdr MAC is missing/],
    ['ip neigh show nud odd', /^softnet: nud takes permanent, noarp/],
    ['ip neigh show odd', /^softnet: what is 'odd'\?/],
    ['ip neigh flush', /^softnet: all, PREFIX, dev DEVICE or nud STATE is missing/],
    ['ip neigh add 10.0.1.7 lladdr 02:00:00:00:00:01 dev eth0 nud probe', /^softnet: EINVAL: 10\.0\.1\.7 on eth0 cannot be set/],
  ] as const) {
    const text = await type(line);
    expect(text, line).toMatch(expected);
    expect(text.trimEnd().split('\n'), line).toHaveLength(1);
  }
});

import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import type { TestSession } from '../session/test-session.ts';
import { testSession } from '../session/test-session.ts';

/** The prompt of a host whose eth0, a wire, has four queues each way. */
async function boot() {
  const session = await testSession({ ms: 0 });
  const { type } = session;
  expect(await type('ethtool -L eth0 combined 4')).toBe('');
  const eth0 = deviceOf(session, 'eth0');
  expect([eth0.rxQueues.length, eth0.txQueues.length]).toEqual([4, 4]);
  const lines = async (line: string): Promise<string[]> => (await type(line)).trimEnd().split('\n');
  return { ...session, eth0, lines };
}

function deviceOf({ session }: TestSession, name: string): NetDevice {
  return new NetHost(session.kernel).device(name);
}

describe('ethtool shows', () => {
  test('a device', async () => {
    const { lines, type } = await boot();
    expect(await lines('ethtool eth0')).toEqual([
      ...['Settings for eth0:', '\tSpeed: Unknown!', '\tDuplex: Unknown! (255)', '\tAuto-negotiation: off', '\tPort: Other (wire)'],
      ...['\tChannels: 4 receive, 4 transmit', '\tLink detected: yes'],
    ]);
    await type('ip link set eth0 down');
    expect(await type('ethtool eth0')).toMatch(/Link detected: (no|yes\n\tRunning: no \(down\))\n$/);
  });

  test('its driver', async () => {
    const { lines } = await boot();
    expect((await lines('ethtool -i eth0')).slice(0, 4)).toEqual([
      'driver: wire',
      'version: 1.0.0',
      'bus-info: wire#1',
      'supports-statistics: yes',
    ]);
    expect(await lines('ethtool -i lo')).toContain('supports-channels: no');
  });

  test('statistics, also of each queue', async () => {
    const { type, pass, eth0 } = await boot();
    await type('ping -c 2 -i 1 10.0.1.1');
    await pass(100);
    const text = await type('ethtool -S eth0');
    expect(text).toMatch(/^NIC statistics:\n {5}rx_packets: [1-9]\d*\n {5}tx_packets: [1-9]\d*\n/);
    expect(text).toMatch(
      / {5}rx_queue_3_packets: \d+\n {5}rx_queue_3_bytes: \d+\n {5}rx_queue_3_dropped: 0\n {5}tx_queue_0_packets: \d+\n/,
    );
    const sum = [...text.matchAll(/rx_queue_\d_packets: (\d+)/g)].reduce((all, [, count]) => all + Number(count), 0);
    expect(sum).toBeLessThanOrEqual(eth0.stats.rxPackets);
    eth0.rxQueues[2]!.dropped = 2 ** 40;
    expect(await type('ethtool -S eth0')).toMatch('rx_queue_2_dropped: 1099511627776');
  });
});

describe('features', () => {
  test('by Linux’s names; what is fixed says so', async () => {
    const { lines, eth0 } = await boot();
    eth0.hardwareFeatures = DEVICE_FEATURE.GRO | DEVICE_FEATURE.TX_CHECKSUM | DEVICE_FEATURE.GSO_TCPV6;
    eth0.features = DEVICE_FEATURE.GRO | DEVICE_FEATURE.SCATTER | DEVICE_FEATURE.GSO_TCPV4;
    expect(await lines('ethtool -k eth0')).toEqual([
      ...['Features for eth0:', 'rx-checksumming: off [fixed]', 'tx-checksumming: off', 'scatter-gather: on [fixed]'],
      ...['tcp-segmentation-offload: on', '\ttx-tcp-segmentation: on [fixed]', '\ttx-tcp-ecn-segmentation: off [fixed]'],
      ...['\ttx-tcp6-segmentation: off', 'generic-segmentation-offload: on [fixed]', 'generic-receive-offload: on'],
      ...['large-receive-offload: off [fixed]', 'rx-vlan-offload: off [fixed]', 'tx-vlan-offload: off [fixed]'],
      ...['ntuple-filters: off [fixed]', 'receive-hashing: off [fixed]', 'tx-udp-segmentation: off [fixed]'],
      ...['tx-udp_tnl-segmentation: off [fixed]', 'tx-gso-list: off [fixed]'],
    ]);
  });

  test('are switched, by short names too; of a name that stands for several, those that can be', async () => {
    const { type, eth0 } = await boot();
    eth0.hardwareFeatures = DEVICE_FEATURE.GRO | DEVICE_FEATURE.GSO_TCPV4 | DEVICE_FEATURE.GSO_TCPV6;
    eth0.features = 0;
    expect(await type('ethtool -K eth0 gro on tso on')).toBe('');
    expect(eth0.features).toBe(eth0.hardwareFeatures);
    expect(await type('ethtool -K eth0 generic-receive-offload off tx-tcp-segmentation off')).toBe('');
    expect(eth0.features).toBe(DEVICE_FEATURE.GSO_TCPV6);
    expect(await type('ethtool -K eth0 rx off'), 'it is').toBe('');
    expect(await type('ethtool -K eth0 gro on rx on')).toBe("softnet: EINVAL: rx of 'eth0' is fixed: its driver cannot switch it\n");
    expect(eth0.features, 'all or nothing').toBe(DEVICE_FEATURE.GSO_TCPV6);
  });
});

test('rings, and header split', async () => {
  const { type, lines, eth0 } = await boot();
  for (const queue of eth0.rxQueues) Object.assign(queue, { ringPackets: 64, maxRingPackets: 1024 });
  for (const queue of eth0.txQueues) Object.assign(queue, { ringPackets: 0, maxRingPackets: 0 });
  eth0.hardwareFeatures |= DEVICE_FEATURE.HEADER_SPLIT;
  expect(await lines('ethtool -g eth0')).toEqual([
    ...['Ring parameters for eth0:', 'Pre-set maximums:', 'RX:\t\t1024', 'TX:\t\tn/a'],
    ...['Current hardware settings:', 'RX:\t\t64', 'TX:\t\tn/a', 'TCP data split:\toff'],
  ]);
  expect(await type('ethtool -G eth0 rx 128 tcp-data-split on')).toBe('');
  expect(await type('ethtool -g eth0')).toMatch(/settings:\nRX:\t\t128\nTX:\t\tn\/a\nTCP data split:\ton\n$/);
  expect(await type('ethtool -G eth0 rx 9999')).toBe("softnet: EINVAL: a receive ring of 'eth0' takes 1 to 1024 packets, got 9999\n");
  expect(await type('ethtool -G eth0 tx 9')).toMatch(/^softnet: EOPNOTSUPP: 'eth0' has no transmit rings/);
  eth0.hardwareFeatures = 0;
  expect(await type('ethtool -G eth0 tcp-data-split off')).toMatch(/^softnet: EINVAL: tcp-data-split of 'eth0' is fixed/);
});

test('coalescing, of all queues and of each', async () => {
  const { type, lines } = await boot();
  expect(await type('ethtool -C eth0 rx-usecs 50 rx-frames 8')).toBe('');
  expect(await lines('ethtool -c eth0')).toEqual([
    'Coalesce parameters for eth0:',
    'rx-usecs:\t50',
    'rx-frames:\t8',
    'tx-usecs:\t0',
    'tx-frames:\t0',
  ]);
  expect(await type('ethtool -Q eth0 queue 1,3 --coalesce rx-usecs 0 tx-frames 4')).toBe('');
  expect(await type('ethtool -c eth0')).toMatch(/rx-usecs:\tof each queue its own: see -Q\nrx-frames:\t8\n/);
  expect(await lines('ethtool -Q eth0 queue 0,3 --show-coalesce')).toEqual([
    ...['Queue: 0', 'rx-usecs:\t50', 'rx-frames:\t8', 'tx-usecs:\t0', 'tx-frames:\t0'],
    ...['Queue: 3', 'rx-usecs:\t0', 'rx-frames:\t8', 'tx-usecs:\t0', 'tx-frames:\t4'],
  ]);
  expect((await lines('ethtool -Q eth0 --show-coalesce')).filter((line) => line.startsWith('Queue'))).toHaveLength(4);
  await type('ethtool -L eth0 tx 1');
  expect(await type('ethtool -Q eth0 queue 2 --show-coalesce')).toMatch(/tx-usecs:\tn\/a/);
  expect(await type('ethtool -Q eth0 queue 2 --coalesce tx-usecs 1')).toMatch(/^softnet: EINVAL: 'eth0' has no such queue/);
});

test('channels', async () => {
  const { type, lines, eth0 } = await boot();
  expect(await lines('ethtool -l eth0')).toEqual([
    ...['Channel parameters for eth0:', 'Pre-set maximums:', 'RX:\t\t16', 'TX:\t\t16', 'Other:\t\tn/a', 'Combined:\tn/a'],
    ...['Current hardware settings:', 'RX:\t\t4', 'TX:\t\t4', 'Other:\t\tn/a', 'Combined:\tn/a'],
  ]);
  expect(await type('ethtool -L eth0 rx 2')).toBe('');
  expect([eth0.rxQueues.length, eth0.txQueues.length]).toEqual([2, 4]);
  expect(await type('ethtool -L eth0 rx 99')).toBe("softnet: EINVAL: 'eth0' takes 1 to 16 receive queues, got 99\n");
});

describe('RSS', () => {
  test('the table, in rows of eight, and the key', async () => {
    const { lines, type, eth0 } = await boot();
    const shown = await lines('ethtool -x eth0');
    expect(shown[0]).toBe('RX flow hash indirection table for eth0 with 4 RX ring(s):');
    expect([shown[1], shown[2]]).toEqual([
      '    0:     0     1     2     3     0     1     2     3',
      '    8:     0     1     2     3     0     1     2     3',
    ]);
    expect(shown.slice(-4)).toEqual([
      'RSS hash key:',
      expect.stringMatching(/^([0-9a-f]{2}:){39}[0-9a-f]{2}$/),
      'RSS hash function:',
      '    toeplitz: on',
    ]);
    expect(shown).toHaveLength(1 + 16 + 4);
    expect(await type('ethtool -x lo')).toMatch(/^softnet: EOPNOTSUPP: 'lo' does not spread flows/);
    const key = new Array(40).fill('0a').join(':');
    const before = eth0.rss!.indirection;
    expect(await type(`ethtool -X eth0 hkey ${key}`)).toBe('');
    expect([await lines('ethtool -x eth0'), eth0.rss!.indirection]).toEqual([expect.arrayContaining([key]), before]);
  });

  test('evenly over some, by weights, by default', async () => {
    const { type, eth0 } = await boot();
    const table = async (words: string): Promise<string> => {
      expect(await type(`ethtool -X eth0 ${words}`)).toBe('');
      return eth0.rss!.indirection.join('');
    };
    expect(await table('equal 2')).toBe('01'.repeat(64));
    expect(await table('weight 0 1 3')).toBe('1'.repeat(32) + '2'.repeat(96));
    expect(await table('weight 1 1 1')).toBe('0'.repeat(43) + '1'.repeat(42) + '2'.repeat(43));
    expect(await table('weight 0 0 0 7')).toBe('3'.repeat(128));
    const key = new Array(40).fill('ff').join(':');
    expect([await table(`hkey ${key} default`), eth0.rss!.key[0]]).toEqual(['0123'.repeat(32), 255]);
  });
});

describe('flow rules', () => {
  test('are added, shown, replaced and deleted', async () => {
    const { type, lines, eth0 } = await boot();
    await type('ethtool -K eth0 ntuple on');
    expect(await lines('ethtool -n eth0')).toEqual(['4 RX rings available', 'Total 0 rules']);
    const flow = (version: 4 | 6, src: string, dst: string): string =>
      `flow-type udp${version} src-ip ${src} dst-ip ${dst} src-port 9 dst-port 7`;
    expect(await type(`ethtool -N eth0 ${flow(4, '10.0.1.1', '10.0.1.2')} action 3 loc 5`)).toBe('Added rule with ID 5\n');
    expect(await type(`ethtool -N eth0 ${flow(6, 'fd00:1::1', 'fd00:1::2')} action -1`)).toBe('Added rule with ID 0\n');
    expect(await lines('ethtool -n eth0')).toEqual([
      ...['4 RX rings available', 'Total 2 rules', '', 'Filter: 0', '\tRule Type: UDP over IPv6'],
      ...['\tSrc IP addr: fd00:1::1 mask: ::', '\tDest IP addr: fd00:1::2 mask: ::'],
      ...['\tSrc port: 9 mask: 0x0', '\tDest port: 7 mask: 0x0', '\tAction: Drop'],
      ...['', 'Filter: 5', '\tRule Type: UDP over IPv4', '\tSrc IP addr: 10.0.1.1 mask: 0.0.0.0', '\tDest IP addr: 10.0.1.2 mask: 0.0.0.0'],
      ...['\tSrc port: 9 mask: 0x0', '\tDest port: 7 mask: 0x0', '\tAction: Direct to queue 3'],
    ]);
    const { key } = eth0.flowRules[1]!;
    expect(key).toMatchObject({ protocol: 17, local2: 0xffff, local3: 0x0a000102, remote3: 0x0a000101, localPort: 7, remotePort: 9 });
    expect(await type(`ethtool -N eth0 ${flow(4, '10.0.1.1', '10.0.1.2')} action drop loc 5`)).toBe('Added rule with ID 5\n');
    expect(await type('ethtool -N eth0 delete 0')).toBe('');
    expect(eth0.flowRules.map(({ location, queue }) => [location, queue])).toEqual([[5, -1]]);
    expect(await type('ethtool -N eth0 delete 0')).toBe("softnet: ENOENT: 'eth0' has no flow rule 0; there are: 5\n");
    eth0.flowRules = [Object.assign(eth0.flowRules[0]!, { automatic: true, key: Object.assign(key, { protocol: 99 }) })];
    expect(await type('ethtool -n eth0')).toMatch(
      /^Filter: 5 \(made by itself: where the flow is read\)\n\tRule Type: protocol 99 over IPv4/m,
    );
  });
});

test('what it does not understand is one sentence', async () => {
  const { type } = await boot();
  const flow = 'flow-type udp4 src-ip 10.0.0.1 dst-ip 10.0.0.2 src-port 1 dst-port 2';
  for (const [line, expected] of [
    ['ethtool', /^softnet: missing required argument 'device'/],
    ['ethtool eth9', /^softnet: ENODEV: there is no device 'eth9'; there are: lo, eth0/],
    ['ethtool eth0 loudly', /^softnet: what is 'loudly'\? Nothing stands behind the device here/],
    ['ethtool -y eth0', /^softnet: unknown option '-y'.*'help ethtool' says more$/m],
    ['ethtool -K eth0 gso off', /^softnet: EINVAL: gso of 'eth0' is fixed/],
    ['ethtool -k -g eth0', /^softnet: one at a time: -k or -g/],
    ['ethtool -k eth0 gro', /^softnet: what is 'gro'\?/],
    ['ethtool -K eth0', /^softnet: say which feature, and on or off: rx, /],
    ['ethtool -K eth0 warp on', /^softnet: what is 'warp'\? Known here: rx, rx-checksumming/],
    ['ethtool -K eth0 gro', /^softnet: 'gro' wants a value behind it/],
    ['ethtool -K eth0 gro maybe', /^softnet: gro takes on or off, got 'maybe'/],
    ['ethtool -G eth0', /^softnet: say what to set: rx, tx, tcp-data-split/],
    ['ethtool -G eth0 rx many', /^softnet: rx takes a whole number, got 'many'/],
    ['ethtool -G eth0 rx 1 rx 2', /^softnet: 'rx' stands there twice/],
    ['ethtool -C eth0 rx-usecs 1000001', /^softnet: EINVAL: moderation of 'eth0' takes 0 to 1000000 µs/],
    ['ethtool -Q eth0', /^softnet: -Q wants either --show-coalesce or --coalesce/],
    ['ethtool -Q eth0 queue 4 --show-coalesce', /^softnet: queue takes numbers from 0 to 3 \(queues of 'eth0'\), got '4'/],
    ['ethtool -Q eth0 queue --show-coalesce', /^softnet: queue takes numbers from 0 to 3 .*, got ''/],
    ['ethtool -Q eth0 all --show-coalesce', /^softnet: what is 'all'\? Known here: queue/],
    ['ethtool --coalesce eth0', /^softnet: say what to set: rx-usecs/],
    ['ethtool -L eth0 combined 2 rx 3', /^softnet: combined sets both ways/],
    ['ethtool -L lo rx 2', /^softnet: EOPNOTSUPP: the driver of 'lo' \(loopback\) cannot change how many queues it has/],
    ['ethtool -X eth0', /^softnet: say what to set: \[hkey/],
    ['ethtool -X eth0 hkey 1:2', /^softnet: hkey takes 40 bytes like 6d:5a:\.\.\., got '1:2'/],
    ['ethtool -X eth0 equal 0', /^softnet: equal takes how many queues/],
    ['ethtool -X eth0 equal 5', /^softnet: EINVAL: an entry of the RSS table of 'eth0' takes 0 to 3 for its queue, got 4/],
    ['ethtool -X eth0 equal', /^softnet: what is 'equal'\?/],
    ['ethtool -X eth0 weight 0 0', /^softnet: weight takes at least one that is not 0/],
    ['ethtool -X eth0 weight 1 2 3 4 5', /^softnet: weight takes one for each queue, and 'eth0' has 4/],
    ['ethtool -X eth0 weight x', /^softnet: 'x' is no whole number/],
    ['ethtool -N eth0', /^softnet: say what to set: flow-type/],
    ['ethtool -N eth0 flow-type quic4', /^softnet: flow-type takes tcp4, udp4, .*, got 'quic4'/],
    [`ethtool -N eth0 ${flow}`, /^softnet: action is missing: rules match exact flows/],
    ['ethtool -N eth0 flow-type udp4 dst-ip 10.0.0.1 action 1', /^softnet: src-ip is missing/],
    [`ethtool -N eth0 ${flow.replace('10.0.0.2', 'fd00::1')} action 1`, /^softnet: dst-ip takes an address of IPv4, got 'fd00::1'/],
    [`ethtool -N eth0 ${flow} action 4`, /^softnet: EINVAL: rule 0 of 'eth0' takes -1 to 3 for its receive queue/],
    [`ethtool -N eth0 ${flow} action -2`, /^softnet: action takes a whole number, got '-2'/],
    ['ethtool -N eth0 delete', /^softnet: 'delete' wants a value behind it/],
    ['ethtool -N eth0 delete 1', /^softnet: ENOENT: 'eth0' has no flow rule 1; there are: none/],
  ] as const) {
    const text = await type(line);
    expect(text, line).toMatch(expected);
    expect(text.trimEnd().split('\n'), line).toHaveLength(1);
  }
});

test('long options, and what they are short for', async () => {
  const { type } = await boot();
  for (const [long, short] of [
    ...[
      ['--show-features', '-k'],
      ['--show-ring', '-g'],
      ['--show-coalesce', '-c'],
      ['--show-channels', '-l'],
      ['--show-rxfh', '-x'],
    ],
    ...[
      ['--show-ntuple', '-n'],
      ['-u', '-n'],
      ['--driver', '-i'],
    ],
  ]) {
    expect(await type(`ethtool ${long} eth0`), long).toBe(await type(`ethtool ${short} eth0`));
  }
  expect(await type('ethtool --coalesce eth0 rx-usecs 9')).toBe('');
  expect(await type('ethtool -c eth0')).toMatch(/rx-usecs:\t9\n/);
  expect(await type('ethtool --features eth0 gso on ntuple on')).toBe('');
  expect(await type('ethtool -k eth0')).toMatch(/^ntuple-filters: on$/m);
});

test('devices and features are completed', async () => {
  const { session } = await boot();
  expect(session.complete('ethtool et')[0]).toEqual(['eth0 ']);
  expect(session.complete('ethtool -K eth0 gen')[0]).toEqual(['generic-receive-offload']);
});

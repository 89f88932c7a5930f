import type { DeviceOps, RouteEntry } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_FLAG,
  ADDRESS_SCOPE,
  DEVICE_FLAG,
  InterfaceAddress,
  LINK_TYPE,
  NEIGHBOUR_STATE,
  Neighbour,
  NetDevice,
  OPERSTATE,
  ROUTE_TYPE,
  TRANSMIT,
} from '@softnet/contract';
import { etherLink, parsePrefix } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { addressLines } from './address-lines.ts';
import { byBeginning, readKeyed } from './ip-object.ts';
import { linkLines, statisticsLines } from './link-lines.ts';
import { tableNumber } from './names.ts';
import { neighbourLine } from './neighbour-line.ts';
import { routeLines } from './route-lines.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

function device(): NetDevice {
  const ops: DeviceOps = { open: () => undefined, stop: () => undefined, transmit: () => undefined };
  const made = new NetDevice(ops, etherLink);
  Object.assign(made, { ifindex: 2, name: 'eth0', type: LINK_TYPE.ETHER, operstate: OPERSTATE.UP, carrier: true });
  made.flags = DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST | DEVICE_FLAG.UP;
  made.address = Uint8Array.of(2, 0, 0, 0, 0, 0x1f);
  made.broadcast = new Uint8Array(6).fill(255);
  return made;
}

describe('a device', () => {
  test('as iproute2 shows it', () => {
    expect(linkLines(device())).toEqual([
      '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noop state UP qlen 1000',
      '    link/ether 02:00:00:00:00:1f brd ff:ff:ff:ff:ff:ff',
    ]);
  });

  test('up, with nothing at the other end; above another one', () => {
    const bare = device();
    Object.assign(bare, { carrier: false, operstate: OPERSTATE.LOWER_LAYER_DOWN, lower: device() });
    expect(linkLines(bare)[0]).toBe('2: eth0@eth0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noop state LOWERLAYERDOWN qlen 1000');
  });

  test('its statistics stand below their titles', () => {
    const busy = device();
    Object.assign(busy.stats, { rxBytes: 123_456_789, txPackets: 7 });
    expect(statisticsLines(busy)).toEqual([
      '    RX:      bytes  packets  errors  dropped  missed  mcast',
      '         123456789        0       0        0       0      0',
      '    TX:  bytes  packets  errors  dropped',
      '             0        7       0        0',
    ]);
  });
});

describe('an address', () => {
  test('of each family, with flags and what is left of its life', () => {
    const prefix = parsePrefix('10.0.1.2/24')!;
    const one = new InterfaceAddress(INET, device(), prefix.words, 24);
    one.flags = ADDRESS_FLAG.PERMANENT;
    expect(addressLines(one, 0)).toEqual(['    inet 10.0.1.2/24 scope global eth0', '       valid_lft forever preferred_lft forever']);
    const other = new InterfaceAddress(INET6, device(), parsePrefix('fe80::1')!.words, 64);
    Object.assign(other, { scope: ADDRESS_SCOPE.LINK, flags: ADDRESS_FLAG.TENTATIVE, validUntilMs: 90_500, preferredUntilMs: 1000 });
    expect(addressLines(other, 30_000)).toEqual([
      '    inet6 fe80::1/64 scope link tentative dynamic',
      '       valid_lft 61sec preferred_lft 0sec',
    ]);
  });

  test.each([
    [ADDRESS_FLAG.TEMPORARY | ADDRESS_FLAG.DEPRECATED, 'temporary deprecated dynamic'],
    [ADDRESS_FLAG.MANAGETEMPADDR | ADDRESS_FLAG.STABLE_PRIVACY, 'dynamic mngtmpaddr stable-privacy'],
    [ADDRESS_FLAG.PERMANENT | ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED, 'dadfailed tentative'],
    [ADDRESS_FLAG.PERMANENT | ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.OPTIMISTIC, 'optimistic tentative'],
    [ADDRESS_FLAG.PERMANENT | ADDRESS_FLAG.NODAD | ADDRESS_FLAG.NOPREFIXROUTE, 'nodad noprefixroute'],
  ])('of IPv6 with flags %i: %s', (flags, words) => {
    const one = new InterfaceAddress(INET6, device(), parsePrefix('2001:db8::1')!.words, 64);
    one.flags = flags;
    expect(addressLines(one, 0)[0]).toBe(`    inet6 2001:db8::1/64 scope global ${words}`);
  });
});

describe('a route', () => {
  const look = { deviceName: (ifindex: number) => `eth${ifindex}`, showTable: true };
  const gateway = { family: INET, address: parsePrefix('10.0.1.1')!.words };
  const entry = (text: string, rest: Partial<RouteEntry>): RouteEntry => {
    const { family, words, prefixLen } = parsePrefix(text)!;
    return { family, prefix: words, prefixLen, type: ROUTE_TYPE.UNICAST, source: 4, nextHops: [], ...rest };
  };

  test.each([
    ['default via 10.0.1.1 dev eth1 proto static', entry('0.0.0.0/0', { nextHops: [{ ifindex: 1, gateway }] })],
    [
      '10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.2',
      entry('10.0.1.0/24', { source: 2, nextHops: [{ ifindex: 1 }], preferredSource: parsePrefix('10.0.1.2')!.words }),
    ],
    [
      'local 10.0.1.2 dev eth1 table local proto kernel scope host',
      entry('10.0.1.2', { source: 2, type: ROUTE_TYPE.LOCAL, table: 255, nextHops: [{ ifindex: 1 }] }),
    ],
    ['fd00::/8 dev eth1 proto 77 metric 256', entry('fd00::/8', { source: 77, priority: 256, nextHops: [{ ifindex: 1 }] })],
    ['blackhole 192.0.2.1', entry('192.0.2.1', { source: 3, type: ROUTE_TYPE.BLACKHOLE })],
  ])('%s', (line, route) => {
    expect(routeLines(route, look)).toEqual([line]);
  });

  test('with several ways has a line for each', () => {
    const lines = routeLines(entry('10.0.0.0/8', { nextHops: [{ ifindex: 1, gateway, weight: 3 }, { ifindex: 2 }] }), look);
    expect(lines).toEqual([
      '10.0.0.0/8 proto static',
      '        nexthop via 10.0.1.1 dev eth1 weight 3',
      '        nexthop dev eth2 weight 1',
    ]);
  });
});

test('a neighbour, known and not', () => {
  const neighbour = new Neighbour(device(), () => TRANSMIT.OK);
  const [address0, address1, address2, address3] = parsePrefix('fe80::1')!.words;
  Object.assign(neighbour, { family: INET6, address0, address1, address2, address3, state: NEIGHBOUR_STATE.INCOMPLETE });
  expect(neighbourLine(neighbour)).toBe('fe80::1 dev eth0 INCOMPLETE');
  Object.assign(neighbour, { state: NEIGHBOUR_STATE.STALE, isRouter: true, linkAddress: Uint8Array.of(2, 0, 0, 0, 0, 1) });
  expect(neighbourLine(neighbour)).toBe('fe80::1 dev eth0 lladdr 02:00:00:00:00:01 router STALE');
});

describe('words', () => {
  test('in pairs, and the rest', () => {
    expect(readKeyed(['10.0.0.1/8', 'dev', 'eth0'], ['dev', 'via'], 1)).toEqual({ rest: ['10.0.0.1/8'], by: { dev: 'eth0' } });
    for (const words of [['dev'], ['dev', 'a', 'dev', 'b'], ['x', 'y']]) expect(() => readKeyed(words, ['dev'], 1)).toThrow(UsageError);
  });

  test('cut short', () => {
    const names = ['address', 'link', 'add'];
    expect(['a', 'add', 'l', 'x'].map((word) => byBeginning(names, word))).toEqual(['address', 'add', 'link', undefined]);
  });

  test('tables by name and number', () => {
    expect(['main', 'local', '7', '0', 'x'].map(tableNumber)).toEqual([254, 255, 7, undefined, undefined]);
  });
});

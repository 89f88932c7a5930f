import { ADDRESS_FAMILY, ADDRESS_FLAG, ADDRESS_TYPE, Devices, DeviceTraffic, NetworkLayer, ROUTE_TYPE, Route } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));
const { INET6 } = ADDRESS_FAMILY;

let net: Net;
let host: NetHost;
beforeEach(async () => {
  net = new Net({ modules });
  host = await net.host('h');
  await net.run(host.addDevice('wire', 'eth0', { cable: new Cable(), address: '02:00:00:00:00:01' }));
  await net.pass(1);
});
afterEach(() => net.dispose());

function layer(kernel: Kernel): NetworkLayer {
  return kernel.contributions(NetworkLayer).items.find(({ family }) => family === INET6)!;
}

function addresses(): string[] {
  return [...layer(host.kernel).addresses]
    .map(({ address, prefixLen, device }) => `${formatIpv6(...address)}/${prefixLen} ${device.name}`)
    .sort();
}

const types = new Map<number, string>(Object.entries(ROUTE_TYPE).map(([name, type]) => [type, name.toLowerCase()]));

function routes(): string[] {
  const { current } = host.kernel.port(Route);
  const name = (ifindex: number): string => host.kernel.port(DeviceTraffic).current.byIndex(ifindex)?.name ?? '?';
  return current
    .entries(INET6)
    .map(
      ({ prefix, prefixLen, type, table, nextHops }) =>
        `${types.get(type)} ${formatIpv6(...prefix)}/${prefixLen} ${nextHops.map(({ ifindex }) => name(ifindex)).join()} ${table}`,
    )
    .filter((each) => !each.includes(' lo '))
    .sort();
}

describe('addresses', () => {
  test('a link-local one by EUI-64 when the device comes up, ::1 on the loopback device; they go when it goes down', async () => {
    expect([addresses(), routes()]).toEqual([['::1/128 lo'], []]);
    host.up('eth0');
    expect(addresses()).toEqual(['::1/128 lo', 'fe80::ff:fe00:1/64 eth0']);
    const own = ['local fe80::ff:fe00:1/128 eth0 255', 'multicast ff00::/8 eth0 255', 'unicast fe80::/64 eth0 254'];
    expect(routes()).toEqual(own);
    host.addAddress('eth0', 'fd00::1/64');
    host.addAddress('eth0', 'fd00::2/64');
    expect(routes()).toEqual(['local fd00::1/128 eth0 255', 'local fd00::2/128 eth0 255', ...own, 'unicast fd00::/64 eth0 254'].sort());
    host.removeAddress('eth0', 'fd00::1/64');
    expect(routes()).toEqual(['local fd00::2/128 eth0 255', ...own, 'unicast fd00::/64 eth0 254'].sort());
    host.removeAddress('eth0', 'fd00::2/64');
    expect(routes()).toEqual(own);
    host.down('eth0');
    expect([addresses(), routes()]).toEqual([['::1/128 lo'], []]);
  });

  test('stay when the device goes down, if keep_addr_on_down says so, but for its own', async () => {
    host.kernel.sysctl.set('net.ipv6.conf.all.keep_addr_on_down', true);
    host.addAddress('eth0', 'fd00::1/64');
    expect(routes()).toEqual([]);
    host.up('eth0');
    const before = routes();
    expect(before).toHaveLength(5);
    host.down('eth0');
    expect([addresses(), routes()]).toEqual([['::1/128 lo', 'fd00::1/64 eth0'], []]);
    host.up('eth0');
    expect(routes()).toEqual(before);
  });

  test('go with their device, and with an MTU below 1280', async () => {
    host.up('eth0');
    host.addAddress('eth0', 'fd00::1/64');
    const devices = host.kernel.port(Devices).current;
    devices.setMtu(host.device('eth0'), 1279);
    expect([addresses(), routes()]).toEqual([['::1/128 lo'], []]);
    expect(() => host.addAddress('eth0', 'fd00::1/64')).toThrow('EINVAL: fd00::1/64 cannot be an address of eth0: its MTU is 1279');
    devices.setMtu(host.device('eth0'), 1280);
    expect(addresses()).toEqual(['::1/128 lo', 'fe80::ff:fe00:1/64 eth0']);
    host.addAddress('eth0', 'fd00::1/64');
    devices.remove(host.device('eth0'));
    expect([addresses(), routes()]).toEqual([['::1/128 lo'], []]);
  });

  test('metric, peer, lifetimes and noprefixroute, which may be others later; the route follows', async () => {
    host.up('eth0');
    const { current } = host.kernel.port(Route);
    const links = (): string[] =>
      current
        .entries(INET6)
        .filter(({ prefix, table }) => prefix[0] === (0xfd000000 | 0) && table === 254)
        .map(
          ({ prefix, prefixLen, priority, expiresMs }) =>
            `${formatIpv6(...prefix)}/${prefixLen} ${priority}${expiresMs === undefined ? '' : ' expires'}`,
        );
    host.addAddress('eth0', 'fd00::1/64', { metric: 7 });
    expect(links()).toEqual(['fd00::/64 7']);
    host.changeAddress('eth0', 'fd00::1/64', { metric: 9 });
    expect(links()).toEqual(['fd00::/64 9']);
    host.changeAddress('eth0', 'fd00::1/64', { flags: ADDRESS_FLAG.NOPREFIXROUTE });
    expect(links()).toEqual([]);
    host.changeAddress('eth0', 'fd00::1/64', { flags: 0, metric: 0, peer: parseIpv6('fd01::2')!, validMs: 5000, preferredMs: 2000 });
    expect(current.entries(INET6).filter(({ prefix }) => formatIpv6(...prefix) === 'fd01::')).toMatchObject([
      { prefixLen: 64, priority: 256 },
    ]);
    await net.pass(5100);
    expect([addresses(), links()]).toEqual([['::1/128 lo', 'fe80::ff:fe00:1/64 eth0'], []]);
    expect(routes().join()).not.toContain('fd01');
    expect(() => host.changeAddress('eth0', 'fd00::1/64', {})).toThrow('EADDRNOTAVAIL');
    expect(() => host.addAddress('eth0', 'fd00::1/64', { preferredMs: 2, validMs: 1 })).toThrow('EINVAL: it cannot be preferred for 2 ms');
    expect(() => host.addAddress('eth0', 'fd00::1/64', { broadcast: [0, 0, 0, 1] })).toThrow('EINVAL: IPv6 has no broadcast');
  });

  test('another link address makes another link-local one', () => {
    host.up('eth0');
    host.kernel.port(Devices).current.setAddress(host.device('eth0'), Uint8Array.of(2, 0, 0, 0, 0, 7));
    expect(addresses()).toEqual(['::1/128 lo', 'fe80::ff:fe00:7/64 eth0']);
  });

  test.each([
    ['ff02::1/64', 'EINVAL: ff02::1/64 cannot be an address of eth0: that is a group'],
    ['::/64', 'EINVAL: ::/64 cannot be an address of eth0: that is no address'],
    ['::1/128', 'EINVAL: ::1/128 cannot be an address of eth0: only the loopback device has it'],
    ['::ffff:10.0.0.1/128', 'EINVAL: ::ffff:10.0.0.1/128 cannot be an address of eth0: that is an IPv4 address'],
    ['fd00::1/48', 'EEXIST: fd00::1/48 cannot be an address of eth0: it has that address already'],
  ])('%s is refused', (prefix, sentence) => {
    host.addAddress('eth0', 'fd00::1/64');
    expect(() => host.addAddress('eth0', prefix)).toThrow(sentence);
    expect(() => host.removeAddress('eth0', 'fd00::1/48')).toThrow('EADDRNOTAVAIL: eth0 has no address fd00::1/48');
  });

  test('what an address is to this host, by interface where that counts', () => {
    host.up('eth0');
    host.addAddress('eth0', 'fd00::1/64');
    const { ifindex } = host.device('eth0');
    const type = (text: string, on = 0): number => layer(host.kernel).addressType(...parseIpv6(text)!, on);
    expect(['::', 'ff02::1', '::ffff:10.0.0.1', 'fd00::1', 'fd00::2', '::1'].map((text) => type(text))).toEqual([
      ADDRESS_TYPE.UNSPECIFIED,
      ADDRESS_TYPE.MULTICAST,
      ADDRESS_TYPE.INVALID,
      ADDRESS_TYPE.LOCAL,
      ADDRESS_TYPE.UNICAST,
      ADDRESS_TYPE.LOCAL,
    ]);
    const own = 'fe80::ff:fe00:1';
    expect([type(own), type(own, ifindex), type(own, ifindex + 1), type('fd00::1', ifindex + 1)]).toEqual([
      ADDRESS_TYPE.LOCAL,
      ADDRESS_TYPE.LOCAL,
      ADDRESS_TYPE.UNICAST,
      ADDRESS_TYPE.LOCAL,
    ]);
  });
});

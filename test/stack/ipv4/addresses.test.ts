import type { RouteEntry } from '@softnet/contract';
import { Addresses, Devices, NetworkLayer, ROUTE_TYPE, Route } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { formatIpv4 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addPeer, HOST, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
});
afterEach(async () => {
  await link.close();
});

const TYPES: Readonly<Record<number, string>> = {
  [ROUTE_TYPE.LOCAL]: 'local',
  [ROUTE_TYPE.BROADCAST]: 'broadcast',
  [ROUTE_TYPE.UNICAST]: 'unicast',
};

/** Routes of IPv4 but lo's, as `ip route` says them. */
const routes = (): string[] => {
  const names = new Map(link.host.devices.map(({ ifindex, name }) => [ifindex, name]));
  const line = ({ type, prefix, prefixLen, nextHops, preferredSource }: RouteEntry): string =>
    `${TYPES[type]} ${formatIpv4(prefix[3])}/${prefixLen} ${names.get(nextHops[0]!.ifindex)} ${formatIpv4(preferredSource?.[3] ?? 0)}`;
  return link.host.kernel
    .port(Route)
    .current.entries(INET)
    .map(line)
    .filter((text) => !text.includes(' lo '))
    .sort();
};
const OF_HOST = ['broadcast 10.0.0.255/32 eth0 10.0.0.1', 'local 10.0.0.1/32 eth0 10.0.0.1', 'unicast 10.0.0.0/24 eth0 10.0.0.1'];
const addresses = (): string[] =>
  [...link.host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET)!.addresses]
    .map(
      ({ device, address, prefixLen, flags }) =>
        `${device.name} ${formatIpv4(address[3])}/${prefixLen}${(flags & 1) === 0 ? '' : ' secondary'}`,
    )
    .sort();

describe('an address', () => {
  test('brings its routes, and takes them along', () => {
    expect(routes()).toEqual(OF_HOST);
    expect(addresses()).toEqual(['eth0 10.0.0.1/24', 'lo 127.0.0.1/8']);
    link.host.removeAddress('eth0', `${HOST}/24`);
    expect(routes()).toEqual([]);
    link.host.addAddress('eth0', '192.0.2.1/31');
    link.host.addAddress('eth0', '192.0.2.9/32');
    expect(routes()).toEqual([
      'local 192.0.2.1/32 eth0 192.0.2.1',
      'local 192.0.2.9/32 eth0 192.0.2.9',
      'unicast 192.0.2.0/31 eth0 192.0.2.1',
    ]);
  });

  test('of the same subnet is second, and takes over', () => {
    link.host.kernel.sysctl.set('net.ipv4.conf.eth0.promote_secondaries', 1);
    link.host.addAddress('eth0', '10.0.0.2/24');
    expect(addresses()).toContain('eth0 10.0.0.2/24 secondary');
    expect(routes()).toEqual([...OF_HOST.slice(0, 2), 'local 10.0.0.2/32 eth0 10.0.0.2', OF_HOST[2]!].sort());
    link.host.removeAddress('eth0', `${HOST}/24`);
    expect(addresses()).toContain('eth0 10.0.0.2/24');
    expect(routes()).toEqual(OF_HOST.map((line) => line.replaceAll('10.0.0.1', '10.0.0.2')));
  });

  test('of the same subnet goes with the first, unless it is to be promoted', () => {
    link.host.addAddress('eth0', '10.0.0.2/24');
    link.host.removeAddress('eth0', `${HOST}/24`);
    expect(addresses()).toEqual(['lo 127.0.0.1/8']);
    expect(routes()).toEqual([]);
  });

  test('of the same subnet on another device brings a route there', async () => {
    await addPeer(link.net, link.host, 'eth1', ['10.0.0.3/24']);
    const others = OF_HOST.map((line) => line.replaceAll('10.0.0.1', '10.0.0.3').replace('eth0', 'eth1'));
    expect(routes()).toEqual([...OF_HOST, ...others].sort());
    link.host.down('eth0');
    expect(routes()).toEqual([OF_HOST[1], ...others].sort());
    link.host.up('eth0');
    link.host.removeAddress('eth1', '10.0.0.3/24');
    expect(routes()).toEqual(OF_HOST);
  });

  test('may be on two devices', async () => {
    await addPeer(link.net, link.host, 'eth1', [`${HOST}/24`]);
    expect(routes()).toEqual([...OF_HOST, ...OF_HOST.map((line) => line.replace('eth0', 'eth1'))].sort());
    link.host.removeAddress('eth0', `${HOST}/24`);
    expect(routes()).toEqual(OF_HOST.map((line) => line.replace('eth0', 'eth1')));
  });

  test('keeps what is its own while the device is down, and has the rest back with it', async () => {
    link.host.down('eth0');
    expect(routes()).toEqual(['local 10.0.0.1/32 eth0 10.0.0.1']);
    link.host.up('eth0');
    expect(routes()).toEqual(OF_HOST);
    link.host.down('eth0');
    link.host.addAddress('eth0', '10.9.0.1/16');
    expect(routes().length).toBe(2);
    link.host.up('eth0');
    expect(routes().length).toBe(6);
  });

  test('goes with its device', () => {
    link.host.kernel.port(Devices).current.remove(link.host.device('eth0'));
    expect(addresses()).toEqual(['lo 127.0.0.1/8']);
    expect(routes()).toEqual([]);
  });

  test.each([
    ['EEXIST', '10.0.0.1/24'],
    ['EINVAL', '0.0.0.0/0'],
    ['EINVAL', '224.0.0.1/32'],
    ['EINVAL', '255.255.255.255/32'],
  ])('%s: %s', (code, prefix) => {
    expect(() => link.host.addAddress('eth0', prefix)).toThrow(expect.objectContaining({ code }));
    expect(addresses().length).toBe(2);
  });

  test('that is none is refused', () => {
    const door = link.host.kernel.contributions(Addresses).items.findLast(({ family }) => family === INET)!;
    const device = link.host.device('eth0');
    expect(() => door.add(device, [1, 2, 3, 4], 24, link.host)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => door.add(device, [0, 0, 0xffff, word('10.0.0.7')], 33, link.host)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => link.host.removeAddress('eth0', '10.0.0.7/24')).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    link.host.kernel.port(Devices).current.remove(device);
    expect(() => door.add(device, [0, 0, 0xffff, word('10.0.0.7')], 24, link.host)).toThrow(expect.objectContaining({ code: 'ENODEV' }));
  });

  test('that somebody has routed by hand leaves that route alone', () => {
    link.host.addRoute('10.7.0.0/16', { dev: 'eth0' });
    link.host.addAddress('eth0', '10.7.0.1/16');
    expect(routes()).toContain('unicast 10.7.0.0/16 eth0 0.0.0.0');
    link.host.removeAddress('eth0', '10.7.0.1/16');
    expect(routes()).toContain('unicast 10.7.0.0/16 eth0 0.0.0.0');
  });
});

describe('addresses and generations', () => {
  const pingable = async (address = HOST): Promise<void> => {
    link.peer.arp({ target: word(address) }, link.peer.mac);
    link.peer.icmp({}, { dst: address });
    await link.net.pass(1);
    const ip = link.peer.frames.filter(({ type }) => type === 0x800);
    link.peer.frames.splice(0, Number.POSITIVE_INFINITY, ...ip);
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 0, src: address, dst: PEER }]);
  };

  test.each(['handover', 'drain'] as const)('move by %s, with their routes, and can be taken afterwards', async (mode) => {
    const user = link.host.open({ family: INET });
    user.bind('0.0.0.0', 7);
    const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode }));
    await link.net.pass(0);
    expect(routes()).toEqual(OF_HOST);
    expect(addresses()).toEqual(['eth0 10.0.0.1/24', 'lo 127.0.0.1/8']);
    await pingable();
    user.close();
    expect(await link.net.run(drained)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect(routes()).toEqual(OF_HOST);
    await pingable();
    link.host.down('eth0');
    link.host.up('eth0');
    expect(routes()).toEqual(OF_HOST);
    link.host.removeAddress('eth0', `${HOST}/24`);
    expect(routes()).toEqual([]);
  });

  test('serve those inside of one that leaves, while the next has its own', async () => {
    const { kernel } = link.host;
    const user = link.host.open({ family: INET });
    user.bind('10.0.0.1', 7);
    const unload = kernel.unload('ipv4', { cascade: true });
    await link.net.pass(1);
    await pingable();
    expect(() => link.host.addAddress('eth0', '10.0.0.5/24')).toThrow(expect.objectContaining({ code: 'EAFNOSUPPORT' }));
    await link.net.run(kernel.load(Ipv4Module));
    link.host.addAddress('eth0', `${HOST}/24`);
    await pingable();
    user.close();
    expect(await link.net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [] });
    await link.net.pass(1);
    expect(routes()).toEqual(OF_HOST);
    expect((await link.net.run(link.host.ping('127.0.0.1'))).lenBytes).toBe(56);
    await pingable();
  });
});

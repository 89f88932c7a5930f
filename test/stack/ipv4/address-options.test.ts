import type { AddressOptions, AddressWords, RouteEntry } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, Devices, NetworkLayer, ROUTE_TYPE, Route } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { formatIpv4 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addPeer, mac, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open([]);
});
afterEach(async () => {
  await link.close();
});

const words = (text: string): AddressWords => [0, 0, 0xffff, word(text)];
const add = (prefix: string, options: AddressOptions = {}): void => link.host.addAddress('eth0', prefix, options);
const addresses = () =>
  [...link.host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET)!.addresses].filter(
    ({ device }) => device.name !== 'lo',
  );
const names: Readonly<Record<number, string>> = {
  [ROUTE_TYPE.LOCAL]: 'local',
  [ROUTE_TYPE.BROADCAST]: 'broadcast',
  [ROUTE_TYPE.UNICAST]: 'unicast',
};
/** Routes of IPv4 but lo's. */
const routes = (): string[] => {
  const lo = link.host.device('lo').ifindex;
  const line = ({ type, prefix, prefixLen, priority = 0, preferredSource, nextHops }: RouteEntry): string => {
    const via = nextHops[0]?.gateway === undefined ? '' : ` via ${formatIpv4(nextHops[0].gateway.address[3])}`;
    const src = preferredSource === undefined ? '' : ` src ${formatIpv4(preferredSource[3])}`;
    return `${names[type]} ${formatIpv4(prefix[3])}/${prefixLen}${via}${src}${priority === 0 ? '' : ` metric ${priority}`}`;
  };
  const all = link.host.kernel.port(Route).current.entries(INET);
  return all
    .filter(({ nextHops }) => nextHops[0]?.ifindex !== lo)
    .map(line)
    .sort();
};
/** The source that a datagram to `to` gets; '' where there is none. */
const sourceTo = (to: string): string => {
  link.peer.frames.length = 0;
  const user = link.host.open({ family: INET });
  try {
    user.connect(to, 9);
    return formatIpv4(user.sock.local3);
  } catch {
    return '';
  } finally {
    user.close();
  }
};

describe('an address may be told', () => {
  test('its broadcast; by default the last of its subnet, of /31 and /32 none (RFC 3021)', () => {
    add('10.0.0.1/24');
    add('10.1.0.1/16', { broadcast: words('10.1.99.99') });
    add('10.2.0.0/31');
    add('10.3.0.1/32');
    expect(addresses().map(({ broadcast }) => (broadcast === null ? 'none' : formatIpv4(broadcast[3])))).toEqual([
      '10.0.0.255',
      '10.1.99.99',
      'none',
      'none',
    ]);
    const broadcasts = routes().filter((line) => line.startsWith('broadcast'));
    expect(broadcasts.map((line) => line.split(' ')[1])).toEqual(['10.0.0.255/32', '10.1.255.255/32', '10.1.99.99/32']);
  });

  test('the other end of its link, which its prefix is of', async () => {
    add('10.0.0.1/32', { peer: words('10.0.0.2') });
    expect(routes()).toEqual(['local 10.0.0.1/32 src 10.0.0.1', 'unicast 10.0.0.2/32 src 10.0.0.1']);
    expect(sourceTo('10.0.0.2')).toBe('10.0.0.1');
    expect(() => link.host.changeAddress('eth0', '10.0.0.1/32', { peer: words('10.0.0.3') })).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
  });

  test('the metric of its route, or to bring none', () => {
    add('10.0.0.1/24', { metric: 7 });
    add('10.1.0.1/24', { flags: ADDRESS_FLAG.NOPREFIXROUTE });
    expect(routes().filter((line) => line.startsWith('unicast'))).toEqual(['unicast 10.0.0.0/24 src 10.0.0.1 metric 7']);
    link.host.changeAddress('eth0', '10.0.0.1/24', { metric: 9 });
    link.host.changeAddress('eth0', '10.1.0.1/24', { flags: 0 });
    expect(routes().filter((line) => line.startsWith('unicast'))).toEqual([
      'unicast 10.0.0.0/24 src 10.0.0.1 metric 9',
      'unicast 10.1.0.0/24 src 10.1.0.1',
    ]);
  });

  test('its scope: one of the link is no source beyond it', async () => {
    add('10.0.0.1/24', { scope: ADDRESS_SCOPE.LINK });
    link.host.addRoute('default', { via: PEER, dev: 'eth0' });
    expect(sourceTo('10.0.0.5')).toBe('10.0.0.1');
    expect(sourceTo('8.8.8.8')).toBe('');
    add('10.5.0.1/24');
    expect(sourceTo('8.8.8.8')).toBe('10.5.0.1');
    expect(sourceTo('10.0.0.5')).toBe('10.0.0.1');
  });

  test.each<[what: string, options: AddressOptions]>([
    ['a scope that is none', { scope: 300 }],
    ['a flag that is the layer’s', { flags: ADDRESS_FLAG.SECONDARY }],
    ['a flag of IPv6', { flags: ADDRESS_FLAG.OPTIMISTIC }],
    ['a broadcast of IPv6', { broadcast: [1, 2, 3, 4] }],
    ['a peer of IPv6', { peer: [1, 2, 3, 4] }],
    ['a negative metric', { metric: -1 }],
    ['a label longer than a name', { label: 'eth0:0123456789abc' }],
    ['no life', { validMs: 0 }],
    ['a life that is no number', { validMs: Number.NaN }],
    ['to be preferred for longer than it lives', { preferredMs: 2000, validMs: 1000 }],
  ])('but not %s', (_what, options) => {
    expect(() => add('10.0.0.1/24', options)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect([addresses(), routes()]).toEqual([[], []]);
  });

  test('and one that is not there cannot be changed', () => {
    expect(() => link.host.changeAddress('eth0', '10.0.0.1/24', {})).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
  });
});

describe('an address that lives for a while', () => {
  test('is deprecated, then goes, with its routes', async () => {
    add('10.0.0.1/24', { preferredMs: 1000, validMs: 3000 });
    add('10.5.0.1/24');
    link.host.addRoute('default', { via: '10.0.0.9', dev: 'eth0' });
    expect([sourceTo('10.0.0.5'), sourceTo('8.8.8.8')]).toEqual(['10.0.0.1', '10.0.0.1']);
    await link.net.pass(1500);
    expect(addresses()[0]!.flags & ADDRESS_FLAG.DEPRECATED).not.toBe(0);
    // To its own subnet there is no other; beyond it there is.
    expect([sourceTo('10.0.0.5'), sourceTo('8.8.8.8')]).toEqual(['10.0.0.1', '10.5.0.1']);
    add('10.0.0.2/24');
    expect([sourceTo('10.0.0.5'), sourceTo('8.8.8.8')]).toEqual(['10.0.0.2', '10.0.0.2']);
    link.host.removeAddress('eth0', '10.0.0.2/24');
    await link.net.pass(1000);
    expect(addresses().length).toBe(2);
    await link.net.pass(1000);
    expect(addresses().map(({ address }) => formatIpv4(address[3]))).toEqual(['10.5.0.1']);
    expect(routes().length).toBe(4);
  });

  test('may be given more, or all', async () => {
    add('10.0.0.1/24', { preferredMs: 500, validMs: 1000 });
    await link.net.pass(800);
    link.host.changeAddress('eth0', '10.0.0.1/24', { validMs: 2000 });
    expect(addresses()[0]!.flags & ADDRESS_FLAG.DEPRECATED).toBe(0);
    await link.net.pass(1500);
    link.host.changeAddress('eth0', '10.0.0.1/24', {});
    await link.net.pass(100_000);
    expect(addresses().map(({ flags, validUntilMs }) => [flags & ADDRESS_FLAG.PERMANENT, validUntilMs])).toEqual([
      [0x80, Number.POSITIVE_INFINITY],
    ]);
  });

  test.each(['handover', 'drain'] as const)('does so in the next generation too, by %s, with all that was told', async (mode) => {
    add('10.0.0.1/24', { preferredMs: 1000, validMs: 3000, label: 'eth0:x', metric: 5 });
    add('10.0.0.2/24', { flags: ADDRESS_FLAG.NODAD });
    add('10.9.0.1/32', { peer: words('10.9.0.2'), broadcast: words('10.9.0.3') });
    const told = () =>
      addresses().map(({ flags, label, metric, peer, broadcast, preferredUntilMs }) => [
        flags,
        label,
        metric,
        peer?.[3],
        broadcast?.[3],
        preferredUntilMs,
      ]);
    const before = [told(), routes()];
    const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode }));
    expect(await link.net.run(drained)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    await link.net.pass(1);
    expect([told(), routes()]).toEqual(before);
    await link.net.pass(5000);
    expect(addresses().map(({ address }) => formatIpv4(address[3]))).toEqual(['10.9.0.1']);
  });
});

describe('routes that others have made', () => {
  // What the machine's own kernel leaves after the same commands (Linux 6.x): the gateway's route outlives its subnet, not the device's last address.
  test('go with the address that they prefer, and with the last one of their device', async () => {
    add('10.0.0.1/24');
    add('10.1.0.1/24');
    await addPeer(link.net, link.host, 'eth1', ['10.8.0.1/24']);
    link.host.addRoute('default', { via: '10.0.0.254', dev: 'eth0' });
    link.host.addRoute('172.17.0.0/16', { dev: 'eth0' });
    link.host.addRoute('172.18.0.0/16', { via: '10.8.0.9', dev: 'eth1' });
    const set = (): string[] => routes().filter((line) => !line.includes(' src '));
    link.host.removeAddress('eth0', '10.0.0.1/24');
    expect(set()).toEqual(['unicast 0.0.0.0/0 via 10.0.0.254', 'unicast 172.17.0.0/16', 'unicast 172.18.0.0/16 via 10.8.0.9']);
    link.host.removeAddress('eth0', '10.1.0.1/24');
    expect(set()).toEqual(['unicast 172.18.0.0/16 via 10.8.0.9']);
  });

  test('stay while the layer is replaced', async () => {
    add('10.0.0.1/24');
    link.host.addRoute('default', { via: '10.0.0.254', dev: 'eth0' });
    const before = routes();
    for (const mode of ['drain', 'handover'] as const) {
      const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode }));
      await link.net.run(drained);
      await link.net.pass(1);
      expect(routes()).toEqual(before);
    }
  });
});

describe('the link is told of addresses (arp_notify)', () => {
  const announced = (): string[] =>
    link.peer.takeArp().map(({ operation, sender, target, to }) => `${operation} ${formatIpv4(sender)} ${formatIpv4(target)} ${to}`);
  const LINE = '1 10.0.0.1 10.0.0.1 ff:ff:ff:ff:ff:ff';

  test('that are new, and when the device comes up or has another link address', async () => {
    link.host.kernel.sysctl.set('net.ipv4.conf.eth0.arp_notify', 1);
    add('10.0.0.1/24');
    await link.net.pass(1);
    expect(announced()).toEqual([LINE]);
    link.host.down('eth0');
    link.host.up('eth0');
    await link.net.pass(1);
    expect(announced()).toEqual([LINE]);
    link.host.kernel.port(Devices).current.setAddress(link.host.device('eth0'), mac('02:00:00:00:00:51'));
    await link.net.pass(1);
    expect(link.peer.takeArp()).toMatchObject([
      { sender: word('10.0.0.1'), target: word('10.0.0.1'), senderLink: mac('02:00:00:00:00:51') },
    ]);
  });

  test('but not by default', async () => {
    add('10.0.0.1/24');
    link.host.down('eth0');
    link.host.up('eth0');
    await link.net.pass(1);
    expect(announced()).toEqual([]);
  });
});

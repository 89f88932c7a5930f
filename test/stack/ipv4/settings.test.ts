import { ADDRESS_FAMILY, DeviceTraffic, ERRNO, Flow, IPV4_WORD2, MulticastGroups, Route } from '@softnet/contract';
import { emitIgmp, IGMP_TYPE, Ipv4Module, parseIgmp } from '@softnet/ipv4';
import { emitIpv4Packet, emitUdp, ipv4Words, routerAlertOption } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addresses, G, ints, set as setOption } from './group-values.ts';
import type { RawPeer } from './raw-link.ts';
import { addPeer, HOST, ipv4, mac, PEER, RawLink, word } from './raw-link.ts';

// Settings that are shown nowhere else, and packets that are lost for reasons that no table of bad input has.

const { INET } = ADDRESS_FAMILY;
let link: RawLink;
let far: RawPeer;
beforeEach(async () => {
  link = await RawLink.open();
  far = await addPeer(link.net, link.host, 'eth1', ['10.0.5.1/24']);
  await link.peer.introduce(link.net);
  await far.introduce(link.net);
});
afterEach(async () => {
  await link.net.pass(60_000);
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const set = (name: string, value: number): void => link.host.kernel.sysctl.set(`net.ipv4.${name}`, value);
const get = (name: string): number => Number(link.host.kernel.sysctl.get(`net.ipv4.${name}`));
const udp = (payloadBytes = 4): Uint8Array => emitUdp({ srcPort: 9, dstPort: 99, checksum: 0, payload: new Uint8Array(payloadBytes) });

describe('forwarding', () => {
  const NAMES = ['ip_forward', ...['all', 'default', 'eth0', 'eth1'].map((of) => `conf.${of}.forwarding`)];

  test.each(['ip_forward', 'conf.all.forwarding'])('%s sets it everywhere, and no redirect is heeded', (name) => {
    for (const value of [1, 0, 1]) {
      set(name, value);
      expect(NAMES.map(get)).toEqual([value, value, value, value, value]);
      expect(get('conf.all.accept_redirects')).toBe(1 - value);
    }
  });

  test.each(['handover', 'drain'] as const)('of a single device is the same in the next generation (%s)', async (mode) => {
    set('ip_forward', 1);
    set('conf.eth0.forwarding', 0);
    set('conf.all.accept_redirects', 1);
    const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode }));
    await link.net.run(drained);
    expect(NAMES.map(get)).toEqual([1, 1, 1, 0, 1]);
    expect(get('conf.all.accept_redirects')).toBe(1);
  });
});

describe('fragments', () => {
  const piece = (id: number, fragmentOffsetBytes: number) => ({ id, moreFragments: true, fragmentOffsetBytes, payload: new Uint8Array(8) });

  test('ipfrag_time: how long they wait', async () => {
    set('ipfrag_time', 2);
    link.peer.ip(piece(1, 0));
    expect(await link.dropsOf(() => {}, 1900)).toEqual({});
    expect(await link.dropsOf(() => {}, 200)).toEqual({ 'ipv4.fragment-timeout': 1 });
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 11, code: 1 }]);
  });

  test('ipfrag_max_pieces: how many of one datagram', async () => {
    set('ipfrag_max_pieces', 3);
    const drops = await link.dropsOf(() => {
      for (let i = 0; i < 4; i++) link.peer.ip(piece(2, i * 16));
    });
    expect(drops).toEqual({ 'ipv4.fragment-limit': 4 });
  });
});

describe('redirects sent', () => {
  /** How many are sent for packets that come so often. */
  async function redirects(count: number, everyMs: number): Promise<number> {
    let sent = 0;
    for (let i = 0; i < count; i++) {
      link.peer.ip({ dst: '192.0.2.1', payload: udp() });
      await link.net.pass(everyMs);
      sent += link.peer.takeIp().filter(({ protocol }) => protocol === 1).length;
    }
    return sent;
  }
  beforeEach(async () => {
    set('ip_forward', 1);
    set('icmp_ratelimit', 0);
    link.host.addRoute('192.0.2.0/24', { via: '10.0.0.8' });
    link.peer.arp({ sender: word('10.0.0.8'), senderLink: mac('02:00:00:00:00:98') }, link.peer.mac);
    await link.net.pass(1);
  });

  test('redirect_number in a row', async () => {
    set('route.redirect_number', 2);
    expect(await redirects(20, 100)).toBe(2);
  });

  test('redirect_load: ever more seldom', async () => {
    set('route.redirect_load', 200);
    expect(await redirects(20, 100)).toBe(3);
  });

  test('redirect_silence: anew, to who was quiet so long', async () => {
    set('route.redirect_number', 1);
    set('route.redirect_silence', 500);
    expect(await redirects(3, 400)).toBe(1);
    await link.net.pass(600);
    expect(await redirects(1, 1)).toBe(1);
  });
});

test('secure_redirects: off, any gateway of the subnet is believed where media are not shared', async () => {
  for (const of of ['all', 'eth0']) set(`conf.${of}.shared_media`, 0);
  link.host.addRoute('default', { via: PEER });
  const user = link.host.open({ family: INET });
  user.connect('192.0.2.7', 9);
  const quoted = emitUdp({ srcPort: user.localPort, dstPort: 9, checksum: 0, payload: new Uint8Array(4) });
  const payload = emitIpv4Packet(ipv4({ src: HOST, dst: '192.0.2.7', payload: quoted }));
  const redirect = (): void => link.peer.icmp({ type: 5, code: 1, rest: word('10.0.0.7'), payload });
  expect(await link.dropsOf(redirect)).toEqual({ 'icmpv4.redirect-gateway': 1 });
  for (const of of ['all', 'eth0']) set(`conf.${of}.secure_redirects`, 0);
  expect(await link.dropsOf(redirect)).toEqual({});
  user.close();
});

test('ignore_routes_with_linkdown: a way by a link that is down is none, while another is there', () => {
  const { kernel } = link.host;
  link.host.addRoute('10.0.0.0/8', { via: PEER });
  kernel.port(DeviceTraffic).current.setCarrier(link.host.device('eth1'), false);
  const flow = new Flow();
  const way = (): string | undefined => {
    Object.assign(flow, { family: INET, dst2: IPV4_WORD2, dst3: word('10.0.5.77'), oif: 0 });
    return kernel.port(Route).current.lookup(flow).device?.name;
  };
  expect(way()).toBe('eth1');
  set('conf.eth1.ignore_routes_with_linkdown', 1);
  expect(way()).toBe('eth0');
  kernel.port(DeviceTraffic).current.setCarrier(link.host.device('eth1'), true);
  expect(way()).toBe('eth1');
});

describe('groups', () => {
  const GROUP = '239.1.1.1';
  const words = (text: string) => ipv4Words(word(text));
  const join = (group = GROUP) =>
    link.host.kernel.contributions(MulticastGroups).items[0]!.join(link.host.device('eth0'), words(group), { name: 'test' });
  const said = (): (number | string)[] =>
    link.peer.takeIp().flatMap(({ protocol, payload }) => {
      if (protocol !== 2) return [];
      const message = parseIgmp(payload, 0, payload.length);
      return typeof message === 'string' ? message : message.type;
    });

  test.each([
    [1, IGMP_TYPE.REPORT_V1],
    [2, IGMP_TYPE.REPORT_V2],
    [3, IGMP_TYPE.REPORT_V3],
  ])('force_igmp_version %i', async (version, type) => {
    set('conf.eth0.force_igmp_version', version);
    link.peer.takeIp();
    join();
    await link.net.pass(20_000);
    expect(new Set(said())).toEqual(new Set([type]));
  });

  test.each([2, 3])('igmpv%i_unsolicited_report_interval: within it the second report follows', async (version) => {
    set('conf.eth0.force_igmp_version', version);
    set(`conf.eth0.igmpv${version}_unsolicited_report_interval`, 10);
    link.peer.takeIp();
    join();
    await link.net.pass(20);
    expect(said()).toHaveLength(2);
  });

  test('igmp_qrv: as many reports', async () => {
    set('igmp_qrv', 4);
    link.peer.takeIp();
    join();
    await link.net.pass(20_000);
    expect(said()).toHaveLength(4);
  });

  test('igmp_link_local_mcast_reports: off, nobody is told of 224.0.0.0/24', async () => {
    link.peer.takeIp();
    join('224.0.0.251');
    await link.net.pass(20_000);
    expect(said()).not.toEqual([]);
    set('igmp_link_local_mcast_reports', 0);
    join('224.0.0.252');
    await link.net.pass(20_000);
    expect(said()).toEqual([]);
  });

  test('igmp_max_msf: so many sources', () => {
    const user = link.host.open({ family: INET });
    const filter = (count: number): Uint8Array => {
      const sources = Array.from({ length: count }, (_, i) => `10.1.1.${i + 1}`);
      return Uint8Array.of(...addresses(GROUP, HOST), ...ints(1, count), ...addresses(...sources));
    };
    expect(setOption(user, G.ADD_MEMBERSHIP, addresses(GROUP, HOST))).toBe(0);
    set('igmp_max_msf', 2);
    expect([setOption(user, G.MSFILTER, filter(2)), setOption(user, G.MSFILTER, filter(3))]).toEqual([0, -ERRNO.ENOBUFS]);
    user.close();
  });

  test('a query where no group can be joined', async () => {
    const payload = emitIgmp({
      ...{
        type: IGMP_TYPE.QUERY,
        version: 3,
        group: words('0.0.0.0'),
        maxResponseDs: 100,
        suppress: false,
        robustness: 2,
        intervalS: 125,
        sources: [],
      },
    });
    link.host.device('eth0').flags &= ~0x1000;
    const query = { protocol: 2, ttl: 1, dst: '224.0.0.1', options: [routerAlertOption()], payload };
    expect(await link.dropsOf(() => link.peer.ip(query, '01:00:5e:00:00:01'))).toEqual({ 'igmp.no-group': 1 });
    link.host.device('eth0').flags |= 0x1000;
  });
});

describe('what else is dropped', () => {
  test('ARP that is to be ignored', async () => {
    set('conf.eth0.arp_ignore', 8);
    expect(await link.dropsOf(() => link.peer.arp({}))).toEqual({ 'arp.ignored': 1 });
  });

  test('an echo from where no way leads back', async () => {
    expect(await link.dropsOf(() => link.peer.icmp({}, { src: '203.0.113.9' }))).toEqual({ 'icmpv4.no-way-back': 1 });
  });

  test('a packet whose next hop does not answer', async () => {
    const user = link.host.open({ family: INET });
    const drops = await link.dropsOf(() => void user.send(Uint8Array.of(1), '10.0.0.77', 9), 10_000);
    expect(drops).toEqual({ 'ipv4.neighbour-failed': 1 });
    user.close();
  });

  test('a datagram that is too long with its options', async () => {
    const user = link.host.open({ family: INET });
    // Record route: 39 bytes, and one of padding.
    const route = new Uint8Array(40).fill(0);
    route.set([7, 39, 4]);
    expect(setOption(user, 4, route)).toBe(0);
    const drops = await link.dropsOf(() => void user.send(new Uint8Array(65_507), PEER, 9).catch(() => {}));
    expect(drops).toEqual({ 'ipv4.too-long': 1 });
    user.close();
  });
});

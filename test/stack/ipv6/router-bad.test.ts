import { ADDRESS_FAMILY, DEVICE_FLAG, NameServers, NeighbourProtocol, Route } from '@softnet/contract';
import type { RouterMessage } from '@softnet/ipv6';
import type { IcmpMessage, Ipv6Packet } from '@softnet/wire';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fragment, HOST, HOST_LINK, PEER, RawPeer } from './raw-peer.ts';
import { ROUTER, redirect, router, sendNd, withOptions } from './router-messages.ts';

const FAR = '2001:db8::5';
const RA = 134;
const RS = 133;
const solicitation = { type: RS, payload: new Uint8Array(0) };

/** Routes that routers brought, and what a redirect has changed: '/0 by fe80::9 1024'. */
function routes({ host }: RawPeer): string[] {
  const route = host.kernel.port(Route).current;
  const brought = route.entries(ADDRESS_FAMILY.INET6).filter(({ source }) => source === 9);
  const exceptions = route.exceptions(ADDRESS_FAMILY.INET6);
  return [
    ...brought.map(({ prefix, prefixLen, nextHops, priority, preference = 0 }) => {
      const to = prefixLen === 0 ? 'default' : `${formatIpv6(...prefix)}/${prefixLen}`;
      return `${to} by ${formatIpv6(...nextHops[0]!.gateway!.address)} ${priority} ${preference}`;
    }),
    ...exceptions.map(({ destination, gateway }) => `${formatIpv6(...destination)} by ${formatIpv6(...gateway!.address)}`),
  ];
}

type Row = readonly [name: string, message: Partial<IcmpMessage>, packet: Partial<Ipv6Packet>, drops: string[]];

describe('messages of routers that are not as they should be', () => {
  let peer: RawPeer;
  beforeAll(async () => {
    peer = await RawPeer.boot();
    sendNd(peer, router());
    await peer.net.pass(5);
    peer.drops();
  });
  afterAll(() => peer.end());

  const rows: Row[] = [
    ['RA: hop limit 254 (RFC 4861 §6.1.2)', router(), { hopLimit: 254 }, ['nd.hop-limit']],
    ['RA: hop limit 1 (§6.1.2)', router(), { hopLimit: 1 }, ['nd.hop-limit']],
    ['RA: code 1 (§6.1.2)', { ...router(), code: 1 }, {}, ['nd.code']],
    ['RA: from a global address (§6.1.2)', router(), { src: PEER }, ['nd.source']],
    ['RA: from nobody (§6.1.2)', router(), { src: '::' }, ['nd.source']],
    ['RA: from a unique local address (§6.1.2)', router(), { src: 'fd99::1' }, ['nd.source']],
    ['RA: from a group (RFC 4291 §2.7)', router(), { src: 'ff02::1' }, ['ipv6.source']],
    ['RA: from this host itself (RFC 4861 §6.2.7)', router(), { src: HOST_LINK }, ['nd.router-ourselves']],
    ['RA: nothing behind the ICMPv6 header (§6.1.2)', { type: RA, payload: new Uint8Array(0) }, {}, ['nd.truncated']],
    ['RA: 15 bytes (§6.1.2)', { type: RA, payload: new Uint8Array(7) }, {}, ['nd.truncated']],
    ['RA: an option of length 0 (§6.1.2)', withOptions(router(), [5, 0, 0, 0, 0, 0, 5, 0]), {}, ['nd.option']],
    ['RA: an unknown option of length 0 (§6.1.2)', withOptions(router(), [200, 0, 0, 0, 0, 0, 0, 0]), {}, ['nd.option']],
    ['RA: an option over the end (§6.1.2)', withOptions(router(), [5, 2, 0, 0, 0, 0, 5, 0]), {}, ['nd.option']],
    ['RA: half of an option’s header (§6.1.2)', withOptions(router(), [5]), {}, ['nd.option']],
    [
      'RA: a link address of 14 bytes (RFC 2464 §6)',
      withOptions(router({ linkAddress: null }), [1, 2, ...Array(14).fill(2)]),
      {},
      ['nd.link-address'],
    ],
    ['RA: in fragments (RFC 6980 §5)', router(), { headers: [fragment(0, false)] }, ['nd.fragment']],
    ['RA: to all routers (RFC 4291 §2.8)', router(), { dst: 'ff02::2' }, ['ipv6.not-a-member']],
    ['RS: this host is no router (RFC 4861 §6.2.6)', solicitation, {}, ['nd.no-router']],
    ['RS: hop limit 254 (§6.1.1)', solicitation, { hopLimit: 254 }, ['nd.hop-limit']],
    ['RS: code 1 (§6.1.1)', { ...solicitation, code: 1 }, {}, ['nd.code']],
    [
      'RS: of nobody, with a link address (§6.1.1)',
      { type: RS, payload: Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 9) },
      { src: '::' },
      ['nd.unspecified'],
    ],
    ['RS: an option of length 0 (§6.1.1)', { type: RS, payload: Uint8Array.of(1, 0, 2, 0, 0, 0, 0, 9) }, {}, ['nd.option']],
    ['RS: an option over the end (§6.1.1)', { type: RS, payload: Uint8Array.of(1, 2, 2, 0, 0, 0, 0, 9) }, {}, ['nd.option']],
    ['redirect: hop limit 254 (§8.1)', redirect('fe80::7', FAR), { dst: HOST, hopLimit: 254 }, ['nd.hop-limit']],
    ['redirect: code 1 (§8.1)', { ...redirect('fe80::7', FAR), code: 1 }, { dst: HOST }, ['nd.code']],
    ['redirect: 39 bytes (§8.1)', { type: 137, payload: new Uint8Array(31) }, { dst: HOST }, ['nd.truncated']],
    ['redirect: from a global address (§8.1)', redirect('fe80::7', FAR), { src: PEER, dst: HOST }, ['nd.source']],
    ['redirect: of a group (§8.1)', redirect('fe80::7', 'ff0e::1'), { dst: HOST }, ['nd.target']],
    ['redirect: to a global address that is not the destination (§8.1)', redirect('fd00::7', FAR), { dst: HOST }, ['nd.target']],
    ['redirect: to a group (§8.1)', redirect('ff02::7', FAR), { dst: HOST }, ['nd.target']],
    [
      'redirect: an option of length 0 (§8.1)',
      withOptions(redirect('fe80::7', FAR), [4, 0, 0, 0, 0, 0, 0, 0]),
      { dst: HOST },
      ['nd.option'],
    ],
    [
      'redirect: an option over the end (§8.1)',
      withOptions(redirect('fe80::7', FAR), [4, 9, 0, 0, 0, 0, 0, 0]),
      { dst: HOST },
      ['nd.option'],
    ],
    [
      'redirect: a link address of 14 bytes (RFC 2464 §6)',
      withOptions(redirect('fe80::7', FAR, null), [2, 2, ...Array(14).fill(2)]),
      { dst: HOST },
      ['nd.link-address'],
    ],
    ['redirect: not from the first hop (RFC 4861 §8.1)', redirect('fe80::7', FAR), { src: 'fe80::8', dst: HOST }, ['nd.redirect-stranger']],
    [
      'redirect: of a destination on the link, which has no first hop (§8.1)',
      redirect('fe80::7', 'fd00::77'),
      { dst: HOST },
      ['nd.redirect-stranger'],
    ],
    ['redirect: of a destination behind another router (§8.1)', redirect('fe80::7', 'fd01::5'), { dst: HOST }, ['nd.redirect-stranger']],
    ['redirect: of an address of this host (§8.1)', redirect('fe80::7', HOST), { dst: HOST }, ['nd.redirect-stranger']],
    ['redirect: of no destination (§8.1)', redirect('fe80::7', '::'), { dst: HOST }, ['nd.redirect-stranger']],
    ['redirect: to its sender (§8.1)', redirect(ROUTER, FAR), { dst: HOST }, ['nd.redirect-target']],
    ['redirect: to this host (§8.1)', redirect(HOST_LINK, FAR), { dst: HOST }, ['nd.redirect-target']],
    ['redirect: in fragments (RFC 6980 §5)', redirect('fe80::7', FAR), { dst: HOST, headers: [fragment(0, false)] }, ['nd.fragment']],
  ];
  test.each(rows)('%s', async (_name, message, packet, drops) => {
    sendNd(peer, message, packet);
    expect(await peer.messages()).toEqual([]);
    expect(peer.drops()).toEqual(drops);
    expect(routes(peer)).toEqual([`default by ${ROUTER} 1024 0`]);
  });

  test.each([
    ['accept_ra', 0, router({ preference: 1 }), 'nd.router-off'],
    ['forwarding', 1, router({ preference: 1 }), 'nd.router-off'],
    ['accept_redirects', 0, redirect('fe80::7', FAR), 'nd.redirect-off'],
    ['forwarding', 1, redirect('fe80::7', FAR), 'nd.redirect-off'],
  ] as const)('where %s is %i, it does not count (RFC 4861 §6.2.7, §8.3)', async (name, value, message, drop) => {
    const { sysctl } = peer.host.kernel;
    sysctl.set(`net.ipv6.conf.eth0.${name}`, value);
    sendNd(peer, message);
    await peer.net.pass(5);
    expect(peer.drops()).toEqual([drop]);
    sysctl.set(`net.ipv6.conf.eth0.${name}`, name === 'forwarding' ? 0 : 1);
    sendNd(peer, router());
    await peer.net.pass(5);
  });

  test('a checksum that is wrong (RFC 4443 §2.3)', async () => {
    peer.packet({
      src: ROUTER,
      dst: 'ff02::1',
      hopLimit: 255,
      protocol: 58,
      payload: Uint8Array.from([RA, 0, 1, 2, ...Array(12).fill(0)]),
    });
    await peer.net.pass(5);
    expect(peer.drops()).toEqual(['icmpv6.checksum']);
  });
});

describe('what cannot be meant is passed over, and the rest counts', () => {
  let peer: RawPeer;
  const changed = new Set<string>();
  beforeAll(async () => {
    peer = await RawPeer.boot({ known: false });
  });
  afterAll(() => peer.end());
  // A link that comes up knows no router.
  afterEach(() => {
    for (const name of changed) setConf(name, Number(peer.host.kernel.sysctl.get(`net.ipv6.conf.default.${name}`)));
    changed.clear();
    peer.host.down('eth0');
  });
  const setConf = (name: string, value: number): void => peer.host.kernel.sysctl.set(`net.ipv6.conf.eth0.${name}`, value);

  const prefix = (text: string, prefixLen: number, more = {}) => ({
    prefix: parseIpv6(text)!,
    prefixLen,
    preference: 0,
    lifetimeS: 600,
    ...more,
  });
  const names = (...labels: string[]) => labels.flatMap((label) => [label.length, ...Array.from(label, (char) => char.charCodeAt(0))]);
  const dnssl = (...bytes: number[]) => {
    const padded = [...bytes, ...Array((8 - (bytes.length % 8)) % 8).fill(0)];
    return [31, 1 + padded.length / 8, 0, 0, 0, 0, 2, 0, ...padded];
  };
  const byRouter = `default by ${ROUTER} 1024 0`;
  const WIDE = { accept_ra_rt_info_max_plen: 128 };

  const rows: readonly [
    name: string,
    message: Partial<RouterMessage>,
    expected: object,
    settings?: Record<string, number>,
    options?: number[][],
  ][] = [
    ['lifetime 0: no default router (RFC 4861 §6.3.4)', { lifetimeS: 0 }, { routes: [] }],
    ['lifetime 65,535 (RFC 8319 §4)', { lifetimeS: 65_535 }, { routes: [byRouter] }],
    ['lifetime below accept_ra_min_lft', { lifetimeS: 59 }, { routes: [] }, { accept_ra_min_lft: 60 }],
    ['accept_ra_defrtr 0', {}, { routes: [] }, { accept_ra_defrtr: 0 }],
    ['ra_defrtr_metric', {}, { routes: [`default by ${ROUTER} 7 0`] }, { ra_defrtr_metric: 7 }],
    ['high preference (RFC 4191 §2.2)', { preference: 1 }, { routes: [`default by ${ROUTER} 1024 1`] }],
    ['the reserved preference is medium (RFC 4191 §2.2)', { preference: -2 }, { routes: [byRouter] }],
    ['accept_ra_rtr_pref 0', { preference: -1 }, { routes: [byRouter] }, { accept_ra_rtr_pref: 0 }],
    ['hop limit 0: not said (RFC 4861 §6.3.4)', { hopLimit: 0 }, { hopLimit: 0 }],
    ['hop limit 5', { hopLimit: 5 }, { hopLimit: 5 }],
    ['hop limit below accept_ra_min_hop_limit', { hopLimit: 5 }, { hopLimit: 0 }, { accept_ra_min_hop_limit: 6 }],
    ['MTU 1279: no link carries less than 1280 (RFC 8200 §5)', { mtuBytes: 1279 }, { mtuBytes: 0 }],
    ['MTU 1280', { mtuBytes: 1280 }, { mtuBytes: 1280 }],
    ['MTU 1501: more than the link has (RFC 4861 §6.3.4)', { mtuBytes: 1501 }, { mtuBytes: 0 }],
    ['MTU 4,294,967,295', { mtuBytes: 0xffffffff }, { mtuBytes: 0 }],
    ['an MTU option of 16 bytes (RFC 4861 §4.6.4)', {}, { mtuBytes: 0 }, {}, [[5, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0]]],
    ['accept_ra_mtu 0', { mtuBytes: 1280 }, { mtuBytes: 0 }, { accept_ra_mtu: 0 }],
    ['reachable time 3,600,001 (§6.2.1)', { reachableMs: 3_600_001 }, { reachableMs: 0 }],
    ['reachable time 4,294,967,295 (§6.2.1)', { reachableMs: 0xffffffff }, { reachableMs: 0 }],
    ['reachable time 3,600,000', { reachableMs: 3_600_000 }, { reachableMs: 3_600_000 }],
    ['reachable time 99', { reachableMs: 99 }, { reachableMs: 0 }],
    ['reachable time 100', { reachableMs: 100 }, { reachableMs: 100 }],
    ['retransmissions after 10,001 ms', { retransMs: 10_001 }, { retransMs: 0 }],
    ['retransmissions after an hour', { retransMs: 3_600_000 }, { retransMs: 0 }],
    ['retransmissions after 10 s', { retransMs: 10_000 }, { retransMs: 10_000 }],
    ['retransmissions after 10 ms', { retransMs: 10 }, { retransMs: 10 }],
    ['retransmissions after 1 ms', { retransMs: 1 }, { retransMs: 0 }],
    ['retransmissions after 49 days', { retransMs: 0xffffffff }, { retransMs: 0 }],
    ['retransmissions after 500 ms', { retransMs: 500 }, { retransMs: 500 }],
    ['route information, which no setting asks for (RFC 4191)', { routes: [prefix('2001:db8:1::', 48)] }, { routes: [byRouter] }],
    [
      'route information (RFC 4191 §3.1)',
      { routes: [prefix('2001:db8:1::', 48, { preference: 1 })] },
      { routes: [byRouter, `2001:db8:1::/48 by ${ROUTER} 1024 1`] },
      WIDE,
    ],
    [
      'bits behind its prefix (RFC 4191 §2.3)',
      { lifetimeS: 0, routes: [prefix('2001:db8:1::ff', 48)] },
      { routes: [`2001:db8:1::/48 by ${ROUTER} 1024 0`] },
      WIDE,
    ],
    [
      'route information, too short for accept_ra_rt_info_min_plen',
      { routes: [prefix('2001:db8:1::', 48)] },
      { routes: [byRouter] },
      { ...WIDE, accept_ra_rt_info_min_plen: 49 },
    ],
    [
      'route information of lifetime 0 (RFC 4191 §2.3)',
      { routes: [prefix('2001:db8:1::', 48, { lifetimeS: 0 })] },
      { routes: [byRouter] },
      WIDE,
    ],
    [
      'route information for ever',
      { lifetimeS: 0, routes: [prefix('2001:db8:1::', 48, { lifetimeS: 0xffffffff })] },
      { routes: [`2001:db8:1::/48 by ${ROUTER} 1024 0`] },
      WIDE,
    ],
    [
      'its reserved preference (RFC 4191 §2.3)',
      {},
      { routes: [byRouter] },
      WIDE,
      [[24, 2, 48, 0x10, 0, 0, 2, 0, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 0]],
    ],
    ['a prefix of 129 bits (RFC 4191 §2.3)', {}, { routes: [byRouter] }, WIDE, [[24, 3, 129, 0, 0, 0, 2, 0, ...Array(16).fill(0x20)]]],
    ['a prefix longer than its option (RFC 4191 §2.3)', {}, { routes: [byRouter] }, WIDE, [[24, 1, 48, 0, 0, 0, 2, 0]]],
    ['a route to groups (RFC 4291 §2.7)', { routes: [prefix('ff00::', 8)] }, { routes: [byRouter] }, WIDE],
    ['a route to link-local addresses (RFC 4291 §2.5.6)', { routes: [prefix('fe80::', 64)] }, { routes: [byRouter] }, WIDE],
    [
      'of the default route, in the place of the header (RFC 4191 §3.1)',
      { preference: -1, routes: [prefix('::', 0, { preference: 1 })] },
      { routes: [`default by ${ROUTER} 1024 1`] },
    ],
    [
      'servers of names (RFC 8106 §5.1)',
      { nameServers: [{ lifetimeS: 60, addresses: [parseIpv6('fd00::53')!] }] },
      { servers: ['fd00::53'] },
    ],
    ['servers of lifetime 0 (RFC 8106 §5.1)', { nameServers: [{ lifetimeS: 0, addresses: [parseIpv6('fd00::53')!] }] }, { servers: [] }],
    [
      'servers that nobody can ask',
      { nameServers: [{ lifetimeS: 60, addresses: ['ff02::1', '::', '::1', 'fd00::54'].map((each) => parseIpv6(each)!) }] },
      { servers: ['fd00::54'] },
    ],
    ['half an address (RFC 8106 §5.3.1)', {}, { servers: [] }, {}, [[25, 2, 0, 0, 0, 0, 2, 0, ...Array(8).fill(0x20)]]],
    ['no address (RFC 8106 §5.3.1)', {}, { servers: [] }, {}, [[25, 1, 0, 0, 0, 0, 2, 0]]],
    [
      'more servers than are kept (RFC 8106 §6.1)',
      { nameServers: [{ lifetimeS: 60, addresses: Array.from({ length: 30 }, (_, i) => [0xfd000000 | 0, 0, 0, i + 1] as const) }] },
      { serverCount: 8 },
    ],
    ['search domains (RFC 8106 §5.2)', { searchLists: [{ lifetimeS: 60, names: ['Example.org'] }] }, { domains: ['example.org'] }],
    ['a label over the end (RFC 8106 §5.3.1)', {}, { domains: [] }, {}, [dnssl(63, 97)]],
    ['a compressed name (RFC 8106 §5.2)', {}, { domains: [] }, {}, [dnssl(...names('a'), 0xc0, 8)]],
    ['a space in a name (RFC 1123 §2.1)', {}, { domains: [] }, {}, [dnssl(...names('a b', 'org'), 0)]],
    ['no name (RFC 8106 §5.3.1)', {}, { domains: [] }, {}, [dnssl()]],
    ['unknown options (RFC 4861 §4.2)', {}, { routes: [byRouter] }, {}, [[200, 1, 1, 2, 3, 4, 5, 6]]],
    ['a prefix information of 8 bytes (RFC 4861 §4.6.2)', {}, { routes: [byRouter] }, {}, [[3, 1, 64, 0xc0, 0, 0, 0, 0]]],
    ['a redirected header in it (RFC 4861 §4.2)', {}, { routes: [byRouter] }, {}, [[4, 1, 1, 2, 3, 4, 5, 6]]],
  ];
  test.each(rows)('%s', async (_name, message, expected, settings = {}, options = []) => {
    if ((peer.host.device('eth0').flags & DEVICE_FLAG.UP) === 0) {
      peer.host.up('eth0');
      peer.host.addAddress('eth0', `${HOST}/64`);
    }
    await peer.introduce();
    for (const [name, value] of Object.entries(settings)) {
      setConf(name, value);
      changed.add(name);
    }
    await peer.net.pass(5);
    peer.drops();
    sendNd(peer, withOptions(router(message), ...options));
    await peer.net.pass(5);
    expect(peer.drops()).toEqual([]);
    expect(await seen(peer)).toMatchObject(expected);
  });
});

/** What a host knows of routers, and does for it. */
async function seen(peer: RawPeer): Promise<object> {
  const { host } = peer;
  const { kernel } = host;
  const servers = kernel
    .contributions(NameServers)
    .items.flatMap(({ servers: known }) => known.map(({ address }) => formatIpv6(...address)));
  const domains = kernel.contributions(NameServers).items.flatMap(({ searchDomains }) => searchDomains.map(({ name }) => name));
  const protocol = kernel.contributions(NeighbourProtocol).items.find(({ family }) => family === ADDRESS_FAMILY.INET6)!;
  const device = host.device('eth0');
  const user = host.open();
  peer.received.length = 0;
  await peer.net.run(user.send(new Uint8Array(1400), PEER, 9));
  const [sent] = await peer.answers();
  user.close();
  return {
    ...{ routes: routes(peer), servers, serverCount: servers.length, domains },
    hopLimit: sent!.hopLimit === 64 ? 0 : sent!.hopLimit,
    mtuBytes: sent!.headers.length === 0 ? 0 : 1280,
    reachableMs: protocol.reachableMs(device),
    retransMs: protocol.retransMs(device),
  };
}

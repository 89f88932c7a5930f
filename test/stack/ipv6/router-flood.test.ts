import { ADDRESS_FAMILY, NameServers, Neighbours, NeighbourTable, NetworkLayer, Route } from '@softnet/contract';
import { emitIcmpv6, emitIpv6Packet, formatIpv6, ipv6PseudoHeaderSum, parseIpv6, parseMac, viewOf } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOST, PEER_MAC, packetOf, RawPeer } from './raw-peer.ts';
import { ROUTER, router, sendNd } from './router-messages.ts';

const { INET6 } = ADDRESS_FAMILY;
/** How many; with SOFTNET_SIMULATION=whole as many as it says below. */
const FLOOD = process.env.SOFTNET_SIMULATION === 'whole' ? 100_000 : 10_000;
const WARM = 2000;
const BATCH = 500;

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot();
  peer.host.kernel.sysctl.set('net.ipv6.conf.eth0.accept_ra_rt_info_max_plen', 128);
});
afterEach(() => peer.end());

/** A packet of a stranger, another one for each number: its address, its prefix, a route by it, and a server. */
function strangers(): (index: number) => Uint8Array {
  const prefix = [0x20010000, 0, 0, 0] as const;
  const message = router({
    prefixes: [{ prefix, prefixLen: 64, onLink: true, autonomous: true, validS: 3600, preferredS: 3600 }],
    routes: [{ prefix, prefixLen: 48, preference: 1, lifetimeS: 600 }],
    nameServers: [{ lifetimeS: 600, addresses: [[0xfd000000 | 0, 0, 1, 0]] }],
    searchLists: [{ lifetimeS: 600, names: ['example.org'] }],
  });
  const src = 'fe80::1:0:0';
  const whole = packetOf({ src, dst: 'ff02::1', hopLimit: 255, protocol: 58, payload: new Uint8Array(8 + message.payload.length) });
  const pseudo = ipv6PseudoHeaderSum(viewOf(emitIpv6Packet(whole)), 0, 58, whole.payload.length);
  const bytes = emitIpv6Packet({ ...whole, payload: emitIcmpv6(message, pseudo) });
  const view = viewOf(bytes);
  // Behind both headers, the fixed part and a link address: a prefix of 32 bytes, a route of 16, a server of 24.
  const options = 40 + 16 + 8;
  const places = [8 + 12, options + 16 + 2, options + 32 + 8 + 2, options + 32 + 16 + 8 + 12];
  return (index) => {
    for (const at of places) view.setUint32(at, index);
    const added = places.length * ((index >>> 16) + (index & 0xffff));
    // The reserved word of the prefix makes up for it, so that the checksum stays.
    view.setUint16(options + 12, 0xffff - (added % 0xffff));
    return bytes;
  };
}

async function flood(from: number, count: number): Promise<void> {
  const packet = strangers();
  for (let i = from; i < from + count; i++) {
    peer.bytes(packet(i), 'ff02::1');
    if (i % BATCH === BATCH - 1) await peer.net.pass(10);
  }
}

function known(): Record<string, number> {
  const { kernel } = peer.host;
  const routes = kernel.port(Route).current.entries(INET6);
  const [names] = kernel.contributions(NameServers).items;
  return {
    routers: routes.filter(({ source, prefixLen }) => source === 9 && prefixLen === 0).length,
    routes: routes.filter(({ source, prefixLen }) => source === 9 && prefixLen === 48).length,
    servers: names!.servers.length,
    domains: names!.searchDomains.length,
  };
}

test('routers without number, each with a prefix, a route, a server: so many are kept, and no memory grows', {
  timeout: 120_000,
}, async () => {
  sendNd(peer, router());
  await flood(0, WARM);
  const before = known();
  expect(before).toEqual({ routers: 16, routes: 64, servers: 8, domains: 1 });
  globalThis.gc!();
  const heapBytes = process.memoryUsage().heapUsed;
  await flood(WARM, FLOOD - WARM);
  globalThis.gc!();
  expect(process.memoryUsage().heapUsed - heapBytes).toBeLessThan(1 << 20);
  expect(known()).toEqual(before);
  const { kernel } = peer.host;
  const layer = kernel.contributions(NetworkLayer).items.find(({ family }) => family === INET6)!;
  // As max_addresses says, beside those of the host itself.
  expect([...layer.addresses].filter(({ device }) => device.name === 'eth0').length).toBeLessThanOrEqual(18);
  expect(kernel.port(Neighbours).current.entries(INET6).length).toBeLessThanOrEqual(1100);
  expect(kernel.counters().find(({ name }) => name.endsWith('routers-refused'))!.value).toBeGreaterThan(2 * (FLOOD - WARM));
  // The first was there before the strangers, and still is; who is on the link is served.
  const [first] = kernel
    .port(Route)
    .current.entries(INET6)
    .filter(({ source, prefixLen }) => source === 9 && prefixLen === 0);
  expect(formatIpv6(...first!.nextHops[0]!.gateway!.address)).toBe('fe80::9');
  peer.received.length = 0;
  peer.icmp({ type: 128, payload: new Uint8Array(8) }, { dst: HOST });
  expect(await peer.messages()).toEqual(['129']);
});

test('one router that says the same two thousand times, while its times go on, makes no cached route stale', async () => {
  const prefix = {
    prefix: [0xfd020000 | 0, 0, 0, 0],
    prefixLen: 64,
    onLink: true,
    autonomous: true,
    validS: 3600,
    preferredS: 3000,
  } as const;
  const message = router({
    prefixes: [prefix],
    routes: [{ prefix: [0xfd030000 | 0, 0, 0, 0], prefixLen: 48, preference: 1, lifetimeS: 600 }],
  });
  sendNd(peer, message);
  await peer.net.pass(5000);
  // It answers no probes.
  const { kernel } = peer.host;
  kernel.port(NeighbourTable).current.set(peer.host.device('eth0'), INET6, parseIpv6(ROUTER)!, parseMac(PEER_MAC)!);
  const user = peer.host.open();
  user.connect('2001:db8::1', 9);
  const { dst } = user.sock;
  let stale = 0;
  for (let i = 0; i < 2000; i++) {
    sendNd(peer, message);
    if (i % 100 === 99) await peer.net.pass(3000);
    if (dst!.generation !== dst!.dst!.generation.value) {
      stale++;
      await peer.net.run(user.send(Uint8Array.of(1)));
    }
  }
  expect(stale).toBe(0);
  // And they are prolonged all the same: a minute has gone by.
  const ends = peer.host.kernel
    .port(Route)
    .current.entries(INET6)
    .filter(({ expiresMs }) => expiresMs !== undefined);
  const leftS = ends.map(({ expiresMs, prefixLen }) => `/${prefixLen} ${Math.round((expiresMs! - peer.net.world.nowUs / 1000) / 1000)}`);
  expect(leftS.sort()).toEqual(['/0 1797', '/48 597', '/64 3597']);
  user.close();
});

import { RouterAdvertisements } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { IcmpMessage, Ipv6Packet } from '@softnet/wire';
import { parseIpv6 } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fragment, HOST, HOST_LINK, PEER, PEER_MAC, RawPeer } from './raw-peer.ts';
import { redirect, router, sendNd } from './router-messages.ts';

/** With SOFTNET_SIMULATION=whole many more. */
const RUNS = process.env.SOFTNET_SIMULATION === 'whole' ? 40 : 4;
const DAY_MS = 86_400_000;
const CONF = 'net.ipv6.conf';
/** Around what int32 ms, uint32 µs and timers hold. */
const EDGES = [0, 1, 7200, 4294, 4295, 2_147_483, 2_147_484, 281_474_976, 281_474_977, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const PLACES = ['fe80::9', 'fe80::8', HOST, HOST_LINK, PEER, 'fd01::5', '2001:db8::ff:fe00:1', '2001:db8::5', '::', '::1', 'ff02::1'];

const number = fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 0, max: 0xffffffff }));
const place = fc.constantFrom(...PLACES);
const words = place.map((text) => parseIpv6(text)!);
const prefixLen = fc.oneof(fc.constant(64), fc.integer({ min: 0, max: 128 }));
const preference = fc.constantFrom(-1, 0, 1);
const few = { maxLength: 3 };

const prefix = fc
  .record({
    network: fc.integer({ min: 0, max: 30 }),
    prefixLen,
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    validS: number,
    life: number,
  })
  .map(({ network, life, ...rest }) => ({
    ...rest,
    prefix: [0x20010db8, network, 0, 0] as const,
    preferredS: Math.min(life, rest.validS),
  }));

const advertisement = fc
  .record({
    ...{ hopLimit: fc.integer({ min: 0, max: 255 }), preference, lifetimeS: fc.constantFrom(0, 1, 1800, 65_535), mtuBytes: number },
    ...{ reachableMs: number, retransMs: number, prefixes: fc.array(prefix, few) },
    routes: fc.array(fc.record({ prefix: words, prefixLen, preference, lifetimeS: number }), few),
    nameServers: fc.array(fc.record({ lifetimeS: number, addresses: fc.array(words, { minLength: 1, maxLength: 3 }) }), few),
    searchLists: fc.array(fc.record({ lifetimeS: number, names: fc.constantFrom(['a.example'], ['b.example', 'c.example']) }), few),
  })
  .map((said) => router(said));

interface Event {
  readonly kind: 'advertisement' | 'redirect' | 'solicitation' | 'claim' | 'fragment';
  readonly message: IcmpMessage;
  readonly packet: Partial<Ipv6Packet>;
  readonly target: string;
  readonly number: number;
  readonly passMs: number;
}

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('advertisement', 'advertisement', 'redirect', 'solicitation', 'claim', 'fragment'),
  message: advertisement,
  packet: fc.oneof(
    fc.constant({}),
    fc.record({ src: place, dst: fc.constantFrom('ff02::1', 'ff02::2', HOST, HOST_LINK, 'ff02::1:ff00:1') }),
  ),
  ...{ target: place, number, passMs: fc.constantFrom(0.01, 1, 100, 1000, 60_000, 3_600_000) },
});

const settings = fc.record({
  [`${CONF}.default.use_tempaddr`]: fc.constantFrom(0, 1, 2),
  [`${CONF}.default.addr_gen_mode`]: fc.constantFrom(0, 3),
  [`${CONF}.default.dad_transmits`]: fc.constantFrom(0, 1, 2),
  [`${CONF}.default.accept_dad`]: fc.constantFrom(0, 1, 2),
  [`${CONF}.default.optimistic_dad`]: fc.constantFrom(0, 1),
  [`${CONF}.default.router_solicitations`]: fc.constantFrom(-1, 0, 3),
  [`${CONF}.default.accept_ra_rt_info_max_plen`]: fc.constant(128),
});

function send(peer: RawPeer, { kind, message, packet, target, number: flags }: Event): void {
  if (kind === 'advertisement') sendNd(peer, message, packet);
  else if (kind === 'redirect') sendNd(peer, redirect(target, PLACES[flags % PLACES.length]!), packet);
  else if (kind === 'solicitation') peer.solicit({ target }, packet);
  else if (kind === 'claim') peer.solicit({ target, type: 136, flags: flags | 0, linkAddress: flags % 2 === 0 ? PEER_MAC : null }, packet);
  else
    peer.icmp(
      { type: 128, payload: new Uint8Array(flags % 256) },
      { ...packet, headers: [fragment(8 * (flags % 8192), flags % 3 > 0, flags % 4)] },
    );
}

/** Speaks as a router, and heeds others. */
function beRouter({ host }: RawPeer): void {
  const { sysctl } = host.kernel;
  for (const name of ['forwarding', 'proxy_ndp']) sysctl.set(`${CONF}.eth0.${name}`, 1);
  sysctl.set(`${CONF}.eth0.accept_ra`, 2);
  host.kernel.port(RouterAdvertisements).current.set(host.device('eth0'), {});
}

async function live(peer: RawPeer, events: readonly Event[]): Promise<void> {
  for (const each of events) {
    send(peer, each);
    await peer.net.pass(each.passMs);
  }
  await peer.net.run(peer.host.kernel.replace('ipv6', Ipv6Module));
  await peer.net.pass(40 * DAY_MS);
}

/** Neither an exception, nor an instant that does not end; and whoever comes later is served. */
test('whatever numbers others say, days go by, and IPv6 can be taken out', { timeout: 60_000 }, async () => {
  const property = fc.asyncProperty(
    settings,
    fc.boolean(),
    fc.array(event, { minLength: 40, maxLength: 60 }),
    async (said, isRouter, events) => {
      const peer = await RawPeer.boot({ settings: said as Record<string, number> });
      const { host, net } = peer;
      if (isRouter) beRouter(peer);
      await live(peer, events);
      host.kernel.sysctl.set(`${CONF}.eth0.disable_ipv6`, 0);
      host.addAddress('eth0', 'fd07::1/64');
      // The time between probes is what a router has said: an hour at most.
      await net.pass(3 * 3_600_000);
      peer.received.length = 0;
      peer.solicit({ target: 'fd07::1' }, { src: 'fd07::9', dst: 'fd07::1' });
      expect(await peer.messages(100)).toContain('136 to fd07::9');
      await net.run(host.kernel.unload('ipv6', { cascade: true }).report);
      await peer.end();
    },
  );
  await fc.assert(property, { numRuns: RUNS, seed: 6, endOnFailure: true });
});

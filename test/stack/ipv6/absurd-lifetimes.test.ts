import { ADDRESS_FAMILY, NameServers, NetworkLayer, Route } from '@softnet/contract';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawPeer } from './raw-peer.ts';
import { router, sendNd } from './router-messages.ts';

const DAY_MS = 86_400_000;
const PREFIX = parseIpv6('2001:db8::')!;
const ADDRESS = '2001:db8::ff:fe00:1';
/** 30 days, which RFC 4861 §6.2.1 has as the usual one, is more than int32 ms; 9 years more than a timer takes; then the most there is. */
const LIFETIMES_S = [2_592_000, 300_000_000, 0x7fffffff, 0xfffffffe, 0xffffffff];

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot();
});
afterEach(() => peer.end());

function addresses(): string[] {
  const layer = peer.host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === ADDRESS_FAMILY.INET6)!;
  return [...layer.addresses].map(({ address }) => formatIpv6(...address));
}

/** Routes to the prefix. */
function routes(): number {
  const entries = peer.host.kernel.port(Route).current.entries(ADDRESS_FAMILY.INET6);
  return entries.filter(({ prefix, prefixLen }) => prefixLen === 64 && formatIpv6(...prefix) === formatIpv6(...PREFIX)).length;
}

/** It still answers who asks. */
async function answers(): Promise<boolean> {
  peer.solicit({ target: 'fd00::1' }, { src: 'fd00::9', dst: 'fd00::1' });
  return (await peer.messages(50)).includes('136 to fd00::9');
}

describe.each(LIFETIMES_S)('%i s', (lifetimeS) => {
  test('a prefix that is valid so long (RFC 4861 §4.6.2, RFC 4862 §5.5.3)', async () => {
    const option = { prefix: PREFIX, prefixLen: 64, onLink: true, autonomous: true, validS: lifetimeS, preferredS: lifetimeS };
    sendNd(peer, router({ prefixes: [option] }));
    await peer.net.pass(DAY_MS);
    expect([addresses().includes(ADDRESS), routes(), await answers()]).toEqual([true, 1, true]);
  });

  test('names and routes that are good so long, when the router itself has gone (RFC 8106 §5.1, RFC 4191 §2.3)', async () => {
    const server = parseIpv6('fd00::53')!;
    const nameServers = [{ lifetimeS, addresses: [server] }];
    sendNd(peer, router({ nameServers, searchLists: [{ lifetimeS, names: ['example.org'] }], lifetimeS: 0 }));
    await peer.net.pass(10);
    sendNd(peer, router({ routes: [{ prefix: PREFIX, prefixLen: 48, preference: 0, lifetimeS }], lifetimeS: 1 }));
    await peer.net.pass(DAY_MS);
    const [names] = peer.host.kernel.contributions(NameServers).items;
    expect([names!.servers.length, names!.searchDomains.length, await answers()]).toEqual([1, 1, true]);
  });
});

test('link parameters that cannot be meant leave searches for duplicates as they are (RFC 4861 §6.3.4)', async () => {
  peer.host.removeAddress('eth0', 'fd00::1/64');
  sendNd(peer, router({ retransMs: 0xffffffff, reachableMs: 0xffffffff, mtuBytes: 0xffffffff, hopLimit: 255 }));
  await peer.net.pass(DAY_MS);
  peer.host.addAddress('eth0', 'fd00::1/64');
  await peer.net.pass(5000);
  expect(await answers()).toBe(true);
});

import type { InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, NetworkLayer, Route, RouterAdvertisements } from '@softnet/contract';
import { Captures } from '@softnet/nic-driver';
import type { NetHost, RoutedHosts } from '@softnet/testkit';
import { LINUX_HOST, Net } from '@softnet/testkit';
import { formatIpv6 } from '@softnet/wire';
import type { FlowEnds } from './flows.ts';
import { Flows } from './flows.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
/** What routers say lives for three times as long: it goes on only as it is heard again. */
const INTERVAL_MS = 4000;
/** Of the prefixes: a temporary address has a successor when little of it is left. */
const PREFIX_MS = 40_000;
/** Of the far link: datagrams are cut for it by who sends them, who is told so once. */
const FAR_MTU_BYTES = 1400;
const SETTINGS = Object.freeze({ ...LINUX_HOST, 'net.ipv6.conf.default.use_tempaddr': 2 });

/**
 * Hosts a and b, and the router r between them, that have IPv6 as one has it without a hand on it: r tells of itself, a and b have their
 * addresses (temporary ones too) and their default router of it; duplicates are looked for and groups are reported. IPv4 is by hand.
 */
async function autoconfiguredHosts(seed: number): Promise<RoutedHosts> {
  const net = new Net({ seed, kernel: { settings: SETTINGS } });
  const [a, r, b] = [await net.host('a'), await net.router('r'), await net.host('b')];
  const cable = { delayUs: 200 };
  await net.join({ host: a, device: 'eth0', addresses: ['10.0.1.2/24'] }, { host: r, device: 'eth0', addresses: ['10.0.1.1/24'] }, cable);
  await net.join({ host: r, device: 'eth1', addresses: ['10.0.2.1/24'] }, { host: b, device: 'eth0', addresses: ['10.0.2.2/24'] }, cable);
  a.addRoute('default', { via: '10.0.1.1', dev: 'eth0' });
  b.addRoute('default', { via: '10.0.2.1', dev: 'eth0' });
  for (const [index, name] of ['eth0', 'eth1'].entries()) {
    r.kernel.sysctl.set(`net.ipv6.conf.${name}.forwarding`, true);
    r.addAddress(name, `2001:db8:0:${index + 1}::1/64`);
  }
  r.setMtu('eth1', FAR_MTU_BYTES);
  b.setMtu('eth0', FAR_MTU_BYTES);
  const advertisements = r.kernel.port(RouterAdvertisements).current;
  for (const [index, name] of ['eth0', 'eth1'].entries()) {
    const prefix = { prefix: [0x20010db8, index + 1, 0, 0] as const, prefixLen: 64, validMs: PREFIX_MS, preferredMs: PREFIX_MS };
    advertisements.set(r.device(name), { maxIntervalMs: INTERVAL_MS, minIntervalMs: 3000, prefixes: [prefix] });
  }
  await net.pass(10_000);
  for (const host of [a, b]) await net.run(host.addressesSettled());
  return { net, a, r, b };
}

/** Flows of both families between {@link autoconfiguredHosts}. */
export async function flowsOfBoth(seed: number): Promise<Flows> {
  const hosts = await autoconfiguredHosts(seed);
  const ipv6: FlowEnds = { family: INET6, toA: stableAddress(hosts.a), toB: stableAddress(hosts.b) };
  return await Flows.between(hosts, [{ family: INET, toA: '10.0.1.2', toB: '10.0.2.2' }, ipv6]);
}

/** That of its prefix which stays. */
function stableAddress(host: NetHost): string {
  const found = ipv6Addresses(host).find(({ address, flags }) => address[0] === 0x20010db8 && (flags & ADDRESS_FLAG.TEMPORARY) === 0);
  if (found === undefined) throw new Error(`${host.kernel.name} has no address of its router's prefix`);
  return formatIpv6(...found.address);
}

/** Of the newest generation. */
export function ipv6Addresses(host: NetHost): readonly InterfaceAddress[] {
  const layer = host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET6);
  return layer === undefined ? [] : [...layer.addresses];
}

/** All that a host has of IPv6, but for the times at which it ends; and when the first of it ends, kernel ms. */
export function ipv6Of(host: NetHost): { readonly words: readonly string[]; readonly untilMs: number } {
  const addresses = ipv6Addresses(host).filter(({ flags }) => (flags & ADDRESS_FLAG.DEPRECATED) === 0);
  const routes = host.kernel.port(Route).current.entries(INET6);
  const words = [
    ...addresses.map(({ device, address, prefixLen, flags }) => `${device.name} ${formatIpv6(...address)}/${prefixLen} ${flags}`),
    ...routes.map(({ expiresMs: _, ...route }) => JSON.stringify(route)),
  ];
  const ends = [
    ...addresses.map(({ validUntilMs }) => validUntilMs),
    ...routes.map(({ expiresMs }) => expiresMs ?? Number.POSITIVE_INFINITY),
  ];
  return { words: words.sort(), untilMs: Math.min(...ends) };
}

/** Packets from `::` that a router has sent and seen since, on both links: whoever looks for duplicates sends them, and nobody else. */
export function countProbes(r: NetHost): () => number {
  const options = { filter: 'ip6 and src host ::', drops: false, write: () => {} };
  const capture = r.kernel.port(Captures).current.start(options, { name: 'probes' });
  return () => {
    const { frames, missed, error } = capture;
    if (missed > 0 || error !== null) throw new Error('the capture has not seen all');
    return frames;
  };
}

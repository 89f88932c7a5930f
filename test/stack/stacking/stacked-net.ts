import { ADDRESS_FAMILY, ROUTE_TYPE, RouteTables } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { ModuleSource } from '@softnet/kernel';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { parseAddress, parsePrefix } from '@softnet/wire';
import { TagModule } from './tag-module.ts';
import { TubeModule } from './tube-module.ts';
import { VeilModule } from './veil-module.ts';

const IPV4_STACK: readonly ModuleSource[] = Object.freeze(HOST_STACK.filter((source) => source !== Ipv6Module));

/** A client behind 'a', which reaches 'b' by a tube over the router 'r': c - a - r - b. */
export interface StackedNet {
  readonly net: Net;
  readonly c: NetHost;
  readonly a: NetHost;
  readonly r: NetHost;
  readonly b: NetHost;
}

/** Inside of the tube. */
export const [A_INSIDE, B_INSIDE] = ['10.9.0.1', '10.9.0.2'] as const;

/** @param veiled what passes through the tube is transformed, too. */
export async function stackedNet({ veiled = true, settings = {} as Record<string, number> } = {}): Promise<StackedNet> {
  const net = new Net({ seed: 5, modules: IPV4_STACK, kernel: { settings } });
  const [c, a, r, b] = [await net.host('c'), await net.router('a'), await net.router('r'), await net.host('b')];
  for (const { kernel } of [a, r, b]) {
    for (const source of [TagModule, TubeModule, ...(veiled ? [VeilModule] : [])]) await net.run(kernel.load(source));
  }
  await net.run(b.kernel.load(UdpEchoModule));
  await net.join({ host: c, device: 'eth0', addresses: ['10.8.0.2/24'] }, { host: a, device: 'eth0', addresses: ['10.8.0.1/24'] });
  await net.join({ host: a, device: 'eth1', addresses: ['10.1.0.2/24'] }, { host: r, device: 'eth0', addresses: ['10.1.0.1/24'] });
  await net.join({ host: r, device: 'eth1', addresses: ['10.2.0.1/24'] }, { host: b, device: 'eth0', addresses: ['10.2.0.2/24'] });
  taggedRoute(a, '10.2.0.0/24', '10.1.0.1', 'eth1', 100);
  taggedRoute(b, '10.1.0.0/24', '10.2.0.1', 'eth0', 200);
  await addTube(net, a, '10.1.0.2', '10.2.0.2', `${A_INSIDE}/24`);
  await addTube(net, b, '10.2.0.2', '10.1.0.2', `${B_INSIDE}/24`);
  c.addRoute('default', { via: '10.8.0.1', dev: 'eth0' });
  b.addRoute('10.8.0.0/24', { dev: 'tube0' });
  return { net, c, a, r, b };
}

export async function addTube(net: Net, host: NetHost, local: string, remote: string, inside: string, name = 'tube0'): Promise<void> {
  await net.run(host.addDevice('tube', name, { local, remote }));
  host.up(name);
  host.addAddress(name, inside);
}

/** `ip route replace PREFIX via GATEWAY dev DEVICE encap tag LABEL`. */
export function taggedRoute(host: NetHost, prefix: string, via: string, dev: string, label: number): void {
  const { words, prefixLen } = parsePrefix(prefix)!;
  const gateway = { family: ADDRESS_FAMILY.INET, address: parseAddress(via)!.words };
  const hop = { ifindex: host.device(dev).ifindex, gateway, encap: { name: 'tag', config: label } };
  const entry = { family: ADDRESS_FAMILY.INET, prefix: words, prefixLen, type: ROUTE_TYPE.UNICAST, source: 4, nextHops: [hop] };
  host.kernel.port(RouteTables).current.replace(entry);
}

/** Packets that are somewhere, by host: none, at rest. */
export function packetsOut({ net }: StackedNet): number[] {
  return net.hosts.map(({ kernel }) => kernel.holders('skb').reduce((sum, { count }) => sum + count, 0));
}

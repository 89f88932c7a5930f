import type { NetHost, NetOptions } from '@softnet/testkit';
import { Net } from '@softnet/testkit';

export interface TwoLinks {
  readonly net: Net;
  readonly a: NetHost;
  readonly b: NetHost;
}

/** Two links between two hosts, eth0 and eth1 of each. @param address of a host's device: '10.0.0.1/24' of link 0 and end 1. */
export async function twoLinks(
  modules: NonNullable<NetOptions['modules']>,
  address: (link: number, end: number) => string,
): Promise<TwoLinks> {
  const net = new Net({ seed: 5, modules });
  const a = await net.host('a');
  const b = await net.host('b');
  for (const n of [0, 1]) {
    const left = { host: a, device: `eth${n}`, addresses: [address(n, 1)] };
    await net.join(left, { host: b, device: `eth${n}`, addresses: [address(n, 2)] });
  }
  return { net, a, b };
}

import { ADDRESS_FAMILY } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { expect } from 'vitest';
import type { RawPeer } from './raw-peer.ts';

/** How one generation of ipv6 follows another: it replaces it, at once or while it drains, or is loaded while it leaves. */
export const WAYS_ON = Object.freeze(['handover', 'drain', 'beside'] as const);

/** The next generation is live. @param inside to whom a socket is connected that holds the old one up till then. */
export async function nextGeneration({ net, host }: RawPeer, way: (typeof WAYS_ON)[number], inside: string): Promise<void> {
  const { kernel } = host;
  if (way !== 'beside') {
    await net.run(kernel.replace('ipv6', Ipv6Module, { mode: way }));
    return;
  }
  await net.run(kernel.load(Ipv4Module));
  const user = host.open({ family: ADDRESS_FAMILY.INET6 });
  user.connect(inside, 9);
  const unload = kernel.unload('ipv6');
  await net.run(kernel.load(Ipv6Module));
  expect(kernel.modules().filter(({ name }) => name === 'ipv6')).toHaveLength(2);
  user.close();
  expect(await net.run(unload)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
}

import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, Module, MulticastRouter } from '@softnet/contract';
import { formatIpv6, ipv6Dst } from '@softnet/wire';
import { afterEach, expect, test } from 'vitest';
import { RawPeer } from './raw-peer.ts';

let peer: RawPeer;
afterEach(() => peer.end());

const seen: string[] = [];

@Module({ name: 'test-multicast-router', version: '1.0.0', provides: [MulticastRouter] })
class RouterModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const forward = ({ memory: { view }, network }: Skb, { name }: NetDevice): void => {
      const dst = formatIpv6(ipv6Dst(view, network, 0), ipv6Dst(view, network, 1), ipv6Dst(view, network, 2), ipv6Dst(view, network, 3));
      seen.push(`${dst} ${name} ${ctx.current.id === ctx.owner}`);
    };
    ctx.contribute(MulticastRouter, { family: ADDRESS_FAMILY.INET6, forward }, 'corridor');
    ctx.contribute(MulticastRouter, { family: ADDRESS_FAMILY.INET, forward: () => seen.push('IPv4') }, 'corridor');
  }
}

test('multicast routers see what may leave its link, and nothing else', async () => {
  peer = await RawPeer.boot();
  await peer.net.run(peer.host.kernel.load(RouterModule));
  peer.drops();
  for (const dst of ['ff02::77', 'ff05::77', 'ff0e::1', 'fd00::1']) peer.packet({ dst, protocol: 253 });
  await peer.net.pass(5);
  expect(seen).toEqual(['ff05::77 eth0 true', 'ff0e::1 eth0 true']);
  expect(peer.drops()).toContain('ipv6.not-a-member 3');
});

test('routers are in a group of their own', async () => {
  peer = await RawPeer.boot();
  const ask = async (): Promise<string[]> => {
    peer.icmp({ type: 128 }, { dst: 'ff02::2', src: 'fe80::9' });
    return peer.messages();
  };
  expect(await ask()).toEqual([]);
  peer.host.kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
  expect(await ask()).toEqual(['129']);
  peer.host.kernel.sysctl.set('net.ipv6.conf.all.forwarding', false);
  expect(await ask()).toEqual([]);
});

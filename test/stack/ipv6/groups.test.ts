import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, defineService, Module, MulticastRouter } from '@softnet/contract';
import { formatIpv6, ipv6Dst } from '@softnet/wire';
import { afterEach, expect, test } from 'vitest';
import { RawPeer } from './raw-peer.ts';

let peer: RawPeer;
afterEach(() => peer.end());

interface Sight {
  readonly seen: string[];
}
const Sight = defineService<Sight>({ name: 'test-sight', version: '1.0.0' });

@Module({ name: 'test-multicast-router', version: '1.0.0', provides: [MulticastRouter, Sight] })
class RouterModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const seen: string[] = [];
    ctx.corridor(Sight, { seen });
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
  expect(peer.host.kernel.port(Sight).current.seen).toEqual(['ff05::77 eth0 true', 'ff0e::1 eth0 true']);
  expect(peer.drops()).toContain('ipv6.not-a-member');
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

test('the solicited-node group of an address is left with it', async () => {
  peer = await RawPeer.boot();
  const ask = async (): Promise<string[]> => {
    peer.drops();
    peer.icmp({ type: 128 }, { dst: 'ff02::1:ff55:5555', src: 'fe80::9' });
    return [...(await peer.messages()), ...peer.drops()];
  };
  for (const prefix of ['fd00::55:5555/64', 'fd01::55:5555/64']) peer.host.addAddress('eth0', prefix);
  expect(await ask()).toEqual(['129']);
  peer.host.removeAddress('eth0', 'fd00::55:5555/64');
  expect(await ask()).toEqual(['129']);
  peer.host.removeAddress('eth0', 'fd01::55:5555/64');
  expect(await ask()).toEqual(['ipv6.not-a-member']);
});

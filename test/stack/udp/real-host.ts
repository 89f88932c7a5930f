import { ADDRESS_FAMILY } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { UdpModule } from '@softnet/udp';
import { accountsOf, User } from './host.ts';

const MODULES = [SkbModule, NetdevModule, RouteModule, SocketModule, Ipv4Module, Ipv6Module, LoopbackModule, UdpModule];

/** A host with a loopback, all of it real. */
export async function realHost() {
  const world = new World({ clock: 'virtual', seed: 3 });
  const kernel = new Kernel({ world, name: 'k' });
  const run = <T>(promise: PromiseLike<T>): Promise<T> => world.run(promise);
  for (const module of MODULES) await run(kernel.load(module));
  await world.advance(1000);
  return {
    ...{ world, kernel, run },
    settle: () => world.advance(1000),
    user: (family: number = ADDRESS_FAMILY.INET) => new User(kernel, family),
    end: async () => {
      const charged = accountsOf(kernel);
      const { faults, leaks } = await run(kernel.shutdown());
      return { modules: kernel.modules().length, faults: faults.map(({ message }) => message), leaks, charged: charged() };
    },
  };
}

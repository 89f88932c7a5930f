import { ADDRESS_FAMILY, MemoryAccounts } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, LoopbackModule, WireModule } from '@softnet/nic-driver';
import { RawModule } from '@softnet/raw';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { NetHost } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import { RawUser } from './raw-user.ts';

export const RAW_HOST = [SkbModule, NetdevModule, SocketModule, RouteModule, LoopbackModule, WireModule, Ipv4Module, Ipv6Module];

/** Two hosts on a cable: 10.0.0.1 and fd00::1, 10.0.0.2 and fd00::2. */
export async function rawHosts() {
  const world = new World({ clock: 'virtual', seed: 5 });
  const cable = new Cable({ delayUs: 100, name: 'cable' });
  const hosts: NetHost[] = [];
  for (const [i, name] of ['a', 'b'].entries()) {
    const host = new NetHost(new Kernel({ world, name }));
    for (const module of [...RAW_HOST, UdpModule, RawModule]) await world.run(host.kernel.load(module));
    await world.run(host.addDevice('wire', 'eth0', { cable }));
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
    host.addAddress('eth0', `fd00::${i + 1}/64`);
    hosts.push(host);
  }
  const [a, b] = hosts as [NetHost, NetHost];
  await world.advance(5_000_000);
  return {
    ...{ world, a, b },
    near: (protocol: number, family: number = ADDRESS_FAMILY.INET) => new RawUser(a.kernel, family, protocol, 'near'),
    far: (protocol: number, family: number = ADDRESS_FAMILY.INET) => new RawUser(b.kernel, family, protocol, 'far'),
    settle: () => world.advance(5000),
    drops: (host: NetHost, name: string) => host.kernel.dropReasons().find((each) => each.name === name)?.count ?? 0,
    /** Unloads all, which must leave nothing behind. */
    end: async () => {
      const left: string[] = [];
      for (const { kernel } of hosts) {
        const accounts = kernel.port(MemoryAccounts).current.all();
        const { faults, leaks } = await world.run(kernel.shutdown());
        left.push(...faults.map(({ message }) => message), ...leaks.map(String));
        left.push(...accounts.filter(({ bytes }) => bytes !== 0).map(({ name, bytes }) => `${name}: ${bytes}`));
      }
      return left;
    },
  };
}

import type { NetDevice } from '@softnet/contract';
import { MemoryAccounts } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, LoopbackModule, WireModule } from '@softnet/nic-driver';
import { PacketModule } from '@softnet/packet';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { NetHost } from '@softnet/testkit';
import { PacketUser } from './packet-user.ts';

export const PACKET_HOST = [SkbModule, NetdevModule, SocketModule, LoopbackModule, WireModule];

/** Two hosts on a cable, without layers above their devices: frames are all that there is. */
export async function packetHosts() {
  const world = new World({ clock: 'virtual', seed: 5 });
  const cable = new Cable({ delayUs: 100, name: 'cable' });
  const hosts: NetHost[] = [];
  for (const name of ['a', 'b']) {
    const host = new NetHost(new Kernel({ world, name }));
    for (const module of [...PACKET_HOST, PacketModule]) await world.run(host.kernel.load(module));
    await world.run(host.addDevice('wire', 'eth0', { cable }));
    for (const device of host.devices) host.up(device.name);
    hosts.push(host);
  }
  const [a, b] = hosts as [NetHost, NetHost];
  return {
    ...{ world, a, b },
    nearEth: a.device('eth0'),
    farEth: b.device('eth0'),
    near: (...args: PacketArguments) => new PacketUser(a.kernel, ...args),
    far: (...args: PacketArguments) => new PacketUser(b.kernel, ...args),
    settle: () => world.advance(1000),
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

type PacketArguments = [type?: number, ethertype?: number, name?: string];

export function macOf({ address }: NetDevice): number[] {
  return [...address];
}

import { ADDRESS_FAMILY } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, LoopbackModule, WireModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import type { DatagramUser, Traffic } from '@softnet/testkit';
import { complianceChecks, NetHost, pattern } from '@softnet/testkit';
import { UdpEchoModule, UdpModule } from '@softnet/udp';
import { describe, expect, test } from 'vitest';

const NEEDS = [SkbModule, NetdevModule, SocketModule, RouteModule, LoopbackModule, WireModule, Ipv4Module, Ipv6Module];
const ENDS = [
  [ADDRESS_FAMILY.INET, '10.0.0.1', '10.0.0.2'],
  [ADDRESS_FAMILY.INET6, 'fd00::1', 'fd00::2'],
] as const;

/** Two hosts on a cable with some delay; who talks is for whoever uses them. */
async function plug([a, b]: readonly Kernel[]): Promise<readonly [NetHost, NetHost]> {
  const hosts = [new NetHost(a!), new NetHost(b!)] as const;
  const cable = new Cable({ delayUs: 2000, name: 'cable' });
  for (const [i, host] of hosts.entries()) {
    await host.addDevice('wire', 'eth0', { cable });
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
    host.addAddress('eth0', `fd00::${i + 1}/64`);
  }
  return hosts;
}

/** One of each family, connected to its like on the other host, and each byte checked both ways. */
async function udpTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = await plug(kernels);
  const pairs = ENDS.map(([family, here, there]) => {
    const [near, far] = [a.open({ family, name: `near ${family}` }), b.open({ family, name: `far ${family}` })];
    far.bind(there, 9);
    near.bind(here, 10);
    near.connect(there, 9);
    return [near, far] as const;
  });
  const others: DatagramUser[] = [];
  let sent = 0;
  return {
    exchange: async () => {
      let count = 0;
      for (const [near, far] of pairs) {
        sent += 2500;
        const data = pattern(1, sent, 2500);
        await near.send(data);
        const there = await far.receive();
        expect(there.data).toEqual(data);
        await far.send(there.data, there.address, there.port);
        expect((await near.receive()).data).toEqual(data);
        count += 2 * data.length;
      }
      return count;
    },
    openAnother: async () => {
      const user = a.open({ family: ADDRESS_FAMILY.INET, name: 'another' });
      others.push(user);
      user.bind('0.0.0.0', 0);
    },
    trace: () => sent,
    close: async () => {
      for (const user of [...pairs.flat(), ...others]) user.close();
    },
  };
}

describe('udp complies', () => {
  const checks = complianceChecks({ source: UdpModule, needs: NEEDS, traffic: udpTraffic });
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
    await run();
  });
});

/** What the kit can judge of a module whose objects are others': the echo service's socket is UDP's. */
test.each(['manifest', 'load', 'unload at rest', 'a start that fails leaves nothing'])('udp-echo: %s', async (name) => {
  const checks = complianceChecks({ source: UdpEchoModule, needs: [...NEEDS, UdpModule], traffic: udpTraffic });
  await checks.find((check) => check.name === name)!.run();
});

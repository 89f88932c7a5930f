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

/** Clients, on the other host, of the echo service on the first. */
async function echoTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [, b] = await plug(kernels);
  const users: DatagramUser[] = [];
  let sent = 0;
  const talk = async (user: DatagramUser): Promise<number> => {
    sent += 1500;
    const data = pattern(2, sent, 1500);
    await user.send(data);
    expect((await user.receive()).data).toEqual(data);
    return data.length;
  };
  const open = async (family: number, address: string): Promise<void> => {
    const user = b.open({ family, name: `client ${users.length}` });
    users.push(user);
    user.connect(address, 7);
    await talk(user);
  };
  for (const [family, here] of ENDS) await open(family, here);
  return {
    exchange: async () => {
      let count = 0;
      for (const user of users) count += await talk(user);
      return count;
    },
    openAnother: () => open(ADDRESS_FAMILY.INET, '10.0.0.1'),
    trace: () => sent,
    close: async () => {
      for (const user of users) user.close();
    },
  };
}

/** What it does not do: README.md. The kit says so in these words. */
const PORT_IS_TAKEN = /EADDRINUSE: udp-echo#2 was not loaded: udp-echo cannot have port 7/;
const ECHO_REFUSED: Readonly<Record<string, RegExp>> = Object.freeze({
  // Its sockets are UDP's objects, held for it.
  traffic: /its objects are open, but the kernel knows of none/,
  'replace by draining': PORT_IS_TAKEN,
  'replace by hand-over': PORT_IS_TAKEN,
});

describe('udp-echo complies', () => {
  const checks = complianceChecks({ source: UdpEchoModule, needs: [...NEEDS, UdpModule], holdsNothingUp: true, traffic: echoTraffic });
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (name, { run }) => {
    const refused = ECHO_REFUSED[name];
    if (refused === undefined) await run();
    else await expect(run()).rejects.toThrow(refused);
  });
});

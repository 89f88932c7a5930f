import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, LoopbackModule, WireModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import type { DatagramUser, Knock, Traffic } from '@softnet/testkit';
import { complianceChecks, NetHost, pattern, WireTrace } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';

const NEEDS = [SkbModule, NetdevModule, SocketModule, RouteModule, LoopbackModule, WireModule];
/** In three fragments. */
const BYTES = 3000;

/** Ping sockets, each connected to the other host, and each byte of what comes back is checked. */
async function pings(kernels: readonly Kernel[]): Promise<Traffic> {
  const hosts = kernels.map((kernel) => new NetHost(kernel));
  const cable = new Cable({ delayUs: 2000 });
  for (const [i, host] of hosts.entries()) {
    await host.addDevice('wire', 'eth0', { cable });
    host.up('eth0');
    host.addAddress('eth0', `fd00::${i + 1}/64`);
  }
  const users: DatagramUser[] = [];
  const trace = new WireTrace();
  let sent = 0;
  const open = (): void => {
    const user = hosts[0]!.open({ family: ADDRESS_FAMILY.INET6, protocol: IP_PROTOCOL.ICMPV6, name: `ping ${users.length}` });
    users.push(user);
    user.connect('fd00::2', 0);
  };
  const ping = async (user: DatagramUser): Promise<number> => {
    const data = new Uint8Array(8 + BYTES);
    sent += BYTES;
    data.set(pattern(1, sent, BYTES), 8);
    data[0] = 128;
    await user.send(data);
    const reply = await user.receive();
    expect(reply.data[0]).toBe(129);
    expect(reply.data.slice(8)).toEqual(data.slice(8));
    trace.add(reply.data, 0);
    return 2 * BYTES;
  };
  open();
  open();
  return {
    exchange: async () => {
      let moved = 0;
      for (const user of users) moved += await ping(user);
      return moved;
    },
    openAnother: async () => open(),
    // Addresses are what parks: none comes in while the module leaves.
    knock: () => newAddress(hosts[0]!),
    trace: () => trace.value,
    close: async () => {
      for (const user of users) user.close();
    },
  };
}

/** Somebody wants to give a device one more address. */
function newAddress(host: NetHost): Knock {
  let answered = true;
  try {
    host.addAddress('eth0', 'fd00::77/64');
  } catch {
    answered = false;
  }
  return {
    answered,
    withdraw: () => {
      if (answered) host.removeAddress('eth0', 'fd00::77/64');
    },
  };
}

/** It waits for its users; ping sockets are not handed over (without one, it is: see life.test.ts); it comes as a class. */
const NOT_APPLICABLE: readonly string[] = Object.freeze(['it goes at once', 'replace by hand-over', 'code is collected']);

describe('ipv6 complies', () => {
  test.each(complianceChecks({ source: Ipv6Module, needs: NEEDS, traffic: pings }))('$name', async ({ name, run }) => {
    const { applies, sentence } = await run();
    expect([applies, sentence]).toEqual([!NOT_APPLICABLE.includes(name), sentence]);
  });
});

import { CubicModule } from '@softnet/congestion';
import { ADDRESS_FAMILY, POLL } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, LoopbackModule, WireModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { TcpModule } from '@softnet/tcp';
import type { Knock, Traffic } from '@softnet/testkit';
import { complianceChecks, NetHost, pattern, QUIET_HOST } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { StreamUser } from './stream-user.ts';

const NEEDS = [SkbModule, NetdevModule, SocketModule, RouteModule, LoopbackModule, WireModule, Ipv4Module, Ipv6Module, CubicModule];
const { INET, INET6 } = ADDRESS_FAMILY;
const ENDS = [
  [INET, '10.0.0.2'],
  [INET6, 'fd00::2'],
] as const;
const BYTES = 5000;

/** Two hosts on a cable with some delay, that loses a little. */
async function plug([a, b]: readonly Kernel[]): Promise<readonly [NetHost, NetHost]> {
  const hosts = [new NetHost(a!), new NetHost(b!)] as const;
  const cable = new Cable({ delayUs: 2000, loss: 0.02, name: 'cable' });
  for (const [i, host] of hosts.entries()) {
    await host.addDevice('wire', 'eth0', { cable });
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
    host.addAddress('eth0', `fd00::${i + 1}/64`);
  }
  return hosts;
}

/** Connections of both families, and a listener of each on both hosts: each byte checked both ways. */
async function tcpTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = await plug(kernels);
  const users: StreamUser[] = [];
  const open = (host: NetHost, family: number, name: string): StreamUser => {
    const user = new StreamUser(host.kernel, { family, name });
    users.push(user);
    return user;
  };
  const listen = (host: NetHost, family: number): StreamUser => {
    const listener = open(host, family, `listener ${family}`);
    listener.bind(family === INET ? '0.0.0.0' : '::', family === INET ? 80 : 81);
    listener.listen();
    return listener;
  };
  const pairs: (readonly [StreamUser, StreamUser])[] = [];
  for (const [family, address] of ENDS) {
    const near = listen(a, family);
    const far = listen(b, family);
    const client = open(a, family, `client ${family}`);
    await client.connect(address, family === INET ? 80 : 81);
    pairs.push([client, await far.accept(`server ${family}`)]);
    users.push(pairs.at(-1)![1]);
    expect(near.poll & POLL.IN).toBe(0);
  }
  let sent = 0;
  return {
    exchange: async () => {
      sent += BYTES;
      const data = pattern(1, sent, BYTES);
      const moves = pairs.map(async ([client, server]) => {
        const both = await Promise.all([client.send(data), server.send(data), client.receiveAll(BYTES), server.receiveAll(BYTES)]);
        expect(both[2]).toEqual(data);
        expect(both[3]).toEqual(data);
        return 2 * BYTES;
      });
      const moved = await Promise.all(moves);
      return moved.reduce((sum, count) => sum + count, 0);
    },
    openAnother: async () => {
      await open(a, INET, 'another').connect('10.0.0.2', 80);
    },
    knock: () => knock(b),
    trace: () => sent,
    close: async () => {
      for (const user of users) user.close();
    },
  };
}

/** Connects from outside to a listener of the first host. */
function knock(outside: NetHost): Knock {
  const user = new StreamUser(outside.kernel, { family: INET, name: 'knock' });
  user.tryConnect('10.0.0.1', 80);
  return {
    get answered() {
      return (user.poll & (POLL.OUT | POLL.HUP)) === POLL.OUT;
    },
    withdraw: () => user.close(),
  };
}

/** TIME-WAIT holds the module up for a minute, as long as the kit waits for anything: here it is short. */
function hastyWorld(seed: number): readonly Kernel[] {
  const world = new World({ clock: 'virtual', seed, maxStepsPerInstant: 100_000 });
  const settings = { ...QUIET_HOST, 'net.tcp.time_wait_ms': 100, 'net.ipv4.tcp_fin_timeout': 1 };
  return ['a', 'b'].map((name) => new Kernel({ world, name, seed, settings }));
}

describe('tcp complies', () => {
  const checks = complianceChecks({ source: TcpModule, needs: NEEDS, traffic: tcpTraffic, world: hastyWorld });
  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
    await run();
  });
});

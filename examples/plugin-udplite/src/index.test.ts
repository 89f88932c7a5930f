import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import type { DatagramUser, NetHost, Traffic } from '@softnet/testkit';
import { complianceChecks, HOST_STACK, NetHost as Host, Net, pattern } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import UdpLite from './index.ts';
import { PROTOCOL } from './wire.ts';

const SEND = 10;
const RECEIVE = 11;
const ENDS = Object.freeze([
  ['10.0.0.1', '10.0.0.2', ADDRESS_FAMILY.INET],
  ['fd00::1', 'fd00::2', ADDRESS_FAMILY.INET6],
] as const);

const open = (host: NetHost, family: number, name = 'program'): DatagramUser => host.open({ name, family, protocol: PROTOCOL });
const cover = ({ sock }: DatagramUser, option: number, bytes: number): number =>
  sock.ops.calls!.setOption(sock, PROTOCOL, option, new Uint8Array(Int32Array.of(bytes).buffer));

async function twoHosts(corrupt = 0) {
  const net = new Net({ seed: 9, modules: [...HOST_STACK, UdpLite] });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
    { corrupt, delayUs: 100 },
  );
  const drops = (host: NetHost, name: string) => host.kernel.dropReasons().find((reason) => reason.name === name)?.count;
  return { net, a, b, drops };
}

describe.each(ENDS)('UDP-Lite from %s', (here, there, family) => {
  test.each([0, 1, 1400, 20_000])('carries %i bytes', async (size) => {
    const { net, a, b } = await twoHosts();
    const [sender, receiver] = [open(a, family), open(b, family)];
    receiver.bind(there, 80);
    sender.bind(here, 4000);
    for (const coverage of [0, 8, 20]) {
      expect(cover(sender, SEND, coverage)).toBe(0);
      await net.run(sender.send(pattern(1, 0, size), there, 80));
      expect(await net.run(receiver.receive())).toEqual({ data: pattern(1, 0, size), address: here, port: 4000 });
    }
    await net.dispose();
  });

  test('takes damage where nothing is covered, and none where it is', async () => {
    const { net, a, b, drops } = await twoHosts();
    const [sender, receiver] = [open(a, family), open(b, family)];
    receiver.bind(there, 80);
    sender.connect(there, 80);
    const count = async (coverage: number): Promise<{ came: number; damaged: number }> => {
      cover(sender, SEND, coverage);
      let [came, damaged] = [0, 0];
      for (let i = 1; i <= 200; i++) {
        await net.run(sender.send(pattern(2, 0, 1000)));
        if (i % 50 === 0) await net.pass(1000);
        for (let got = receiver.tryReceive(); typeof got !== 'number'; got = receiver.tryReceive()) {
          came++;
          if (Buffer.compare(got.data, pattern(2, 0, 1000)) !== 0) damaged++;
        }
      }
      return { came, damaged };
    };
    expect(await count(0)).toEqual({ came: 200, damaged: 0 });
    // What they know of one another by now stays whole.
    net.cables[0]!.set({ corrupt: 0.2 });
    const whole = await count(0);
    expect(whole).toMatchObject({ damaged: 0 });
    expect(drops(b, 'udplite.checksum')).toBeGreaterThan(10);
    const part = await count(8);
    expect(part.damaged).toBeGreaterThan(10);
    expect(part.came).toBeGreaterThan(whole.came);
    cover(receiver, RECEIVE, 500);
    expect(await count(8)).toEqual({ came: 0, damaged: 0 });
    expect(drops(b, 'udplite.coverage')).toBeGreaterThan(100);
    await net.dispose();
  });

  test('refuses who knocks where nobody listens', async () => {
    const { net, a } = await twoHosts();
    const sender = open(a, family);
    sender.connect(there, 81);
    await net.run(sender.send(Uint8Array.of(1)));
    await expect(net.run(sender.receive())).rejects.toThrow('ECONNREFUSED');
    await net.dispose();
  });
});

test('an option that there is not, and a value that is none', async () => {
  const { net, a } = await twoHosts();
  const user = open(a, ADDRESS_FAMILY.INET);
  const { calls } = user.sock.ops;
  const value = new Uint8Array(4);
  expect(calls!.setOption(user.sock, PROTOCOL, 9, value)).toBe(-ERRNO.ENOPROTOOPT);
  expect(calls!.setOption(user.sock, PROTOCOL, SEND, value.subarray(1))).toBe(-ERRNO.EINVAL);
  expect(cover(user, SEND, 3)).toBe(0);
  expect([calls!.getOption(user.sock, PROTOCOL, SEND, value), value[0]]).toEqual([4, 8]);
  await net.dispose();
});

/** Users, for the compliance kit: it tries the module's whole life under them. */
async function traffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = kernels.map((kernel) => new Host(kernel)) as [NetHost, NetHost];
  const cable = new Cable({ delayUs: 2000 });
  for (const [host, address] of [[a, '10.0.0.1/24'] as const, [b, '10.0.0.2/24'] as const]) {
    await host.addDevice('wire', 'eth0', { cable });
    host.up('eth0');
    host.addAddress('eth0', address);
  }
  const echo = open(b, ADDRESS_FAMILY.INET, 'echo');
  echo.bind('0.0.0.0', 7);
  const serve = async (): Promise<void> => {
    for (;;) {
      const { data, address, port } = await echo.receive();
      await echo.send(data, address, port);
    }
  };
  serve().catch(() => undefined);
  const users: DatagramUser[] = [];
  const enter = (): void => {
    const user = open(a, ADDRESS_FAMILY.INET, `user ${users.length}`);
    user.connect('10.0.0.2', 7);
    users.push(user);
  };
  enter();
  let sent = 0;
  const exchange = async (user: DatagramUser): Promise<number> => {
    const data = pattern(3, sent++, 3000);
    await user.send(data);
    const answer = await user.receive();
    if (Buffer.compare(answer.data, data) !== 0) throw new Error('other bytes came back');
    return data.length;
  };
  return {
    exchange: async () => (await Promise.all(users.map(exchange))).reduce((sum, count) => sum + count, 0),
    openAnother: async () => enter(),
    close: async () => {
      for (const user of [...users, echo]) user.close();
    },
  };
}

const checks = complianceChecks({ source: UdpLite, needs: HOST_STACK, traffic });
test.each(checks.map((check) => [check.name, check] as const))('compliance: %s', async (_name, { run }) => {
  await run();
});

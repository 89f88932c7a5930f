import { CubicModule } from '@softnet/congestion';
import { ADDRESS_FAMILY, ERRNO, IPV6_OPTION, SO, SOL } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { TcpModule } from '@softnet/tcp';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

async function listening(family: number, address: string) {
  const hosts = await twoHosts({ delayUs: 1000 });
  const listen = (of: number, at: string, only = false): StreamUser => {
    const listener = new StreamUser(hosts.b.kernel, { family: of, name: `listener ${at}` });
    if (only) listener.setOption(SOL.IPV6, IPV6_OPTION.V6ONLY, 1);
    listener.bind(at, 80);
    listener.listen();
    return listener;
  };
  return { ...hosts, listen, listener: listen(family, address) };
}

test.each(['ipv4', 'cubic'] as const)(
  '%s goes by force while somebody waits to be accepted: he is reset, and nobody accepts him',
  async (name) => {
    const { net, a, b, listener } = await listening(INET6, '::');
    const client = new StreamUser(a.kernel);
    await net.run(client.connect('10.0.0.2', 80));
    await net.pass(20);
    await net.run(b.kernel.unload(name, { force: true }).report);
    await net.run(b.kernel.load(name === 'ipv4' ? Ipv4Module : CubicModule));
    if (name === 'ipv4') b.addAddress('eth0', '10.0.0.2/24');
    expect(listener.calls.accept(listener.sock, { name: 'late' })).toBeNull();
    const next = new StreamUser(a.kernel, { family: INET6 });
    const [, server] = await net.run(Promise.all([next.connect('fd00::2', 80), listener.accept()]));
    expect(server.sock.remotePort).toBe(next.sock.localPort);
    for (const user of [client, next, server, listener]) user.close();
    await net.dispose();
  },
);

test('replaced by draining, who waits to be accepted waits with his own listener, not with that of the other family', async () => {
  const { net, a, b, listen, listener: first } = await listening(INET, '0.0.0.0');
  const second = listen(INET6, '::', true);
  const clients = [new StreamUser(a.kernel), new StreamUser(a.kernel, { family: INET6 })];
  await net.run(Promise.all([clients[0]!.connect('10.0.0.2', 80), clients[1]!.connect('fd00::2', 80)]));
  await net.pass(20);
  await net.run(b.kernel.replace('tcp', TcpModule, { mode: 'drain' }));
  const accepted = await net.run(Promise.all([first.accept(), second.accept()]));
  expect(accepted.map(({ sock }) => sock.family)).toEqual([INET, INET6]);
  for (const user of [...clients, ...accepted, first, second]) user.close();
  await net.dispose();
});

test('replaced by draining, who waits to be accepted waits with the one of a port’s listeners that he came to', async () => {
  const { net, a, b } = await twoHosts({ delayUs: 1000 });
  const listeners = ['one', 'other'].map((name) => {
    const listener = new StreamUser(b.kernel, { name });
    listener.setOption(SOL.SOCKET, SO.REUSEPORT, 1);
    listener.bind('0.0.0.0', 80);
    listener.listen();
    return listener;
  });
  const clients = Array.from({ length: 12 }, () => new StreamUser(a.kernel));
  await net.run(Promise.all(clients.map((client) => client.connect('10.0.0.2', 80))));
  await net.pass(20);
  const waiting = listeners.map(({ sock }) => b.kernel.holders('tcp').filter(({ owner }) => owner === sock.holdOwner!.name).length);
  expect(Math.min(...waiting)).toBeGreaterThan(0);
  await net.run(b.kernel.replace('tcp', TcpModule, { mode: 'drain' }));
  await net.pass(20);
  const accepted = listeners.map(({ calls, sock }) => {
    let count = 0;
    for (let child = calls.accept(sock, { name: 'late' }); child !== null; child = calls.accept(sock, { name: 'late' })) {
      count++;
      child.ops.calls!.close(child);
    }
    return count;
  });
  expect(accepted).toEqual(waiting);
  for (const user of [...clients, ...listeners]) user.close();
  await net.dispose();
});

test('a listener that is closed as it moves leaves nobody waiting in the generation before', async () => {
  const { net, a, b, listener } = await listening(INET, '0.0.0.0');
  const client = new StreamUser(a.kernel);
  await net.run(client.connect('10.0.0.2', 80));
  await net.pass(20);
  listener.moved = () => listener.close();
  await net.run(b.kernel.replace('tcp', TcpModule, { mode: 'drain' }));
  await net.pass(20);
  expect([client.sock.error, b.kernel.holders().filter(({ module }) => module.startsWith('tcp'))]).toEqual([ERRNO.ECONNRESET, []]);
  client.close();
  await net.dispose();
});

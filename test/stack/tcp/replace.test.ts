import { ADDRESS_FAMILY, ERRNO, MemoryAccounts, POLL, SO, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { TcpModule } from '@softnet/tcp';
import { pattern } from '@softnet/testkit';
import { expect, test } from 'vitest';
import type { TwoHosts } from './host.ts';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const COUNT = 60;
const BYTES = 30_000;
const MEMORY = { kernel: { settings: { 'net.core.skb_buffers': 8192, 'net.core.skb_pages': 8192 } } };

interface Pair {
  readonly client: StreamUser;
  readonly server: StreamUser;
}

async function listening(host: TwoHosts['a'], family: number = INET, backlog = COUNT): Promise<StreamUser> {
  const listener = new StreamUser(host.kernel, { family, name: 'listener' });
  listener.bind(family === INET ? '0.0.0.0' : '::', 80);
  listener.listen(backlog);
  return listener;
}

async function pairs({ net, a }: TwoHosts, listener: StreamUser, count: number): Promise<Pair[]> {
  const clients = Array.from(
    { length: count },
    (_, i) => new StreamUser(a.kernel, { family: i % 2 === 0 ? INET : INET6, name: `client ${i}` }),
  );
  const servers = Promise.all(clients.map((_, i) => listener.accept(`server ${i}`)));
  await net.run(Promise.all(clients.map((client, i) => client.connect(i % 2 === 0 ? '10.0.0.2' : 'fd00::2', 80))));
  const accepted = await net.run(servers);
  const portOf = new Map(accepted.map((server) => [server.sock.remotePort, server]));
  return clients.map((client) => ({ client, server: portOf.get(client.sock.localPort)! }));
}

/** Both send, and read what the other has sent. */
async function bulk({ client, server }: Pair, seed: number): Promise<void> {
  const [there, back] = [pattern(seed, 0, BYTES), pattern(seed, BYTES, BYTES)];
  const moved = await Promise.all([client.send(there), server.send(back), server.receiveAll(BYTES), client.receiveAll(BYTES)]);
  expect(Buffer.compare(moved[2], there)).toBe(0);
  expect(Buffer.compare(moved[3], back)).toBe(0);
}

/** Small questions and answers, one after the other. */
async function talk({ client, server }: Pair, seed: number): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const question = pattern(seed, i, 50);
    await client.send(question);
    expect(await server.receiveAll(50)).toEqual(question);
    await server.send(question);
    expect(await client.receiveAll(50)).toEqual(question);
  }
}

test.each(['handover', 'drain'] as const)(
  `tcp is replaced under ${COUNT} connections at work, by %s, on both sides: every octet arrives`,
  async (mode) => {
    const hosts = await twoHosts({ delayUs: 3000, loss: 0.01 }, MEMORY);
    const { net, a, b } = hosts;
    const listener = await listening(b, INET6);
    const all = await pairs(hosts, listener, COUNT);
    const work = Promise.all(all.map((pair, i) => (i % 3 === 0 ? talk(pair, i) : bulk(pair, i))));
    const upheaval = (async () => {
      for (const { kernel } of [b, a, b]) {
        await new Promise<void>((resolve) => kernel.after(20_000, resolve, 'test'));
        const { mode: how, adopted } = await kernel.replace('tcp', TcpModule, { mode });
        expect(how).toBe(mode);
        if (mode === 'handover') expect(adopted.connection).toBe(COUNT);
      }
    })();
    await net.run(Promise.all([work, upheaval]));
    const late = await pairs(hosts, listener, 2);
    await net.run(Promise.all(late.map(bulk)));
    for (const { client, server } of [...all, ...late]) for (const user of [client, server]) user.close();
    listener.close();
    await net.pass(200_000);
    for (const { kernel } of [a, b]) {
      expect(kernel.holders('tcp')).toEqual([]);
      expect(
        kernel
          .port(MemoryAccounts)
          .current.all()
          .map(({ name, bytes }) => [name, bytes]),
      ).toContainEqual(['tcp', 0]);
    }
    await net.dispose();
  },
);

test.each(['handover', 'drain'] as const)(
  'what a listener has goes with it: who waits to be accepted, who is half open, what was set: %s',
  async (mode) => {
    const hosts = await twoHosts({ delayUs: 10_000 });
    const { net, a, b } = hosts;
    const listener = await listening(b);
    listener.setOption(SOL.TCP, TCP_SOCKET_OPTION.KEEPIDLE, 99);
    const [early, half] = [new StreamUser(a.kernel), new StreamUser(a.kernel)];
    await net.run(early.connect('10.0.0.2', 80));
    await net.run(early.send(Uint8Array.of(1)));
    await net.pass(30);
    half.tryConnect('10.0.0.2', 80);
    await net.pass(15);
    await net.run(b.kernel.replace('tcp', TcpModule, { mode }));
    await net.pass(1);
    expect(listener.notices).toEqual(['moved']);
    expect(listener.poll).toBe(POLL.IN);
    const servers = [await net.run(listener.accept()), await net.run(listener.accept())];
    expect(half.poll).toBe(POLL.OUT);
    expect([...(await net.run(servers[0]!.receive()))]).toEqual([1]);
    await net.run(half.send(Uint8Array.of(2)));
    expect([...(await net.run(servers[1]!.receive()))]).toEqual([2]);
    expect(servers[1]!.option(SOL.TCP, TCP_SOCKET_OPTION.KEEPIDLE)).toBe(99);
    for (const user of [early, half, listener, ...servers]) user.close();
    await net.dispose();
  },
);

test('who waits to be accepted while its module is replaced by draining is accepted by the next generation', async () => {
  const hosts = await twoHosts({ delayUs: 1000 });
  const { net, a, b } = hosts;
  const listener = await listening(b);
  const client = new StreamUser(a.kernel);
  await net.run(client.connect('10.0.0.2', 80));
  await net.pass(10);
  const { drained } = await net.run(b.kernel.replace('tcp', TcpModule, { mode: 'drain' }));
  await net.pass(1);
  expect(listener.poll).toBe(POLL.IN);
  const server = await net.run(listener.accept('user'));
  await net.run(client.send(Uint8Array.of(7)));
  expect([...(await net.run(server.receive()))]).toEqual([7]);
  expect(b.kernel.holders().map(({ owner }) => owner)).toContain('user');
  server.close();
  client.close();
  listener.close();
  await net.pass(70_000);
  await net.run(drained.report);
  await net.dispose();
});

test('shut down, in TIME-WAIT, urgent, corked: each goes on as it was', async () => {
  const hosts = await twoHosts({ delayUs: 1000 });
  const { net, a, b } = hosts;
  const listener = await listening(b, INET6);
  const [half, done, corked, unread] = await pairs(hosts, listener, 4);
  half!.client.shutdown(2);
  done!.client.shutdown(2);
  await net.pass(10);
  done!.server.close();
  await net.pass(10);
  corked!.client.setOption(SOL.TCP, TCP_SOCKET_OPTION.CORK, 1);
  await net.run(corked!.client.send(Uint8Array.of(1, 2, 3)));
  await net.run(unread!.client.send(pattern(1, 0, 3000)));
  await net.pass(10);
  for (const { kernel } of [a, b]) await net.run(kernel.replace('tcp', TcpModule, { mode: 'handover' }));
  expect(done!.client.tryReceive(new Uint8Array(1))).toBe(0);
  expect(a.kernel.holders('tcp').length).toBe(4);
  expect(half!.client.trySend(new Uint8Array(1))).toBe(-ERRNO.EPIPE);
  expect((await net.run(half!.server.receive())).length).toBe(0);
  await net.run(half!.server.send(Uint8Array.of(9)));
  expect([...(await net.run(half!.client.receive()))]).toEqual([9]);
  corked!.client.setOption(SOL.TCP, TCP_SOCKET_OPTION.CORK, 0);
  expect([...(await net.run(corked!.server.receive()))]).toEqual([1, 2, 3]);
  expect(await net.run(unread!.server.receiveAll(3000))).toEqual(pattern(1, 0, 3000));
  expect(corked!.client.option(SOL.SOCKET, SO.ERROR)).toBe(0);
  for (const { client, server } of [half!, done!, corked!, unread!]) for (const user of [client, server]) user.close();
  listener.close();
  await net.pass(130_000);
  for (const { kernel } of [a, b]) expect(kernel.holders('tcp')).toEqual([]);
  await net.dispose();
});

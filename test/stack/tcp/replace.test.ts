import type { SockCommon } from '@softnet/contract';
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

/** Parts of what a connection is frozen to. */
interface FrozenWords {
  readonly flight: { readonly runs: readonly number[]; readonly scoreboard: { readonly edges: readonly number[] } | null };
  readonly disorder: { readonly pieces: readonly object[] } | null;
  readonly received: Uint8Array;
  readonly sent: Uint8Array;
  readonly listener: number;
  /** What has its flow, while its user has not closed it. */
  readonly timeWait: object | null;
}

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
async function bulk({ client, server }: Pair, seed: number, bytes = BYTES): Promise<void> {
  const [there, back] = [pattern(seed, 0, bytes), pattern(seed, bytes, bytes)];
  const moved = await Promise.all([client.send(there), server.send(back), server.receiveAll(bytes), client.receiveAll(bytes)]);
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
    await net.run(Promise.all(late.map((pair, i) => bulk(pair, i))));
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
    const early = new StreamUser(a.kernel);
    const halves = Array.from({ length: 8 }, () => new StreamUser(a.kernel));
    await net.run(early.connect('10.0.0.2', 80));
    await net.run(early.send(Uint8Array.of(1)));
    await net.pass(30);
    for (const half of halves) half.tryConnect('10.0.0.2', 80);
    await net.pass(15);
    await net.run(b.kernel.replace('tcp', TcpModule, { mode }));
    await net.pass(1);
    expect(listener.notices).toEqual(['moved']);
    expect(listener.poll).toBe(POLL.IN);
    const first = await net.run(listener.accept());
    expect([...(await net.run(first.receive()))]).toEqual([1]);
    const servers = await net.run(Promise.all(halves.map(() => listener.accept())));
    expect(halves.map(({ poll }) => poll)).toEqual(halves.map(() => POLL.OUT));
    for (const half of halves) half.trySend(Uint8Array.of(2));
    const found = await net.run(Promise.all(servers.map((server) => server.receive())));
    expect(found.map(([octet]) => octet)).toEqual(halves.map(() => 2));
    await net.pass(100);
    // What acknowledges has time stamps that go on from those of the SYN-ACK (RFC 7323 §5).
    expect(halves.map(({ calls, sock }) => calls.queuedBytes(sock, true))).toEqual(halves.map(() => 0));
    expect(servers[0]!.option(SOL.TCP, TCP_SOCKET_OPTION.KEEPIDLE)).toBe(99);
    for (const user of [early, first, listener, ...halves, ...servers]) user.close();
    await net.dispose();
  },
);

/** A socket as plain data. */
function frozen({ sock }: StreamUser): FrozenWords {
  const { parts } = sock.ops as unknown as {
    readonly parts: { readonly freezer: { freeze(sock: SockCommon): { readonly data: FrozenWords } } };
  };
  // Numbers of listeners are each generation's own.
  return { ...parts.freezer.freeze(sock).data, listener: 0 };
}

/** As text, which is compared sooner than each octet by itself. */
function words(all: readonly FrozenWords[]): string {
  return JSON.stringify(all, (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value), 1);
}

test('in whichever moment: what was frozen is what is there when it was thawed', async () => {
  const hosts = await twoHosts({ delayUs: 5000, loss: 0.05, reorder: 0.1, rateBps: 20_000_000 });
  const { net, a, b } = hosts;
  const listener = await listening(b, INET6);
  const all = await pairs(hosts, listener, 3);
  const seen = { runs: 0, edges: 0, pieces: 0, received: 0, sent: 0 };
  const replaced = async ({ kernel }: TwoHosts['a'], users: readonly StreamUser[]): Promise<void> => {
    const before = users.map(frozen);
    const atUs = net.world.nowUs;
    const then: FrozenWords[] = [];
    for (const [i, user] of users.entries()) {
      user.moved = () => {
        then[i] = frozen(user);
      };
    }
    await kernel.replace('tcp', TcpModule, { mode: 'handover' });
    expect(net.world.nowUs).toBe(atUs);
    expect(words(then)).toBe(words(before));
    for (const { flight, disorder, received, sent } of before) {
      seen.runs += flight.runs.length;
      seen.edges += flight.scoreboard?.edges.length ?? 0;
      seen.pieces += disorder?.pieces.length ?? 0;
      seen.received += received.length;
      seen.sent += sent.length;
    }
  };
  const moving = (async () => {
    for (let i = 0; i < 40; i++) {
      const host = i % 2 === 0 ? a : b;
      await new Promise<void>((resolve) => host.kernel.after(2003, resolve, 'test'));
      await replaced(
        host,
        all.map(({ client, server }) => (i % 2 === 0 ? client : server)),
      );
    }
  })();
  // The last one reads late.
  const late = async ({ client, server }: Pair): Promise<void> => {
    const data = pattern(9, 0, 20_000);
    await client.send(data);
    await new Promise<void>((resolve) => b.kernel.after(50_000, resolve, 'test'));
    expect(Buffer.compare(await server.receiveAll(data.length), data)).toBe(0);
  };
  await net.run(Promise.all([...all.slice(0, 2).map((pair, i) => bulk(pair, i, 100_000)), late(all[2]!), moving]));
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  for (const { client, server } of all) for (const user of [client, server]) user.close();
  listener.close();
  await net.dispose();
});

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
  expect(frozen(done!.client).timeWait).not.toBeNull();
  for (const { kernel } of [a, b]) await net.run(kernel.replace('tcp', TcpModule, { mode: 'handover' }));
  expect(frozen(done!.client).timeWait).not.toBeNull();
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

test('replaced when four gigabytes have gone, and the next octet has the number of the SYN: none is missing', async () => {
  const hosts = await twoHosts({ delayUs: 3000 });
  const { net, a, b } = hosts;
  const listener = await listening(b);
  const [{ client, server }] = (await pairs(hosts, listener, 1)) as [Pair];
  const conn = client.sock.ext as { iss: number; sndUna: number };
  const data = pattern(1, 0, 5000);
  net.cables[0]!.set({ loss: 1 });
  client.trySend(data);
  await net.pass(20);
  conn.iss = conn.sndUna;
  await net.run(a.kernel.replace('tcp', TcpModule, { mode: 'handover' }));
  net.cables[0]!.set({ loss: 0 });
  expect(Buffer.compare(await net.run(server.receiveAll(5000)), data)).toBe(0);
  for (const user of [client, server, listener]) user.close();
  await net.dispose();
});

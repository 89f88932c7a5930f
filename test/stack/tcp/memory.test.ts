import { MemoryAccounts } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { expect, test } from 'vitest';
import type { TwoHosts } from './host.ts';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

/** `tcp_rmem`. */
const FIRST_BYTES = 131_072;
const CHUNK = new Uint8Array(65_536).fill(7);

interface Pair {
  readonly client: StreamUser;
  readonly server: StreamUser;
}

async function pairs({ net, a, b }: TwoHosts, count: number): Promise<Pair[]> {
  const listener = new StreamUser(b.kernel, { name: 'listener' });
  listener.bind('0.0.0.0', 80);
  listener.listen(count);
  const made: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const client = new StreamUser(a.kernel, { name: `client ${i}` });
    const [, server] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept(`server ${i}`)]));
    made.push({ client, server });
  }
  return made;
}

function counted({ kernel }: NetHost, name: string): number {
  return kernel.counters().find((counter) => counter.name === name)!.value;
}

/** Sends for ever, until `stop.now`. */
async function flood(client: StreamUser, stop: { now: boolean }): Promise<void> {
  try {
    while (!stop.now) await client.send(CHUNK);
  } catch {
    // The host has ended.
  }
}

async function readAll(server: StreamUser, bytes: number): Promise<void> {
  for (let got = 0; got < bytes; ) got += (await server.receive(262_144)).length;
}

/** What they may have waiting beyond a first buffer. */
function grownBytes(users: readonly StreamUser[]): number[] {
  return users.map(({ sock }) => (sock.ext as { receiveBufferBytes: number }).receiveBufferBytes - FIRST_BYTES);
}

test('one fast flow in little memory: its window stays within it, and nothing is sent twice', async () => {
  const hosts = await twoHosts({ delayUs: 10_000, rateBps: 2_000_000_000 });
  const { net, a, b } = hosts;
  const [pair] = await pairs(hosts, 1);
  const stop = { now: false };
  void flood(pair!.client, stop);
  await net.run(readAll(pair!.server, 4_000_000));
  stop.now = true;
  const [bytes] = grownBytes([pair!.server]);
  const roomBytes = b.kernel.port(MemoryAccounts).current.roomBytes();
  // Three quarters of it are for buffers that grow: a lonely one has half of these, and has come near it.
  expect([bytes! > roomBytes / 4, bytes! <= (roomBytes * 3) / 8]).toEqual([true, true]);
  expect([counted(a, 'tcp.retransmitted'), counted(a, 'tcp.timeouts')]).toEqual([0, 0]);
  await net.dispose();
});

test('readers share memory, and fall asleep: what they were promised is there, and what was SACKed is not taken back', async () => {
  const hosts = await twoHosts({ delayUs: 5000, rateBps: 1_000_000_000, loss: 0.001 });
  const { net, a, b } = hosts;
  const all = await pairs(hosts, 4);
  const stop = { now: false };
  for (const { client } of all) void flood(client, stop);
  await net.run(Promise.all(all.map(({ server }) => readAll(server, 1_500_000))));
  await net.pass(5000);
  const accounts = b.kernel.port(MemoryAccounts).current;
  const grown = grownBytes(all.map(({ server }) => server));
  expect(grown.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual((accounts.roomBytes() * 3) / 4);
  // Nobody has much more than another.
  expect(Math.max(...grown)).toBeLessThanOrEqual(1.5 * Math.min(...grown));
  expect(accounts.all().find(({ name }) => name === 'tcp')!.bytes).toBeGreaterThan(accounts.roomBytes() / 2);
  expect([counted(b, 'tcp.pruned'), counted(a, 'tcp.reneging')]).toEqual([0, 0]);
  stop.now = true;
  await net.dispose();
});

test('tcp_mem begins with what there is; above its second number all windows are small, and a new one too', async () => {
  const hosts = await twoHosts({ delayUs: 5000, rateBps: 100_000_000 });
  const { net, b } = hosts;
  const roomBytes = b.kernel.port(MemoryAccounts).current.roomBytes();
  expect(b.kernel.sysctl.get('net.ipv4.tcp_mem')).toEqual([0.75, 1, 1.5].map((part) => Math.floor((roomBytes * part) / 4096)));
  const [old] = await pairs(hosts, 1);
  b.kernel.sysctl.set('net.ipv4.tcp_mem', [5, 10, 1000]);
  const stop = { now: false };
  void flood(old!.client, stop);
  await net.pass(1000);
  const { rcvWnd, toldMssBytes } = old!.server.sock.ext as { rcvWnd: number; toldMssBytes: number };
  expect(rcvWnd).toBeLessThanOrEqual(4 * toldMssBytes);
  const second = new StreamUser(b.kernel, { name: 'second' });
  second.bind('0.0.0.0', 81);
  second.listen();
  const client = new StreamUser(hosts.a.kernel);
  await net.run(client.connect('10.0.0.2', 81));
  expect((client.sock.ext as { sndWnd: number }).sndWnd).toBeLessThanOrEqual(4 * toldMssBytes);
  // He reads: below the first number windows grow again.
  await net.run(readAll(old!.server, 1_000_000));
  expect((old!.server.sock.ext as { rcvWnd: number }).rcvWnd).toBeGreaterThan(0);
  stop.now = true;
  await net.dispose();
});

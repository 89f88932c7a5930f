import { fileURLToPath } from 'node:url';
import { MemoryAccounts } from '@softnet/contract';
import { pattern } from '@softnet/testkit';
import { buildBundle } from '@softnet/testkit/node';
import { expect, test } from 'vitest';
import type { TwoHosts } from './host.ts';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const COUNT = 1000;
/** One in so many moves much; the others ask and answer. */
const BULK_EACH = 25;
const BULK_BYTES = 50_000;
const QUESTIONS = 3;
const MEMORY = { kernel: { settings: { 'net.core.skb_buffers': 16_384, 'net.core.skb_pages': 8192 } } };

interface Pair {
  readonly client: StreamUser;
  readonly server: StreamUser;
}

/** TCP built by itself, as another version of it would be: nothing of it but the contract is this process's. */
const second = await buildBundle(fileURLToPath(new URL('../../../packages/tcp/src/module.ts', import.meta.url)), ['@softnet/contract']);

async function pairs({ net, a, b }: TwoHosts): Promise<{ readonly listener: StreamUser; readonly all: readonly Pair[] }> {
  const listener = new StreamUser(b.kernel, { name: 'listener' });
  listener.bind('0.0.0.0', 80);
  listener.listen(COUNT);
  const clients = Array.from({ length: COUNT }, (_, i) => new StreamUser(a.kernel, { name: `client ${i}` }));
  const accepting = (async () => {
    const servers: StreamUser[] = [];
    while (servers.length < COUNT) servers.push(await listener.accept());
    return servers;
  })();
  await net.run(Promise.all(clients.map((client) => client.connect('10.0.0.2', 80))));
  const byPort = new Map((await net.run(accepting)).map((server) => [server.sock.remotePort, server]));
  return { listener, all: clients.map((client) => ({ client, server: byPort.get(client.sock.localPort)! })) };
}

async function bulk({ client, server }: Pair, seed: number): Promise<void> {
  const [there, back] = [pattern(seed, 0, BULK_BYTES), pattern(seed, BULK_BYTES, BULK_BYTES)];
  const moved = await Promise.all([client.send(there), server.send(back), server.receiveAll(BULK_BYTES), client.receiveAll(BULK_BYTES)]);
  if (Buffer.compare(moved[2], there) !== 0 || Buffer.compare(moved[3], back) !== 0) throw new Error(`${seed}: other octets have come`);
}

async function talk({ client, server }: Pair, seed: number): Promise<void> {
  for (let i = 0; i < QUESTIONS; i++) {
    const question = pattern(seed, 50 * i, 50);
    const pass = async (from: StreamUser, to: StreamUser): Promise<void> => {
      await from.send(question);
      if (Buffer.compare(await to.receiveAll(50), question) !== 0) throw new Error(`${seed}: other octets have come`);
    };
    await pass(client, server);
    await pass(server, client);
  }
}

test.each(['handover', 'drain'] as const)(
  `a second build takes over from tcp under ${COUNT} connections at work, by %s: none is lost, every octet arrives`,
  async (mode) => {
    const hosts = await twoHosts({ delayUs: 3000, rateBps: 200_000_000, loss: 0.002 }, MEMORY);
    const { net, a, b } = hosts;
    const { listener, all } = await pairs(hosts);
    let ended = 0;
    const work = all.map(async (pair, i) => {
      await (i % BULK_EACH === 0 ? bulk(pair, i) : talk(pair, i));
      ended++;
    });
    const replaced = (async () => {
      for (const { kernel } of [b, a]) {
        await new Promise<void>((resolve) => kernel.after(20_000, resolve, 'test'));
        const [atUs, fromMs] = [net.world.nowUs, performance.now()];
        const { mode: how, adopted, drained } = await kernel.replace('tcp', second, { mode });
        const pauseMs = performance.now() - fromMs;
        console.log(
          `tcp is replaced under ${COUNT} connections by ${mode}: ${pauseMs.toFixed(0)} ms, ${net.world.nowUs - atUs} µs of virtual time`,
        );
        expect([how, net.world.nowUs - atUs]).toEqual([mode, 0]);
        if (mode === 'handover') expect(adopted.connection).toBe(COUNT);
        else expect(drained).toBeDefined();
      }
      // It was in the midst of it.
      expect(ended).toBeLessThan(COUNT / 2);
    })();
    await net.run(Promise.all([...work, replaced]));
    expect(ended).toBe(COUNT);
    for (const { client, server } of all) for (const user of [client, server]) user.close();
    listener.close();
    await net.pass(200_000);
    for (const { kernel } of [a, b]) {
      expect(kernel.holders('tcp')).toEqual([]);
      const accounts = kernel.port(MemoryAccounts).current.all();
      expect(accounts.find(({ name }) => name === 'tcp')!.bytes).toBe(0);
    }
    await net.dispose();
  },
);

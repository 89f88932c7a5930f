import type { Owner, SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2, MemoryAccounts, Message, SOCK_TYPE, SockAddress, Sockets } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { expect, test } from 'vitest';
import type { TwoHosts } from './host.ts';
import { twoHosts } from './host.ts';

/** `SOFTNET_TCP_CONNECTIONS=100000` is what the goal says. */
const COUNT = Number(process.env.SOFTNET_TCP_CONNECTIONS ?? 2000);
/** So many open at a time, and ask at a time: packet memory holds their segments. */
const BATCH = 500;
/** Connections to each port of the server's: a client has 28,232 ports for each. */
const PORT_EACH = 20_000;
const FIRST_PORT = 8000;
const WARM = 500;
const MOST_BYTES = 2000;
const OWNER: Owner = { name: 'many' };

function open({ kernel }: NetHost): SockCommon {
  return kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET, SOCK_TYPE.STREAM, 0, OWNER);
}

function callsOf({ ops }: SockCommon): SocketCalls {
  return ops.calls!;
}

function address(word: number, port: number): SockAddress {
  return Object.assign(new SockAddress(), { family: ADDRESS_FAMILY.INET, address2: IPV4_WORD2, address3: word, port });
}

/** Connections between two hosts, in the order in which they were opened. */
class Crowd {
  readonly clients: SockCommon[] = [];
  readonly servers: SockCommon[] = [];
  readonly #hosts: TwoHosts;
  readonly #listeners: SockCommon[] = [];

  constructor(hosts: TwoHosts) {
    this.#hosts = hosts;
    for (let i = 0; i <= COUNT / PORT_EACH; i++) {
      const listener = open(hosts.b);
      const { calls } = listener.ops;
      expect([calls!.bind(listener, address(0, FIRST_PORT + i)), calls!.listen(listener, 4096)]).toEqual([0, 0]);
      this.#listeners.push(listener);
    }
  }

  async grow(count: number): Promise<void> {
    for (let left = count; left > 0; left -= BATCH) {
      for (let i = 0; i < Math.min(BATCH, left); i++) {
        const sock = open(this.#hosts.a);
        const port = FIRST_PORT + Math.floor(this.clients.length / PORT_EACH);
        callsOf(sock).connect(sock, address(0x0a000002, port));
        this.clients.push(sock);
      }
      await this.#hosts.net.pass(5);
      for (const listener of this.#listeners) {
        for (let sock = callsOf(listener).accept(listener, OWNER); sock !== null; sock = callsOf(listener).accept(listener, OWNER))
          this.servers.push(sock);
      }
    }
  }

  /** Each client sends four octets of its own; its server answers with the same. @returns how many have their answer. */
  async askAll(): Promise<number> {
    let answered = 0;
    for (let from = 0; from < this.clients.length; from += BATCH) {
      const clients = this.clients.slice(from, from + BATCH);
      for (const [i, sock] of clients.entries()) this.#send(sock, from + i);
      await this.#hosts.net.pass(2);
      for (const sock of this.servers.slice(from, from + BATCH)) this.#send(sock, this.#receive(sock));
      await this.#hosts.net.pass(2);
      for (const [i, sock] of clients.entries()) if (this.#receive(sock) === from + i) answered++;
    }
    return answered;
  }

  async closeAll(): Promise<void> {
    for (let i = 0; i < this.clients.length; i++) {
      callsOf(this.clients[i]!).close(this.clients[i]!);
      callsOf(this.servers[i]!).close(this.servers[i]!);
      if (i % BATCH === BATCH - 1) await this.#hosts.net.pass(2);
    }
    for (const listener of this.#listeners) callsOf(listener).close(listener);
    await this.#hosts.net.pass(130_000);
  }

  #send(sock: SockCommon, value: number): void {
    const data = new Uint8Array(4);
    new DataView(data.buffer).setInt32(0, value);
    expect(callsOf(sock).send(sock, Object.assign(new Message(), { data }))).toBe(4);
  }

  #receive(sock: SockCommon): number {
    const data = new Uint8Array(4);
    return callsOf(sock).receive(sock, Object.assign(new Message(), { data })) === 4 ? new DataView(data.buffer).getInt32(0) : -1;
  }
}

function heapBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

test(`${COUNT} connections at a time: each asks and is answered, idle ones are small, and nothing is left of them`, async () => {
  const settings = { 'net.core.skb_buffers': 8192, 'net.core.skb_pages': 4096, 'net.ipv4.tcp_max_orphans': COUNT };
  const hosts = await twoHosts({ delayUs: 100 }, { kernel: { settings } });
  const crowd = new Crowd(hosts);
  await crowd.grow(WARM);
  await hosts.net.pass(1000);
  const beforeBytes = heapBytes();
  const fromMs = performance.now();
  await crowd.grow(COUNT - WARM);
  const openedMs = performance.now() - fromMs;
  expect([crowd.clients, crowd.servers].map((socks) => socks.filter(({ state }) => state === 1).length)).toEqual([COUNT, COUNT]);
  await hosts.net.pass(1000);
  const freshBytes = (heapBytes() - beforeBytes) / (2 * (COUNT - WARM));
  const askedMs = performance.now();
  expect(await crowd.askAll()).toBe(COUNT);
  const answeredMs = performance.now() - askedMs;
  await hosts.net.pass(1000);
  const usedBytes = (heapBytes() - beforeBytes) / (2 * (COUNT - WARM));
  console.log(
    `${COUNT} connections: ${freshBytes.toFixed(0)} bytes an end, ${usedBytes.toFixed(0)} once used; opened in ${openedMs.toFixed(0)} ms, all asked and answered in ${answeredMs.toFixed(0)} ms`,
  );
  expect(freshBytes).toBeLessThanOrEqual(MOST_BYTES);
  const closingMs = performance.now();
  await crowd.closeAll();
  console.log(`closed in ${(performance.now() - closingMs).toFixed(0)} ms`);
  for (const { kernel } of [hosts.a, hosts.b]) {
    expect(kernel.holders('tcp')).toEqual([]);
    const accounts = kernel.port(MemoryAccounts).current.all();
    expect(accounts.find(({ name }) => name === 'tcp')!.bytes).toBe(0);
  }
  await hosts.net.dispose();
}, 600_000);

import { ADDRESS_FAMILY, MESSAGE_FLAG, Message } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import { expect, test } from 'vitest';
import { address, CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const LIMIT_BYTES = 16;

test.each([
  ['connected, IPv4', INET, '127.0.0.1:9', true],
  ['connected, IPv6', INET6, '[::1]:9', true],
  ['to an address, IPv4', INET, '127.0.0.1:9', false],
  ['to an address, IPv6', INET6, '[::1]:9', false],
])('a datagram allocates nothing once warm, from socket to device and from queue to user: %s', async (_name, family, to, connected) => {
  const host = await realHost();
  const [a, b] = [host.user(family), host.user(family)];
  b.bind(to);
  if (connected) a.connect(to);
  // What a virtual World allocates is not ours: packets are sent and taken in batches.
  const out = new Message();
  out.data = new Uint8Array(1000);
  out.hasAddress = !connected;
  out.address = address(to, family);
  const into = new Message();
  const BATCH = 50;
  let sending = 0;
  let receiving = 0;
  const round = (): void => {
    const start = process.memoryUsage().heapUsed;
    for (let i = 0; i < BATCH; i++) a.calls.send(a.sock, out);
    const sent = process.memoryUsage().heapUsed;
    host.world.advanceSync(10);
    const came = process.memoryUsage().heapUsed;
    for (let i = 0; i < BATCH; i++) {
      into.flags = MESSAGE_FLAG.SKB;
      if (b.calls.receive(b.sock, into) !== 1000) throw new Error(`datagram ${i} is lost`);
      into.skb!.memory.pool.release(into.skb!);
    }
    sending = (sent - start) / BATCH;
    receiving = (process.memoryUsage().heapUsed - came) / BATCH;
  };
  for (const part of [() => sending, () => receiving]) {
    const bytes = onceWarm(LIMIT_BYTES, () => {
      round();
      return part();
    });
    expect(bytes).toBeLessThan(LIMIT_BYTES);
  }
  a.close();
  b.close();
  expect(await host.end()).toEqual(CLEAN);
});

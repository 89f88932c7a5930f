import { ADDRESS_FAMILY, Message } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const PAGE_BYTES = 4096;
const SEGMENT_BYTES = 1448;
/** For a segment: what a virtual World allocates is among it. */
const LIMIT_BYTES = 8;
const MEMORY = { settings: { 'net.core.skb_buffers': 8192, 'net.core.skb_pages': 8192, 'net.ipv4.tcp_rmem': '4096 131072 1048576' } };

test.each([
  ['IPv4', INET, '10.0.0.2'],
  ['IPv6', INET6, 'fd00::2'],
] as const)('a stream allocates nothing for a segment once warm, from user to user: %s', async (_name, family, to) => {
  const { net, a, b } = await twoHosts({}, { kernel: MEMORY });
  const listener = new StreamUser(b.kernel, { family, name: 'listener' });
  listener.bind(family === INET ? '0.0.0.0' : '::', 80);
  listener.listen();
  const client = new StreamUser(a.kernel, { family, name: 'client' });
  const accepting = listener.accept();
  await net.run(client.connect(to, 80));
  const server = await net.run(accepting);
  // What wakes its user is the test's.
  client.sock.wake = null;
  server.sock.wake = null;
  // As much as a page takes whole: what takes a part of it wants a view.
  const out = Object.assign(new Message(), { data: new Uint8Array(PAGE_BYTES) });
  const into = Object.assign(new Message(), { data: new Uint8Array(65_536) });
  const round = (): number => {
    do out.flags = 0;
    while (client.calls.send(client.sock, out) === PAGE_BYTES);
    net.world.advanceSync(1000);
    let got = 0;
    for (let count = 1; count > 0; got += Math.max(0, count)) {
      into.flags = 0;
      count = server.calls.receive(server.sock, into);
    }
    return got;
  };
  const bytes = onceWarm(LIMIT_BYTES, () => {
    const before = process.memoryUsage().heapUsed;
    let got = 0;
    for (let i = 0; i < 10; i++) got += round();
    return (process.memoryUsage().heapUsed - before) / (got / SEGMENT_BYTES);
  });
  expect(bytes).toBeLessThan(LIMIT_BYTES);
  for (const user of [client, server, listener]) user.close();
  await net.pass(120_000);
  await net.dispose();
});

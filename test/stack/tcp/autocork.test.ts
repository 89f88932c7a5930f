import type { Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Message, POLL, SkbPool } from '@softnet/contract';
import { pattern } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const { INET } = ADDRESS_FAMILY;
const [IPPROTO_TCP, TCP_NODELAY] = [6, 1];

async function connected(cable: object, settings: Record<string, number | boolean> = {}) {
  const { net, a, b } = await twoHosts(cable, { kernel: { settings } });
  const listener = new StreamUser(b.kernel, { family: INET, name: 'listener' });
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel, { family: INET, name: 'client' });
  const accepting = listener.accept();
  await net.run(client.connect('10.0.0.2', 80));
  const server = await net.run(accepting);
  const sent = () => a.kernel.counters().find(({ name }) => name === 'tcp.segments-out')!.value;
  return { net, a, client, server, sent };
}

describe('small writes while others are on their way to the device', () => {
  test.each([
    [1, 5],
    [0, 20],
  ])('wait for one another, with tcp_autocorking %s, as Linux does: at most %i segments', async (isOn, most) => {
    // A segment of 100 octets takes a millisecond and more.
    const { net, a, client, server, sent } = await connected({ rateBps: 1_000_000 });
    a.kernel.sysctl.set('net.ipv4.tcp_autocorking', isOn);
    client.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    await net.pass(100);
    const data = pattern(7, 0, 2000);
    const before = sent();
    const receiving = server.receiveAll(2000);
    for (let i = 0; i < 20; i++) expect(client.trySend(data.subarray(100 * i, 100 * i + 100))).toBe(100);
    expect(Buffer.compare(await net.run(receiving), data)).toBe(0);
    expect(sent() - before).toBeLessThanOrEqual(most);
    if (isOn === 0) expect(sent() - before).toBeGreaterThan(15);
    await net.dispose();
  });

  test('go at once when nothing is below, and when the user closes', async () => {
    const { net, client, server } = await connected({ rateBps: 1_000_000 });
    for (let i = 0; i < 10; i++) client.trySend(pattern(3, 10 * i, 10));
    client.shutdown(2);
    expect(Buffer.compare(await net.run(server.receiveAll(200)), pattern(3, 0, 100))).toBe(0);
    await net.dispose();
  });
});

test('tcp_limit_output_bytes: not much more than that waits in queues, and what is held back goes when some has left', async () => {
  const { net, a, client, server } = await connected({ rateBps: 10_000_000 }, { 'net.ipv4.tcp_limit_output_bytes': 20_000 });
  expect(a.kernel.sysctl.get('net.ipv4.tcp_limit_output_bytes')).toBe(20_000);
  let most = 0;
  const data = pattern(9, 0, 600_000);
  const receiving = server.receiveAll(data.length);
  const sending = client.send(data);
  const began = net.world.nowUs;
  let isDone = false;
  void receiving.then(() => {
    isDone = true;
  });
  while (!isDone) {
    await net.pass(1);
    most = Math.max(most, (client.sock.ext as { readonly belowBytes: number }).belowBytes);
  }
  await net.run(sending);
  expect(Buffer.compare(await net.run(receiving), data)).toBe(0);
  expect(most).toBeGreaterThan(20_000);
  expect(most).toBeLessThan(20_000 + 80_000);
  // The wire is never idle for it: 600 kB take 0.48 s and their headers.
  expect((net.world.nowUs - began) / 1e6).toBeLessThan(0.6);
  await net.dispose();
});

test('memory that is out: a write is refused where nobody would wake him, and goes when there is some', async () => {
  const { net, a, client, server } = await connected({});
  const pool = a.kernel.port(SkbPool).current;
  const held: Skb[] = [];
  for (let page = pool.alloc(0, 4000); page !== null; page = pool.alloc(0, 4000)) held.push(page);
  expect(client.trySend(new Uint8Array(10))).toBe(-ERRNO.ENOBUFS);
  for (const each of held) each.memory.pool.release(each);
  expect(client.poll & POLL.OUT).toBe(POLL.OUT);
  expect(client.calls.send(client.sock, Object.assign(new Message(), { data: pattern(1, 0, 10) }))).toBe(10);
  expect(Buffer.compare(await net.run(server.receiveAll(10)), pattern(1, 0, 10))).toBe(0);
  await net.dispose();
});

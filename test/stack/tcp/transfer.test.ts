import { ADDRESS_FAMILY } from '@softnet/contract';
import { pattern } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const MEGABYTE = 1 << 20;
const DATA = pattern(1, 0, MEGABYTE);

const WIRES = [
  ['a perfect wire', {}],
  ['a wire with delay', { delayUs: 5_000, rateBps: 100_000_000 }],
  ['a lossy wire', { delayUs: 2_000, loss: 0.02 }],
] as const;

describe.each(WIRES)('over %s', (_name, cable) => {
  test.each([
    ['IPv4', INET, '10.0.0.2'],
    ['IPv6', INET6, 'fd00::2'],
  ] as const)('a megabyte each way, and both close: %s', async (_family, family, address) => {
    const { net, a, b } = await twoHosts(cable);
    const listener = new StreamUser(b.kernel, { family, name: 'listener' });
    listener.bind(family === INET ? '0.0.0.0' : '::', 80);
    listener.listen();
    const client = new StreamUser(a.kernel, { family, name: 'client' });
    const accepting = listener.accept();
    await net.run(client.connect(address, 80));
    const server = await net.run(accepting);
    const both = Promise.all([client.send(DATA), server.send(DATA), client.receiveAll(MEGABYTE), server.receiveAll(MEGABYTE)]);
    const [, , back, there] = await net.run(both);
    expect(Buffer.compare(back, DATA)).toBe(0);
    expect(Buffer.compare(there, DATA)).toBe(0);
    client.shutdown(2);
    expect((await net.run(server.receive())).length).toBe(0);
    server.close();
    expect((await net.run(client.receive())).length).toBe(0);
    client.close();
    listener.close();
    await net.pass(120_000);
    for (const { kernel } of [a, b]) expect(kernel.holders('tcp')).toEqual([]);
    await net.dispose();
  });
});

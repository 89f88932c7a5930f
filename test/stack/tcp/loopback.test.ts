import { pattern } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const DATA = pattern(1, 0, 1 << 20);

test('a megabyte over a loopback, whose segments are as large as its window: no acknowledgement is waited for', async () => {
  const { net, a } = await twoHosts();
  const listener = new StreamUser(a.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel, { name: 'client' });
  const [, server] = await net.run(Promise.all([client.connect('127.0.0.1', 80), listener.accept()]));
  const beganUs = net.world.nowUs;
  const [, found] = await net.run(Promise.all([client.send(DATA), server.receiveAll(DATA.length)]));
  expect(Buffer.compare(found, DATA)).toBe(0);
  // One delayed acknowledgement, where the last segment is small.
  expect(net.world.nowUs - beganUs).toBeLessThan(100_000);
  for (const user of [client, server, listener]) user.close();
  await net.dispose();
});

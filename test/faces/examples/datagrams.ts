import { once } from 'node:events';
import type { Kernel } from '@softnet/kernel';
import { createNode } from '@softnet/node';

export async function datagrams(kernel: Kernel): Promise<string> {
  const { dgram } = createNode(kernel, { hosts: { 'server.test': '127.0.0.1' } });
  await using server = dgram.createSocket('udp4', (message, from) => server.send(`${message}, ${from.address}`, from.port, from.address));
  server.bind(7000, 'server.test');
  await once(server, 'listening');
  await using client = dgram.createSocket('udp4');
  client.send('hello', 7000, 'server.test');
  const [answer] = await once(client, 'message');
  return String(answer); // hello, 127.0.0.1
}

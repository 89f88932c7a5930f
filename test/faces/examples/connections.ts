import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { Kernel } from '@softnet/kernel';
import { createNode } from '@softnet/node';

export async function connections(kernel: Kernel): Promise<string> {
  const { net, toWeb } = createNode(kernel);
  const server = net.createServer((socket) => void pipeline(socket, socket)).listen(7000, '127.0.0.1');
  await once(server, 'listening');
  const { readable, writable } = toWeb(net.connect(7000, '127.0.0.1'));
  const writer = writable.getWriter();
  await writer.write(Buffer.from('hello'));
  await writer.close();
  let text = '';
  for await (const chunk of readable) text += Buffer.from(chunk).toString();
  server.close();
  await once(server, 'close');
  return text; // hello
}

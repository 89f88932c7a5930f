import { once } from 'node:events';
import * as http from 'node:http';
import type { Kernel } from '@softnet/kernel';
import { createNode } from '@softnet/node';

export async function webServer(kernel: Kernel): Promise<string> {
  const { http: softHttp, serve } = createNode(kernel);
  const listener = serve(
    http.createServer((request, response) => response.end(`you asked for ${request.url}`)),
    ...[8080, '127.0.0.1'],
  );
  await once(listener, 'listening');
  const agent = softHttp.agent();
  const [response] = await once(http.get('http://127.0.0.1:8080/page', { agent }), 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  agent.destroy();
  listener.close();
  await once(listener, 'close');
  return body; // you asked for /page
}

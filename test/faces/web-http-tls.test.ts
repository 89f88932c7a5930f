import { getEventListeners, once } from 'node:events';
import * as http from 'node:http';
import type * as nodeNet from 'node:net';
import type * as tls from 'node:tls';
import type { NetFace } from '@softnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundSocket, closed, heard } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { softHost } from './soft-host.ts';

let host: SoftHost;
beforeAll(async () => {
  host = await softHost({ hosts: { 'server.test': '127.0.0.1' } });
});
afterAll(async () => {
  expect(await host.end()).toEqual({ faults: [], leaks: [], broken: [] });
});

function ended(server: nodeNet.Server | null): Promise<unknown> {
  return new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function request(options: http.RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = http.request(options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, body: text });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** What a test of http needs: of Node itself, or over a kernel. */
interface Way {
  agent(options?: http.AgentOptions): http.Agent;
  serve(server: http.Server): nodeNet.Server;
}

describe.each<[string, () => Way]>([
  ['node', () => ({ agent: (options) => new http.Agent(options), serve: (server) => server.listen(0, '127.0.0.1') })],
  ['softnet', () => ({ agent: (options) => host.http.agent(options), serve: (server) => host.serve(server, 0, '127.0.0.1') })],
])('http of %s', (_name, way) => {
  async function serving(answer: http.RequestListener): Promise<{ listener: nodeNet.Server; port: number; server: http.Server }> {
    const server = http.createServer(answer);
    const listener = way().serve(server);
    await once(listener, 'listening');
    return { server, listener, port: (listener.address() as nodeNet.AddressInfo).port };
  }

  test('a request and its answer', async () => {
    const { listener, port } = await serving((asked, answer) =>
      answer.end(`${asked.method} ${asked.url} from ${asked.socket.remoteAddress}`),
    );
    const agent = way().agent();
    expect(await request({ agent, host: '127.0.0.1', port, path: '/x?y' })).toEqual({ status: 200, body: 'GET /x?y from 127.0.0.1' });
    agent.destroy();
    await ended(listener);
  });

  test('a body each way, of many segments', async () => {
    const { listener, port } = await serving((asked, answer) => asked.pipe(answer));
    const agent = way().agent();
    const body = 'body '.repeat(40_000);
    expect((await request({ agent, host: '127.0.0.1', port, method: 'POST' }, body)).body).toBe(body);
    agent.destroy();
    await ended(listener);
  });

  test('connections are kept alive, and used again', async () => {
    const ports = new Set<number | undefined>();
    const { listener, server, port } = await serving((asked, answer) => {
      ports.add(asked.socket.remotePort);
      answer.end('ok');
    });
    const agent = way().agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) expect((await request({ agent, host: '127.0.0.1', port })).body).toBe('ok');
    expect(ports.size).toBe(1);
    agent.destroy();
    server.closeAllConnections();
    await ended(listener);
  });

  test('nobody there: ECONNREFUSED', async () => {
    const { listener, port } = await serving(() => {});
    await ended(listener);
    const agent = way().agent();
    await expect(request({ agent, host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ECONNREFUSED', port });
    agent.destroy();
  });

  test('an abort signal ends a request', async () => {
    const { listener, server, port } = await serving(() => {});
    const agent = way().agent();
    const abort = new AbortController();
    const answer = request({ agent, host: '127.0.0.1', port, signal: abort.signal });
    server.once('request', () => abort.abort());
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    agent.destroy();
    server.closeAllConnections();
    await ended(listener);
  });
});

// A key that both know, so that no certificate lies about here (RFC 4279).
const PSK = Buffer.from('a key that both know, of 32 byte');
const server: tls.TlsOptions = { ciphers: 'PSK+HIGH', maxVersion: 'TLSv1.2', pskIdentityHint: 'hint', pskCallback: () => PSK };
const client: tls.ConnectionOptions = {
  ...{ ciphers: 'PSK+HIGH', maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined },
  pskCallback: () => ({ identity: 'me', psk: PSK }),
};

test('tls, by wrapping', async () => {
  const secure = host.tls.createServer(server, (socket) => socket.pipe(socket));
  const listener = host.serve(secure, 0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as nodeNet.AddressInfo;
  const socket = host.tls.connect({ ...client, host: '127.0.0.1', port });
  await once(socket, 'secureConnect');
  expect([socket.encrypted, socket.getProtocol()]).toEqual([true, 'TLSv1.2']);
  socket.end('secret '.repeat(10_000));
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(text).toBe('secret '.repeat(10_000));
  await ended(listener);
});

test('tls to nobody: the error of the connection', async () => {
  const socket = host.tls.connect({ ...client, host: '127.0.0.1', port: 1 });
  expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
});

test('names of the table', async () => {
  const listener = host.net.createServer((far) => far.end('named'));
  listener.listen(0, 'server.test');
  await once(listener, 'listening');
  const socket = host.net.connect((listener.address() as nodeNet.AddressInfo).port, 'server.test');
  expect(String((await once(socket, 'data'))[0])).toBe('named');
  await ended(listener);
  const lost = host.net.connect(9, 'other.test');
  expect((await once(lost, 'error'))[0]).toMatchObject({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'other.test' });
});

describe('WHATWG streams', () => {
  test('of a connection', async () => {
    const listener = (host.net as NetFace).createServer((far) => far.pipe(far));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { readable, writable } = host.toWeb(host.net.connect((listener.address() as nodeNet.AddressInfo).port, '127.0.0.1'));
    const writer = writable.getWriter();
    await writer.write(Buffer.from('web'));
    await writer.close();
    let text = '';
    for await (const chunk of readable) text += Buffer.from(chunk).toString();
    expect(text).toBe('web');
    await ended(listener);
  });

  test('of datagrams: none is lost to who reads slowly, until a signal ends it', async () => {
    const [a, b] = [await boundSocket(host.dgram), await boundSocket(host.dgram)];
    const abort = new AbortController();
    const reader = host.toWeb(b, { signal: abort.signal }).getReader();
    for (let i = 0; i < 20; i++) a.send(String(i), b.address().port, '127.0.0.1');
    const read = heard(b, 'message');
    await host.pass(5);
    // One stands in the stream; the others are the kernel's.
    expect(read).toHaveLength(1);
    const texts: string[] = [];
    for (let i = 0; i < 20; i++) texts.push(Buffer.from((await reader.read()).value!.data).toString());
    expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    const next = reader.read();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toMatchObject({ message: 'enough' });
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    const kept = new AbortController();
    await host.toWeb(b, { signal: kept.signal }).cancel();
    expect(getEventListeners(kept.signal, 'abort')).toEqual([]);
    const again = host.toWeb(b).getReader();
    a.send('more', b.address().port, '127.0.0.1');
    expect((await again.read()).value).toMatchObject({ info: { address: '127.0.0.1', port: a.address().port, size: 4 } });
    await closed(a, b);
    expect(await again.read()).toMatchObject({ done: true });
  });

  test('cancelled, the socket lives on', async () => {
    const socket = await boundSocket(host.dgram);
    const stream = host.toWeb(socket);
    await stream.cancel();
    socket.send('me', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    await closed(socket);
  });
});

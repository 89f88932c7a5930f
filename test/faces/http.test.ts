import { once } from 'node:events';
import * as http from 'node:http';
import * as nodeNet from 'node:net';
import type { NetFace } from '@softnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

let host: SoftHost;
beforeAll(async () => {
  host = await softHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

/** What a test of http needs: of Node itself, or over a kernel. */
interface Way {
  agent(options?: http.AgentOptions): http.Agent;
  serve(server: http.Server): nodeNet.Server;
  readonly net: NetFace;
}

const NODE: Way = { agent: (options) => new http.Agent(options), serve: (server) => server.listen(0, '127.0.0.1'), net: nodeNet };
const soft = (): Way => ({
  agent: (options) => host.http.agent(options),
  serve: (server) => host.serve(server, 0, '127.0.0.1'),
  net: host.net,
});

describe.each<[string, () => Way]>([
  ['node', () => NODE],
  ['softnet', soft],
])('http of %s', (_name, way) => {
  /** A server, an agent, and a way to ask. */
  async function served(answer: http.RequestListener, options: http.AgentOptions = {}) {
    const server = http.createServer(answer);
    const listener = way().serve(server);
    await once(listener, 'listening');
    const { port } = listener.address() as nodeNet.AddressInfo;
    const agent = way().agent(options);
    const begin = (asked: http.RequestOptions = {}): http.ClientRequest => http.request({ agent, host: '127.0.0.1', port, ...asked });
    const ask = async (asked: http.RequestOptions = {}, body?: string): Promise<{ response: http.IncomingMessage; text: string }> => {
      const request = begin(asked);
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      return { response, text };
    };
    const end = async (): Promise<void> => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    };
    return { server, port, agent, begin, ask, end };
  }

  test('1,000 requests over ten kept connections', async () => {
    const ports = new Set<number | undefined>();
    const { ask, end } = await served(
      (asked, answer) => {
        ports.add(asked.socket.remotePort);
        answer.end(`you asked for ${asked.url}`);
      },
      { keepAlive: true, maxSockets: 10 },
    );
    const texts = await Promise.all(Array.from({ length: 1000 }, async (_, i) => (await ask({ path: `/${i}` })).text));
    expect(texts).toEqual(Array.from({ length: 1000 }, (_, i) => `you asked for /${i}`));
    expect(ports.size).toBe(10);
    await end();
  });

  test('a connection for each request', async () => {
    const ports = new Set<number | undefined>();
    const { ask, end } = await served((asked, answer) => {
      ports.add(asked.socket.remotePort);
      answer.end('ok');
    });
    for (let i = 0; i < 20; i++) expect((await ask({ headers: { connection: 'close' } })).text).toBe('ok');
    expect(ports.size).toBe(20);
    await end();
  });

  test('pipelined requests are answered in their order', async () => {
    const { port, end } = await served((asked, answer) => setTimeout(() => answer.end(asked.url), asked.url === '/1' ? 10 : 0));
    const socket = way().net.connect(port, '127.0.0.1');
    for (let i = 1; i <= 5; i++) socket.write(`GET /${i} HTTP/1.1\r\nhost: x\r\n${i === 5 ? 'connection: close\r\n' : ''}\r\n`);
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text.match(/\n\/\d|\/\d(?=\r\n0)/g)?.map((each) => each.trim())).toEqual(['/1', '/2', '/3', '/4', '/5']);
    await end();
  });

  test('chunked bodies both ways, with trailers', async () => {
    const { begin, end } = await served(async (asked, answer) => {
      answer.writeHead(200, { trailer: 'count' });
      let count = 0;
      for await (const chunk of asked) {
        count += (chunk as Buffer).length;
        answer.write(chunk);
      }
      answer.addTrailers({ count: String(count) });
      answer.end();
    });
    const request = begin({ method: 'POST' });
    for (let i = 0; i < 50; i++) request.write('chunk '.repeat(200));
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let lenBytes = 0;
    for await (const chunk of response) lenBytes += (chunk as Buffer).length;
    expect([lenBytes, response.headers['transfer-encoding'], response.trailers]).toEqual([60_000, 'chunked', { count: '60000' }]);
    await end();
  });

  test('expect: 100-continue', async () => {
    const { begin, end } = await served((asked, answer) => asked.pipe(answer));
    const request = begin({ method: 'POST', headers: { expect: '100-continue' } });
    request.flushHeaders();
    await once(request, 'continue');
    request.end('body');
    const [response] = await once(request, 'response');
    expect(String((await once(response, 'data'))[0])).toBe('body');
    await end();
  });

  test('upgrade hands the connection over', async () => {
    const { server, begin, end } = await served(() => {});
    server.on('upgrade', (_asked, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    const request = begin({ headers: { connection: 'upgrade', upgrade: 'echo' } });
    request.end();
    const [, socket] = (await once(request, 'upgrade')) as [unknown, nodeNet.Socket];
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    socket.end();
    await once(socket.resume(), 'close');
    await end();
  });

  test('a request that is destroyed: ECONNRESET here, aborted there', async () => {
    const { server, begin, end } = await served((_asked, answer) => answer.write('part'));
    const request = begin();
    const seen = new Promise<http.IncomingMessage>((resolve) => server.once('request', resolve));
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const asked = await seen;
    const there = new Promise((resolve) => asked.once('error', resolve));
    const error = new Promise<{ code: string; message: string }>((resolve) => response.once('error', resolve));
    request.destroy();
    expect(await error).toMatchObject({ code: 'ECONNRESET', message: 'aborted' });
    expect(await there).toMatchObject({ code: 'ECONNRESET', message: 'aborted' });
    await end();
  });

  test('a server that gives up in the midst: socket hang up, or aborted', async () => {
    const { begin, end } = await served((asked) => asked.socket.destroy());
    const request = begin();
    request.end();
    expect((await once(request, 'error'))[0]).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up' });
    await end();
  });

  test('a server that resets: read ECONNRESET', async () => {
    const { begin, end } = await served((asked) => void asked.socket.resetAndDestroy());
    const request = begin();
    request.end();
    expect((await once(request, 'error'))[0]).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    await end();
  });

  test('a timeout of a request', async () => {
    const { begin, end } = await served(() => {});
    const request = begin({ timeout: 20 });
    request.end();
    await once(request, 'timeout');
    const error = once(request, 'error');
    request.destroy(new Error('too late'));
    expect((await error)[0]).toMatchObject({ message: 'too late' });
    await end();
  });

  test('what is no http: 400, and the end', async () => {
    const { port, end } = await served(() => {});
    const socket = way().net.connect(port, '127.0.0.1');
    socket.write('what?\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toBe('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    await end();
  });

  test('closeIdleConnections leaves who is asked', async () => {
    const { server, ask, agent, end } = await served(
      (asked, answer) => {
        if (asked.url === '/slow') setTimeout(() => answer.end('slow'), 20);
        else answer.end('quick');
      },
      { keepAlive: true },
    );
    const arrived = new Promise<void>((resolve) => server.on('request', ({ url }) => url === '/slow' && resolve()));
    const slow = ask({ path: '/slow' });
    expect((await ask({ path: '/quick' })).text).toBe('quick');
    await arrived;
    server.closeIdleConnections();
    expect((await slow).text).toBe('slow');
    agent.destroy();
    await end();
  });

  test('nobody there: ECONNREFUSED', async () => {
    const { ask, port, end } = await served(() => {});
    await end();
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port });
  });

  test('an abort signal ends a request', async () => {
    const { server, begin, end } = await served(() => {});
    const abort = new AbortController();
    const request = begin({ signal: abort.signal });
    request.end();
    server.once('request', () => abort.abort());
    expect((await once(request, 'error'))[0]).toMatchObject({ name: 'AbortError' });
    await end();
  });

  test('createConnection of a request, without an agent', async () => {
    const { port, begin, end } = await served((_asked, answer) => answer.end('ok'));
    const request = begin({ createConnection: () => way().net.connect(port, '127.0.0.1') });
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(String((await once(response, 'data'))[0])).toBe('ok');
    await end();
  });

  test('a large answer to a slow reader', async () => {
    const body = Buffer.alloc(4_000_000, 'body');
    const { begin, end } = await served((_asked, answer) => answer.end(body));
    const request = begin();
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let lenBytes = 0;
    for await (const chunk of response) {
      lenBytes += (chunk as Buffer).length;
      if (lenBytes % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(lenBytes).toBe(body.length);
    await end();
  });
});

import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import * as nodeNet from 'node:net';
import * as tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

// A key that both know, so that no certificate lies about here (RFC 4279).
const PSK = Buffer.from('a key that both know, of 32 byte');
const SERVER: tls.TlsOptions = { ciphers: 'PSK+HIGH', maxVersion: 'TLSv1.2', pskIdentityHint: 'hint', pskCallback: () => PSK };
const CLIENT: tls.ConnectionOptions = {
  ...{ ciphers: 'PSK+HIGH', maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined },
  pskCallback: () => ({ identity: 'me', psk: PSK }),
};

let host: SoftHost;
beforeAll(async () => {
  host = await softHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

/** By Node itself, or over a kernel. */
interface Way {
  serve(server: nodeNet.Server): nodeNet.Server;
  connect(options: { port: number; host: string }): nodeNet.Socket;
  secured(options: tls.ConnectionOptions): tls.TLSSocket;
  httpsAgent(options: object): https.Agent;
}

const NODE: Way = {
  serve: (server) => server.listen(0, '127.0.0.1'),
  connect: (options) => nodeNet.connect(options),
  secured: (options) => tls.connect(options),
  httpsAgent: (options) => new https.Agent(options),
};
const soft = (): Way => ({
  serve: (server) => host.serve(server, 0, '127.0.0.1'),
  connect: (options) => host.net.connect(options),
  secured: (options) => host.tls.connect(options),
  httpsAgent: (options) => host.https.agent(options),
});

/** What Node's `fetch` goes through: its undici's Agent, which takes who connects. */
async function dispatcher(way: Way): Promise<{ destroy(): Promise<void> }> {
  await fetch('data:,').catch(() => {});
  const Agent = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')).constructor;
  const connect = ({ hostname, port }: { hostname: string; port: string }, callback: (...given: unknown[]) => void): void => {
    const socket = way.connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => callback(null, socket)).once('error', callback);
  };
  return new Agent({ connect });
}

describe.each<[string, () => Way]>([
  ['node', () => NODE],
  ['softnet', soft],
])('over connections of %s', (_name, way) => {
  async function serving(server: nodeNet.Server): Promise<{ port: number; end: () => Promise<unknown> }> {
    const listener = way().serve(server);
    await once(listener, 'listening');
    return { port: (listener.address() as nodeNet.AddressInfo).port, end: () => new Promise((resolve) => listener.close(resolve)) };
  }

  describe('tls', () => {
    test('much data both ways, and both ends', async () => {
      const server = tls.createServer({ ...SERVER, allowHalfOpen: true }, (socket) => socket.pipe(socket));
      const { port, end } = await serving(server);
      const socket = way().secured({ ...CLIENT, host: '127.0.0.1', port });
      await once(socket, 'secureConnect');
      expect([socket.encrypted, socket.getProtocol()]).toEqual([true, 'TLSv1.2']);
      socket.end(Buffer.alloc(1_000_000, 'secret'));
      let lenBytes = 0;
      for await (const chunk of socket) lenBytes += (chunk as Buffer).length;
      expect(lenBytes).toBe(1_000_000);
      await end();
    });

    test('nobody there: the error of the connection', async () => {
      const { port, end } = await serving(tls.createServer(SERVER));
      await end();
      const socket = way().secured({ ...CLIENT, host: '127.0.0.1', port });
      expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
    });

    test('another key: the handshake fails, and says so', async () => {
      const server = tls.createServer(SERVER);
      server.on('tlsClientError', () => {});
      const { port, end } = await serving(server);
      const wrong = { ...CLIENT, pskCallback: () => ({ identity: 'me', psk: Buffer.alloc(32, 1) }) };
      const socket = way().secured({ ...wrong, host: '127.0.0.1', port });
      expect((await once(socket, 'error'))[0].code).toMatch(/^ERR_SSL_/);
      await end();
    });

    test('reset in the midst: ECONNRESET', async () => {
      const server = tls.createServer(SERVER, (socket) => socket.on('error', () => {}));
      const raw = new Promise<nodeNet.Socket>((resolve) => server.once('connection', resolve));
      const { port, end } = await serving(server);
      const socket = way().secured({ ...CLIENT, host: '127.0.0.1', port });
      await once(socket, 'secureConnect');
      socket.resume();
      const error = once(socket, 'error');
      (await raw).resetAndDestroy();
      expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' });
      await end();
    });
  });

  test('https: requests over kept connections', async () => {
    const server = https.createServer(SERVER as https.ServerOptions, (asked, answer) => asked.pipe(answer));
    const { port, end } = await serving(server);
    const agent = way().httpsAgent({ keepAlive: true, maxSockets: 2 });
    const ask = async (body: string): Promise<string> => {
      const request = https.request({ ...CLIENT, agent, host: '127.0.0.1', port, method: 'POST' } as https.RequestOptions);
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      return text;
    };
    const bodies = Array.from({ length: 30 }, (_, i) => `body ${i} `.repeat(500));
    expect(await Promise.all(bodies.map(ask))).toEqual(bodies);
    agent.destroy();
    server.closeAllConnections();
    await end();
  });

  describe.each(['http', 'https'] as const)('http2 by %s', (protocol) => {
    async function session(listener: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void) {
      const server = protocol === 'http' ? http2.createServer() : http2.createSecureServer(SERVER as http2.SecureServerOptions);
      server.on('stream', listener);
      const { port, end } = await serving(server as unknown as nodeNet.Server);
      const at = { host: '127.0.0.1', port };
      const createConnection = () => (protocol === 'http' ? way().connect(at) : way().secured({ ...CLIENT, ...at, ALPNProtocols: ['h2'] }));
      const client = http2.connect(`${protocol}://127.0.0.1:${port}`, { createConnection });
      const close = async (): Promise<void> => {
        await new Promise<void>((resolve) => client.close(resolve));
        await end();
      };
      return { client, close };
    }

    test('streams beside each other, bodies both ways', async () => {
      const { client, close } = await session((stream) => {
        stream.respond({ ':status': 200 });
        stream.pipe(stream);
      });
      const bodies = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(20_000));
      const texts = bodies.map(async (body) => {
        const stream = client.request({ ':method': 'POST' });
        stream.end(body);
        let text = '';
        for await (const chunk of stream) text += chunk;
        return text;
      });
      expect(await Promise.all(texts)).toEqual(bodies);
      await close();
    });

    test('a ping, and a stream that is cancelled', async () => {
      const { client, close } = await session((stream) => {
        stream.on('error', () => {});
        stream.respond({ ':status': 200 });
        stream.write('part');
      });
      await once(client, 'connect');
      expect(await new Promise((resolve) => client.ping((error) => resolve(error)))).toBe(null);
      const stream = client.request({ ':path': '/' });
      await once(stream, 'data');
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await once(stream, 'close');
      expect(stream.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
      await close();
    });
  });

  test('fetch, by a dispatcher', async () => {
    const server = http.createServer((asked, answer) => asked.pipe(answer));
    const { port, end } = await serving(server);
    const through = await dispatcher(way());
    const ask = (body: string, signal?: AbortSignal): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, dispatcher: through, ...(signal && { signal }) } as RequestInit);
    const bodies = Array.from({ length: 20 }, (_, i) => `fetch ${i} `.repeat(1000));
    expect(await Promise.all(bodies.map(async (body) => (await ask(body)).text()))).toEqual(bodies);
    await expect(ask('x', AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    server.closeAllConnections();
    await end();
    await expect(ask('x')).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: expect.stringMatching(/ECONNREFUSED|UND_ERR_SOCKET/) },
    });
    await through.destroy();
  });
});

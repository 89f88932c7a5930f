import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TcpModule } from '@softnet/tcp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { heard, shape } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

let host: SoftHost;
/** What nobody caught. Vitest's own listeners would say it too late. */
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
beforeAll(async () => {
  host = await softHost();
  process.on('uncaughtException', note).on('unhandledRejection', note);
});
afterEach(() => {
  expect(uncaught.splice(0)).toEqual([]);
});
afterAll(async () => {
  process.off('uncaughtException', note).off('unhandledRejection', note);
  expect(await host.end()).toEqual(CLEAN);
});

async function listening(listener?: (far: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = host.net.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function pair(): Promise<{ server: Server; port: number; near: Socket; far: Socket }> {
  const { server, port } = await listening();
  const near = host.net.connect(port, '127.0.0.1');
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
  return { server, port, near, far: far as Socket };
}

function closing(...emitters: NodeJS.EventEmitter[]): Promise<unknown> {
  return Promise.all(emitters.map((emitter) => new Promise<void>((resolve) => emitter.on('close', () => resolve()))));
}

describe('rmmod tcp', () => {
  test('servers and connections say leaving; new ones get an errno; established ones finish; then it goes', async () => {
    const { server, port, near, far } = await pair();
    const names = [server, near, far].map((each) => heard(each, 'leaving', 'staying', 'error'));
    const unload = host.kernel.unload('tcp');
    await once(near, 'leaving');
    const socket = host.net.connect(port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(shape(error)).toMatchObject({ code: 'EPROTONOSUPPORT', syscall: 'connect', address: '127.0.0.1', port });
    expect(error.message).toMatch(/: no module of this kernel speaks this protocol, or it is leaving: load it first$/);
    const other = host.net.createServer().listen(0, '127.0.0.1');
    expect(shape((await once(other, 'error'))[0])).toMatchObject({ code: 'EPROTONOSUPPORT', syscall: 'listen' });
    far.on('data', (chunk) => far.write(`${chunk} back`));
    near.write('there and');
    expect(String((await once(near, 'data'))[0])).toBe('there and back');
    const closes = closing(near, far, server);
    near.end();
    server.close();
    await closes;
    await host.pass(61_000);
    await unload.report;
    expect(host.kernel.modules().map(({ name }) => name)).not.toContain('tcp');
    expect(names).toEqual([['leaving'], ['leaving'], ['leaving']]);
    await host.kernel.load(TcpModule);
  });

  test('it stays after all: new connections are taken again', async () => {
    const { server, port, near, far } = await pair();
    const names = [server, near].map((each) => heard(each, 'leaving', 'staying'));
    const abort = new AbortController();
    const unload = host.kernel.unload('tcp', { signal: abort.signal });
    await once(server, 'leaving');
    abort.abort();
    await Promise.allSettled([unload.report]);
    await host.pass(2);
    expect(names).toEqual([
      ['leaving', 'staying'],
      ['leaving', 'staying'],
    ]);
    const again = host.net.connect(port, '127.0.0.1');
    await once(again, 'connect');
    for (const socket of [near, far, again]) socket.destroy();
    server.on('connection', (socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(['quiet', 'with listeners'])('by force, %s: all close, nothing is thrown', async (how) => {
    const { server, port, near, far } = await pair();
    const connecting = host.net.connect(port, '127.0.0.1');
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(connecting.connecting).toBe(true);
    const written = new Promise((resolve) => near.write(Buffer.alloc(8_000_000), resolve));
    far.pause();
    const all = [server, near, far, connecting];
    const errors: unknown[] = [];
    if (how !== 'quiet') for (const each of all) each.on('error', (error) => errors.push(error));
    const closes = closing(...all);
    await host.kernel.unload('tcp', { force: true }).report;
    await closes;
    expect([server.listening, near.destroyed, far.destroyed, connecting.destroyed]).toEqual([false, true, true, true]);
    expect(await written).toMatchObject({ code: expect.any(String) });
    if (how !== 'quiet') expect(errors).toHaveLength(4);
    await host.kernel.load(TcpModule);
    const again = await listening();
    await new Promise((resolve) => again.server.close(resolve));
  });

  test('by force under http: the client is told, the server goes on when it is loaded again', async () => {
    const server = http.createServer((asked, answer) => (asked.url === '/held' ? answer.write('part') : answer.end('ok')));
    const listener = host.serve(server, 0, '127.0.0.1');
    await once(listener, 'listening');
    const agent = host.http.agent({ keepAlive: true });
    const at = { agent, host: '127.0.0.1', port: (listener.address() as AddressInfo).port };
    const request = http.get({ ...at, path: '/held' });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    // Node's http hears errors of its connections, so its requests have them, as they have a reset.
    const told = Promise.all([request, response].map((each) => new Promise((resolve) => each.once('error', resolve))));
    const closes = closing(listener);
    await host.kernel.unload('tcp', { force: true }).report;
    expect(await told).toMatchObject([{ code: 'ECONNABORTED' }, { code: 'ECONNRESET' }]);
    await closes;
    await host.kernel.load(TcpModule);
    const again = host.serve(server, at.port, '127.0.0.1');
    await once(again, 'listening');
    const [answer] = (await once(http.get(at), 'response')) as [http.IncomingMessage];
    expect(answer.statusCode).toBe(200);
    await once(answer.resume(), 'end');
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => again.close(resolve));
  });
});

describe.each(['handover', 'drain'] as const)('tcp is replaced by %s', (mode) => {
  test('under http traffic: nothing is lost', async () => {
    const server = http.createServer(async (asked, answer) => {
      for await (const chunk of asked) answer.write(chunk);
      answer.end();
    });
    const listener = host.serve(server, 0, '127.0.0.1');
    await once(listener, 'listening');
    const agent = host.http.agent({ keepAlive: true, maxSockets: 8 });
    const at = { agent, host: '127.0.0.1', port: (listener.address() as AddressInfo).port, method: 'POST' };
    let done = 0;
    const ask = async (i: number): Promise<void> => {
      const body = `request ${i} `.repeat(1 + (i % 7) * 300);
      const request = http.request({ ...at, headers: i % 5 === 0 ? { connection: 'close' } : {} });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      expect(text).toBe(body);
      done++;
    };
    const work = Promise.all(Array.from({ length: 200 }, (_, i) => ask(i)));
    const upheaval = (async () => {
      for (let i = 0; i < 3; i++) {
        const from = done;
        while (done < Math.min(from + 40, 200)) await new Promise((resolve) => setImmediate(resolve));
        expect((await host.kernel.replace('tcp', TcpModule, { mode })).mode).toBe(mode);
      }
    })();
    await Promise.all([work, upheaval]);
    expect(done).toBe(200);
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  });

  test('a long transfer, and a listener: both go on', async () => {
    const { server, port, near, far } = await pair();
    const block = Buffer.alloc(100_000, 'abcdefghij');
    let count = 0;
    const writing = (async () => {
      for (let i = 0; i < 30; i++) if (!near.write(block)) await once(near, 'drain');
      near.end();
    })();
    const reading = (async () => {
      for await (const chunk of far) count += (chunk as Buffer).length;
    })();
    while (count < 500_000) await new Promise((resolve) => setImmediate(resolve));
    await host.kernel.replace('tcp', TcpModule, { mode });
    await Promise.all([writing, reading]);
    expect(count).toBe(3_000_000);
    const late = host.net.connect(port, '127.0.0.1');
    const [[lateFar]] = await Promise.all([once(server, 'connection'), once(late, 'connect')]);
    for (const socket of [near, far, late, lateFar]) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

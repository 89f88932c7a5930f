import { once } from 'node:events';
import * as nodeNet from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { NetFace } from '@softnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heard, shape } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

let host: SoftHost;
beforeAll(async () => {
  host = await softHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

interface Pair {
  readonly server: nodeNet.Server;
  readonly near: nodeNet.Socket;
  readonly far: nodeNet.Socket;
  readonly port: number;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// What only TCP does, of Node itself and of ours.
describe.each<[string, () => NetFace]>([
  ['node', () => nodeNet],
  ['softnet', () => host.net],
])('TCP of %s', (name, face) => {
  async function listening(options: nodeNet.ServerOpts = {}, ...at: unknown[]): Promise<{ server: nodeNet.Server; port: number }> {
    const server = face().createServer(options);
    Reflect.apply(server.listen, server, at.length > 0 ? at : [0, '127.0.0.1']);
    await once(server, 'listening');
    return { server, port: (server.address() as nodeNet.AddressInfo).port };
  }

  async function pair(options: nodeNet.ServerOpts = {}, client: object = {}): Promise<Pair> {
    const { server, port } = await listening(options);
    const connection = once(server, 'connection');
    const near = face().connect({ port, host: '127.0.0.1', ...client });
    await once(near, 'connect');
    const [far] = (await connection) as [nodeNet.Socket];
    return { server, near, far, port };
  }

  function ended(server: nodeNet.Server): Promise<unknown> {
    return new Promise((resolve) => server.close(resolve));
  }

  async function over({ server, near, far }: Pick<Pair, 'server' | 'near' | 'far'>): Promise<void> {
    for (const socket of [near, far]) socket.on('error', () => {}).destroy();
    await ended(server);
  }

  describe('resets', () => {
    test('who is reset while he reads: ECONNRESET, close(true), no end', async () => {
      const ends = await pair();
      const names = heard(ends.far, 'end', 'error', 'close');
      ends.far.resume();
      ends.near.resetAndDestroy();
      expect(await once(ends.near, 'close')).toEqual([false]);
      const closes = new Promise((resolve) => ends.far.once('close', resolve));
      expect(await closes).toBe(true);
      expect(names).toEqual(['error', 'close']);
      await over(ends);
    });

    test('who has data unread and is closed resets the peer', async () => {
      const ends = await pair({ pauseOnConnect: true });
      ends.near.write('never read');
      await new Promise((resolve) => ends.near.write('.', resolve));
      for (let i = 0; i < 5; i++) await turn();
      ends.near.resume();
      ends.far.destroy();
      expect(shape((await once(ends.near, 'error'))[0])).toMatchObject({ code: 'ECONNRESET', errno: -104, syscall: 'read' });
      await over(ends);
    });

    test('who does not read hears of a reset when he reads, behind what had come', async () => {
      const ends = await pair({ pauseOnConnect: true });
      const names = heard(ends.far, 'data', 'end', 'error', 'close');
      ends.far.pause();
      await new Promise((resolve) => ends.near.write('last words', resolve));
      await new Promise((resolve) => setTimeout(resolve, 5));
      ends.near.resetAndDestroy();
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect([names, ends.far.destroyed]).toEqual([[], false]);
      const [data, close] = ['data', 'close'].map((event) => new Promise((resolve) => ends.far.once(event, resolve)));
      ends.far.resume();
      expect(String(await data)).toBe('last words');
      await close;
      // On Node 20 libuv takes a short read and POLLHUP for the end; on Node 24 it reads on, and Linux says ECONNRESET, as we do.
      const second = name === 'node' && process.version.startsWith('v20.') ? 'end' : 'error';
      expect(names).toEqual(['data', second, 'close']);
      await over(ends);
    });

    test('who writes into a connection that is being reset hears of it once', async () => {
      const ends = await pair();
      const names = heard(ends.near, 'error', 'end', 'close');
      const error = new Promise<{ code: string }>((resolve) => ends.near.once('error', resolve));
      const closes = new Promise((resolve) => ends.near.once('close', resolve));
      ends.far.resetAndDestroy();
      const told: unknown[] = [];
      for (let i = 0; i < 3; i++) ends.near.write('x', (failed) => told.push(failed));
      expect(['ECONNRESET', 'EPIPE']).toContain((await error).code);
      expect(await closes).toBe(true);
      expect([names, told.length]).toEqual([['error', 'close'], 3]);
      await over(ends);
    });

    test('after the peer has closed, the first write is sent, and the answer is a reset', async () => {
      const ends = await pair({}, { allowHalfOpen: true });
      ends.near.resume();
      ends.far.destroy();
      await once(ends.near, 'end');
      const written = await new Promise((resolve) => ends.near.write('first', resolve));
      expect(written).toBeFalsy();
      const error = once(ends.near, 'error');
      const timer = setInterval(() => ends.near.write('more'), 1);
      expect(['EPIPE', 'ECONNRESET']).toContain((await error)[0].code);
      clearInterval(timer);
      await over(ends);
    });

    test('resetAndDestroy on the way to the connection: reset when it is there', async () => {
      const { server, port } = await listening();
      server.on('connection', (far) => far.on('error', () => {}));
      const socket = face().connect(port, '127.0.0.1');
      const names = heard(socket, 'connect', 'error', 'close');
      socket.resetAndDestroy();
      await once(socket, 'close');
      expect(names).toEqual(['connect', 'close']);
      await ended(server);
    });
  });

  describe('the end', () => {
    test('both end at once', async () => {
      const ends = await pair();
      const names = [heard(ends.near, 'end', 'error'), heard(ends.far, 'end', 'error')];
      ends.near.resume().end('bye');
      ends.far.resume().end('bye');
      expect(await Promise.all([once(ends.near, 'close'), once(ends.far, 'close')])).toEqual([[false], [false]]);
      expect(names).toEqual([['end'], ['end']]);
      await ended(ends.server);
    });

    test('allowHalfOpen at both ends: data goes on against the direction that ended', async () => {
      const ends = await pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      ends.near.end('question');
      await once(ends.near, 'finish');
      let asked = '';
      ends.far.on('data', (chunk) => {
        asked += chunk;
      });
      await once(ends.far, 'end');
      expect([asked, ends.near.readyState, ends.far.readyState]).toEqual(['question', 'readOnly', 'writeOnly']);
      for (const part of ['a', 'b', 'c']) {
        ends.far.write(part);
        expect(String((await once(ends.near, 'data'))[0])).toBe(part);
      }
      ends.far.end();
      await once(ends.near, 'close');
      await ended(ends.server);
    });

    test('without allowHalfOpen the end is answered by an end', async () => {
      const ends = await pair();
      ends.far.resume();
      ends.near.resume().end();
      await Promise.all([once(ends.near, 'close'), once(ends.far, 'close')]);
      expect([ends.near.readyState, ends.far.readyState]).toEqual(['closed', 'closed']);
      await ended(ends.server);
    });

    test('what was written before the end arrives, however much', async () => {
      const ends = await pair();
      const block = Buffer.alloc(3_000_000, 'x');
      ends.near.end(block);
      let count = 0;
      for await (const chunk of ends.far) count += (chunk as Buffer).length;
      expect(count).toBe(block.length);
      await over(ends);
    });
  });

  describe('much data', () => {
    test('pipelines both ways at once', async () => {
      const { server, port } = await listening({ allowHalfOpen: true });
      server.on('connection', (far) => void pipeline(far, far));
      const near = face().connect(port, '127.0.0.1');
      const block = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 7) & 255));
      const rounds = 64;
      let [count, wrong] = [0, 0];
      const reading = (async () => {
        for await (const chunk of near) {
          for (const byte of chunk as Buffer) if (byte !== block[count++ & 65_535]) wrong++;
        }
      })();
      await pipeline(async function* () {
        for (let i = 0; i < rounds; i++) yield block;
      }, near);
      await reading;
      expect([count, wrong]).toEqual([rounds * block.length, 0]);
      await ended(server);
    });

    test('a reader that stands still stops the writer; what waits goes when he reads', async () => {
      const ends = await pair({ pauseOnConnect: true });
      const block = Buffer.alloc(1_000_000);
      // More than Linux's largest buffers of both ends, or than all packet memory of ours.
      const count = name === 'node' ? 12 : 6;
      let done = 0;
      for (let i = 0; i < count; i++) ends.near.write(block, () => done++);
      for (let i = 0; i < 200; i++) await turn();
      expect([done < count, ends.near.writableNeedDrain, ends.near.writableLength > block.length]).toEqual([true, true, true]);
      const drain = once(ends.near, 'drain');
      let lenBytes = 0;
      const all = new Promise<void>((resolve) => {
        ends.far.on('data', (chunk) => {
          lenBytes += chunk.length;
          if (lenBytes === count * block.length) resolve();
        });
      });
      ends.far.resume();
      await Promise.all([drain, all]);
      expect(done).toBe(count);
      await over(ends);
    });

    test('small writes, each with a callback, in order', async () => {
      const ends = await pair({ noDelay: true }, { noDelay: true });
      const order: number[] = [];
      for (let i = 0; i < 500; i++) ends.near.write(`${i} `, () => order.push(i));
      ends.near.end();
      let text = '';
      for await (const chunk of ends.far) text += chunk;
      expect(text.trim().split(' ').map(Number)).toEqual(Array.from({ length: 500 }, (_, i) => i));
      expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i));
      await over(ends);
    });
  });

  describe('listeners', () => {
    test("'::' takes both families, and names IPv4 as mapped", async () => {
      const { server, port } = await listening({}, 0, '::');
      const seen: (string | undefined)[] = [];
      server.on('connection', (far) => {
        seen.push(far.remoteAddress, far.remoteFamily);
        far.destroy();
      });
      for (const address of ['127.0.0.1', '::1']) await once(face().connect(port, address).resume(), 'close');
      expect(seen).toEqual(['::ffff:127.0.0.1', 'IPv6', '::1', 'IPv6']);
      await ended(server);
    });

    test('ipv6Only leaves IPv4 to others', async () => {
      const { server, port } = await listening({}, { port: 0, host: '::', ipv6Only: true });
      expect((await once(face().connect(port, '127.0.0.1'), 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
      const four = await listening({}, port, '127.0.0.1');
      expect(four.port).toBe(port);
      await Promise.all([ended(server), ended(four.server)]);
    });

    test("'::' and the same port of IPv4: EADDRINUSE", async () => {
      const { server, port } = await listening({}, 0, '::');
      const other = face().createServer().listen(port, '0.0.0.0');
      expect(shape((await once(other, 'error'))[0])).toMatchObject({ code: 'EADDRINUSE', address: '0.0.0.0', port, syscall: 'listen' });
      await ended(server);
    });

    test('an error of listen leaves a server that can listen elsewhere', async () => {
      const { server, port } = await listening();
      const other = face().createServer().listen(port, '127.0.0.1');
      await once(other, 'error');
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      await Promise.all([ended(server), ended(other)]);
    });

    test('a port of which connections remain can be listened on again at once', async () => {
      const ends = await pair();
      ends.far.resume().end();
      ends.near.resume();
      await once(ends.far, 'close');
      await ended(ends.server);
      const again = await listening({}, ends.port, '127.0.0.1');
      expect(again.port).toBe(ends.port);
      await ended(again.server);
    });

    test('who listens no more refuses; who is connected stays', async () => {
      const ends = await pair();
      const close = ended(ends.server);
      expect((await once(face().connect(ends.port, '127.0.0.1'), 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
      ends.near.write('still');
      expect(String((await once(ends.far, 'data'))[0])).toBe('still');
      ends.near.destroy();
      ends.far.destroy();
      await close;
    });

    test('getConnections counts what is open, then nothing', async () => {
      const { server, port } = await listening();
      const count = (): Promise<number> => new Promise((resolve) => server.getConnections((_error, number) => resolve(number)));
      const fars: nodeNet.Socket[] = [];
      server.on('connection', (far) => fars.push(far.resume()));
      const nears = Array.from({ length: 5 }, () => face().connect(port, '127.0.0.1').resume());
      await Promise.all(nears.map((near) => once(near, 'connect')));
      while (fars.length < 5) await turn();
      expect(await count()).toBe(5);
      const gone = Promise.all(fars.map((far) => once(far, 'close')));
      for (const near of nears) near.end();
      await gone;
      expect(await count()).toBe(0);
      await ended(server);
    });

    test('maxConnections 0 drops all', async () => {
      const { server, port } = await listening();
      server.maxConnections = 1;
      const first = face().connect(port, '127.0.0.1').resume();
      const [far] = (await once(server, 'connection')) as [nodeNet.Socket];
      const second = face().connect(port, '127.0.0.1').resume();
      second.on('error', () => {});
      const [[drop]] = await Promise.all([once(server, 'drop'), new Promise((resolve) => second.once('close', resolve))]);
      expect(drop).toMatchObject({ localPort: port, remotePort: expect.any(Number) });
      await over({ server, near: first, far });
    });

    test('Symbol.asyncDispose waits for connections', async () => {
      const ends = await pair();
      const disposed = (ends.server as unknown as AsyncDisposable)[Symbol.asyncDispose]();
      ends.near.destroy();
      ends.far.destroy();
      await disposed;
      expect(ends.server.listening).toBe(false);
    });
  });

  describe('who connects', () => {
    test('localPort, and again with the same: EADDRINUSE', async () => {
      const { server, port } = await listening();
      server.on('connection', (far) => far.resume());
      const free = await listening();
      await ended(free.server);
      const options = { port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort: free.port };
      const socket = face().connect(options).resume();
      await once(socket, 'connect');
      expect([socket.localPort, socket.localAddress]).toEqual([free.port, '127.0.0.1']);
      const again = face().connect(options);
      const [error] = await once(again, 'error');
      expect(['EADDRINUSE', 'EADDRNOTAVAIL']).toContain(error.code);
      socket.end();
      await once(socket, 'close');
      await ended(server);
    });

    test('a localAddress that is not ours: EADDRNOTAVAIL', async () => {
      const socket = face().connect({ port: 9, host: '127.0.0.1', localAddress: '192.0.2.1' });
      expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'EADDRNOTAVAIL' });
    });

    test('autoSelectFamily: the first is refused, the second is taken', async () => {
      const { server, port } = await listening({}, 0, '127.0.0.1');
      server.on('connection', (far) => far.destroy());
      const found = [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ];
      const lookup = (_name: string, _options: object, callback: (...given: unknown[]) => void): void =>
        process.nextTick(callback, null, found);
      const socket = face().connect({ port, host: 'a.name', autoSelectFamily: true, lookup: lookup as never });
      const names = heard(socket, 'lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect', 'ready');
      await once(socket, 'connect');
      await turn();
      expect(names).toEqual(['lookup', 'lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttempt', 'connect', 'ready']);
      expect([socket.remoteAddress, socket.autoSelectFamilyAttemptedAddresses]).toEqual([
        '127.0.0.1',
        [`::1:${port}`, `127.0.0.1:${port}`],
      ]);
      socket.destroy();
      await ended(server);
    });

    test('autoSelectFamily: families take turns, each address is tried once', async () => {
      const { server, port } = await listening();
      await ended(server);
      const found = ['127.0.0.1', '127.0.0.2', '::1', '127.0.0.1'].map((address) => ({ address, family: nodeNet.isIP(address) }));
      const lookup = (_name: string, _options: object, callback: (...given: unknown[]) => void): void =>
        process.nextTick(callback, null, found);
      const socket = face().connect({ port, host: 'a.name', autoSelectFamily: true, lookup: lookup as never });
      const [error] = await once(socket, 'error');
      const tried = ['127.0.0.1', '::1', '127.0.0.2'];
      expect(error.errors.map(shape)).toEqual(
        tried.map((address) => ({ name: 'Error', code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address, port })),
      );
      expect(socket.autoSelectFamilyAttemptedAddresses).toEqual(tried.map((address) => `${address}:${port}`));
    });

    test('a socket is used again after it has closed', async () => {
      const { server, port } = await listening();
      server.on('connection', (far) => far.resume().end());
      const socket = new (face().Socket)();
      for (let i = 0; i < 2; i++) {
        socket.connect(port, '127.0.0.1').resume();
        await once(socket, 'close');
      }
      await ended(server);
    });

    test('an AbortSignal ends a connection', async () => {
      const abort = new AbortController();
      const { server, port } = await listening();
      server.on('connection', (far) => far.on('error', () => {}).resume());
      const socket = new (face().Socket)({ signal: abort.signal } as nodeNet.SocketConstructorOpts).connect(port, '127.0.0.1');
      await once(socket, 'connect');
      abort.abort();
      expect((await once(socket, 'error'))[0]).toMatchObject({ name: 'AbortError' });
      await ended(server);
    });
  });
});

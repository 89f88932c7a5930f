import { once } from 'node:events';
import * as nodeNet from 'node:net';
import type { NetFace } from '@softnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heard, shape, thrown } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

let host: SoftHost;
beforeAll(async () => {
  host = await softHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

describe.each<[string, () => NetFace]>([
  ['node', () => nodeNet],
  ['softnet', () => host.net],
])('net of %s', (_name, face) => {
  /** A server on the loopback. */
  async function listening(options: nodeNet.ServerOpts = {}): Promise<{ server: nodeNet.Server; port: number }> {
    const server = face().createServer(options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, port: (server.address() as nodeNet.AddressInfo).port };
  }

  /** Both ends of a connection. */
  async function pair(options: nodeNet.ServerOpts = {}, client: object = {}) {
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

  async function over({ server, near, far }: Awaited<ReturnType<typeof pair>>): Promise<void> {
    near.on('error', () => {}).destroy();
    far.on('error', () => {}).destroy();
    await ended(server);
  }

  async function text(socket: nodeNet.Socket): Promise<string> {
    let all = '';
    for await (const chunk of socket) all += chunk;
    return all;
  }

  /** A port where nobody is. */
  async function freePort(): Promise<number> {
    const { server, port } = await listening();
    await ended(server);
    return port;
  }

  describe('arguments of connect', () => {
    test.each<[unknown[], object]>([
      [[], { name: 'TypeError', code: 'ERR_MISSING_ARGS' }],
      [[{}], { name: 'TypeError', code: 'ERR_MISSING_ARGS' }],
      [[70_000], { name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' }],
      [[-1], { code: 'ERR_SOCKET_BAD_PORT' }],
      [[{ port: null }], { code: 'ERR_INVALID_ARG_TYPE' }],
      [[{ port: 9, host: 5 }], { code: 'ERR_INVALID_ARG_TYPE' }],
      [[{ port: 9, lookup: 5 }], { code: 'ERR_INVALID_ARG_TYPE' }],
      [[{ port: 9, localAddress: 'x' }], { name: 'TypeError', code: 'ERR_INVALID_IP_ADDRESS' }],
      [[{ port: 9, localPort: 'x' }], { code: 'ERR_INVALID_ARG_TYPE' }],
    ])('%j throws', (given, error) => {
      expect(thrown(() => Reflect.apply(face().connect, undefined, given))).toMatchObject(error);
    });

    test.each<[string, (port: number) => unknown[]]>([
      ['port and host', (port) => [port, '127.0.0.1']],
      ['port in digits', (port) => [String(port), '127.0.0.1']],
      ['an object', (port) => [{ port, host: '127.0.0.1' }]],
      ['port alone', (port) => [port]],
      ['a name', (port) => [{ port, host: 'localhost', family: 4 }]],
      ['a local address', (port) => [{ port, host: '127.0.0.1', localAddress: '127.0.0.1' }]],
    ])('%s, with a callback', async (_what, given) => {
      const { server, port } = await listening();
      const socket = await new Promise<nodeNet.Socket>((resolve) => {
        const made = Reflect.apply(face().connect, undefined, [...given(port), () => resolve(made)]) as nodeNet.Socket;
      });
      expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual(['127.0.0.1', port, 'IPv4']);
      socket.destroy();
      server.on('connection', (far) => far.destroy());
      await ended(server);
    });
  });

  describe('connect', () => {
    test('emits connect, then ready; states on the way', async () => {
      const { server, port } = await listening();
      const socket = new (face().Socket)();
      expect([socket.pending, socket.connecting, socket.readyState]).toEqual([true, false, 'open']);
      const names = heard(socket, 'connect', 'ready', 'close');
      expect(socket.connect(port, '127.0.0.1')).toBe(socket);
      expect([socket.pending, socket.connecting, socket.readyState]).toEqual([true, true, 'opening']);
      await once(socket, 'ready');
      expect([socket.pending, socket.connecting, socket.readyState, names]).toEqual([false, false, 'open', ['connect', 'ready']]);
      socket.destroy();
      await ended(server.on('connection', (far) => far.destroy()) && server);
    });

    test('to where nobody listens: ECONNREFUSED, then close', async () => {
      const port = await freePort();
      const socket = face().connect(port, '127.0.0.1');
      const names = heard(socket, 'connect', 'error', 'close');
      const [error] = await once(socket, 'error');
      expect(shape(error)).toEqual({ name: 'Error', code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '127.0.0.1', port });
      expect(error.message).toMatch(`connect ECONNREFUSED 127.0.0.1:${port}`);
      expect(await once(socket, 'close')).toEqual([true]);
      expect([names, socket.destroyed, socket.readyState]).toEqual([['error', 'close'], true, 'closed']);
    });

    test('a name is looked up, and said', async () => {
      const { server, port } = await listening();
      const lookup = (_name: string, { all }: { all?: boolean }, callback: (...given: unknown[]) => void): void =>
        process.nextTick(() => (all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)));
      const socket = face().connect({ port, host: 'a.name', lookup: lookup as never });
      expect(await once(socket, 'lookup')).toEqual([null, '127.0.0.1', 4, 'a.name']);
      await once(socket, 'connect');
      socket.destroy();
      await ended(server.on('connection', (far) => far.destroy()) && server);
    });

    test('a name that nobody knows: its error', async () => {
      const why = new Error('unknown');
      const socket = face().connect({
        port: 9,
        host: 'a.name',
        lookup: (_name, _options, callback) => process.nextTick(callback, why, '', 4),
      });
      expect(await once(socket, 'error')).toEqual([why]);
      await once(socket, 'close');
    });

    test('of several addresses the first that answers', async () => {
      const { server, port } = await listening();
      const addresses = [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ];
      server.close();
      const four = face().createServer((far) => far.destroy());
      four.listen(port, '127.0.0.1');
      await once(four, 'listening');
      const lookup = (_name: string, _options: object, callback: (...given: unknown[]) => void): void =>
        process.nextTick(callback, null, addresses);
      const socket = face().connect({ port, host: 'a.name', autoSelectFamily: true, lookup: lookup as never });
      await once(socket, 'connect');
      expect(['127.0.0.1', '::1']).toContain(socket.remoteAddress);
      socket.destroy();
      await ended(four);
    });

    test('all of several refused: one error with all of them', async () => {
      const port = await freePort();
      const addresses = [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ];
      const lookup = (_name: string, _options: object, callback: (...given: unknown[]) => void): void =>
        process.nextTick(callback, null, addresses);
      const socket = face().connect({ port, host: 'a.name', autoSelectFamily: true, lookup: lookup as never });
      const [error] = await once(socket, 'error');
      expect([error.name, error.code]).toMatchObject([expect.stringMatching(/Error/), 'ECONNREFUSED']);
      await once(socket, 'close');
    });

    test('destroyed on the way: close without error', async () => {
      const { server, port } = await listening();
      const socket = face().connect(port, '127.0.0.1');
      const names = heard(socket, 'connect', 'error', 'close');
      socket.destroy();
      expect(await once(socket, 'close')).toEqual([false]);
      expect(names).toEqual(['close']);
      await ended(server.on('connection', (far) => far.on('error', () => {}).destroy()) && server);
    });

    test('an abort signal destroys it', async () => {
      const abort = new AbortController();
      const { server, port } = await listening();
      const socket = new (face().Socket)({ signal: abort.signal } as nodeNet.SocketConstructorOpts);
      socket.connect(port, '127.0.0.1');
      abort.abort();
      expect((await once(socket, 'error'))[0]).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      await ended(server.on('connection', (far) => far.on('error', () => {}).destroy()) && server);
    });

    test('what is written before goes out then', async () => {
      const { server, port } = await listening();
      const socket = face().connect(port, '127.0.0.1');
      socket.write('early ');
      socket.end('end');
      const [far] = (await once(server, 'connection')) as [nodeNet.Socket];
      expect(await text(far)).toBe('early end');
      far.destroy();
      await ended(server);
    });

    test('a path of IPC is an error', async () => {
      const socket = face().connect('/nowhere/softnet.sock');
      expect((await once(socket, 'error'))[0]).toMatchObject({ syscall: 'connect', address: '/nowhere/softnet.sock' });
    });
  });

  describe('a connection', () => {
    test('carries data both ways', async () => {
      const ends = await pair();
      ends.near.write('to far');
      expect(String((await once(ends.far, 'data'))[0])).toBe('to far');
      ends.far.write('to near');
      expect(String((await once(ends.near, 'data'))[0])).toBe('to near');
      await over(ends);
    });

    test('knows its ends', async () => {
      const ends = await pair();
      const { near, far, port } = ends;
      expect(near.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: near.localPort });
      expect([near.localAddress, near.localFamily, far.localPort, far.remotePort]).toEqual(['127.0.0.1', 'IPv4', port, near.localPort]);
      await over(ends);
    });

    test('counts bytes', async () => {
      const ends = await pair();
      ends.near.write('abc');
      ends.near.write(Buffer.alloc(7));
      ends.near.end();
      const all = await text(ends.far);
      expect([all.length, ends.far.bytesRead, ends.near.bytesWritten, ends.near.bytesRead]).toEqual([10, 10, 10, 0]);
      await over(ends);
    });

    test('carries much', async () => {
      const ends = await pair();
      const block = Buffer.alloc(100_000, 'abcdefghij');
      for (let i = 0; i < 10; i++) ends.near.write(block);
      ends.near.end();
      const got = await text(ends.far);
      expect([got.length, got.slice(0, 10), got.slice(-10), ends.near.bytesWritten]).toEqual([
        1_000_000,
        'abcdefghij',
        'abcdefghij',
        1_000_000,
      ]);
      await over(ends);
    });

    test('a paused reader stops the writer; drain says when he goes on', async () => {
      const ends = await pair();
      ends.far.pause();
      while (ends.near.write(Buffer.alloc(65_536)));
      const drain = once(ends.near, 'drain');
      await new Promise((resolve) => setImmediate(resolve));
      ends.far.resume();
      await drain;
      await over(ends);
    });

    test('cork and uncork', async () => {
      const ends = await pair();
      ends.near.cork();
      for (const part of ['a', 'b', 'c']) ends.near.write(part);
      ends.near.uncork();
      ends.near.end();
      expect(await text(ends.far)).toBe('abc');
      await over(ends);
    });

    test('setEncoding', async () => {
      const ends = await pair();
      ends.far.setEncoding('hex');
      ends.near.end('hi');
      expect(await text(ends.far)).toBe('6869');
      await over(ends);
    });

    test.each<[string, unknown[], string]>([
      ['hex', ['616263', 'hex'], 'abc'],
      ['latin1', ['\u00e4', 'latin1'], '\ufffd'],
      ['a Uint8Array', [new Uint8Array([65, 66])], 'AB'],
    ])('write of %s', async (_what, given, got) => {
      const ends = await pair();
      ends.near.end(...(given as [string]));
      expect(await text(ends.far)).toBe(got);
      await over(ends);
    });

    test('write calls back', async () => {
      const ends = await pair();
      expect(await new Promise((resolve) => ends.near.write('x', resolve))).toBeFalsy();
      await over(ends);
    });

    test('write of what is no data throws', async () => {
      const ends = await pair();
      expect(thrown(() => ends.near.write(5 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
      expect(thrown(() => ends.near.write(null as never))).toMatchObject({ code: 'ERR_STREAM_NULL_VALUES' });
      await over(ends);
    });
  });

  describe('the end', () => {
    test('order of events at both ends', async () => {
      const ends = await pair();
      const [near, far] = [heard(ends.near, 'end', 'finish', 'close'), heard(ends.far, 'end', 'finish', 'close')];
      ends.far.resume();
      ends.near.resume();
      const both = Promise.all([once(ends.near, 'close'), once(ends.far, 'close')]);
      ends.near.end();
      expect(await both).toEqual([[false], [false]]);
      expect([near, far]).toEqual([
        ['finish', 'end', 'close'],
        ['end', 'finish', 'close'],
      ]);
      await ended(ends.server);
    });

    test('half open: the answer comes after the end', async () => {
      const ends = await pair({ allowHalfOpen: true });
      ends.far.on('end', () => ends.far.end('answer')).resume();
      ends.near.end('question');
      expect(await text(ends.near)).toBe('answer');
      await ended(ends.server);
    });

    test('write after end: ERR_STREAM_WRITE_AFTER_END', async () => {
      const ends = await pair();
      ends.near.end();
      ends.near.write('late');
      expect((await once(ends.near, 'error'))[0]).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
      await over(ends);
    });

    test('write after the other has ended: EPIPE', async () => {
      const ends = await pair({}, {});
      ends.far.end();
      ends.near.resume();
      await once(ends.near, 'end');
      ends.near.write('late');
      expect((await once(ends.near, 'error'))[0]).toMatchObject({ code: 'EPIPE' });
      await over(ends);
    });

    test('destroy with an error: error, close(true)', async () => {
      const ends = await pair();
      const why = new Error('why');
      ends.near.destroy(why);
      expect(await once(ends.near, 'error')).toEqual([why]);
      expect(await once(ends.near, 'close')).toEqual([true]);
      await over(ends);
    });

    test('destroy twice closes once', async () => {
      const ends = await pair();
      const names = heard(ends.near, 'close');
      ends.near.destroy();
      ends.near.destroy();
      await once(ends.near, 'close');
      await new Promise((resolve) => setImmediate(resolve));
      expect(names).toEqual(['close']);
      await over(ends);
    });

    test('destroySoon sends what is there', async () => {
      const ends = await pair();
      ends.near.write('last words');
      ends.near.destroySoon();
      expect(await text(ends.far)).toBe('last words');
      await over(ends);
    });

    test('resetAndDestroy: the other gets ECONNRESET', async () => {
      const ends = await pair();
      ends.far.resume();
      ends.near.resetAndDestroy();
      const [error] = await once(ends.far, 'error');
      expect(shape(error)).toMatchObject({ name: 'Error', code: 'ECONNRESET', errno: -104, syscall: 'read' });
      await over(ends);
    });

    test('resetAndDestroy without connection: ERR_SOCKET_CLOSED', async () => {
      const socket = new (face().Socket)();
      socket.resetAndDestroy();
      expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    });

    test('write without connection: ERR_SOCKET_CLOSED', async () => {
      const socket = new (face().Socket)();
      const error = new Promise((resolve) => socket.once('error', resolve));
      const told = await new Promise((resolve) => socket.write('x', resolve));
      expect([told, await error]).toMatchObject([{ code: 'ERR_SOCKET_CLOSED' }, { code: 'ERR_SOCKET_CLOSED' }]);
    });

    test('ends are still known afterwards, and what cannot be set is not', async () => {
      const ends = await pair();
      ends.near.destroy();
      await once(ends.near, 'close');
      expect([ends.near.setNoDelay(), ends.near.setKeepAlive(), ends.near.ref(), ends.near.unref()]).toEqual(new Array(4).fill(ends.near));
      expect(ends.near.readyState).toBe('closed');
      await over(ends);
    });
  });

  describe('timeouts and options', () => {
    test('timeout is said when nothing happens', async () => {
      const ends = await pair();
      const called = new Promise<void>((resolve) => ends.near.setTimeout(5, resolve));
      expect(ends.near.timeout).toBe(5);
      await once(ends.near, 'timeout');
      await called;
      expect(ends.near.destroyed).toBe(false);
      await over(ends);
    });

    test('destroyed, it says no timeout', async () => {
      const ends = await pair();
      const names = heard(ends.near, 'timeout');
      ends.near.setTimeout(2);
      ends.near.destroy();
      const others = await pair();
      const other = once(others.far, 'timeout');
      others.far.setTimeout(8);
      await other;
      expect(names).toEqual([]);
      await over(ends);
      await over(others);
    });

    test('timeout 0 takes it back', async () => {
      const ends = await pair();
      const names = heard(ends.near, 'timeout');
      ends.near.setTimeout(3);
      ends.near.setTimeout(0);
      const other = once(ends.far, 'timeout');
      ends.far.setTimeout(8);
      await other;
      expect(names).toEqual([]);
      await over(ends);
    });

    test.each<[unknown[], object]>([
      [['x'], { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
      [[-1], { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }],
      [[Number.POSITIVE_INFINITY], { code: 'ERR_OUT_OF_RANGE' }],
      [[5, 'x'], { code: 'ERR_INVALID_ARG_TYPE' }],
    ])('setTimeout(...%j) throws', (given, error) => {
      const socket = new (face().Socket)();
      expect(thrown(() => Reflect.apply(socket.setTimeout, socket, given))).toMatchObject(error);
      socket.destroy();
    });

    test('setters are for chaining', async () => {
      const ends = await pair({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 }, { noDelay: true, keepAlive: true });
      const { near } = ends;
      const all = [near.setNoDelay(), near.setNoDelay(false), near.setKeepAlive(true, 5000), near.ref(), near.unref(), near.setTimeout(0)];
      expect(all).toEqual(new Array(6).fill(near));
      await over(ends);
    });

    test('pauseOnConnect: nothing is read until resume', async () => {
      const ends = await pair({ pauseOnConnect: true });
      expect(ends.far.isPaused()).toBe(true);
      ends.near.write('x');
      const data = once(ends.far, 'data');
      ends.far.resume();
      expect(String((await data)[0])).toBe('x');
      await over(ends);
    });

    test('highWaterMark of the server', async () => {
      const ends = await pair({ highWaterMark: 1000 } as nodeNet.ServerOpts);
      expect(ends.far.readableHighWaterMark).toBe(1000);
      await over(ends);
    });
  });

  describe('a server', () => {
    test.each<[unknown[], object]>([
      [[70_000], { name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' }],
      [[{ port: -1 }], { code: 'ERR_SOCKET_BAD_PORT' }],
      [[{}], { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }],
      [[true], { code: 'ERR_INVALID_ARG_VALUE' }],
    ])('listen(...%j) throws', (given, error) => {
      const server = face().createServer();
      expect(thrown(() => Reflect.apply(server.listen, server, given))).toMatchObject(error);
    });

    test.each<[string, unknown[], string]>([
      ['nothing', [], '::'],
      ['port 0', [0], '::'],
      ['null', [null], '::'],
      ['a host', [0, '127.0.0.1'], '127.0.0.1'],
      ['host and backlog', [0, '127.0.0.1', 5], '127.0.0.1'],
      ['an object', [{ port: 0, host: '127.0.0.1', backlog: 3 }], '127.0.0.1'],
      ['IPv6', [0, '::1'], '::1'],
      ['ipv6Only', [{ port: 0, host: '::', ipv6Only: true }], '::'],
    ])('listens: %s', async (_what, given, address) => {
      const server = face().createServer();
      await new Promise<void>((resolve) => expect(Reflect.apply(server.listen, server, [...given, resolve])).toBe(server));
      expect([server.listening, server.address()]).toMatchObject([true, { address, port: expect.any(Number) }]);
      await ended(server);
      expect([server.listening, server.address()]).toEqual([false, null]);
    });

    test('twice: ERR_SERVER_ALREADY_LISTEN', async () => {
      const { server } = await listening();
      expect(thrown(() => server.listen(0))).toMatchObject({ name: 'Error', code: 'ERR_SERVER_ALREADY_LISTEN' });
      await ended(server);
    });

    test('again after close', async () => {
      const { server } = await listening();
      await ended(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      await ended(server);
    });

    test('a port that is taken: EADDRINUSE', async () => {
      const { server, port } = await listening();
      const other = face().createServer();
      other.listen(port, '127.0.0.1');
      const [error] = await once(other, 'error');
      expect(shape(error)).toEqual({ name: 'Error', code: 'EADDRINUSE', errno: -98, syscall: 'listen', address: '127.0.0.1', port });
      expect(error.message).toMatch(`listen EADDRINUSE: address already in use 127.0.0.1:${port}`);
      expect(other.listening).toBe(false);
      await ended(server);
    });

    test('an address that is not ours: EADDRNOTAVAIL', async () => {
      const server = face().createServer();
      server.listen(0, '192.0.2.77');
      expect(shape((await once(server, 'error'))[0])).toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'listen', address: '192.0.2.77' });
    });

    test('close without listening: ERR_SERVER_NOT_RUNNING', async () => {
      const server = face().createServer();
      expect(await ended(server)).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
    });

    test('close waits for its connections', async () => {
      const ends = await pair();
      const names = heard(ends.server, 'close');
      const close = ended(ends.server);
      await new Promise((resolve) => setImmediate(resolve));
      expect(names).toEqual([]);
      ends.near.destroy();
      ends.far.destroy();
      await close;
      expect(names).toEqual(['close']);
    });

    test('counts connections', async () => {
      const ends = await pair();
      const count = (): Promise<number> => new Promise((resolve) => ends.server.getConnections((_error, number) => resolve(number)));
      expect(await count()).toBe(1);
      ends.far.destroy();
      await once(ends.far, 'close');
      expect(await count()).toBe(0);
      await over(ends);
    });

    test('maxConnections drops the rest', async () => {
      const ends = await pair();
      ends.server.maxConnections = 1;
      const drop = once(ends.server, 'drop');
      const third = face()
        .connect(ends.port, '127.0.0.1')
        .on('error', () => {});
      expect((await drop)[0]).toMatchObject({
        localAddress: '127.0.0.1',
        localPort: ends.port,
        remoteAddress: '127.0.0.1',
        remoteFamily: 'IPv4',
      });
      third.destroy();
      await over(ends);
    });

    test('an abort signal closes it', async () => {
      const abort = new AbortController();
      const server = face().createServer();
      server.listen({ port: 0, host: '127.0.0.1', signal: abort.signal });
      await once(server, 'listening');
      abort.abort();
      await once(server, 'close');
      expect(server.listening).toBe(false);
    });

    test('an abort signal that is aborted already: it never listens', async () => {
      const server = face().createServer();
      const names = heard(server, 'listening', 'close', 'error');
      server.listen({ port: 0, signal: AbortSignal.abort() });
      await once(server, 'close');
      await new Promise((resolve) => setImmediate(resolve));
      expect([names, server.listening]).toEqual([['close'], false]);
    });

    test('Symbol.asyncDispose', async () => {
      const { server } = await listening();
      await (server as unknown as AsyncDisposable)[Symbol.asyncDispose]();
      expect(server.listening).toBe(false);
      await (server as unknown as AsyncDisposable)[Symbol.asyncDispose]();
    });

    test('its listener gets sockets whose server it is', async () => {
      const server = face().createServer();
      const connection = new Promise<nodeNet.Socket>((resolve) => server.on('connection', resolve));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const near = face().connect((server.address() as nodeNet.AddressInfo).port, '127.0.0.1');
      const far = await connection;
      expect(Reflect.get(far, 'server')).toBe(server);
      far.destroy();
      near.destroy();
      await ended(server);
    });

    test('many at once', async () => {
      const { server, port } = await listening();
      server.on('connection', (far) => far.pipe(far));
      const texts = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const socket = face().connect(port, '127.0.0.1');
          socket.end(`hello ${i}`);
          return text(socket);
        }),
      );
      expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => `hello ${i}`));
      await ended(server);
    });

    test('listener and options are checked', () => {
      expect(thrown(() => face().createServer(5 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    });
  });

  test('addresses are told apart', () => {
    const { isIP, isIPv4, isIPv6, BlockList, SocketAddress } = face();
    expect([isIP('::1'), isIP('1.2.3.4'), isIP('x'), isIPv4('1.2.3.4'), isIPv6('::')]).toEqual([6, 4, 0, true, true]);
    expect([BlockList, SocketAddress]).toEqual([nodeNet.BlockList, nodeNet.SocketAddress]);
  });
});

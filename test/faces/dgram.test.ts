import * as nodeDgram from 'node:dgram';
import { once } from 'node:events';
import type { DgramFace } from '@softnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundSocket, closed, heard, nextMessage, sent, shape, thrown } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { softHost } from './soft-host.ts';

let host: SoftHost;
beforeAll(async () => {
  host = await softHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual({ faults: [], leaks: [], broken: [] });
});

describe.each<[string, () => DgramFace]>([
  ['node', () => nodeDgram],
  ['softnet', () => host.dgram],
])('dgram of %s', (_name, face) => {
  const make = (options: nodeDgram.SocketOptions | nodeDgram.SocketType = 'udp4'): nodeDgram.Socket =>
    typeof options === 'string' ? face().createSocket(options) : face().createSocket(options);
  const bound = (type?: nodeDgram.SocketType, address?: string): Promise<nodeDgram.Socket> => boundSocket(face(), type, address);

  describe('createSocket', () => {
    test.each([[undefined], ['udp5'], [{}], [{ type: 'tcp' }], [null]])('of type %j is refused', (type) => {
      expect(thrown(() => face().createSocket(type as never))).toMatchObject({ name: 'TypeError', code: 'ERR_SOCKET_BAD_TYPE' });
    });

    test.each([
      [{ recvBufferSize: 'x' }, 'ERR_INVALID_ARG_TYPE'],
      [{ sendBufferSize: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ lookup: 5 }, 'ERR_INVALID_ARG_TYPE'],
      [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    ])('with options %j is refused', (options, code) => {
      expect(thrown(() => make({ type: 'udp4', ...options } as never))).toMatchObject({ code });
    });

    test('a listener hears messages', async () => {
      const messages: string[] = [];
      const socket = face().createSocket('udp4', (message) => messages.push(message.toString()));
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      socket.send('hello', socket.address().port, '127.0.0.1');
      await once(socket, 'message');
      expect(messages).toEqual(['hello']);
      await closed(socket);
    });

    test('buffer sizes of the options are set, doubled as Linux does', async () => {
      const socket = make({ type: 'udp4', recvBufferSize: 10_000, sendBufferSize: 20_000 });
      socket.bind(0);
      await once(socket, 'listening');
      expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([20_000, 40_000]);
      await closed(socket);
    });
  });

  describe('an abort signal', () => {
    test('closes it', async () => {
      const abort = new AbortController();
      const socket = make({ type: 'udp4', signal: abort.signal });
      socket.bind(0);
      await once(socket, 'listening');
      abort.abort();
      await once(socket, 'close');
      expect(thrown(() => socket.address())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
    });

    test('that is aborted already closes it at once', async () => {
      const socket = make({ type: 'udp4', signal: AbortSignal.abort() });
      await once(socket, 'close');
      expect(thrown(() => socket.bind(0))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
    });

    test('after the close does nothing', async () => {
      const abort = new AbortController();
      const socket = make({ type: 'udp4', signal: abort.signal });
      await closed(socket);
      abort.abort();
    });
  });

  describe('bind', () => {
    test.each<[string, unknown[], string]>([
      ['nothing', [], '0.0.0.0'],
      ['a port', [0], '0.0.0.0'],
      ['a port and an address', [0, '127.0.0.1'], '127.0.0.1'],
      ['an object', [{ port: 0, address: '127.0.0.1', exclusive: true }], '127.0.0.1'],
      ['an object without address', [{ port: 0 }], '0.0.0.0'],
      ['undefined', [undefined, '127.0.0.1'], '127.0.0.1'],
      ['localhost', [0, 'localhost'], '127.0.0.1'],
    ])('to %s', async (_what, given, address) => {
      const socket = make();
      expect(socket.bind(...(given as [number]))).toBe(socket);
      await once(socket, 'listening');
      expect(socket.address()).toEqual({ address, family: 'IPv4', port: expect.any(Number) });
      expect(socket.address().port).toBeGreaterThan(0);
      await closed(socket);
    });

    test.each<[string, (socket: nodeDgram.Socket, then: () => void) => unknown]>([
      ['alone', (socket, then) => socket.bind(then)],
      ['behind a port', (socket, then) => socket.bind(0, then)],
      ['behind port and address', (socket, then) => socket.bind(0, '127.0.0.1', then)],
      ['behind an object', (socket, then) => socket.bind({ port: 0 }, then)],
    ])('a callback %s is called, with the socket as this', async (_what, bind) => {
      const socket = make();
      const self = await new Promise((resolve) => {
        bind(socket, function (this: unknown) {
          resolve(this);
        });
      });
      expect(self).toBe(socket);
      await closed(socket);
    });

    test('is not done before the call returns', async () => {
      const socket = make();
      let listening = false;
      socket.bind(0, () => {
        listening = true;
      });
      expect(listening).toBe(false);
      await once(socket, 'listening');
      await closed(socket);
    });

    test('twice is refused', async () => {
      const socket = make();
      socket.bind(0);
      expect(thrown(() => socket.bind(0))).toMatchObject({ name: 'Error', code: 'ERR_SOCKET_ALREADY_BOUND' });
      await once(socket, 'listening');
      expect(thrown(() => socket.bind(0))).toMatchObject({ code: 'ERR_SOCKET_ALREADY_BOUND' });
      await closed(socket);
    });

    test('to a port that is taken: EADDRINUSE, and it can be bound again', async () => {
      const first = await bound();
      const second = make();
      const { port } = first.address();
      let called = false;
      second.bind(port, '127.0.0.1', () => {
        called = true;
      });
      const [error] = await once(second, 'error');
      expect(shape(error)).toEqual({ name: 'Error', code: 'EADDRINUSE', errno: -98, syscall: 'bind', address: '127.0.0.1', port });
      expect(error.message).toMatch(`bind EADDRINUSE 127.0.0.1:${port}`);
      second.bind(0);
      await once(second, 'listening');
      expect(called).toBe(false);
      await closed(first, second);
    });

    test('two with reuseAddr share a port', async () => {
      const first = make({ type: 'udp4', reuseAddr: true });
      first.bind(0);
      await once(first, 'listening');
      const second = make({ type: 'udp4', reuseAddr: true });
      second.bind(first.address().port);
      await once(second, 'listening');
      expect(second.address()).toEqual(first.address());
      await closed(first, second);
    });

    test('to an address that is not ours: EADDRNOTAVAIL', async () => {
      const socket = make();
      socket.bind(0, '192.0.2.77');
      const [error] = await once(socket, 'error');
      expect(shape(error)).toMatchObject({ code: 'EADDRNOTAVAIL', errno: -99, syscall: 'bind', address: '192.0.2.77', port: undefined });
      await closed(socket);
    });

    test('to an address of the other family: EINVAL', async () => {
      const socket = make();
      socket.bind(0, '::1');
      const [error] = await once(socket, 'error');
      expect(shape(error)).toMatchObject({ code: 'EINVAL', syscall: 'bind', address: '::1' });
      await closed(socket);
    });

    test('asks the lookup of its options', async () => {
      const asked: unknown[] = [];
      const socket = make({
        type: 'udp4',
        lookup: (name, options, callback) => {
          asked.push(name, typeof options);
          process.nextTick(callback, null, '127.0.0.1', 4);
        },
      });
      socket.bind(0, 'a.name');
      await once(socket, 'listening');
      expect([asked[0], socket.address().address]).toEqual(['a.name', '127.0.0.1']);
      await closed(socket);
    });

    test('what the lookup answers is what the error event says', async () => {
      const why = new Error('no such name');
      const socket = make({ type: 'udp4', lookup: (_name, _options, callback) => process.nextTick(callback, why, '', 4) });
      socket.bind(0, 'a.name');
      expect(await once(socket, 'error')).toEqual([why]);
      await closed(socket);
    });

    test('closed while it looks up: no listening', async () => {
      const socket = make();
      const names = heard(socket, 'listening', 'close', 'error');
      socket.bind(0);
      socket.close();
      await once(socket, 'close');
      await new Promise((resolve) => setImmediate(resolve));
      expect(names).toEqual(['close']);
    });
  });

  describe('IPv6', () => {
    test('to ::1 and back', async () => {
      const [a, b] = [await bound('udp6'), await bound('udp6')];
      a.send('six', b.address().port, '::1');
      expect(await nextMessage(b)).toEqual(['six', { address: '::1', family: 'IPv6', port: a.address().port, size: 3 }]);
      await closed(a, b);
    });

    test('any address is ::, and hears IPv4 too', async () => {
      const six = make('udp6');
      six.bind(0);
      await once(six, 'listening');
      expect(six.address()).toMatchObject({ address: '::', family: 'IPv6' });
      const four = await bound();
      four.send('four', six.address().port);
      const [text, info] = await nextMessage(six);
      expect([text, info]).toMatchObject(['four', { address: '::ffff:127.0.0.1', family: 'IPv6', port: four.address().port }]);
      six.send('back', info.port, info.address);
      expect((await nextMessage(four))[0]).toBe('back');
      await closed(six, four);
    });

    test('ipv6Only leaves the port to IPv4', async () => {
      const six = make({ type: 'udp6', ipv6Only: true });
      six.bind(0);
      await once(six, 'listening');
      const four = make();
      four.bind(six.address().port);
      await once(four, 'listening');
      await closed(six, four);
    });

    test('to nobody named: itself', async () => {
      const socket = await bound('udp6');
      socket.send('me', socket.address().port);
      expect((await nextMessage(socket))[0]).toBe('me');
      await closed(socket);
    });

    test('options', async () => {
      const socket = await bound('udp6');
      expect([socket.setTTL(9), socket.setMulticastTTL(3), socket.setMulticastLoopback(true)]).toEqual([9, 3, true]);
      expect(thrown(() => socket.setTTL(0))).toMatchObject({ code: 'EINVAL' });
      await closed(socket);
    });
  });

  describe('send', () => {
    let a: nodeDgram.Socket;
    let b: nodeDgram.Socket;
    beforeAll(async () => {
      [a, b] = [await bound(), await bound()];
    });
    afterAll(() => closed(a, b));
    const data = Buffer.from('abcdef');

    test.each<[string, (to: number) => unknown[], string]>([
      ['a string', (to) => ['text', to, '127.0.0.1'], 'text'],
      ['a string of several bytes a letter', (to) => ['äöü', to, '127.0.0.1'], 'äöü'],
      ['a Buffer', (to) => [data, to, '127.0.0.1'], 'abcdef'],
      ['a Uint8Array', (to) => [new Uint8Array(data), to, '127.0.0.1'], 'abcdef'],
      ['a Uint16Array', (to) => [new Uint16Array([0x6261, 0x6463]), to, '127.0.0.1'], 'abcd'],
      ['a DataView', (to) => [new DataView(data.buffer, data.byteOffset, 3), to, '127.0.0.1'], 'abc'],
      ['offset and length', (to) => [data, 1, 3, to, '127.0.0.1'], 'bcd'],
      ['offset and length of a string', (to) => ['abcdef', 2, 2, to, '127.0.0.1'], 'cd'],
      ['offset and length without address', (to) => [data, 2, 4, to], 'cdef'],
      ['an array', (to) => [['ab', data, new Uint8Array([0x7a])], to, '127.0.0.1'], 'ababcdefz'],
      ['an array with nothing in it', (to) => [[], to, '127.0.0.1'], ''],
      ['nothing', (to) => [Buffer.alloc(0), to, '127.0.0.1'], ''],
      ['an empty string', (to) => ['', to, '127.0.0.1'], ''],
      ['without address', (to) => ['own', to], 'own'],
      ['to a name', (to) => ['name', to, 'localhost'], 'name'],
      ['to a port in digits', (to) => ['digits', String(to), '127.0.0.1'], 'digits'],
      ['with address undefined', (to) => ['undefined', to, undefined], 'undefined'],
      ['with address null', (to) => ['null', to, null], 'null'],
      ['with address empty', (to) => ['empty', to, ''], 'empty'],
    ])('%s', async (_what, given, text) => {
      const message = nextMessage(b);
      const result = await sent((callback) => a.send(...(given(b.address().port) as [string]), callback as never));
      expect(result).toEqual({ error: null, bytes: Buffer.byteLength(text) });
      const size = Buffer.byteLength(text);
      expect(await message).toEqual([text, { address: '127.0.0.1', family: 'IPv4', port: a.address().port, size }]);
    });

    test.each<[string, unknown[], object]>([
      ['no data', [undefined, 9], { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
      ['a number', [5, 9], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['an array with a number', [[5], 9], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['port 0', ['x', 0, '127.0.0.1'], { name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' }],
      ['port 65536', ['x', 65_536, '127.0.0.1'], { code: 'ERR_SOCKET_BAD_PORT' }],
      ['port -1', ['x', -1, '127.0.0.1'], { code: 'ERR_SOCKET_BAD_PORT' }],
      ['port 1.5', ['x', 1.5, '127.0.0.1'], { code: 'ERR_SOCKET_BAD_PORT' }],
      ['no port', ['x'], { code: 'ERR_SOCKET_BAD_PORT' }],
      ['a port that is no number', ['x', 'y', '127.0.0.1'], { code: 'ERR_SOCKET_BAD_PORT' }],
      ['an address that is no text', ['x', 9, 5], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['offset outside', [data, 7, 1, 9, '127.0.0.1'], { name: 'RangeError', code: 'ERR_BUFFER_OUT_OF_BOUNDS' }],
      ['length outside', [data, 4, 3, 9, '127.0.0.1'], { code: 'ERR_BUFFER_OUT_OF_BOUNDS' }],
    ])('%s throws', (_what, given, error) => {
      expect(thrown(() => a.send(...(given as [string])))).toMatchObject(error);
    });

    test.each<[string, (callback: never) => void, object]>([
      [
        'too long',
        (callback) => a.send(Buffer.alloc(65_508), 9, '127.0.0.1', callback),
        { code: 'EMSGSIZE', errno: -90, syscall: 'send', address: '127.0.0.1', port: 9 },
      ],
      ['of the other family', (callback) => a.send('x', 9, '::1', callback), { code: 'EINVAL', syscall: 'send', address: '::1', port: 9 }],
      ['broadcast that was not allowed', (callback) => a.send('x', 9, '255.255.255.255', callback), { syscall: 'send' }],
    ])('what is %s is an error of the callback', async (_what, send, error) => {
      expect(shape((await sent(send as never)).error)).toMatchObject(error);
    });

    test('errors that nobody asked for are nobody’s', async () => {
      const names = heard(a, 'error');
      a.send(Buffer.alloc(65_508), 9, '127.0.0.1');
      await sent((callback) => a.send('x', b.address().port, '127.0.0.1', callback));
      expect(names).toEqual([]);
      await nextMessage(b);
    });

    test('several arrive in their order', async () => {
      const texts: string[] = [];
      const all = new Promise<void>((resolve) =>
        b.on('message', (message) => {
          texts.push(message.toString());
          if (texts.length === 50) resolve();
        }),
      );
      for (let i = 0; i < 50; i++) a.send(String(i), b.address().port, '127.0.0.1');
      await all;
      b.removeAllListeners('message');
      expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
      expect([a.getSendQueueSize(), a.getSendQueueCount()]).toEqual([0, 0]);
    });

    test('the longest', async () => {
      const message = once(b, 'message');
      const bytes = Buffer.alloc(65_507, 'long');
      a.send(bytes, b.address().port, '127.0.0.1');
      expect(((await message)[0] as Buffer).equals(bytes)).toBe(true);
    });

    test('sendto is the same, and wants all of them', async () => {
      const old = a as unknown as { sendto(...given: unknown[]): void };
      old.sendto(data, 0, 2, b.address().port, '127.0.0.1');
      expect((await nextMessage(b))[0]).toBe('ab');
      expect(thrown(() => old.sendto(data, 0, 2, b.address().port))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
      expect(thrown(() => old.sendto(data, '0', 2, 9, ''))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    });

    test('binds by itself', async () => {
      const socket = make();
      const names = heard(socket, 'listening');
      socket.send('first', b.address().port, '127.0.0.1');
      socket.send('second', b.address().port, '127.0.0.1');
      expect((await nextMessage(b))[1].port).toBe(socket.address().port);
      expect(names).toEqual(['listening']);
      await closed(socket);
    });

    test('a name that nobody knows: an error of the callback, or an event', async () => {
      const lookup = (_name: string, _options: object, callback: (error: Error | null, address: string, family: number) => void): void => {
        process.nextTick(callback, new Error('unknown'), '', 4);
      };
      const socket = make({
        type: 'udp4',
        lookup: (name, options, callback) =>
          name === 'x' ? lookup(name, options, callback as never) : process.nextTick(callback, null, name, 4),
      });
      expect((await sent((callback) => socket.send('x', 9, 'x', callback))).error).toMatchObject({ message: 'unknown' });
      socket.send('x', 9, 'x');
      expect((await once(socket, 'error'))[0]).toMatchObject({ message: 'unknown' });
      await closed(socket);
    });
  });

  describe('connect', () => {
    test('to a peer: send without address, remoteAddress, and only he is heard', async () => {
      const [a, b, stranger] = [await bound(), await bound(), await bound()];
      const callback = new Promise<void>((resolve) => a.connect(b.address().port, '127.0.0.1', resolve));
      await once(a, 'connect');
      await callback;
      expect(a.remoteAddress()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: b.address().port });
      const heardOf: string[] = [];
      a.on('message', (message) => heardOf.push(message.toString()));
      stranger.send('stranger', a.address().port, '127.0.0.1');
      a.send('hello');
      expect((await nextMessage(b))[0]).toBe('hello');
      b.send('answer', a.address().port, '127.0.0.1');
      await once(a, 'message');
      expect(heardOf).toEqual(['answer']);
      await closed(a, b, stranger);
    });

    test.each<[string, unknown[], string]>([
      ['data', ['text'], 'text'],
      ['offset and length', [Buffer.from('abcdef'), 1, 2], 'bc'],
      ['an array', [['a', 'b']], 'ab'],
    ])('send of %s', async (_what, given, text) => {
      const [a, b] = [await bound(), await bound()];
      a.connect(b.address().port, '127.0.0.1');
      await once(a, 'connect');
      const message = nextMessage(b);
      expect(await sent((callback) => a.send(...(given as [string]), callback as never))).toEqual({ error: null, bytes: text.length });
      expect((await message)[0]).toBe(text);
      await closed(a, b);
    });

    test('refuses what does not go together', async () => {
      const [a, b] = [await bound(), await bound()];
      expect(thrown(() => a.remoteAddress())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' });
      expect(thrown(() => a.disconnect())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' });
      expect(thrown(() => a.connect(0))).toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' });
      expect(thrown(() => a.connect(9, 5 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
      a.connect(b.address().port);
      expect(thrown(() => a.connect(9))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' });
      await once(a, 'connect');
      expect(thrown(() => a.send(Buffer.from('x'), 0, 1, 9, '127.0.0.1'))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' });
      expect(thrown(() => a.connect(9))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' });
      await closed(a, b);
    });

    test('disconnect: anybody again', async () => {
      const [a, b] = [await bound(), await bound()];
      a.connect(b.address().port);
      await once(a, 'connect');
      a.disconnect();
      expect(thrown(() => a.remoteAddress())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' });
      a.send('again', b.address().port, '127.0.0.1');
      expect((await nextMessage(b))[0]).toBe('again');
      a.connect(b.address().port);
      await once(a, 'connect');
      await closed(a, b);
    });

    test('binds by itself', async () => {
      const b = await bound();
      const a = make();
      const names = heard(a, 'listening', 'connect');
      a.connect(b.address().port);
      await once(a, 'connect');
      expect(names).toEqual(['listening', 'connect']);
      await closed(a, b);
    });

    test('to a name that nobody knows: the callback hears why, else an event', async () => {
      const a = make({
        type: 'udp4',
        lookup: (name, _options, callback) => process.nextTick(callback, name === 'x' ? new Error('unknown') : null, name, 4),
      });
      const told: unknown[] = [];
      await new Promise<void>((resolve) =>
        a.connect(9, 'x', (error?: Error) => {
          told.push(error?.message);
          resolve();
        }),
      );
      a.connect(9, 'x');
      expect((await once(a, 'error'))[0]).toMatchObject({ message: 'unknown' });
      a.connect(9, '127.0.0.1');
      await once(a, 'connect');
      expect(told).toEqual(['unknown']);
      await closed(a);
    });

    test('to a port where nobody is: ECONNREFUSED, of recvmsg', async () => {
      const gone = await bound();
      const { port } = gone.address();
      await closed(gone);
      const a = make();
      a.connect(port, '127.0.0.1');
      await once(a, 'connect');
      a.send('anybody?');
      const [error] = await once(a, 'error');
      expect(shape(error)).toMatchObject({ name: 'Error', code: 'ECONNREFUSED', errno: -111, syscall: 'recvmsg' });
      await closed(a);
    });
  });

  describe('close', () => {
    test('emits close later, once, and calls back', async () => {
      const socket = await bound();
      const names = heard(socket, 'close');
      let called = 0;
      expect(socket.close(() => called++)).toBe(socket);
      expect(names).toEqual([]);
      await once(socket, 'close');
      expect([names, called]).toEqual([['close'], 1]);
    });

    test.each<[string, (socket: nodeDgram.Socket) => unknown]>([
      ['close', (socket) => socket.close()],
      ['bind', (socket) => socket.bind(0)],
      ['send', (socket) => socket.send('x', 9, '127.0.0.1')],
      ['connect', (socket) => socket.connect(9)],
      ['address', (socket) => socket.address()],
      ['remoteAddress', (socket) => socket.remoteAddress()],
      ['addMembership', (socket) => socket.addMembership('224.0.0.114')],
      ['dropMembership', (socket) => socket.dropMembership('224.0.0.114')],
      ['setMulticastInterface', (socket) => socket.setMulticastInterface('127.0.0.1')],
    ])('%s after it', async (_what, call) => {
      const socket = make();
      await closed(socket);
      expect(thrown(() => call(socket))).toMatchObject({ name: 'Error', code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
    });

    test('in the midst of messages: no more come', async () => {
      const [a, b] = [await bound(), await bound()];
      let count = 0;
      b.on('message', () => {
        count++;
        b.close();
      });
      for (let i = 0; i < 5; i++) a.send('x', b.address().port, '127.0.0.1');
      await once(b, 'close');
      expect(count).toBe(1);
      await closed(a);
    });

    test('behind a send that binds: it is sent', async () => {
      const [b, socket] = [await bound(), make()];
      const close = once(socket, 'close');
      socket.send('last', b.address().port, '127.0.0.1', () => socket.close());
      expect((await nextMessage(b))[0]).toBe('last');
      await close;
      await closed(b);
    });

    test('before it is bound at all', async () => {
      const socket = make();
      socket.close();
      await once(socket, 'close');
    });

    test('by Symbol.asyncDispose', async () => {
      const socket = await bound();
      const names = heard(socket, 'close');
      await (socket as unknown as AsyncDisposable)[Symbol.asyncDispose]();
      expect(names).toEqual(['close']);
      await (socket as unknown as AsyncDisposable)[Symbol.asyncDispose]();
    });

    test('ref and unref are for chaining', async () => {
      const socket = await bound();
      expect([socket.unref(), socket.ref()]).toEqual([socket, socket]);
      await closed(socket);
      expect([socket.unref(), socket.ref()]).toEqual([socket, socket]);
    });
  });

  describe('options', () => {
    let socket: nodeDgram.Socket;
    beforeAll(async () => {
      socket = make();
      socket.bind(0);
      await once(socket, 'listening');
    });
    afterAll(() => closed(socket));

    test.each<[string, unknown]>([
      ['setTTL', 1],
      ['setTTL', 255],
      ['setMulticastTTL', 0],
      ['setMulticastTTL', 255],
      ['setMulticastLoopback', true],
      ['setMulticastLoopback', false],
      ['setMulticastLoopback', 1],
    ])('%s(%j) gives it back', (call, value) => {
      expect(Reflect.apply(Reflect.get(socket, call), socket, [value])).toBe(value);
    });

    test('setBroadcast gives nothing', () => {
      expect([socket.setBroadcast(true), socket.setBroadcast(false)]).toEqual([undefined, undefined]);
    });

    test.each<[string, unknown[], object]>([
      ['setTTL', [0], { code: 'EINVAL', syscall: 'setTTL', errno: -22 }],
      ['setTTL', [256], { code: 'EINVAL' }],
      ['setTTL', ['1'], { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
      ['setMulticastTTL', [256], { code: 'EINVAL', syscall: 'setMulticastTTL' }],
      ['setMulticastTTL', [undefined], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['setMulticastInterface', [5], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['setMulticastInterface', ['x'], { code: 'EINVAL', syscall: 'setMulticastInterface' }],
      ['addMembership', [], { name: 'TypeError', code: 'ERR_MISSING_ARGS' }],
      ['addMembership', ['1.2.3.4'], { code: 'EINVAL', syscall: 'addMembership' }],
      ['addMembership', ['x'], { code: 'EINVAL' }],
      ['addMembership', ['224.0.0.114', 'x'], { code: 'EINVAL' }],
      ['dropMembership', [], { code: 'ERR_MISSING_ARGS' }],
      ['dropMembership', ['224.0.0.115', '127.0.0.1'], { code: 'EADDRNOTAVAIL', syscall: 'dropMembership' }],
      ['addSourceSpecificMembership', [5, '232.1.1.1'], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['addSourceSpecificMembership', ['127.0.0.1', 5], { code: 'ERR_INVALID_ARG_TYPE' }],
      ['setRecvBufferSize', [-1], { name: 'TypeError', code: 'ERR_SOCKET_BAD_BUFFER_SIZE' }],
      ['setSendBufferSize', ['x'], { code: 'ERR_SOCKET_BAD_BUFFER_SIZE' }],
      ['setRecvBufferSize', [1.5], { code: 'ERR_SOCKET_BAD_BUFFER_SIZE' }],
    ])('%s(...%j) throws', (call, given, error) => {
      expect(thrown(() => Reflect.apply(Reflect.get(socket, call), socket, given))).toMatchObject(error);
    });

    test('buffer sizes', () => {
      socket.setRecvBufferSize(5000);
      socket.setSendBufferSize(6000);
      expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([10_000, 12_000]);
    });

    test.each<[string, unknown[], object]>([
      ['setTTL', [5], { code: 'EBADF', errno: -9, syscall: 'setTTL' }],
      ['setBroadcast', [true], { code: 'EBADF', syscall: 'setBroadcast' }],
      ['setMulticastTTL', [5], { code: 'EBADF' }],
      ['setMulticastLoopback', [true], { code: 'EBADF' }],
      ['address', [], { code: 'EBADF', syscall: 'getsockname' }],
      ['getRecvBufferSize', [], { name: 'SystemError', code: 'ERR_SOCKET_BUFFER_SIZE', errno: -9, syscall: 'uv_recv_buffer_size' }],
      ['setSendBufferSize', [5], { name: 'SystemError', code: 'ERR_SOCKET_BUFFER_SIZE', syscall: 'uv_send_buffer_size' }],
    ])('%s before it is bound: EBADF', async (call, given, error) => {
      const early = make();
      expect(thrown(() => Reflect.apply(Reflect.get(early, call), early, given))).toMatchObject(error);
      await closed(early);
    });

    test('a group on the loopback: joined twice is EADDRINUSE, heard, left', async () => {
      const group = '239.1.2.3';
      socket.addMembership(group, '127.0.0.1');
      expect(thrown(() => socket.addMembership(group, '127.0.0.1'))).toMatchObject({ code: 'EADDRINUSE', syscall: 'addMembership' });
      const sender = await bound('udp4', '127.0.0.1');
      sender.setMulticastInterface('127.0.0.1');
      sender.setMulticastLoopback(true);
      sender.send('group', socket.address().port, group);
      expect((await nextMessage(socket))[0]).toBe('group');
      socket.dropMembership(group, '127.0.0.1');
      await closed(sender);
    });

    test('a group of one source', async () => {
      const group = '232.1.2.3';
      socket.addSourceSpecificMembership('127.0.0.1', group, '127.0.0.1');
      const sender = await bound('udp4', '127.0.0.1');
      sender.setMulticastInterface('127.0.0.1');
      sender.send('source', socket.address().port, group);
      expect((await nextMessage(socket))[0]).toBe('source');
      socket.dropSourceSpecificMembership('127.0.0.1', group, '127.0.0.1');
      await closed(sender);
    });

    test('a membership binds by itself, and bind is EINVAL then', async () => {
      const early = make();
      early.addMembership('239.1.2.4', '127.0.0.1');
      expect(early.address().port).toBeGreaterThan(0);
      early.bind(0);
      expect(shape((await once(early, 'error'))[0])).toMatchObject({ code: 'EINVAL', syscall: 'bind' });
      await closed(early);
    });
  });
});

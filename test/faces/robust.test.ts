import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Kernel, World } from '@softnet/kernel';
import { createNode } from '@softnet/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundSocket, closed, heard, sent, shape } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, HOST_MODULES, softHost } from './soft-host.ts';

let host: SoftHost;
beforeEach(async () => {
  host = await softHost();
});
afterEach(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

/** Without listening for errors, as `once` would. */
function closing(emitter: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.on('close', () => resolve()));
}

test('a module that leaves says so, and waits; staying says that too', async () => {
  const socket = await boundSocket(host.dgram);
  const names = heard(socket, 'leaving', 'staying', 'close', 'error');
  const abort = new AbortController();
  const unload = host.kernel.unload('udp', { signal: abort.signal });
  await once(socket, 'leaving');
  const late = host.dgram.createSocket('udp4');
  late.bind(0);
  expect(shape((await once(late, 'error'))[0])).toMatchObject({
    syscall: 'bind',
    code: expect.stringMatching(/ESHUTDOWN|EPROTONOSUPPORT/),
  });
  abort.abort();
  await Promise.allSettled([unload]);
  await host.pass(5);
  expect(names).toEqual(['leaving', 'staying']);
  await closed(socket, late);
});

test('closed by force: close without error where nobody listens for one', async () => {
  const [quiet, told] = [await boundSocket(host.dgram), await boundSocket(host.dgram)];
  const names = heard(quiet, 'close');
  const error = once(told, 'error');
  const closes = closing(quiet);
  await host.kernel.unload('udp', { force: true });
  expect((await error)[0]).toMatchObject({ name: 'NetError' });
  await closes;
  expect(names).toEqual(['close']);
});

test('closed by force: servers and connections', async () => {
  const server = host.net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = host.net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = await once(server, 'connection');
  const all = Promise.all([server, near, far].map(closing));
  await host.kernel.unload('tcp', { force: true });
  await all;
  expect([server.listening, near.destroyed, far.destroyed]).toEqual([false, true, true]);
});

test('without the module: the errno, for bind, listen and connect', async () => {
  await host.kernel.unload('tcp');
  await host.kernel.unload('udp');
  const server = host.net.createServer();
  server.listen(0, '127.0.0.1');
  expect(shape((await once(server, 'error'))[0])).toMatchObject({ syscall: 'listen' });
  const socket = host.net.connect(9, '127.0.0.1');
  expect(shape((await once(socket, 'error'))[0])).toMatchObject({ syscall: 'connect' });
  const datagrams = host.dgram.createSocket('udp4');
  datagrams.send('x', 9, '127.0.0.1');
  expect(shape((await once(datagrams, 'error'))[0])).toMatchObject({ syscall: 'bind' });
  await closed(datagrams);
});

test('destroyed while it waits to write', async () => {
  const server = host.net.createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = host.net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = await once(server, 'connection');
  const written = new Promise((resolve) => near.write(Buffer.alloc(8_000_000), resolve));
  await host.pass(2);
  near.destroy();
  expect(await written).toMatchObject({ code: expect.any(String) });
  far.on('error', () => {}).destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('what a listener throws is the program’s, and no fault of the kernel', async () => {
  const socket = await boundSocket(host.dgram);
  const uncaught = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const thrown = once(process, 'uncaughtException');
  socket.on('message', () => {
    throw new Error('mine');
  });
  socket.send('x', socket.address().port, '127.0.0.1');
  expect((await thrown)[0]).toMatchObject({ message: 'mine' });
  for (const each of uncaught) process.on('uncaughtException', each);
  await closed(socket);
});

test('block lists, both ways', async () => {
  const list = new host.net.BlockList();
  list.addAddress('127.0.0.1');
  const blind = host.dgram.createSocket({ type: 'udp4', receiveBlockList: list, sendBlockList: list } as never);
  blind.bind(0, '127.0.0.1');
  await once(blind, 'listening');
  const names = heard(blind, 'message');
  const other = await boundSocket(host.dgram);
  await sent((callback) => other.send('x', blind.address().port, '127.0.0.1', callback));
  expect(await sent((callback) => blind.send('x', 9, '127.0.0.1', callback))).toMatchObject({ error: { code: 'ERR_IP_BLOCKED' } });
  await host.pass(5);
  expect(names).toEqual([]);
  await closed(blind, other);
});

test('descriptors are refused', async () => {
  const socket = host.dgram.createSocket('udp4');
  expect(() => socket.bind({ fd: 5 })).toThrow(/no descriptors/);
  expect(() => new host.net.Socket({ fd: 5 })).toThrow(/no descriptors/);
});

test('await using', async () => {
  let port = 0;
  {
    await using socket = (await boundSocket(host.dgram)) as Awaited<ReturnType<typeof boundSocket>> & AsyncDisposable;
    port = socket.address().port;
  }
  const again = host.dgram.createSocket('udp4');
  again.bind(port, '127.0.0.1');
  await once(again, 'listening');
  await closed(again);
});

test('what waits for a socket that cannot be bound is told so', async () => {
  const taken = await boundSocket(host.dgram);
  const { port } = taken.address();
  const socket = host.dgram.createSocket('udp4');
  const error = once(socket, 'error');
  socket.bind(port, '127.0.0.1');
  const asked = sent((callback) => socket.send('x', 9, '127.0.0.1', callback));
  const connected = new Promise((resolve) => socket.connect(9, '127.0.0.1', resolve as () => void));
  expect([await error, await asked, await connected]).toMatchObject([
    [{ code: 'EADDRINUSE' }],
    { error: { code: 'EADDRINUSE' } },
    { code: 'EADDRINUSE' },
  ]);
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  await closed(taken, socket);
});

test('closed while it is bound, with a send before: all is told', async () => {
  const socket = host.dgram.createSocket('udp4');
  const asked = sent((callback) => socket.send('x', 9, '127.0.0.1', callback));
  socket.close();
  await once(socket, 'close');
  expect((await asked).error).toMatchObject({ code: 'ECANCELED' });
});

test('in real time a socket keeps the process alive, unless unref', async () => {
  const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'real' });
  for (const module of HOST_MODULES) await kernel.load(module);
  const alive = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const socket = await boundSocket(createNode(kernel).dgram);
  const held = alive();
  socket.unref();
  expect(alive()).toBe(held - 1);
  socket.ref();
  expect(alive()).toBe(held);
  socket.send('me', socket.address().port, '127.0.0.1');
  await once(socket, 'message');
  await closed(socket);
  await kernel.shutdown();
  expect(alive()).toBeLessThan(held);
});

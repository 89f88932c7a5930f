import { ERRNO, MESSAGE_FLAG, SO, SOCK_TYPE, SOL, Sockets } from '@softnet/contract';
import type { MessageHeader } from '@softnet/posix';
import { emptyAddress, intValue, Posix, timeValue } from '@softnet/posix';
import { expect, test, vi } from 'vitest';
import { at, bytes, connected, text } from './connected.ts';
import { CONNECT_US, PAIR_FAMILY, ROOM_BYTES } from './pair-stream.ts';
import { CLEAN, posixHost } from './posix-host.ts';

const { STREAM } = SOCK_TYPE;
const NONBLOCK = 0o4000;

test('connect and accept wait for one another; both are files of their own', async () => {
  const { posix, listener, client, server, end } = await connected();
  expect(posix.descriptors).toEqual([listener, client, server]);
  expect(await end()).toEqual(CLEAN);
});

test('who may not wait is told: EINPROGRESS, EALREADY, EAGAIN, and ECONNREFUSED by SO_ERROR or by the call', async () => {
  const { posix, pass, watch, end } = await posixHost();
  const quick = posix.socket(PAIR_FAMILY, STREAM | NONBLOCK);
  expect([posix.connect(quick, at(8)), posix.connect(quick, at(8))]).toEqual([-ERRNO.EINPROGRESS, -ERRNO.EALREADY]);
  const slow = posix.socket(PAIR_FAMILY, STREAM);
  const call = watch(posix.connect(slow, at(8)));
  await pass(CONNECT_US + 1);
  expect(call.result).toBe(-ERRNO.ECONNREFUSED);
  const listener = posix.socket(PAIR_FAMILY, STREAM | NONBLOCK);
  expect(posix.accept(listener)).toBe(-ERRNO.EINVAL);
  expect([posix.bind(listener, at(8)), posix.listen(listener, -1), posix.accept(listener)]).toEqual([0, 0, -ERRNO.EAGAIN]);
  expect(await end()).toEqual(CLEAN);
});

test('who has no number left loses no connection by accept, and opens no socket', async () => {
  const { kernel, pass, end } = await posixHost();
  const posix = new Posix(kernel, { maxDescriptors: 2 });
  const listener = posix.socket(PAIR_FAMILY, STREAM);
  const client = posix.socket(PAIR_FAMILY, STREAM | NONBLOCK);
  expect([posix.bind(listener, at(7)), posix.listen(listener, 2), posix.connect(client, at(7))]).toEqual([0, 0, -ERRNO.EINPROGRESS]);
  await pass(CONNECT_US + 1);
  const before = kernel.port(Sockets).current;
  expect([posix.accept(listener), posix.dup(listener), posix.epoll_create1()]).toEqual([-ERRNO.EMFILE, -ERRNO.EMFILE, -ERRNO.EMFILE]);
  const opens = vi.spyOn(before, 'open');
  expect([posix.socket(PAIR_FAMILY, STREAM), opens.mock.calls.length]).toEqual([-ERRNO.EMFILE, 0]);
  opens.mockRestore();
  expect([posix.close(client), posix.accept(listener)]).toEqual([0, client]);
  posix.exit();
  expect(await end()).toEqual(CLEAN);
});

test('a blocking send takes all, in parts as there is room; one that may not wait takes what fits', async () => {
  const { posix, pass, watch, client, server, end } = await connected();
  const call = watch(posix.send(client, bytes('a sentence of thirty-one bytes.')));
  const [place, parts] = [new Uint8Array(100), [] as string[]];
  await pass(1);
  expect(call.result).toBeUndefined();
  while (call.result === undefined) {
    const count = posix.recv(server, place, MESSAGE_FLAG.DONTWAIT);
    if (typeof count === 'number' && count > 0) parts.push(text(place, count));
    await pass(1);
  }
  const rest = posix.recv(server, place) as number;
  expect([call.result, parts.join('') + text(place, rest), parts[0]!.length]).toEqual([31, 'a sentence of thirty-one bytes.', ROOM_BYTES]);
  posix.fcntl(client, 4, NONBLOCK);
  expect([posix.send(client, bytes('0123456789')), posix.send(client, bytes('x'))]).toEqual([8, -ERRNO.EAGAIN]);
  expect(await end()).toEqual(CLEAN);
});

test('MSG_WAITALL waits for all; the end of the stream is 0, and what came before it counts', async () => {
  const { posix, pass, watch, client, server, end } = await connected();
  const place = new Uint8Array(6);
  const all = watch(posix.recv(server, place, MESSAGE_FLAG.WAITALL));
  posix.send(client, bytes('abc'));
  await pass(1);
  expect(all.result).toBeUndefined();
  posix.send(client, bytes('defg'));
  await pass(1);
  expect([all.result, text(place, 6)]).toEqual([6, 'abcdef']);
  const more = watch(posix.recv(server, place, MESSAGE_FLAG.WAITALL));
  posix.shutdown(client, 1);
  await pass(1);
  expect([more.result, text(place, 1), posix.recv(server, place)]).toEqual([1, 'g', 0]);
  expect(posix.send(client, bytes('x'))).toBe(-ERRNO.EPIPE);
  expect(await end()).toEqual(CLEAN);
});

test('parts that come in one tick are all taken: no wake-up falls between two of them', async () => {
  const { posix, pass, watch, client, server, end } = await connected();
  const place = new Uint8Array(8);
  const all = watch(posix.recv(server, place.subarray(0, 4), MESSAGE_FLAG.WAITALL));
  expect([posix.send(client, bytes('ab')), posix.send(client, bytes('cde'))]).toEqual([2, 3]);
  await pass(1);
  expect([all.result, text(place, 4), posix.recv(server, place), text(place, 1)]).toEqual([4, 'abcd', 1, 'e']);
  const sent = watch(posix.send(client, bytes('twenty bytes of text')));
  const parts = [0, 0].map(() => text(place, posix.recv(server, place, MESSAGE_FLAG.DONTWAIT) as number));
  await pass(1);
  expect([sent.result, parts, posix.recv(server, place), text(place, 4)]).toEqual([20, ['twenty b', 'ytes of '], 4, 'text']);
  expect(await end()).toEqual(CLEAN);
});

test('two that wait for all of one another need no third to wake them', async () => {
  const { posix, pass, watch, client, server, end } = await connected();
  const place = new Uint8Array(20);
  const calls = [watch(posix.recv(server, place, MESSAGE_FLAG.WAITALL)), watch(posix.send(client, bytes('twenty bytes of text')))];
  await pass(1);
  expect([calls.map(({ result }) => result), text(place, 20)]).toEqual([[20, 20], 'twenty bytes of text']);
  expect(await end()).toEqual(CLEAN);
});

test('a call in the midst of which another one goes on keeps its own flags and address', async () => {
  const { posix, client, server, end } = await connected();
  void posix.send(client, bytes('twenty bytes of text'), MESSAGE_FLAG.NOSIGNAL);
  const header: MessageHeader = { name: emptyAddress(), iov: [new Uint8Array(8)], control: null };
  expect([posix.recvmsg(server, header), header.flags, header.hasName]).toEqual([8, 0, false]);
  expect(await end()).toEqual(CLEAN);
});

test('what came before the module went counts; the next call says why there is no more', async () => {
  const { kernel, world, posix, pass, watch, client, server, end } = await connected();
  const place = new Uint8Array(4);
  const call = watch(posix.recv(client, place, MESSAGE_FLAG.WAITALL));
  posix.send(server, bytes('ab'));
  await world.run(kernel.unload('pair', { force: true }));
  await pass(1);
  expect([call.result, text(place, 2), posix.recv(client, place)]).toEqual([2, 'ab', -ERRNO.ECONNABORTED]);
  expect(await end()).toEqual(CLEAN);
});

test('scattered and gathered: readv, writev, peeked at', async () => {
  const { posix, client, server, end } = await connected();
  expect(posix.writev(client, [bytes('ab'), bytes('c')])).toBe(3);
  const [one, two] = [new Uint8Array(1), new Uint8Array(5)];
  expect([posix.recv(server, two, MESSAGE_FLAG.PEEK), text(two, 3)]).toEqual([3, 'abc']);
  expect([posix.readv(server, [one, two]), text(one, 1), text(two, 2)]).toEqual([3, 'a', 'bc']);
  expect(await end()).toEqual(CLEAN);
});

test('what was sent before its time is over, or before the peer goes, counts', async () => {
  const { kernel, world, posix, pass, watch, client, server, end } = await connected();
  expect(posix.setsockopt(client, SOL.SOCKET, SO.SNDTIMEO, timeValue(5000))).toBe(0);
  const signal = new AbortController();
  const call = watch(posix.send(client, bytes('0123456789'), 0, signal.signal));
  await pass(10);
  signal.abort();
  await pass(1);
  expect(call.result).toBe(ROOM_BYTES);
  const read = watch(posix.recv(client, new Uint8Array(1)));
  await world.run(kernel.unload('pair', { force: true }));
  await pass(1);
  expect([read.result! < 0, posix.close(server), posix.setsockopt(99, 1, 2, intValue(1))]).toEqual([true, 0, -ERRNO.EBADF]);
  expect(await end()).toEqual(CLEAN);
});

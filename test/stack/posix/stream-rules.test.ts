// What Linux 6.18 answers to the same calls over loopback TCP stands in the rows: result, and after how many ms.
import { ERRNO, MESSAGE_FLAG, POLL, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import type { Answer, MessageHeader } from '@softnet/posix';
import { constants, intValue, lingerValue, readInt, socketAddress, timeValue } from '@softnet/posix';
import { expect, test } from 'vitest';
import { at, bytes, connected, connection, text } from './connected.ts';
import { CONNECT_US, PAIR_FAMILY, ROOM_BYTES } from './pair-stream.ts';
import { CLEAN, posixHost } from './posix-host.ts';

const { STREAM, DGRAM } = SOCK_TYPE;
const { EAGAIN, EALREADY, EBADF, ECONNABORTED, ECONNREFUSED, EINPROGRESS, EINVAL, EISCONN, EMSGSIZE, ENOTSOCK, ENOTTY, EOPNOTSUPP, EPIPE } =
  ERRNO;
const { PEEK, WAITALL, DONTWAIT, OOB, NOSIGNAL } = MESSAGE_FLAG;
const NONBLOCK = 0o4000;
const F_SETFL = 4;

type Host = Awaited<ReturnType<typeof posixHost>>;

/** Watches a call; what happens after 100 ms; and its result with the ms that it took. */
async function timed({ kernel, pass, watch }: Host, answer: Answer, later: () => unknown = () => undefined): Promise<[number, number]> {
  const beginUs = kernel.clock.nowUs;
  const call = watch(answer);
  await pass(100_000);
  later();
  await pass(2_000_000);
  return [call.result ?? Number.NaN, Math.round((call.atUs - beginUs) / 1000)];
}

const timeout = ({ posix }: Host, fd: number, name: number, ms: number): number =>
  posix.setsockopt(fd, SOL.SOCKET, name, timeValue(ms * 1000));

test('connect: who may not wait, who waits for another’s, whose time is over, who comes too late for the error', async () => {
  const host = await posixHost();
  const { posix, pass, watch } = host;
  const fd = posix.socket(PAIR_FAMILY, STREAM | NONBLOCK);
  const item = { fd, events: POLL.IN | POLL.OUT, revents: 0 };
  expect([posix.connect(fd, at(8)), posix.connect(fd, at(8)), posix.poll([item], 0)]).toEqual([-EINPROGRESS, -EALREADY, 0]);
  posix.fcntl(fd, F_SETFL, 0);
  const calls = [watch(posix.connect(fd, at(8))), watch(posix.connect(fd, at(8)))];
  await pass(CONNECT_US + 1);
  expect(calls.map(({ result }) => result)).toEqual([-ECONNREFUSED, -ECONNABORTED]);
  // Less than the connection takes.
  posix.setsockopt(fd, SOL.SOCKET, SO.SNDTIMEO, timeValue(CONNECT_US / 4));
  const late = watch(posix.connect(fd, at(8)));
  await pass(CONNECT_US / 4 + 1);
  const again = watch(posix.connect(fd, at(8)));
  await pass(CONNECT_US / 4 + 1);
  expect([late.result, again.result]).toEqual([-EINPROGRESS, -EALREADY]);
  expect(await host.end()).toEqual(CLEAN);
});

test('connect: connected already, aborted by a signal, closed meanwhile', async () => {
  const host = await connected();
  const { posix, client, watch } = host;
  expect(posix.connect(client, at(7))).toBe(-EISCONN);
  const abort = new AbortController();
  const [one, two] = [posix.socket(PAIR_FAMILY, STREAM), posix.socket(PAIR_FAMILY, STREAM)];
  const calls = [watch(posix.connect(one, at(7), abort.signal)), watch(posix.connect(two, at(7)))];
  abort.abort();
  posix.close(two);
  await host.pass(1);
  expect(calls.map(({ result }) => result)).toEqual([-ERRNO.EINTR, -EBADF]);
  expect(await host.end()).toEqual(CLEAN);
});

test('accept: no listener, no stream, strange flags, SO_RCVTIMEO, a listener that is shut meanwhile, flags of the new one', async () => {
  const host = await connected();
  const { posix, listener } = host;
  const [plain, datagrams] = [posix.socket(PAIR_FAMILY, STREAM), posix.socket(2, DGRAM)];
  expect([posix.accept(plain), posix.accept(datagrams), posix.accept4(plain, null, 4), posix.listen(datagrams, 1)]).toEqual([
    -EINVAL,
    -EOPNOTSUPP,
    -EINVAL,
    -EOPNOTSUPP,
  ]);
  timeout(host, listener, SO.RCVTIMEO, 100);
  expect(await timed(host, posix.accept(listener))).toEqual([-EAGAIN, 100]);
  timeout(host, listener, SO.RCVTIMEO, 0);
  void posix.connect(plain, at(7));
  await host.pass(CONNECT_US + 1);
  const fd = posix.accept4(listener, null, constants.SOCK_NONBLOCK! | constants.SOCK_CLOEXEC!) as number;
  expect([posix.fcntl(fd, 1), posix.fcntl(fd, 3), posix.recv(fd, new Uint8Array(1))]).toEqual([1, 0o4002, -EAGAIN]);
  expect(await timed(host, posix.accept(listener), () => posix.shutdown(listener, 0))).toEqual([-EINVAL, 100]);
  expect(await host.end()).toEqual(CLEAN);
});

test('SO_RCVLOWAT: a receive that waits wants so much, one that may not takes what is there, poll says nothing before', async () => {
  const host = await connected();
  const { posix, client, server } = host;
  const item = { fd: server, events: 0x7fff, revents: 0 };
  const bits = (): number => {
    posix.poll([item], 0);
    return item.revents;
  };
  posix.setsockopt(server, SOL.SOCKET, SO.RCVLOWAT, intValue(4));
  timeout(host, server, SO.RCVTIMEO, 100);
  const place = new Uint8Array(10);
  posix.send(client, bytes('ab'));
  expect([bits(), await timed(host, posix.recv(server, place))]).toEqual([0x104, [2, 100]]);
  posix.send(client, bytes('ab'));
  expect(posix.recv(server, place, DONTWAIT)).toBe(2);
  posix.send(client, bytes('ab'));
  expect(posix.recv(server, place.subarray(0, 2))).toBe(2);
  timeout(host, server, SO.RCVTIMEO, 500);
  posix.send(client, bytes('ab'));
  const send = (string: string) => () => posix.send(client, bytes(string));
  // It sleeps on until poll would say so; when its time is over, it takes what there is.
  expect([await timed(host, posix.recv(server, place), send('cd')), text(place, 4)]).toEqual([[4, 500], 'abcd']);
  expect(await timed(host, posix.recv(server, place), send('ab'))).toEqual([2, 500]);
  expect(await timed(host, posix.recv(server, place), send('abcd'))).toEqual([4, 100]);
  posix.send(client, bytes('ab'));
  expect(await timed(host, posix.recv(server, place.subarray(0, 4), WAITALL), send('cd'))).toEqual([4, 500]);
  posix.send(client, bytes('abcd'));
  expect([bits(), posix.recv(server, place)]).toEqual([0x145, 4]);
  posix.send(client, bytes('ab'));
  expect(await timed(host, posix.recv(server, place), () => posix.shutdown(client, 1))).toEqual([2, 100]);
  expect(posix.recv(server, place)).toBe(0);
  expect(await host.end()).toEqual(CLEAN);
});

test('MSG_WAITALL with MSG_PEEK sees all, or what there is when its time or the stream ends; recvmsg fills all places', async () => {
  const host = await connected();
  const { posix, client, server } = host;
  const place = new Uint8Array(ROOM_BYTES);
  timeout(host, server, SO.RCVTIMEO, 100);
  posix.send(client, bytes('abc'));
  expect(await timed(host, posix.recv(server, place.subarray(0, 5), PEEK | WAITALL))).toEqual([3, 100]);
  timeout(host, server, SO.RCVTIMEO, 500);
  const peek = await timed(host, posix.recv(server, place.subarray(0, 5), PEEK | WAITALL), () => posix.send(client, bytes('de')));
  expect([peek, text(place, 5)]).toEqual([[5, 100], 'abcde']);
  const header: MessageHeader = { name: null, iov: [new Uint8Array(3), new Uint8Array(4)], control: null };
  expect(await timed(host, posix.recvmsg(server, header, WAITALL), () => posix.send(client, bytes('fghi')))).toEqual([7, 100]);
  expect(header.iov.map((each) => text(each, each.length))).toEqual(['abc', 'defg']);
  expect(await timed(host, posix.recv(server, place, PEEK | WAITALL), () => posix.shutdown(client, 1))).toEqual([2, 100]);
  expect([posix.recv(server, place, WAITALL), posix.recv(server, place, WAITALL)]).toEqual([2, 0]);
  expect(await host.end()).toEqual(CLEAN);
});

test('urgent data never wait; SIOCATMARK, FIONREAD, SIOCOUTQ, SIOCOUTQNSD say what is where; of datagrams there is no such thing', async () => {
  const host = await connected();
  const { posix, client, server, listener } = host;
  const value = intValue(9);
  const says = (fd: number, name: string): number => posix.ioctl(fd, constants[name]!, value) || readInt(value);
  const place = new Uint8Array(8);
  expect([posix.recv(server, place, OOB), says(server, 'SIOCATMARK')]).toEqual([-EINVAL, 0]);
  expect([posix.send(client, bytes('abc'), OOB), posix.recv(server, place, OOB), says(server, 'SIOCATMARK')]).toEqual([3, -EAGAIN, 0]);
  expect(['FIONREAD', 'SIOCINQ'].map((name) => says(server, name))).toEqual([3, 3]);
  expect(['SIOCOUTQ', 'SIOCOUTQNSD'].map((name) => says(client, name))).toEqual([3, 2]);
  expect([posix.recv(server, place.subarray(0, 2)), says(server, 'SIOCATMARK'), says(listener, 'SIOCOUTQ')]).toEqual([2, 1, -EINVAL]);
  const datagrams = posix.socket(2, DGRAM);
  expect(['SIOCATMARK', 'SIOCOUTQNSD'].map((name) => says(datagrams, name))).toEqual([-ENOTTY, -ENOTTY]);
  expect([says(datagrams, 'FIOCLEX'), posix.fcntl(datagrams, 1), says(datagrams, 'FIONCLEX'), posix.fcntl(datagrams, 1)]).toEqual([
    readInt(value),
    1,
    readInt(value),
    0,
  ]);
  expect(await host.end()).toEqual(CLEAN);
});

test('EPIPE of a stream is told as SIGPIPE to who asks, but not with MSG_NOSIGNAL, nor of datagrams', async () => {
  const signals: string[] = [];
  const host = await connected({ onSignal: (name) => signals.push(name) });
  const { posix, client, server, listener } = host;
  const after = (answer: Answer): [Answer, number] => [answer, signals.splice(0).length];
  posix.shutdown(client, 1);
  const x = bytes('x');
  const header: MessageHeader = { name: null, iov: [x], control: null };
  expect(
    [
      posix.send(client, x),
      posix.send(client, x, DONTWAIT),
      posix.write(client, x),
      posix.writev(client, [x]),
      posix.sendmsg(client, header),
    ]
      .map((answer) => answer)
      .concat(signals.splice(0).length),
  ).toEqual([...Array(5).fill(-EPIPE), 5]);
  expect(after(posix.send(client, x, NOSIGNAL))).toEqual([-EPIPE, 0]);
  const datagrams = posix.socket(2, DGRAM);
  posix.connect(datagrams, socketAddress('127.0.0.1', 9)!);
  posix.shutdown(datagrams, 1);
  expect(after(posix.send(datagrams, x))).toEqual([-EPIPE, 0]);
  expect(server).toBeGreaterThan(0);
  // What was sent before counts, and the next call is told.
  const more = await connection(host, listener);
  const sent = await timed(host, posix.send(more.client, bytes('0123456789')), () => posix.close(more.server));
  expect([sent, signals.length, after(posix.send(more.client, x))]).toEqual([[ROOM_BYTES, 100], 0, [-EPIPE, 1]]);
  const full = await connection(host, listener);
  posix.send(full.client, new Uint8Array(ROOM_BYTES));
  expect([await timed(host, posix.send(full.client, x), () => posix.close(full.server)), signals.length]).toEqual([[-EPIPE, 100], 1]);
  expect(await host.end()).toEqual(CLEAN);
});

test('a full stream: EAGAIN at once or after SO_SNDTIMEO; what went out in part counts', async () => {
  const host = await connected();
  const { posix, client } = host;
  timeout(host, client, SO.SNDTIMEO, 100);
  expect(await timed(host, posix.send(client, bytes('0123456789')))).toEqual([ROOM_BYTES, 100]);
  expect([posix.send(client, bytes('x'), DONTWAIT), await timed(host, posix.send(client, bytes('x')))]).toEqual([-EAGAIN, [-EAGAIN, 100]]);
  expect(await host.end()).toEqual(CLEAN);
});

test('close with SO_LINGER waits until the peer has all, or for its time, O_NONBLOCK or not; the number is free at once', async () => {
  const host = await connected();
  const { posix, client, server, listener } = host;
  const linger = (fd: number, seconds: number): number => posix.setsockopt(fd, SOL.SOCKET, SO.LINGER, lingerValue(true, seconds));
  const place = new Uint8Array(8);
  posix.send(client, bytes('abc'));
  linger(client, 1);
  posix.fcntl(client, F_SETFL, NONBLOCK);
  const closing = posix.close(client);
  expect([posix.fcntl(client, 3), posix.close(client), posix.descriptors.includes(client)]).toEqual([-EBADF, -EBADF, false]);
  const partly = host.watch(closing);
  posix.recv(server, place.subarray(0, 1));
  await host.pass(1);
  expect(partly.result).toBeUndefined();
  expect(await timed(host, closing, () => posix.recv(server, place))).toEqual([0, 100]);
  const late = await connection(host, listener);
  posix.send(late.client, bytes('abc'));
  linger(late.client, 1);
  // Not the last that names it.
  const other = posix.dup(late.client);
  expect([posix.close(late.client), await timed(host, posix.close(other))]).toEqual([0, [0, 1000]]);
  const last = await connection(host, listener);
  linger(last.client, 1);
  // Nothing is left to be sent; a listener has nothing; linger 0 is the protocol’s.
  linger(listener, 1);
  expect([posix.close(last.client), linger(last.server, 0), posix.send(last.server, bytes('x')), posix.close(last.server)]).toEqual([
    0,
    0,
    -EPIPE,
    0,
  ]);
  expect(posix.close(listener)).toBe(0);
  expect(await host.end()).toEqual(CLEAN);
});

test('too many places, files that are no sockets, numbers', async () => {
  const host = await connected();
  const { posix, client, server } = host;
  const iov = Array.from({ length: 1025 }, () => new Uint8Array(1));
  const header: MessageHeader = { name: null, iov, control: null };
  expect([posix.writev(client, iov), posix.readv(server, iov), posix.sendmsg(client, header), posix.recvmsg(server, header)]).toEqual([
    -EINVAL,
    -EINVAL,
    -EMSGSIZE,
    -EMSGSIZE,
  ]);
  posix.fcntl(client, F_SETFL, NONBLOCK);
  expect(posix.writev(client, iov.slice(1))).toBe(ROOM_BYTES);
  const epoll = posix.epoll_create(1);
  const one = new Uint8Array(1);
  expect([posix.read(epoll, one), posix.write(epoll, one), posix.readv(epoll, [one]), posix.recv(epoll, one)]).toEqual([
    -EINVAL,
    -EINVAL,
    -EINVAL,
    -ENOTSOCK,
  ]);
  expect([posix.dup3(client, client), posix.dup3(client, 50, 1), posix.dup2(99, 99), posix.dup3(client, 9, 0o2000000)]).toEqual([
    -EINVAL,
    -EINVAL,
    -EBADF,
    9,
  ]);
  expect([posix.fcntl(9, 1), posix.dup2(client, 9), posix.fcntl(9, 1), posix.epoll_create(0)]).toEqual([1, 9, 0, -EINVAL]);
  expect([10, 2].map((family) => posix.socketpair(family, DGRAM))).toEqual([-EOPNOTSUPP, -EOPNOTSUPP]);
  expect(posix.socketpair(constants.AF_UNIX!, STREAM)).toBe(-ERRNO.EAFNOSUPPORT);
  expect([9, 11, 8, 77].map((command) => posix.fcntl(client, command))).toEqual([0, 0, -EINVAL, -EINVAL]);
  expect(await host.end()).toEqual(CLEAN);
});

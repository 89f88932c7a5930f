import { ADDRESS_FAMILY, ERRNO, IP_OPTION, MESSAGE_FLAG, POLL, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import {
  addressText,
  constants,
  emptyAddress,
  intValue,
  readControl,
  readExtendedError,
  readInt,
  socketAddress,
  timeValue,
  writeControl,
} from '@softnet/posix';
import { describe, expect, test } from 'vitest';
import { CLEAN, posixHost } from './posix-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { DGRAM } = SOCK_TYPE;
const to = (text: string, port: number) => socketAddress(text, port)!;
const text = (bytes: Uint8Array, count: number): string => String.fromCharCode(...bytes.subarray(0, count));
const bytes = (string: string): Uint8Array => Uint8Array.from(string, (char) => char.charCodeAt(0));

describe('datagrams', () => {
  test.each([
    [INET, '127.0.0.1'],
    [INET6, '::1'],
  ])('there and back, family %i', async (family, host) => {
    const { posix, pass, end } = await posixHost();
    const [a, b] = [posix.socket(family, DGRAM), posix.socket(family, DGRAM)];
    expect([a, b]).toEqual([0, 1]);
    expect(posix.bind(a, to(host, 7))).toBe(0);
    expect(posix.sendto(b, bytes('hello'), 0, to(host, 7))).toBe(5);
    await pass(100);
    const place = new Uint8Array(100);
    const from = emptyAddress();
    expect(posix.recvfrom(a, place, 0, from)).toBe(5);
    expect([text(place, 5), addressText(from), from.port >= 32768]).toEqual(['hello', host, true]);
    expect([posix.connect(a, from), posix.send(a, bytes('back'))]).toEqual([0, 4]);
    await pass(100);
    expect([await posix.recv(b, place), text(place, 4)]).toEqual([4, 'back']);
    const name = emptyAddress();
    expect([posix.getsockname(a, name), addressText(name), name.port]).toEqual([0, host, 7]);
    expect([posix.getpeername(a, name), name.port === from.port]).toEqual([0, true]);
    expect(posix.getpeername(b, name)).toBe(-ERRNO.ENOTCONN);
    expect([posix.close(a), posix.close(a), posix.close(b)]).toEqual([0, -ERRNO.EBADF, 0]);
    expect(await end()).toEqual(CLEAN);
  });

  test('recvmsg and sendmsg: several places, control messages both ways, what is cut is said', async () => {
    const { posix, pass, end } = await posixHost();
    const [a, b] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
    posix.bind(a, to('127.0.0.1', 7));
    expect(posix.setsockopt(a, SOL.IP, IP_OPTION.RECVTTL, intValue(1))).toBe(0);
    const ttl = writeControl([{ level: SOL.IP, type: IP_OPTION.TTL, data: intValue(9) }]);
    const header = { name: to('127.0.0.1', 7), iov: [bytes('ab'), bytes('cdef')], control: ttl };
    expect([posix.sendmsg(b, header), posix.sendmsg(b, header)]).toEqual([6, 6]);
    await pass(100);
    const got = {
      name: emptyAddress(),
      iov: [new Uint8Array(1), new Uint8Array(4)],
      control: new Uint8Array(64),
      controlBytes: 0,
      flags: 0,
    };
    expect(posix.recvmsg(a, got)).toBe(5);
    expect([text(got.iov[0]!, 1), text(got.iov[1]!, 4), got.flags & MESSAGE_FLAG.TRUNC]).toEqual(['a', 'bcde', MESSAGE_FLAG.TRUNC]);
    const control = readControl(got.control.subarray(0, got.controlBytes))!;
    expect(control.map(({ level, type, data }) => [level, type, readInt(data)])).toEqual([[SOL.IP, IP_OPTION.TTL, 9]]);
    const short = { ...got, control: new Uint8Array(18) };
    expect([posix.recvmsg(a, short), short.controlBytes, short.flags & MESSAGE_FLAG.CTRUNC]).toEqual([5, 18, MESSAGE_FLAG.CTRUNC]);
    expect(posix.sendmsg(b, { ...header, control: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) })).toBe(-ERRNO.EINVAL);
    expect(await end()).toEqual(CLEAN);
  });

  test('errors of ICMP come by SO_ERROR, the next call, or the error queue with all that Linux says', async () => {
    const { posix, pass, end } = await posixHost();
    const a = posix.socket(INET, DGRAM);
    posix.setsockopt(a, SOL.IP, IP_OPTION.RECVERR, intValue(1));
    expect([posix.connect(a, to('127.0.0.1', 9)), posix.send(a, bytes('lost'))]).toEqual([0, 4]);
    await pass(100);
    const item = { fd: a, events: POLL.IN, revents: 0 };
    expect([posix.poll([item], 0), item.revents & POLL.ERR]).toEqual([1, POLL.ERR]);
    const header = { name: emptyAddress(), iov: [new Uint8Array(20)], control: new Uint8Array(128), controlBytes: 0, flags: 0 };
    expect([posix.recvmsg(a, header, MESSAGE_FLAG.ERRQUEUE), text(header.iov[0]!, 4)]).toEqual([4, 'lost']);
    expect([header.name.port, header.flags & MESSAGE_FLAG.ERRQUEUE]).toEqual([9, MESSAGE_FLAG.ERRQUEUE]);
    const error = readControl(header.control.subarray(0, header.controlBytes))!.find(({ type }) => type === IP_OPTION.RECVERR)!;
    expect(readExtendedError(error.data)).toMatchObject({ errno: ERRNO.ECONNREFUSED, origin: 2, type: 3, code: 3 });
    expect(posix.recvmsg(a, header, MESSAGE_FLAG.ERRQUEUE)).toBe(-ERRNO.EAGAIN);
    expect(await end()).toEqual(CLEAN);
  });

  test('what is asked for beyond Linux’s rules is answered with its errno, and a sentence', async () => {
    const { posix, end } = await posixHost();
    const a = posix.socket(INET, DGRAM);
    const rows: [call: () => unknown, errno: number, sentence: RegExp][] = [
      [() => posix.socket(99, DGRAM), ERRNO.EAFNOSUPPORT, /no module that is staying brings the family/],
      [() => posix.socket(INET, DGRAM | 0x100), ERRNO.EINVAL, /^socket: EINVAL/],
      [() => posix.socket(INET, 11), ERRNO.EINVAL, /^socket: EINVAL/],
      [() => posix.socket(INET, DGRAM, -1), ERRNO.EINVAL, /^socket: EINVAL/],
      [() => posix.socket(INET, 0), ERRNO.ESOCKTNOSUPPORT, /no protocol of the family has this type/],
      [() => posix.bind(a, to('10.9.9.9', 7)), ERRNO.EADDRNOTAVAIL, /^bind\(0\): EADDRNOTAVAIL: the address is none of this host/],
      [() => posix.send(a, bytes('x')), ERRNO.EDESTADDRREQ, /^send: EDESTADDRREQ: the socket has no peer: connect it/],
      [() => posix.recv(7, bytes('x')), ERRNO.EBADF, /^recv: EBADF: the descriptor is not open/],
      [() => posix.listen(a, 5), ERRNO.EOPNOTSUPP, /^listen\(0\): EOPNOTSUPP/],
      [() => posix.accept(a), ERRNO.EOPNOTSUPP, /^accept\(0\): EOPNOTSUPP/],
      [() => posix.shutdown(a, 3), ERRNO.EINVAL, /^shutdown/],
      [() => posix.sendto(a, new Uint8Array(65_508), 0, to('127.0.0.1', 7)), ERRNO.EMSGSIZE, /^sendto: EMSGSIZE: the message is longer/],
      [() => posix.setsockopt(a, SOL.SOCKET, 999, intValue(1)), ERRNO.ENOPROTOOPT, /^setsockopt\(0, 1, 999\): ENOPROTOOPT/],
      [() => posix.fcntl(a, 99), ERRNO.EINVAL, /^fcntl/],
      [() => posix.ioctl(a, 0x1234, new Uint8Array(40)), ERRNO.ENOTTY, /^ioctl\(0\): ENOTTY/],
      [() => posix.dup2(9, 3), ERRNO.EBADF, /^dup2/],
      [() => posix.accept4(a, null, 1), ERRNO.EINVAL, /^accept4/],
    ];
    for (const [call, errno, sentence] of rows) {
      expect(call()).toBe(-errno);
      expect(posix.lastError).toMatch(sentence);
    }
    expect(await end()).toEqual(CLEAN);
  });
});

describe('calls that wait', () => {
  test('are stepped from outside: not done, then done at the time at which it comes', async () => {
    const { posix, pass, watch, world, end } = await posixHost();
    const [a, b] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
    posix.bind(a, to('127.0.0.1', 7));
    const place = new Uint8Array(10);
    const call = watch(posix.recv(a, place));
    await pass(5000);
    expect(call.result).toBeUndefined();
    posix.sendto(b, bytes('now'), 0, to('127.0.0.1', 7));
    const sentAtUs = world.time.readUs();
    await pass(100);
    expect([call.result, call.atUs - sentAtUs < 50, text(place, 3)]).toEqual([3, true, 'now']);
    expect(await end()).toEqual(CLEAN);
  });

  test('end by SO_RCVTIMEO, by O_NONBLOCK, MSG_DONTWAIT, by a signal, by close', async () => {
    const { posix, pass, watch, end } = await posixHost();
    const a = posix.socket(INET, DGRAM);
    posix.bind(a, to('127.0.0.1', 7));
    const place = new Uint8Array(10);
    expect(posix.recv(a, place, MESSAGE_FLAG.DONTWAIT)).toBe(-ERRNO.EAGAIN);
    posix.setsockopt(a, SOL.SOCKET, SO.RCVTIMEO, timeValue(300_000));
    const late = watch(posix.recv(a, place));
    await pass(299_000);
    expect(late.result).toBeUndefined();
    await pass(2000);
    expect(late.result).toBe(-ERRNO.EAGAIN);
    posix.setsockopt(a, SOL.SOCKET, SO.RCVTIMEO, timeValue(0));
    const controller = new AbortController();
    const interrupted = watch(posix.recv(a, place, 0, controller.signal));
    controller.abort();
    const never = watch(posix.recv(a, place, 0, controller.signal));
    await pass(1);
    expect([interrupted.result, never.result]).toEqual([-ERRNO.EINTR, -ERRNO.EINTR]);
    const closed = watch(posix.recv(a, place));
    const polled = watch(posix.poll([{ fd: a, events: POLL.IN, revents: 0 }], -1));
    posix.close(a);
    await pass(1);
    expect([closed.result, polled.result]).toEqual([-ERRNO.EBADF, 1]);
    const b = posix.socket(INET, DGRAM | constants.SOCK_NONBLOCK!);
    expect([posix.recv(b, place), posix.fcntl(b, constants.F_GETFL!)]).toEqual([-ERRNO.EAGAIN, 0o4002]);
    expect(await end()).toEqual(CLEAN);
  });

  test('are served in the order in which they came, each with one datagram', async () => {
    const { posix, pass, watch, end } = await posixHost();
    const [a, b] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
    posix.bind(a, to('127.0.0.1', 7));
    const places = [new Uint8Array(4), new Uint8Array(4)];
    const calls = places.map((place) => watch(posix.recv(a, place)));
    posix.sendto(b, bytes('1'), 0, to('127.0.0.1', 7));
    await pass(100);
    expect(calls.map(({ result }) => result)).toEqual([1, undefined]);
    posix.sendto(b, bytes('22'), 0, to('127.0.0.1', 7));
    await pass(100);
    expect([calls[1]!.result, text(places[1]!, 2)]).toEqual([2, '22']);
    expect(await end()).toEqual(CLEAN);
  });

  test('are told when the module is forced out, and hang no more', async () => {
    const { kernel, world, posix, pass, watch, end } = await posixHost();
    const a = posix.socket(INET, DGRAM);
    posix.bind(a, to('127.0.0.1', 7));
    const call = watch(posix.recv(a, new Uint8Array(4)));
    await world.run(kernel.unload('udp', { force: true }));
    await pass(100);
    expect([call.result, posix.lastError]).toEqual([-ERRNO.ECONNABORTED, 'recv: ECONNABORTED: udp#1 was unloaded by force']);
    expect([posix.send(a, bytes('x')), posix.close(a)]).toEqual([-ERRNO.EBADF, 0]);
    expect(await end()).toEqual(CLEAN);
  });

  test('go on over a replacement of the module by hand-over or drain', async () => {
    const { kernel, world, posix, pass, watch, end } = await posixHost();
    const { UdpModule } = await import('@softnet/udp');
    const [a, b] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
    posix.bind(a, to('127.0.0.1', 7));
    const place = new Uint8Array(4);
    const call = watch(posix.recv(a, place));
    const report = world.run(kernel.replace('udp', UdpModule, { mode: 'drain' }));
    await report;
    posix.sendto(b, bytes('on'), 0, to('127.0.0.1', 7));
    await pass(100);
    expect([call.result, text(place, 2)]).toEqual([2, 'on']);
    expect(await end()).toEqual(CLEAN);
  });
});

test('requests: what waits to be read and to be sent, devices by name and number', async () => {
  const { posix, pass, end } = await posixHost();
  const [a, b] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
  posix.bind(a, to('127.0.0.1', 7));
  posix.sendto(b, bytes('four'), 0, to('127.0.0.1', 7));
  await pass(100);
  const value = new Uint8Array(40);
  const ask = (request: string, name = ''): number => {
    value.fill(0, 0, 16);
    value.set(bytes(name));
    const result = posix.ioctl(a, constants[request]!, value);
    return result < 0 ? result : readInt(value, name === '' ? 0 : 16);
  };
  expect([ask('FIONREAD'), ask('SIOCOUTQ'), ask('SIOCGIFINDEX', 'lo'), ask('SIOCGIFMTU', 'lo')]).toEqual([4, 0, 1, 65536]);
  expect([ask('SIOCGIFINDEX', 'eth9'), posix.ioctl(a, constants.SIOCGIFMTU!, new Uint8Array(39))]).toEqual([-ERRNO.ENODEV, -ERRNO.EINVAL]);
  value.fill(0);
  value[16] = 1;
  expect([posix.ioctl(a, constants.SIOCGIFNAME!, value), text(value, 2)]).toEqual([0, 'lo']);
  value.set(intValue(1));
  expect([posix.ioctl(a, constants.FIONBIO!, value), posix.fcntl(a, constants.F_GETFL!) & 0o4000]).toEqual([0, 0o4000]);
  expect(await end()).toEqual(CLEAN);
});

test('descriptors: the lowest that is free; duplicates share a file, which lives as long as one does', async () => {
  const { posix, end } = await posixHost();
  const [a, b, c] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
  expect([posix.close(b), posix.dup(c), posix.dup2(a, 9), posix.fcntl(a, constants.F_DUPFD_CLOEXEC!, 5)]).toEqual([0, b, 9, 5]);
  expect([posix.fcntl(5, constants.F_GETFD!), posix.fcntl(9, constants.F_GETFD!)]).toEqual([1, 0]);
  expect([posix.fcntl(9, constants.F_SETFL!, 0o4000), posix.fcntl(a, constants.F_GETFL!)]).toEqual([0, 0o4002]);
  expect([posix.close(a), posix.close(5), posix.bind(9, to('127.0.0.1', 7)), posix.close(9)]).toEqual([0, 0, 0, 0]);
  expect([posix.bind(c, to('127.0.0.1', 7)), posix.dup2(c, 2000), posix.descriptors]).toEqual([0, -ERRNO.EBADF, [1, 2]]);
  expect(await end()).toEqual(CLEAN);
});

test('what does not wait leaves no garbage, there and back', async () => {
  const { posix, world, end } = await posixHost();
  const [a, b] = [posix.socket(INET, DGRAM), posix.socket(INET, DGRAM)];
  posix.bind(a, to('127.0.0.1', 7));
  const target = to('127.0.0.1', 7);
  const from = emptyAddress();
  const [data, place] = [bytes('hello'), new Uint8Array(10)];
  let wrong = 0;
  const step = (): void => {
    if (posix.sendto(b, data, 0, target) !== 5) wrong++;
    world.advanceSync(10);
    if (posix.recvfrom(a, place, 0, from) !== 5) wrong++;
  };
  expect([heapPerCall(16, step, 2000) < 16, wrong]).toEqual([true, 0]);
  expect(await end()).toEqual(CLEAN);
});

import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, MESSAGE_FLAG, POLL, SOL } from '@softnet/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { get, int, ip, receiveAll, sendWith, set } from './control.ts';
import type { User } from './host.ts';
import { CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { EAGAIN, ECONNREFUSED, EMSGSIZE } = ERRNO;
const { ERRQUEUE, TRUNC } = MESSAGE_FLAG;
const SO_ERROR = 4;
const payload = [...new TextEncoder().encode('payload')];

let host: Awaited<ReturnType<typeof realHost>>;
beforeAll(async () => {
  host = await realHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

/** A socket that wants reports, and has sent to nobody. */
async function refused(family: number = INET, to = '127.0.0.1:9', data = payload): Promise<User> {
  const user = host.user(family);
  expect(set(user, family === INET ? SOL.IP : SOL.IPV6, family === INET ? IP_OPTION.RECVERR : IPV6_OPTION.RECVERR, int(1))).toBe(0);
  expect(sendWith(user, data, [], to)).toBe(data.length);
  await host.settle();
  return user;
}

// What Linux 6.18 answers, byte by byte: recorded by a program in Python.
const V4 = [...int(ECONNREFUSED), 2, 3, 3, 0, ...int(0), ...int(0), 2, 0, 0, 0, ...ip('127.0.0.1'), ...new Array(8).fill(0)];
const V6 = [...int(ECONNREFUSED), 3, 1, 4, 0, ...int(0), ...int(0), 10, 0, 0, 0, 0, 0, 0, 0, ...ip('::1'), 0, 0, 0, 0];
const MAPPED = [...int(ECONNREFUSED), 2, 3, 3, 0, ...int(0), ...int(0), 10, 0, 0, 0, 0, 0, 0, 0, ...ip('::ffff:127.0.0.1'), 0, 0, 0, 0];

test.each([
  ['IPv4', INET, '127.0.0.1:9', '127.0.0.1:9', SOL.IP, IP_OPTION.RECVERR, V4],
  ['IPv6', INET6, '[::1]:9', '[::1]:9', SOL.IPV6, IPV6_OPTION.RECVERR, V6],
  ['IPv4 of an IPv6 socket', INET6, '[::ffff:127.0.0.1]:9', '[::ffff:127.0.0.1]:9', SOL.IPV6, IPV6_OPTION.RECVERR, MAPPED],
])('a report is quoted, addressed and laid out as in Linux: %s', async (_what, family, to, from, level, type, bytes) => {
  const user = await refused(family, to);
  expect(user.calls.poll(user.sock) & POLL.ERR).toBe(POLL.ERR);
  const before = user.sock.receiveQueuedBytes;
  expect(before).toBeGreaterThan(0);
  expect(receiveAll(user, ERRQUEUE)).toEqual({ bytes: payload, from, control: [[level, type, bytes]], flags: ERRQUEUE });
  expect([receiveAll(user, ERRQUEUE), get(user, SOL.SOCKET, SO_ERROR), user.sock.receiveQueuedBytes]).toEqual([-EAGAIN, int(0), 0]);
  expect(user.calls.poll(user.sock) & POLL.ERR).toBe(0);
  user.close();
});

test('it is cut to the room that there is, and says so; a peek takes it, as in Linux', async () => {
  const user = await refused();
  expect(receiveAll(user, ERRQUEUE | MESSAGE_FLAG.PEEK, 3)).toMatchObject({ bytes: payload.slice(0, 3), flags: ERRQUEUE | TRUNC });
  expect(receiveAll(user, ERRQUEUE)).toBe(-EAGAIN);
  user.close();
});

test('SO_SELECT_ERR_QUEUE: poll says PRI too, while something waits', async () => {
  const user = await refused();
  const bits = (): number => user.calls.poll(user.sock) & (POLL.ERR | POLL.PRI);
  expect([bits(), set(user, SOL.SOCKET, 45, int(1)), bits()]).toEqual([POLL.ERR, 0, POLL.ERR | POLL.PRI]);
  receiveAll(user, ERRQUEUE);
  expect(bits()).toBe(0);
  user.close();
});

test('scattered', async () => {
  const user = await refused();
  const parts = [new Uint8Array(2), new Uint8Array(0), new Uint8Array(9)];
  Object.assign(user.message, { data: parts[0], more: parts.slice(1), flags: ERRQUEUE });
  expect(user.calls.receive(user.sock, user.message)).toBe(7);
  expect(parts.map((part) => [...part])).toEqual([payload.slice(0, 2), [], [...payload.slice(2), 0, 0, 0, 0]]);
  user.close();
});

test('SO_ERROR is one word for it, told once; the queue keeps the rest', async () => {
  const user = await refused();
  expect([get(user, SOL.SOCKET, SO_ERROR), get(user, SOL.SOCKET, SO_ERROR)]).toEqual([int(ECONNREFUSED), int(0)]);
  expect(receiveAll(user, ERRQUEUE)).toMatchObject({ bytes: payload });
  user.close();
});

test('turned off, what waits is forgotten, but for SO_ERROR', async () => {
  const user = await refused();
  expect(set(user, SOL.IP, IP_OPTION.RECVERR, int(0))).toBe(0);
  expect([receiveAll(user, ERRQUEUE), user.sock.receiveQueuedBytes, get(user, SOL.SOCKET, SO_ERROR)]).toEqual([
    -EAGAIN,
    0,
    int(ECONNREFUSED),
  ]);
  user.close();
});

test('of two, the second is what the next call says once the first is read', async () => {
  const user = await refused();
  const peer = host.user();
  peer.bind('127.0.0.1:7001');
  expect(sendWith(user, [1], [], '127.0.0.1:7001')).toBe(-ECONNREFUSED);
  expect(sendWith(user, [50], [], '127.0.0.1:10')).toBe(1);
  await host.settle();
  const answers = [
    receiveAll(user, ERRQUEUE),
    get(user, SOL.SOCKET, SO_ERROR),
    receiveAll(user, ERRQUEUE),
    get(user, SOL.SOCKET, SO_ERROR),
    receiveAll(user, ERRQUEUE),
  ];
  expect(answers).toMatchObject([{ bytes: payload }, int(ECONNREFUSED), { bytes: [50], from: '127.0.0.1:10' }, int(0), -EAGAIN]);
  user.close();
  peer.close();
});

test('what this host itself refuses: EMSGSIZE with the MTU, no payload, no offender', async () => {
  const user = host.user();
  for (const name of [IP_OPTION.RECVERR, IP_OPTION.MTU_DISCOVER])
    expect(set(user, SOL.IP, name, int(name === IP_OPTION.RECVERR ? 1 : 2))).toBe(0);
  expect(sendWith(user, new Array(65_508).fill(0), [], '127.0.0.1:5')).toBe(-EMSGSIZE);
  const told = [...int(EMSGSIZE), 1, 0, 0, 0, ...int(65_535), ...int(0), ...new Array(16).fill(0)];
  expect(receiveAll(user, ERRQUEUE)).toEqual({
    bytes: [],
    from: '127.0.0.1:0',
    control: [[SOL.IP, IP_OPTION.RECVERR, told]],
    flags: ERRQUEUE,
  });
  expect(get(user, SOL.SOCKET, SO_ERROR)).toEqual(int(0));
  user.close();
  const user6 = host.user(INET6);
  for (const name of [IPV6_OPTION.RECVERR, IPV6_OPTION.DONTFRAG]) expect(set(user6, SOL.IPV6, name, int(1))).toBe(0);
  expect(sendWith(user6, new Array(65_527).fill(0), [], '[::1]:5')).toBe(-EMSGSIZE);
  expect(receiveAll(user6, ERRQUEUE)).toMatchObject({ bytes: [], from: '[::1]:0' });
  user6.close();
});

test('who is woken by a report, and sends at once, hides nothing from the send that it is about', () => {
  const user = host.user(INET6);
  for (const name of [IPV6_OPTION.RECVERR, IPV6_OPTION.DONTFRAG]) expect(set(user, SOL.IPV6, name, int(1))).toBe(0);
  const inner: number[] = [];
  user.sock.wake = () => {
    user.sock.wake = null;
    const { data, control } = user.message;
    inner.push(sendWith(user, [1], [], '[::1]:5'));
    Object.assign(user.message, { data, control });
  };
  // The layer itself refuses it: it fits a datagram, and not the loopback's MTU with its header.
  expect([sendWith(user, new Array(65_527).fill(0), [], '[::1]:5'), inner]).toEqual([-EMSGSIZE, [1]]);
  user.close();
});

test('SO_RCVBUF bounds it, together with what was received', async () => {
  const user = host.user();
  expect([set(user, SOL.IP, IP_OPTION.RECVERR, int(1)), set(user, SOL.SOCKET, 8, int(3000))]).toEqual([0, 0]);
  for (let i = 0; i < 30; i++) {
    sendWith(user, new Array(100).fill(i), [], '127.0.0.1:9');
    await host.settle();
    get(user, SOL.SOCKET, SO_ERROR);
  }
  let reports = 0;
  while (typeof receiveAll(user, ERRQUEUE) !== 'number') reports++;
  // 6000 bytes, and each of them 612.
  expect([reports, user.sock.receiveQueuedBytes]).toEqual([9, 0]);
  user.close();
});

test('closed with reports in it, it leaves nothing behind', async () => {
  const user = await refused();
  user.close();
  expect(user.sock.receiveQueuedBytes).toBe(0);
});

test('when a packet left is told by the queue, as SO_TIMESTAMPING asks for it', async () => {
  const [user, peer] = [host.user(), host.user()];
  peer.bind('127.0.0.1:7002');
  // TX_SOFTWARE, SOFTWARE, OPT_ID.
  expect(set(user, SOL.SOCKET, 37, int(0x92))).toBe(0);
  expect([sendWith(user, payload, [], '127.0.0.1:7002'), sendWith(user, payload, [], '127.0.0.1:7002')]).toEqual([7, 7]);
  // Of one message: not.
  expect(sendWith(user, payload, [[SOL.SOCKET, 37, int(0)]], '127.0.0.1:7002')).toBe(7);
  await host.settle();
  expect([peer.receive(), peer.receive(), peer.receive()].every((got) => typeof got === 'object')).toBe(true);
  const told = [receiveAll(user, ERRQUEUE), receiveAll(user, ERRQUEUE)];
  for (const [key, got] of told.entries()) {
    if (typeof got === 'number') throw new Error(`no stamp ${key}`);
    expect(got).toMatchObject({ bytes: [], from: '', flags: ERRQUEUE });
    expect(got.control[1]).toEqual([SOL.IP, IP_OPTION.RECVERR, [...int(42), 4, 0, 0, 0, ...int(0), ...int(key), ...new Array(16).fill(0)]]);
    const [level, type, bytes] = got.control[0]!;
    expect([level, type, bytes.length]).toEqual([SOL.SOCKET, 37, 48]);
    const nanos = new DataView(Uint8Array.from(bytes).buffer).getInt32(8, true);
    const atUs = new DataView(Uint8Array.from(bytes).buffer).getInt32(0, true) * 1e6 + nanos / 1000;
    expect(Math.abs(host.world.nowUs - atUs)).toBeLessThan(2_000_000);
  }
  expect([receiveAll(user, ERRQUEUE), get(user, SOL.SOCKET, SO_ERROR)]).toEqual([-EAGAIN, int(0)]);
  user.close();
  peer.close();
});

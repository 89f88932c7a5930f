import { ERRNO, TCP_SOCKET_OPTION as O, SO, SOL } from '@softnet/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TwoHosts } from './host.ts';
import { twoHosts } from './host.ts';
import { errnoName, StreamUser } from './stream-user.ts';

let hosts: TwoHosts;

beforeAll(async () => {
  hosts = await twoHosts({ delayUs: 1000 });
});
afterAll(() => hosts.net.dispose());

/** Linux's answers: what a fresh socket says, what is set, what that gives, what is said then. */
test.each<readonly [string, number, number | string, number, string, number | string]>([
  ['TCP_NODELAY', O.NODELAY, 0, 5, '', 1],
  ['TCP_CORK', O.CORK, 0, 1, '', 1],
  ['TCP_MAXSEG', O.MAXSEG, 536, 1000, '', 1000],
  ['TCP_MAXSEG below', O.MAXSEG, 536, 87, 'EINVAL', 536],
  ['TCP_MAXSEG above', O.MAXSEG, 536, 32768, 'EINVAL', 536],
  ['TCP_KEEPIDLE', O.KEEPIDLE, 7200, 1, '', 1],
  ['TCP_KEEPIDLE of 0', O.KEEPIDLE, 7200, 0, 'EINVAL', 7200],
  ['TCP_KEEPIDLE above', O.KEEPIDLE, 7200, 32768, 'EINVAL', 7200],
  ['TCP_KEEPINTVL', O.KEEPINTVL, 75, 32767, '', 32767],
  ['TCP_KEEPCNT', O.KEEPCNT, 9, 127, '', 127],
  ['TCP_KEEPCNT above', O.KEEPCNT, 9, 128, 'EINVAL', 9],
  ['TCP_SYNCNT', O.SYNCNT, 6, 3, '', 3],
  ['TCP_SYNCNT above', O.SYNCNT, 6, 128, 'EINVAL', 6],
  ['TCP_LINGER2', O.LINGER2, 60, 30, '', 30],
  ['TCP_LINGER2, not at all', O.LINGER2, 60, -5, '', -1],
  ['TCP_LINGER2 above', O.LINGER2, 60, 500, '', 120],
  ['TCP_DEFER_ACCEPT', O.DEFER_ACCEPT, 0, 5, '', 7],
  ['TCP_WINDOW_CLAMP', O.WINDOW_CLAMP, 0, 100, '', 1152],
  ['TCP_QUICKACK', O.QUICKACK, 1, 0, '', 0],
  ['TCP_USER_TIMEOUT', O.USER_TIMEOUT, 0, 5000, '', 5000],
  ['TCP_USER_TIMEOUT below', O.USER_TIMEOUT, 0, -1, 'EINVAL', 0],
  ['TCP_NOTSENT_LOWAT', O.NOTSENT_LOWAT, 0, 4096, '', 4096],
  ['TCP_SAVE_SYN', O.SAVE_SYN, 0, 1, '', 1],
  ['TCP_SAVE_SYN above', O.SAVE_SYN, 0, 3, 'EINVAL', 0],
  ['TCP_INQ', O.INQ, 0, 1, '', 1],
  ['TCP_INQ above', O.INQ, 0, 2, 'EINVAL', 0],
  ['TCP_FASTOPEN', O.FASTOPEN, 0, 5, 'EOPNOTSUPP', 0],
  ['TCP_REPAIR', O.REPAIR, 0, 1, 'EPERM', 0],
  ['TCP_THIN_DUPACK', O.THIN_DUPACK, 0, 1, '', 0],
  ['TCP_MD5SIG', O.MD5SIG, 'ENOPROTOOPT', 1, 'ENOPROTOOPT', 'ENOPROTOOPT'],
  ['none', 999, 'ENOPROTOOPT', 1, 'ENOPROTOOPT', 'ENOPROTOOPT'],
])('%s', (_name, option, first, value, code, then) => {
  const user = new StreamUser(hosts.a.kernel);
  const read = (): number | string => {
    const result = user.option(SOL.TCP, option);
    return option !== O.LINGER2 && result < 0 ? errnoName(result) : result;
  };
  expect(read()).toBe(first);
  expect(errnoName(user.setOption(SOL.TCP, option, value))).toBe(code);
  expect(read()).toBe(then);
  user.close();
});

test('TCP_CONGESTION: by name, of those that are loaded', () => {
  const user = new StreamUser(hosts.a.kernel);
  const read = (): string => {
    const bytes = new Uint8Array(16);
    user.calls.getOption(user.sock, SOL.TCP, O.CONGESTION, bytes);
    return String.fromCharCode(...bytes.filter((byte) => byte !== 0));
  };
  const set = (name: string): number => user.setOption(SOL.TCP, O.CONGESTION, new TextEncoder().encode(name));
  expect(read()).toBe('cubic');
  expect([set('reno'), read()]).toEqual([0, 'reno']);
  expect([set('bbr'), read()]).toEqual([-ERRNO.ENOENT, 'reno']);
  hosts.a.kernel.sysctl.set('net.ipv4.tcp_congestion_control', 'reno');
  const other = new StreamUser(hosts.a.kernel);
  expect([set('cubic'), read()]).toEqual([0, 'cubic']);
  hosts.a.kernel.sysctl.set('net.ipv4.tcp_congestion_control', 'cubic');
  for (const each of [user, other]) each.close();
});

test('TCP_INFO of Linux 6.1: 232 bytes, cut to what there is room for', async () => {
  const listener = new StreamUser(hosts.b.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen(5);
  const client = new StreamUser(hosts.a.kernel);
  const info = (user: StreamUser, lenBytes = 300): DataView => {
    const bytes = new Uint8Array(lenBytes);
    expect(user.calls.getOption(user.sock, SOL.TCP, O.INFO, bytes)).toBe(Math.min(lenBytes, 232));
    return new DataView(bytes.buffer);
  };
  expect(info(client).getUint8(0)).toBe(7);
  const [, server] = await hosts.net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  await hosts.net.run(client.send(new Uint8Array(5000)));
  expect((await hosts.net.run(server.receiveAll(5000))).length).toBe(5000);
  await hosts.net.pass(100);
  const said = info(client);
  // State, options (timestamps, SACK, scaling), both shifts.
  expect([said.getUint8(0), said.getUint8(5)]).toEqual([1, 7]);
  expect(said.getUint8(6) & 0xf).toBeGreaterThan(0);
  // RTO 200 ms and more, MSS, path MTU, round trip of 2 ms, cwnd of 10 or more, advmss.
  expect(said.getUint32(8, true)).toBeGreaterThanOrEqual(200_000);
  expect([said.getUint32(16, true), said.getUint32(60, true), said.getUint32(84, true)]).toEqual([1448, 1500, 1460]);
  expect(said.getUint32(68, true)).toBeGreaterThan(1000);
  expect([said.getUint32(24, true), said.getUint32(76, true)]).toEqual([0, 0x7fffffff]);
  expect(said.getUint32(80, true)).toBeGreaterThanOrEqual(10);
  const listens = info(listener);
  expect([listens.getUint8(0), listens.getUint32(24, true), listens.getUint32(28, true)]).toEqual([10, 0, 5]);
  expect(info(client, 10).getUint8(0)).toBe(1);
  for (const each of [client, server, listener]) each.close();
});

test('TCP_SAVED_SYN: the SYN of a child, once', async () => {
  const listener = new StreamUser(hosts.b.kernel);
  listener.bind('0.0.0.0', 81);
  listener.setOption(SOL.TCP, O.SAVE_SYN, 1);
  listener.listen();
  const client = new StreamUser(hosts.a.kernel);
  const [, server] = await hosts.net.run(Promise.all([client.connect('10.0.0.2', 81), listener.accept()]));
  const read = (lenBytes: number): number => server.calls.getOption(server.sock, SOL.TCP, O.SAVED_SYN, new Uint8Array(lenBytes));
  expect([read(10), read(100), read(100)]).toEqual([-ERRNO.EINVAL, 60, 0]);
  for (const each of [client, server, listener]) each.close();
});

test('buffers: what they came to by themselves, then what was set, doubled', () => {
  const user = new StreamUser(hosts.a.kernel);
  const both = (): number[] => [user.option(SOL.SOCKET, SO.SNDBUF), user.option(SOL.SOCKET, SO.RCVBUF)];
  expect(both()).toEqual([16_384, 131_072]);
  user.setOption(SOL.SOCKET, SO.SNDBUF, 10_000);
  user.setOption(SOL.SOCKET, SO.RCVBUF, 20_000);
  expect(both()).toEqual([20_000, 40_000]);
  user.close();
});

test('settings: ranges of Linux, and what it has beside is taken', () => {
  const { sysctl } = hosts.a.kernel;
  expect(() => sysctl.set('net.ipv4.tcp_syn_retries', 128)).toThrow(/EINVAL/);
  expect(() => sysctl.set('net.ipv4.tcp_min_snd_mss', 47)).toThrow(/EINVAL/);
  sysctl.set('net.ipv4.tcp_ecn', 1);
  const names = sysctl.list('net.ipv4.tcp_').map(({ name }) => name);
  expect(names.length).toBeGreaterThan(60);
});

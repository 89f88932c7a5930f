import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heard, shape } from './dgram-events.ts';
import { CLEAN } from './soft-host.ts';
import type { SoftNet } from './soft-net.ts';
import { NOBODY, SILENT, softNet } from './soft-net.ts';

let net: SoftNet;
beforeAll(async () => {
  net = await softNet();
});
afterAll(async () => {
  expect(await net.end()).toEqual([CLEAN, CLEAN, CLEAN]);
});

async function listening(options: object = {}): Promise<{ server: Server; port: number }> {
  const server = net.b.net.createServer(options);
  server.listen(0, '10.0.2.2');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function pair(options: object = {}): Promise<{ server: Server; near: Socket; far: Socket }> {
  const { server, port } = await listening(options);
  const near = net.a.net.connect(port, '10.0.2.2');
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
  return { server, near, far: far as Socket };
}

async function over({ server, near, far }: Awaited<ReturnType<typeof pair>>): Promise<void> {
  for (const socket of [near, far]) socket.on('error', () => {}).destroy();
  await new Promise((resolve) => server.close(resolve));
}

describe('connect', () => {
  test.each([
    [1, 3],
    [2, 7],
    [6, 127],
  ])('nobody answers: ETIMEDOUT after %i SYNs again, %i s', async (retries, seconds) => {
    net.a.kernel.sysctl.set('net.ipv4.tcp_syn_retries', retries);
    const beganUs = net.nowUs;
    const socket = net.a.net.connect(9, SILENT);
    const [[error]] = await Promise.all([once(socket, 'error'), net.pass(seconds * 1000 + 100)]);
    expect(shape(error)).toEqual({ name: 'Error', code: 'ETIMEDOUT', errno: -110, syscall: 'connect', address: SILENT, port: 9 });
    expect(error.message).toBe(`connect ETIMEDOUT ${SILENT}:9: no answer came`);
    expect(socket.destroyed).toBe(true);
    expect((net.nowUs - beganUs) / 1e6).toBeCloseTo(seconds, 0);
  });

  test.each(NOBODY)('nobody is on the link, %s: EHOSTUNREACH when three questions have had no answer', async (address) => {
    const beganUs = net.nowUs;
    const socket = net.a.net.connect(9, address);
    let toldUs = 0;
    socket.once('error', () => {
      toldUs = net.nowUs;
    });
    const [[error]] = await Promise.all([once(socket, 'error'), net.pass(5000)]);
    expect(shape(error)).toEqual({ name: 'Error', code: 'EHOSTUNREACH', errno: -113, syscall: 'connect', address, port: 9 });
    expect((toldUs - beganUs) / 1e6).toBeCloseTo(3, 0);
  });

  test('no way: ENETUNREACH', async () => {
    const socket = net.a.net.connect(9, '192.0.2.1');
    const [error] = await once(socket, 'error');
    expect(shape(error)).toMatchObject({ code: 'ENETUNREACH', errno: -101, syscall: 'connect', address: '192.0.2.1', port: 9 });
  });

  test.each(['10.0.2.2', 'fd00:2::2'])('nobody listens at %s: ECONNREFUSED after one round trip', async (address) => {
    const beganUs = net.nowUs;
    const [error] = await once(net.a.net.connect(9, address), 'error');
    expect(shape(error)).toEqual({ name: 'Error', code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address, port: 9 });
    expect(net.nowUs - beganUs).toBeLessThan(5000);
  });

  test('its timeout is only said; who wants to give up destroys it', async () => {
    const socket = net.a.net.connect({ port: 9, host: SILENT, timeout: 30 });
    const names = heard(socket, 'timeout', 'error', 'close');
    await once(socket, 'timeout');
    expect([socket.connecting, socket.destroyed]).toEqual([true, false]);
    socket.destroy();
    await once(socket, 'close');
    expect(names).toEqual(['timeout', 'close']);
  });

  test('destroyed on the way: no SYN goes out any more', async () => {
    const socket = net.a.net.connect(9, SILENT);
    await net.pass(10);
    socket.destroy();
    await once(socket, 'close');
    const count = net.cables[0]!.counts(0).frames;
    await net.pass(2000);
    expect(net.cables[0]!.counts(0).frames).toBe(count);
  });

  test('an AbortSignal ends it on the way', async () => {
    const abort = new AbortController();
    const socket = new net.a.net.Socket({ signal: abort.signal } as object);
    socket.connect(9, SILENT);
    await net.pass(5);
    abort.abort();
    expect((await once(socket, 'error'))[0]).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
  });

  test('an address that gets no answer is given up for the next', async () => {
    const { server, port } = await listening();
    server.on('connection', (far) => far.end());
    const addresses = [SILENT, '10.0.2.2'].map((address) => ({ address, family: 4 }));
    const lookup = (_name: string, _options: object, callback: (...given: unknown[]) => void): void =>
      process.nextTick(callback, null, addresses);
    const socket = net.a.net.connect({
      ...{ port, host: 'two', lookup: lookup as never },
      ...{ autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 10 },
    });
    const names = heard(socket, 'connectionAttempt', 'connectionAttemptTimeout', 'connectionAttemptFailed', 'connect');
    await once(socket.resume(), 'close');
    expect(names).toEqual(['connectionAttempt', 'connectionAttemptTimeout', 'connectionAttemptFailed', 'connectionAttempt', 'connect']);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('established', () => {
  test('the peer is gone: ETIMEDOUT to who writes, by tcp_retries2', async () => {
    net.a.kernel.sysctl.set('net.ipv4.tcp_retries2', 3);
    const ends = await pair();
    await net.severed(async () => {
      ends.near.write('lost');
      const [[error]] = await Promise.all([once(ends.near, 'error'), net.pass(10_000)]);
      expect(shape(error)).toMatchObject({ code: 'ETIMEDOUT', errno: -110, syscall: 'read' });
    });
    await over(ends);
  });

  test('the peer is gone: ETIMEDOUT to who only listens, by ten probes of keepalive', async () => {
    const ends = await pair();
    ends.near.setKeepAlive(true, 5000);
    const beganUs = net.nowUs;
    let toldUs = 0;
    ends.near.once('error', () => {
      toldUs = net.nowUs;
    });
    await net.severed(async () => {
      const [[error]] = await Promise.all([once(ends.near, 'error'), net.pass(16_000)]);
      expect(shape(error)).toMatchObject({ code: 'ETIMEDOUT', errno: -110, syscall: 'read' });
    });
    expect((toldUs - beganUs) / 1e6).toBeCloseTo(15, 0);
    await over(ends);
  });

  test('without keepalive who only listens never hears of it (half open); who then writes is reset', async () => {
    const ends = await pair();
    const names = heard(ends.near, 'error', 'end', 'close');
    await net.severed(async () => {
      ends.far.resetAndDestroy();
      await net.pass(30_000);
    });
    expect(names).toEqual([]);
    ends.near.write('still there?');
    expect(shape((await once(ends.near, 'error'))[0])).toMatchObject({ code: 'ECONNRESET', errno: -104, syscall: 'read' });
    await over(ends);
  });
});

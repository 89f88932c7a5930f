import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pattern } from '@softnet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heard } from './dgram-events.ts';
import { CLEAN } from './soft-host.ts';
import type { SoftNet } from './soft-net.ts';
import { softNet } from './soft-net.ts';

let net: SoftNet;
/** Two cables of 2 ms, of which each loses a packet in 50. */
let lossy: SoftNet;
beforeAll(async () => {
  net = await softNet({ delayUs: 5000 }, 1000);
  lossy = await softNet({ delayUs: 2000, loss: 0.02 }, 1000);
});
afterAll(async () => {
  for (const each of [net, lossy]) expect(await each.end()).toEqual([CLEAN, CLEAN, CLEAN]);
});

async function listening({ b }: SoftNet, options: object = {}, at: object = {}): Promise<{ server: Server; port: number }> {
  const server = b.net.createServer(options);
  server.listen({ port: 0, host: '10.0.2.2', ...at });
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function pair(hosts: SoftNet, options: object = {}, client: object = {}) {
  const { server, port } = await listening(hosts, options);
  const near = hosts.a.net.connect({ port, host: '10.0.2.2', ...client });
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
  return { server, near, far: far as Socket };
}

async function over({ server, near, far }: Awaited<ReturnType<typeof pair>>): Promise<void> {
  for (const socket of [near, far]) socket.on('error', () => {}).destroy();
  await new Promise((resolve) => server.close(resolve));
}

function ended(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}

describe('over cables that lose', () => {
  test('a pipeline there and back, through a slow transform: every octet, and little of it at once', async () => {
    const data = Buffer.from(pattern(7, 0, 400_000));
    const { server, port } = await listening(lossy, { allowHalfOpen: true });
    let most = 0;
    server.on('connection', (far) => {
      const slow = new Transform({
        transform(chunk, _encoding, done) {
          most = Math.max(most, far.readableLength + this.readableLength + far.writableLength);
          setImmediate(done, null, chunk);
        },
      });
      void pipeline(far, slow, far);
    });
    const near = lossy.a.net.connect(port, '10.0.2.2');
    const back: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of near) back.push(chunk as Buffer);
    })();
    await pipeline(async function* () {
      for (let at = 0; at < data.length; at += 50_000) yield data.subarray(at, at + 50_000);
    }, near);
    await reading;
    expect(Buffer.concat(back).equals(data)).toBe(true);
    expect(most).toBeLessThan(200_000);
    expect(lossy.cables[0]!.counts(0).lost).toBeGreaterThan(0);
    await ended(server);
  });

  test('http: 100 requests with bodies, over four kept connections', async () => {
    const server = http.createServer((asked, answer) => asked.pipe(answer));
    const listener = lossy.b.serve(server, 0, '10.0.2.2');
    await once(listener, 'listening');
    const agent = lossy.a.http.agent({ keepAlive: true, maxSockets: 4 });
    const at = { agent, host: '10.0.2.2', port: (listener.address() as AddressInfo).port, method: 'POST' };
    const ask = async (i: number): Promise<boolean> => {
      const body = `body ${i} `.repeat(300);
      const request = http.request(at);
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      return text === body;
    };
    expect(await Promise.all(Array.from({ length: 100 }, (_, i) => ask(i)))).toEqual(new Array(100).fill(true));
    agent.destroy();
    server.closeAllConnections();
    await ended(listener);
  });

  test('20 connections at once, each ends of itself', async () => {
    const { server, port } = await listening(lossy);
    server.on('connection', (far) => far.pipe(far));
    const texts = Array.from({ length: 20 }, async (_, i) => {
      const socket = lossy.a.net.connect(port, '10.0.2.2');
      socket.end(`hello ${i} `.repeat(1000));
      let text = '';
      for await (const chunk of socket) text += chunk;
      return text;
    });
    expect(await Promise.all(texts)).toEqual(Array.from({ length: 20 }, (_, i) => `hello ${i} `.repeat(1000)));
    await ended(server);
  });
});

describe('what is set', () => {
  /** Virtual ms between two small writes of a connection, at its other end. */
  async function apartMs(noDelay: boolean): Promise<number> {
    const ends = await pair(net);
    ends.near.setNoDelay(noDelay);
    const cameUs: number[] = [];
    const both = new Promise<void>((resolve) => {
      ends.far.on('data', (chunk) => {
        for (const _ of chunk as Buffer) cameUs.push(net.nowUs);
        if (cameUs.length === 2) resolve();
      });
    });
    ends.near.write('1', () => ends.near.write('2'));
    await both;
    await over(ends);
    return (cameUs[1]! - cameUs[0]!) / 1000;
  }

  test('setNoDelay: the second small write waits for no acknowledgement', async () => {
    expect(await apartMs(true)).toBeLessThan(3);
    // A round trip at least: of both cables, there and back.
    expect(await apartMs(false)).toBeGreaterThan(15);
  });

  test('setTimeout of a connection over which nothing comes', async () => {
    const ends = await pair(net);
    const beganUs = net.nowUs;
    ends.near.setTimeout(300);
    await once(ends.near, 'timeout');
    expect((net.nowUs - beganUs) / 1000).toBeCloseTo(300, -1);
    await over(ends);
  });

  test('setTimeout is put off by what comes and what goes', async () => {
    const ends = await pair(net);
    ends.near.setTimeout(100);
    const names = heard(ends.near, 'timeout');
    ends.far.resume();
    for (let i = 0; i < 8; i++) {
      if (i % 2 === 0) ends.near.write('x');
      else ends.far.write('x');
      await net.pass(50);
    }
    expect(names).toEqual([]);
    await once(ends.near.resume(), 'timeout');
    await over(ends);
  });

  test('setKeepAlive: probes go out, and are answered', async () => {
    const ends = await pair(net, {}, { keepAlive: true, keepAliveInitialDelay: 2000 });
    const before = net.cables[0]!.counts(0).frames;
    await net.pass(7000);
    expect(net.cables[0]!.counts(0).frames - before).toBeGreaterThanOrEqual(3);
    expect(ends.near.destroyed).toBe(false);
    await over(ends);
  });

  test('a backlog that is full: who is not taken is taken later', async () => {
    const { server, port } = await listening(net, {}, { backlog: 1 });
    server.on('connection', (far) => far.pipe(far));
    const texts = Array.from({ length: 8 }, async (_, i) => {
      const socket = net.a.net.connect(port, '10.0.2.2');
      socket.write(`hello ${i}`);
      const [data] = await once(socket, 'data');
      socket.end();
      return String(data);
    });
    const beganUs = net.nowUs;
    expect(await Promise.all(texts)).toEqual(Array.from({ length: 8 }, (_, i) => `hello ${i}`));
    expect(net.nowUs - beganUs).toBeGreaterThan(190_000);
    await ended(server);
  });
});

describe('ends', () => {
  test('both reset at once', async () => {
    const ends = await pair(net);
    const closes = [once(ends.near, 'close'), once(ends.far, 'close')];
    ends.near.resetAndDestroy();
    ends.far.resetAndDestroy();
    expect(await Promise.all(closes)).toEqual([[false], [false]]);
    await over(ends);
  });

  test('both end at once: FINs cross, and both close', async () => {
    const ends = await pair(net);
    const closes = [once(ends.near.resume(), 'close'), once(ends.far.resume(), 'close')];
    ends.near.end('bye');
    ends.far.end('bye');
    expect(await Promise.all(closes)).toEqual([[false], [false]]);
    expect([ends.near.bytesRead, ends.far.bytesRead]).toEqual([3, 3]);
    await over(ends);
  });

  test('an IPv6 listener of one host, both families of the other', async () => {
    const { server, port } = await listening(net, {}, { host: '::' });
    const seen: (string | undefined)[] = [];
    server.on('connection', (far) => {
      seen.push(far.remoteAddress);
      far.end();
    });
    for (const address of ['10.0.2.2', 'fd00:2::2']) await once(net.a.net.connect(port, address).resume(), 'close');
    expect(seen).toEqual(['::ffff:10.0.1.2', 'fd00:1::2']);
    await ended(server);
  });
});

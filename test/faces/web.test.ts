import { getEventListeners, once } from 'node:events';
import type * as nodeNet from 'node:net';
import type { NetFace } from '@softnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundSocket, closed, heard } from './dgram-events.ts';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

let host: SoftHost;
beforeAll(async () => {
  host = await softHost({ hosts: { 'server.test': '127.0.0.1' } });
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

function ended(server: nodeNet.Server | null): Promise<unknown> {
  return new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
}

test('names of the table', async () => {
  const listener = host.net.createServer((far) => far.end('named'));
  listener.listen(0, 'server.test');
  await once(listener, 'listening');
  const socket = host.net.connect((listener.address() as nodeNet.AddressInfo).port, 'server.test');
  expect(String((await once(socket, 'data'))[0])).toBe('named');
  await ended(listener);
  const lost = host.net.connect(9, 'other.test');
  expect((await once(lost, 'error'))[0]).toMatchObject({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'other.test' });
});

describe('WHATWG streams', () => {
  test('of a connection', async () => {
    const listener = (host.net as NetFace).createServer((far) => far.pipe(far));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { readable, writable } = host.toWeb(host.net.connect((listener.address() as nodeNet.AddressInfo).port, '127.0.0.1'));
    const writer = writable.getWriter();
    await writer.write(Buffer.from('web'));
    await writer.close();
    let text = '';
    for await (const chunk of readable) text += Buffer.from(chunk).toString();
    expect(text).toBe('web');
    await ended(listener);
  });

  test('of datagrams: none is lost to who reads slowly, until a signal ends it', async () => {
    const [a, b] = [await boundSocket(host.dgram), await boundSocket(host.dgram)];
    const abort = new AbortController();
    const reader = host.toWeb(b, { signal: abort.signal }).getReader();
    for (let i = 0; i < 20; i++) a.send(String(i), b.address().port, '127.0.0.1');
    const read = heard(b, 'message');
    await host.pass(5);
    // One stands in the stream; the others are the kernel's.
    expect(read).toHaveLength(1);
    const texts: string[] = [];
    for (let i = 0; i < 20; i++) texts.push(Buffer.from((await reader.read()).value!.data).toString());
    expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    const next = reader.read();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toMatchObject({ message: 'enough' });
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    const kept = new AbortController();
    await host.toWeb(b, { signal: kept.signal }).cancel();
    expect(getEventListeners(kept.signal, 'abort')).toEqual([]);
    const again = host.toWeb(b).getReader();
    a.send('more', b.address().port, '127.0.0.1');
    expect((await again.read()).value).toMatchObject({ info: { address: '127.0.0.1', port: a.address().port, size: 4 } });
    await closed(a, b);
    expect(await again.read()).toMatchObject({ done: true });
  });

  test('cancelled, the socket lives on', async () => {
    const socket = await boundSocket(host.dgram);
    const stream = host.toWeb(socket);
    await stream.cancel();
    socket.send('me', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    await closed(socket);
  });
});

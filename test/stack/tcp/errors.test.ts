import type { Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, ERROR_ORIGIN, ErrorReport, POLL, SO, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { pattern, routedHosts } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { TCP_STACK, twoHosts } from './host.ts';
import { errnoName, StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const FAMILIES = [
  ['IPv4', INET, '10.0.2.2', 1000],
  ['IPv6', INET6, 'fd00:2::2', 1300],
] as const;

function soError(user: StreamUser): string {
  return errnoName(-user.option(SOL.SOCKET, SO.ERROR));
}

test.each(FAMILIES)(
  'a way that is narrower behind a router: what was too large goes again in smaller segments: %s',
  async (_name, family, address, mtuBytes) => {
    const { net, a, r, b } = await routedHosts({ modules: TCP_STACK, cable: { delayUs: 1000 } });
    r.setMtu('eth1', mtuBytes);
    const listener = new StreamUser(b.kernel, { family });
    listener.bind(family === INET ? '0.0.0.0' : '::', 80);
    listener.listen();
    const client = new StreamUser(a.kernel, { family });
    const [, server] = await net.run(Promise.all([client.connect(address, 80), listener.accept()]));
    const data = pattern(1, 0, 50_000);
    const [, found] = await net.run(Promise.all([client.send(data), server.receiveAll(data.length)]));
    expect(Buffer.compare(found, data)).toBe(0);
    const headers = (family === INET ? 20 : 40) + 20 + 12;
    expect(client.option(SOL.TCP, TCP_SOCKET_OPTION.MAXSEG)).toBe(mtuBytes - headers);
    // It took round trips, and no timeout.
    expect(a.kernel.counters().find(({ name }) => name === 'tcp.timeouts')?.value).toBe(0);
    for (const user of [client, server, listener]) user.close();
    await net.dispose();
  },
);

test.each(FAMILIES)('no way behind a router: who is opening is told at once; who is open waits: %s', async (_name, family, address) => {
  const { net, a, r, b } = await routedHosts({ modules: TCP_STACK, cable: { delayUs: 1000 } });
  const prefix = `${address}/${family === INET ? 32 : 128}`;
  const listener = new StreamUser(b.kernel, { family });
  listener.bind(family === INET ? '0.0.0.0' : '::', 80);
  listener.listen();
  const [open, opening] = [new StreamUser(a.kernel, { family }), new StreamUser(a.kernel, { family })];
  const [, server] = await net.run(Promise.all([open.connect(address, 80), listener.accept()]));
  r.addRoute(prefix, { type: 'UNREACHABLE' });
  opening.tryConnect(address, 80);
  await net.pass(100);
  expect(opening.poll & POLL.HUP).toBe(POLL.HUP);
  expect(soError(opening)).toBe(family === INET ? 'EHOSTUNREACH' : 'ENETUNREACH');
  open.trySend(Uint8Array.of(1));
  await net.pass(1000);
  // It goes on; who asks is told, as on Linux.
  expect([open.poll & POLL.HUP, soError(open), soError(open)]).toEqual([0, family === INET ? 'EHOSTUNREACH' : 'ENETUNREACH', '']);
  r.removeRoute(prefix, { type: 'UNREACHABLE' });
  expect([...(await net.run(server.receive()))]).toEqual([1]);
  for (const user of [open, opening, server, listener]) user.close();
  await net.dispose();
});

test('a way that becomes narrower here, or wider: segments follow with the next one', async () => {
  const { net, a, b } = await twoHosts({ delayUs: 1000 });
  const listener = new StreamUser(b.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel);
  const [, server] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  const sizes: number[] = [];
  for (const mtuBytes of [1500, 1200, 1500]) {
    a.setMtu('eth0', mtuBytes);
    const data = pattern(1, mtuBytes, 5000);
    await net.run(client.send(data));
    expect(Buffer.compare(await net.run(server.receiveAll(data.length)), data)).toBe(0);
    sizes.push(client.option(SOL.TCP, TCP_SOCKET_OPTION.MAXSEG));
  }
  expect(sizes).toEqual([1448, 1148, 1448]);
  for (const user of [client, server, listener]) user.close();
  await net.dispose();
});

test('who is open and hears of no way, is told of it when he is given up', async () => {
  const { net, a, r, b } = await routedHosts({ modules: TCP_STACK, cable: { delayUs: 1000 } });
  const listener = new StreamUser(b.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel);
  const [, server] = await net.run(Promise.all([client.connect('10.0.2.2', 80), listener.accept()]));
  client.setOption(SOL.TCP, TCP_SOCKET_OPTION.USER_TIMEOUT, 5000);
  r.addRoute('10.0.2.2/32', { type: 'UNREACHABLE' });
  client.trySend(Uint8Array.of(1));
  await net.pass(20_000);
  expect(soError(client)).toBe('EHOSTUNREACH');
  for (const user of [client, server, listener]) user.close();
  await net.dispose();
});

test('RFC 5927: what is not in flight is said by somebody who does not know', async () => {
  const { net, a, b } = await twoHosts({ delayUs: 1000 });
  const listener = new StreamUser(b.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel);
  client.tryConnect('10.0.0.2', 80);
  const { iss } = client.sock.ext as { readonly iss: number };
  const view = new DataView(new ArrayBuffer(40));
  view.setUint8(0, 0x45);
  const quoted = { memory: { view }, network: 0, transport: 20, data: 0 } as unknown as Skb;
  const reported = (seq: number, errno: number, info = 0): boolean => {
    const report = Object.assign(new ErrorReport(), { errno, info, origin: ERROR_ORIGIN.ICMP, fatal: errno === ERRNO.ECONNREFUSED });
    view.setInt32(24, seq);
    client.sock.ops.error(client.sock, quoted, report);
    return !report.refused;
  };
  expect([reported(iss - 1, ERRNO.ECONNREFUSED), reported(iss + 2, ERRNO.ECONNREFUSED), client.poll]).toEqual([false, false, 0]);
  await net.pass(10);
  expect(client.option(SOL.TCP, TCP_SOCKET_OPTION.MAXSEG)).toBe(1448);
  // Nothing is in flight: only what comes next is.
  expect([reported(iss, ERRNO.EMSGSIZE, 600), client.option(SOL.TCP, TCP_SOCKET_OPTION.MAXSEG)]).toEqual([false, 1448]);
  expect([reported(iss + 1, ERRNO.EMSGSIZE, 600), client.option(SOL.TCP, TCP_SOCKET_OPTION.MAXSEG)]).toEqual([true, 548]);
  // Less than any link has is no MTU (RFC 1191 §3); more than the way has is none either.
  expect([reported(iss + 1, ERRNO.EMSGSIZE, 20), client.option(SOL.TCP, TCP_SOCKET_OPTION.MAXSEG)]).toEqual([true, 36]);
  expect([reported(iss + 1, ERRNO.ECONNREFUSED), soError(client), client.poll]).toEqual([true, 'ECONNREFUSED', POLL.OUT]);
  for (const user of [client, listener]) user.close();
  await net.dispose();
});

import { ADDRESS_FAMILY, POLL, SO, SOL } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { errnoName, StreamUser } from './stream-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

async function dualListener() {
  const hosts = await twoHosts({ delayUs: 1000 });
  const listener = new StreamUser(hosts.b.kernel, { family: INET6, name: 'listener' });
  listener.bind('::', 80);
  listener.listen();
  return { ...hosts, listener };
}

test.each([
  ['ipv4', '10.0.0.2', 'fd00::2'],
  ['ipv6', 'fd00::2', '10.0.0.2'],
] as const)(
  '%s leaves, and waits for its connections; a dual-stack listener loses that half alone, and has it back by an abort',
  async (layer, address, otherAddress) => {
    const { net, a, b, listener } = await dualListener();
    const userFor = (to: string): StreamUser => new StreamUser(a.kernel, { family: to.includes(':') ? INET6 : INET });
    const [old, young, other] = [userFor(address), userFor(address), userFor(otherAddress)];
    const [, server] = await net.run(Promise.all([old.connect(address, 80), listener.accept()]));
    const leaving = b.kernel.unload(layer);
    await net.pass(10);
    young.tryConnect(address, 80);
    await net.run(other.connect(otherAddress, 80));
    await net.pass(100);
    // The half is silent, what is open goes on.
    expect(young.poll).toBe(0);
    await net.run(old.send(Uint8Array.of(1)));
    expect([...(await net.run(server.receive()))]).toEqual([1]);
    expect(b.kernel.holders(layer).map(({ owner }) => owner)).toEqual(['accepted']);
    leaving.report.catch(() => undefined);
    await net.run(b.kernel.abort(layer));
    await net.pass(3000);
    expect(young.poll).toBe(POLL.OUT);
    for (const user of [old, young, other, server, listener]) user.close();
    await net.dispose();
  },
);

test('when the layer is gone the listener has the other; and both, when it is there again', async () => {
  const { net, a, b, listener } = await dualListener();
  await net.run(b.kernel.unload('ipv4').report);
  const other = new StreamUser(a.kernel, { family: INET6 });
  const [, server] = await net.run(Promise.all([other.connect('fd00::2', 80), listener.accept()]));
  await net.run(b.kernel.load(Ipv4Module));
  b.addAddress('eth0', '10.0.0.2/24');
  const client = new StreamUser(a.kernel);
  const [, second] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  for (const user of [other, server, client, second, listener]) user.close();
  await net.dispose();
});

test('a layer that is replaced takes nobody along: connections go on by the next one', async () => {
  const { net, a, b, listener } = await dualListener();
  const client = new StreamUser(a.kernel);
  const [, server] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  for (const { kernel } of [a, b]) await net.run(kernel.replace('ipv4', Ipv4Module));
  await net.run(client.send(Uint8Array.of(1, 2)));
  expect([...(await net.run(server.receiveAll(2)))]).toEqual([1, 2]);
  for (const user of [client, server, listener]) user.close();
  await net.dispose();
});

test('while tcp leaves: new sockets, connects and listeners are refused, what is open goes on; force resets it and says so', async () => {
  const { net, a, b, listener } = await dualListener();
  const [client, unused, bound] = [new StreamUser(a.kernel), new StreamUser(b.kernel), new StreamUser(b.kernel)];
  const [, server] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  bound.bind('0.0.0.0', 81);
  const leaving = b.kernel.unload('tcp');
  await net.pass(1);
  expect(() => new StreamUser(b.kernel)).toThrow(/EPROTONOSUPPORT/);
  expect(errnoName(unused.tryConnect('10.0.0.1', 80))).toBe('ESHUTDOWN');
  expect(() => bound.listen()).toThrow(/ESHUTDOWN/);
  await net.run(server.send(Uint8Array.of(5)));
  expect([...(await net.run(client.receive()))]).toEqual([5]);
  expect(server.notices).toEqual(['leaving']);
  await net.run(Promise.all([b.kernel.unload('tcp', { force: true }).report, leaving.report]));
  await net.pass(10);
  expect(errnoName(-client.option(SOL.SOCKET, SO.ERROR))).toBe('ECONNRESET');
  expect([server.notices.at(-1), listener.notices.at(-1), unused.notices.at(-1)]).toEqual(['closed', 'closed', 'closed']);
  client.close();
  await net.dispose();
});

import { ADDRESS_FAMILY, ADDRESS_FLAG, NetworkLayer } from '@softnet/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Net } from './net.ts';
import type { NetHost } from './net-host.ts';
import { Pinger } from './pinger.ts';

const { INET } = ADDRESS_FAMILY;
let net: Net;
let a: NetHost;
let r: NetHost;
let b: NetHost;

beforeEach(async () => {
  net = new Net();
  [a, r, b] = [await net.host('a'), await net.router('r'), await net.host('b')];
  await net.join({ host: a, device: 'eth0', addresses: ['10.0.1.2/24'] }, { host: r, device: 'eth0', addresses: ['10.0.1.1/24'] });
  await net.join({ host: r, device: 'eth1', addresses: ['10.0.2.1/24'] }, { host: b, device: 'eth0', addresses: ['10.0.2.2/24'] });
  a.addRoute('default', { via: '10.0.1.1' });
  b.addRoute('default', { via: '10.0.2.1' });
});
afterEach(async () => {
  await net.dispose();
});

test('a narrow link is learnt of by who sends', async () => {
  r.setMtu('eth1', 1000);
  b.setMtu('eth0', 1000);
  const pinger = new Pinger(a.kernel, INET, { mtuDiscover: 2 });
  await expect(net.run(pinger.ping('10.0.2.2', { lenBytes: 1400 }))).rejects.toMatchObject({ code: 'EMSGSIZE' });
  expect(pinger.heard).toMatchObject({ offender: '10.0.1.1', info: 1000 });
  pinger.close();
  expect((await net.run(a.ping('10.0.2.2', { lenBytes: 1400 }))).lenBytes).toBe(1400);
});

test('a group is joined, heard and left by a socket', async () => {
  const listener = b.open({ family: INET });
  listener.bind('0.0.0.0', 5000);
  const sender = r.open({ family: INET, device: 'eth1' });
  r.addRoute('224.0.0.0/4', { dev: 'eth1' });
  const send = async () => {
    await net.run(sender.send(Uint8Array.of(1), '239.1.1.1', 5000));
    await net.pass(5);
  };
  await send();
  expect(listener.tryReceive()).toBe(-11);
  listener.join('239.1.1.1', b.device('eth0').ifindex);
  await send();
  expect(listener.tryReceive()).toMatchObject({ address: '10.0.2.1' });
  expect(() => listener.join('239.1.1.1', b.device('eth0').ifindex)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
  listener.leave('239.1.1.1', b.device('eth0').ifindex);
  await send();
  expect(listener.tryReceive()).toBe(-11);
});

test('a router answers for others: by its routes, and for single addresses', async () => {
  a.removeRoute('default', { via: '10.0.1.1' });
  a.addRoute('10.0.2.0/24', { dev: 'eth0' });
  await expect(net.run(a.ping('10.0.2.2', { timeoutMs: 5000 }))).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
  r.addProxy('eth0', '10.0.2.2');
  expect((await net.run(a.ping('10.0.2.2', { timeoutMs: 5000 }))).address).toBe('10.0.2.2');
  r.kernel.sysctl.set('net.ipv4.conf.eth0.proxy_arp', true);
  b.addAddress('eth0', '10.0.2.3/24');
  expect((await net.run(a.ping('10.0.2.3', { timeoutMs: 5000 }))).address).toBe('10.0.2.3');
});

test('an address that another host has is not taken (RFC 5227)', async () => {
  a.kernel.sysctl.set('net.ipv4.conf.eth0.acd', 1);
  a.addAddress('eth0', '10.0.1.1/24');
  await net.pass(10_000);
  const layer = a.kernel.contributions(NetworkLayer).items.find(({ family }) => family === INET)!;
  const failed = [...layer.addresses].filter(({ flags }) => (flags & ADDRESS_FLAG.DAD_FAILED) !== 0);
  expect(failed.map(({ address }) => address[3])).toEqual([(10 << 24) | (1 << 8) | 1]);
});

test('what cannot be is a sentence', () => {
  expect(() => a.addRoute('10.7.0.0/16', { via: 'nowhere' })).toThrow(/'nowhere' is no address/);
  expect(() => a.addRoute('10.7.0.0/16', { nhid: 7 })).toThrow(/there is no next hop 7/);
  expect(() => a.addRule({ priority: 5, from: '10.0.0.0/8', to: 'fd00::/8', table: 7 })).toThrow(/not of one family/);
  expect(() => a.open({ device: 'eth9' })).toThrow(expect.objectContaining({ code: 'ENODEV' }));
  a.setNextHop(7, { blackhole: true });
  a.addRoute('10.7.0.0/16', { nhid: 7 });
  a.addRoute('10.8.0.0/16', { type: 'PROHIBIT', metric: 5 });
  a.removeNextHop(7);
  a.addRule({ priority: 5, action: 'PROHIBIT', from: '10.0.1.2' });
  a.removeRule({ priority: 5, action: 'PROHIBIT' });
});

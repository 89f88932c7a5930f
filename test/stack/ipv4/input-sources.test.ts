import { ADDRESS_FAMILY, RoutingRules, RULE_ACTION } from '@softnet/contract';
import { emitUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawPeer } from './raw-link.ts';
import { addPeer, EVERYBODY, HOST, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
const FAR = '10.0.5.9';
const FAR_HOST = '10.0.5.1';

let link: RawLink;
let far: RawPeer;
beforeEach(async () => {
  link = await RawLink.open();
  far = await addPeer(link.net, link.host, 'eth1', [`${FAR_HOST}/24`]);
  link.host.kernel.sysctl.set('net.ipv4.ip_forward', true);
  await link.peer.introduce(link.net);
  link.peer.answers = true;
  far.arp({ sender: word(FAR), target: word(FAR_HOST) }, far.mac);
  await link.net.pass(1);
  far.frames.length = 0;
});
afterEach(async () => {
  await link.net.pass(5000);
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const conf = (of: string, name: string, value: number): void => link.host.kernel.sysctl.set(`net.ipv4.conf.${of}.${name}`, value);
const udp = (dstPort = 99): Uint8Array => emitUdp({ srcPort: 9, dstPort, checksum: 0, payload: new Uint8Array(4) });
const DELIVERED = { 'ipv4.no-protocol': 1 } as const;

describe('reverse path (RFC 3704; rp_filter)', () => {
  const refused = { 'ipv4.reverse-path': 1 } as const;

  test.each([
    ['none', 0, {}, {}],
    ['strict', 1, refused, refused],
    ['loose', 2, {}, refused],
  ] as const)('%s', async (_, mode, byAnotherWay, byNone) => {
    conf('all', 'rp_filter', mode);
    // Of the other link, and of nowhere.
    expect(await link.dropsOf(() => link.peer.ip({ src: '10.0.5.77', dst: FAR, payload: udp() }))).toEqual(byAnotherWay);
    expect(await link.dropsOf(() => link.peer.ip({ src: '192.0.2.1', dst: FAR, payload: udp() }))).toEqual(byNone);
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR, payload: udp() }))).toEqual({});
    expect(far.takeIp()).toHaveLength(1 + Number(Object.keys(byAnotherWay).length === 0) + Number(Object.keys(byNone).length === 0));
    expect(link.peer.takeIp()).toEqual([]);
  });

  test('also of what is for this host, for all, and for a group; who has no address yet is let in', async () => {
    conf('eth0', 'rp_filter', 1);
    const src = '10.0.5.77';
    const frame = { protocol: 253, src };
    for (const [dst, to] of [
      [HOST, link.peer.mac],
      ['10.0.0.255', EVERYBODY],
      ['255.255.255.255', EVERYBODY],
      ['224.0.0.1', '01:00:5e:00:00:01'],
    ] as const)
      expect(await link.dropsOf(() => link.peer.ip({ ...frame, dst }, to)), dst).toEqual(refused);
    const nobody = { ...frame, src: '0.0.0.0', dst: '255.255.255.255' };
    expect(await link.dropsOf(() => link.peer.ip(nobody, EVERYBODY))).toEqual(DELIVERED);
    // The other link has its own.
    expect(await link.dropsOf(() => far.ip({ ...frame, src: '10.0.0.77', dst: '10.0.5.1' }, far.mac))).toEqual(DELIVERED);
  });
});

describe('martians that settings let in', () => {
  test('accept_local: an address of this host, but not a broadcast', async () => {
    const own = { src: FAR_HOST, protocol: 253 };
    expect(await link.dropsOf(() => link.peer.ip(own))).toEqual({ 'ipv4.martian-source': 1 });
    conf('eth0', 'accept_local', 1);
    // The error about it goes to this host itself, of course.
    expect(await link.dropsOf(() => link.peer.ip(own))).toMatchObject(DELIVERED);
    expect(await link.dropsOf(() => link.peer.ip({ ...own, src: '10.0.0.255' }))).toEqual({ 'ipv4.martian-source': 1 });
    expect(await link.dropsOf(() => far.ip({ ...own, src: HOST, dst: FAR_HOST }, far.mac))).toEqual({ 'ipv4.martian-source': 1 });
  });

  test('route_localnet: 127.0.0.0/8 from a wire', async () => {
    const there = { dst: '127.0.0.1', protocol: 253 };
    expect(await link.dropsOf(() => link.peer.ip(there))).toEqual({ 'ipv4.martian-destination': 1 });
    conf('eth0', 'route_localnet', 1);
    expect(await link.dropsOf(() => link.peer.ip(there))).toEqual(DELIVERED);
    expect(await link.dropsOf(() => link.peer.ip({ ...there, dst: '0.0.0.1' }))).toEqual({ 'ipv4.martian-destination': 1 });
  });

  test('drop_unicast_in_l2_multicast: what is for one, in a frame to all; never is it passed on', async () => {
    for (const of of ['all', 'eth0']) conf(of, 'drop_unicast_in_l2_multicast', 0);
    expect(await link.dropsOf(() => link.peer.ip({ protocol: 253 }, EVERYBODY))).toEqual(DELIVERED);
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR }, EVERYBODY))).toEqual({ 'ipv4.unicast-by-broadcast': 1 });
  });

  test('log_martians tells of them, and not of all in a flood', async () => {
    const told = (): number => link.host.kernel.logs.filter(({ message }) => message.startsWith('ipv4: ')).length;
    const flood = (): void => {
      for (let i = 0; i < 50; i++) link.peer.ip({ src: '127.0.0.1' });
    };
    flood();
    await link.net.pass(1);
    expect(told()).toBe(0);
    conf('eth0', 'log_martians', 1);
    flood();
    await link.net.pass(1);
    expect(told()).toBe(10);
  });
});

describe('forwarding of single devices', () => {
  test('is asked where a packet comes in', async () => {
    conf('eth0', 'forwarding', 0);
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR, payload: udp() }))).toEqual({ 'ipv4.not-forwarding': 1 });
    far.ip({ src: FAR, dst: PEER, payload: udp() }, far.mac);
    await link.net.pass(5);
    expect(link.peer.takeIp()).toMatchObject([{ src: FAR, ttl: 63 }]);
  });

  test('rules that ask for ports are told them, but of later fragments', async () => {
    const rules = link.host.kernel.port(RoutingRules).current;
    const rule = { family: ADDRESS_FAMILY.INET, priority: 10, source: 4, action: RULE_ACTION.PROHIBIT };
    rules.add({ ...rule, dstPorts: { first: 90, last: 99 } });
    expect(await link.dropsOf(() => link.peer.ip({ dst: FAR, payload: udp(99) }))).toEqual({ 'ipv4.no-route': 1 });
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 3, code: 13 }]);
    link.peer.ip({ dst: FAR, payload: udp(100) });
    link.peer.ip({ dst: FAR, payload: udp(99), fragmentOffsetBytes: 8 });
    await link.net.pass(1);
    expect(far.takeIp()).toHaveLength(2);
  });
});

describe('broadcasts to another subnet (RFC 2644; bc_forwarding)', () => {
  const away = { dst: '10.0.5.255', protocol: 253 };

  test('are for this host, which is of that subnet, and go no further', async () => {
    expect(await link.dropsOf(() => link.peer.ip(away))).toEqual(DELIVERED);
    expect(far.takeIp()).toEqual([]);
  });

  test('are passed on where that is allowed, in a frame to all, once', async () => {
    for (const of of ['all', 'eth0']) conf(of, 'bc_forwarding', 1);
    expect(await link.dropsOf(() => link.peer.ip(away))).toEqual({});
    expect(far.frames).toMatchObject([{ dst: EVERYBODY }]);
    expect(far.takeIp()).toMatchObject([{ dst: '10.0.5.255', ttl: 63 }]);
    // A frame to all is not passed on, nor a broadcast of its own subnet.
    expect(await link.dropsOf(() => link.peer.ip(away, EVERYBODY))).toEqual({ 'ipv4.unicast-by-broadcast': 1 });
    expect(await link.dropsOf(() => link.peer.ip({ ...away, dst: '10.0.0.255' }))).toEqual(DELIVERED);
    expect(far.takeIp()).toEqual([]);
  });
});

describe('broadcasts of this host', () => {
  test.each(['10.0.0.255', '255.255.255.255'])('to %s want SO_BROADCAST, go to all, and are heard here', async (address) => {
    link.host.addRoute('0.0.0.0/0', { via: PEER });
    const [user, listener] = [link.host.open({ family: INET }), link.host.open({ family: INET })];
    listener.bind('0.0.0.0', 99);
    await expect(link.net.run(user.send(Uint8Array.of(1), address, 99))).rejects.toMatchObject({ code: 'EACCES' });
    expect(user.sock.ops.calls!.setOption(user.sock, 1, 6, Uint8Array.of(1, 0, 0, 0))).toBe(0);
    await link.net.run(user.send(Uint8Array.of(1, 2), address, 99));
    await link.net.pass(1);
    expect(link.peer.frames).toMatchObject([{ dst: EVERYBODY }]);
    expect(link.peer.takeIp()).toMatchObject([{ dst: address, src: HOST }]);
    expect(listener.tryReceive()).toMatchObject({ data: Uint8Array.of(1, 2), address: HOST });
    expect(listener.tryReceive()).toBe(-11);
    // What is cut is heard whole.
    await link.net.run(user.send(new Uint8Array(3000), address, 99));
    await link.net.pass(1);
    expect(link.peer.takeIp()).toHaveLength(3);
    expect((listener.tryReceive() as { data: Uint8Array }).data).toHaveLength(3000);
    for (const each of [user, listener]) each.close();
  });
});

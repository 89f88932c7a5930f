import { emitIpv4Packet, emitUdp } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOST, ipv4, mac, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';

const INET = 2;
const FAR = '192.0.2.7';
const OTHER = '10.0.0.77';
const OTHER_MAC = '02:00:00:00:00:77';
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
});
afterEach(async () => {
  // Whoever was asked for and does not answer is given up.
  await link.net.pass(4000);
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const set = (name: string, value: number | boolean): void => link.host.kernel.sysctl.set(`net.ipv4.${name}`, value);
/** The other gateway says where it is, as an answer. */
const answerOther = (): void => link.peer.arp({ operation: 2, sender: word(OTHER), senderLink: mac(OTHER_MAC) }, link.peer.mac);
const udp = emitUdp({ srcPort: 9, dstPort: 99, checksum: 0, payload: new Uint8Array(4) });

describe('believed', () => {
  /** A flow to afar, and whose link address its next packet goes to; null: somebody is asked for first. */
  const flow = () => {
    link.host.addRoute('default', { via: PEER });
    const user = link.host.open({ family: INET });
    user.connect(FAR, 9);
    const send = async (): Promise<string | null> => {
      link.peer.frames.length = 0;
      await link.net.run(user.send(Uint8Array.of(1)));
      await link.net.pass(1);
      return link.peer.frames.find(({ type }) => type === 0x800)?.dst ?? null;
    };
    const payload = emitIpv4Packet(
      ipv4({ src: HOST, dst: FAR, payload: emitUdp({ srcPort: 0, dstPort: 9, checksum: 0, payload: new Uint8Array(4) }) }),
    );
    const redirect = (gateway = OTHER, from = PEER, port = user.localPort): void => {
      new DataView(payload.buffer).setUint16(20, port);
      link.peer.icmp({ type: 5, code: 1, rest: word(gateway), payload }, { src: from });
    };
    return { user, send, redirect };
  };

  test('from the present gateway: the next packet goes to the other one, which alone may redirect from then on', async () => {
    const { user, send, redirect } = flow();
    expect(await send()).toBe(PEER_MAC);
    expect(await link.dropsOf(() => redirect())).toEqual({});
    expect(await send()).toBe(null);
    expect(link.peer.takeArp()).toMatchObject([{ operation: 1, target: word(OTHER) }]);
    answerOther();
    await link.net.pass(1);
    expect(link.peer.frames.map(({ dst }) => dst)).toEqual([OTHER_MAC]);
    expect(await send()).toBe(OTHER_MAC);
    expect(await link.dropsOf(() => redirect('10.0.0.88'))).toEqual({ 'icmpv4.redirect-stranger': 1 });
    expect(await send()).toBe(OTHER_MAC);
    // Other destinations go as before.
    await link.net.run(user.send(Uint8Array.of(1), '192.0.2.8', 9));
    await link.net.pass(1);
    expect(link.peer.frames.at(-1)).toMatchObject({ dst: PEER_MAC });
    // And it is forgotten.
    await link.net.pass(600_000);
    link.peer.arp({}, link.peer.mac);
    await link.net.pass(1);
    expect(await send()).toBe(PEER_MAC);
    user.close();
  });

  test('the gateway is tried: if it does not answer, the one before serves again', async () => {
    const { user, send, redirect } = flow();
    await send();
    redirect();
    await link.net.pass(1);
    expect(await send()).toBe(null);
    await link.net.pass(4000);
    link.peer.arp({}, link.peer.mac);
    await link.net.pass(1);
    expect(await send()).toBe(PEER_MAC);
    user.close();
  });

  test('not where settings say so, nor by a router', async () => {
    const { user, send, redirect } = flow();
    await send();
    set('conf.all.accept_redirects', 0);
    set('conf.eth0.accept_redirects', 0);
    expect(await link.dropsOf(() => redirect())).toEqual({ 'icmpv4.redirect-off': 1 });
    set('conf.eth0.accept_redirects', 1);
    set('ip_forward', true);
    expect(await link.dropsOf(() => redirect())).toEqual({ 'icmpv4.redirect-off': 1 });
    set('conf.all.accept_redirects', 1);
    expect(await link.dropsOf(() => redirect())).toEqual({});
    set('ip_forward', false);
    user.close();
  });

  test('where other subnets are not on the link, only to gateways that are known', async () => {
    const { user, redirect, send } = flow();
    await send();
    set('conf.all.shared_media', 0);
    set('conf.eth0.shared_media', 0);
    link.host.addAddress('eth0', '10.0.9.1/24');
    expect(await link.dropsOf(() => redirect('10.0.9.2'))).toEqual({ 'icmpv4.redirect-gateway': 1 });
    expect(await link.dropsOf(() => redirect())).toEqual({ 'icmpv4.redirect-gateway': 1 });
    // For who guesses at flows nobody walks through all routes.
    expect(await link.dropsOf(() => redirect(OTHER, PEER, 1))).toEqual({ 'icmpv4.unmatched': 1 });
    link.host.addRoute('198.51.100.0/24', { via: OTHER });
    expect(await link.dropsOf(() => redirect())).toEqual({});
    expect(await send()).toBe(null);
    user.close();
  });

  test('not without a flow', async () => {
    const { user, redirect } = flow();
    await link.net.run(user.send(Uint8Array.of(1)));
    user.close();
    expect(await link.dropsOf(() => redirect())).toEqual({ 'icmpv4.unmatched': 1 });
  });
});

describe('sent', () => {
  /** Both are there. */
  const greet = async (): Promise<void> => {
    link.peer.arp({}, link.peer.mac);
    link.peer.arp({ sender: word(OTHER), senderLink: mac(OTHER_MAC) }, link.peer.mac);
    await link.net.pass(1);
    link.peer.frames.length = 0;
  };
  beforeEach(async () => {
    set('ip_forward', true);
    link.host.addRoute('192.0.2.0/24', { via: OTHER });
    await greet();
  });

  /** What comes back for a packet that goes to afar. */
  const pass = async (packet: Parameters<typeof ipv4>[0] = {}) => {
    link.peer.ip({ dst: FAR, payload: udp, ...packet });
    await link.net.pass(1);
    const packets = link.peer.takeIp();
    return { forwarded: packets.filter(({ protocol }) => protocol === 17), redirects: packets.filter(({ protocol }) => protocol === 1) };
  };

  test('to who could go a shorter way, whose packet is passed on all the same', async () => {
    const { forwarded, redirects } = await pass({ ttl: 9 });
    expect(forwarded).toMatchObject([{ src: PEER, dst: FAR, ttl: 8 }]);
    expect(redirects).toMatchObject([{ src: HOST, dst: PEER, tos: 0xc0 }]);
    const { payload } = redirects[0]!;
    expect([...payload.subarray(0, 2), ...payload.subarray(4, 8)]).toEqual([5, 1, 10, 0, 0, 77]);
    expect(payload.subarray(8)).toEqual(emitIpv4Packet(ipv4({ dst: FAR, payload: udp, ttl: 9 })));
  });

  test('of a host on the link: to itself', async () => {
    const { redirects } = await pass({ dst: '10.0.0.88' });
    expect([...redirects[0]!.payload.subarray(4, 8)]).toEqual([10, 0, 0, 88]);
  });

  test('fewer and fewer, then none, until it was quiet', async () => {
    let sent = 0;
    for (let i = 0; i < 300; i++) {
      if (i % 50 === 49) await greet();
      sent += (await pass()).redirects.length;
      await link.net.pass(49);
    }
    expect(sent).toBe(9);
    await link.net.pass(20_500);
    await greet();
    expect((await pass()).redirects.length).toBe(1);
  });

  test.each([
    ['of a source beyond another router', { src: '198.51.100.9' }],
    ['where a hop is all that is left', { ttl: 1 }],
  ])('not for a packet %s', async (_what, packet) => {
    link.host.addRoute('198.51.100.0/24', { via: PEER });
    const { redirects } = await pass(packet);
    expect(redirects.filter(({ payload }) => payload[0] === 5)).toEqual([]);
  });

  test('not to who has chosen his way', async () => {
    for (const device of ['all', 'eth0']) set(`conf.${device}.accept_source_route`, 1);
    const options = [{ kind: 131, data: Uint8Array.of(8, 10, 0, 0, 9) }];
    const { forwarded, redirects } = await pass({ options });
    expect([forwarded.length, redirects]).toEqual([1, []]);
  });

  test('not where settings say so', async () => {
    set('conf.all.send_redirects', 0);
    set('conf.eth0.send_redirects', 0);
    expect(await pass()).toMatchObject({ forwarded: [{ ttl: 63 }], redirects: [] });
    set('conf.eth0.send_redirects', 1);
    set('conf.all.shared_media', 0);
    set('conf.eth0.shared_media', 0);
    link.host.addAddress('eth0', '10.0.9.1/24');
    link.host.addRoute('203.0.113.0/24', { via: '10.0.9.2' });
    expect((await pass({ dst: '203.0.113.1' })).redirects).toEqual([]);
    set('conf.eth0.shared_media', 1);
    link.peer.arp({ sender: word('10.0.9.2'), target: word('10.0.9.1'), senderLink: mac(OTHER_MAC) }, link.peer.mac);
    await link.net.pass(1);
    link.peer.frames.length = 0;
    expect((await pass({ dst: '203.0.113.1' })).redirects.length).toBe(1);
  });
});

import { emitIpv4Packet, emitUdp, parseIpv4Packet } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVERYBODY, HOST, ipv4, mac, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
  link.peer.answers = true;
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const udp = (payloadBytes = 4, dstPort = 999): Uint8Array =>
  emitUdp({ srcPort: 9, dstPort, checksum: 0, payload: new Uint8Array(payloadBytes) });

describe('echo', () => {
  test.each([0, 1, 56, 1472])('%i bytes come back as they went', async (lenBytes) => {
    const payload = Uint8Array.from({ length: lenBytes }, (_, i) => i * 3);
    link.peer.icmp({ rest: 0x12345678, payload }, { tos: 0x20, id: 77 });
    await link.net.pass(1);
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 0, code: 0, rest: 0x12345678, payload, src: HOST, dst: PEER, tos: 0x20 }]);
  });

  test('routes and timestamps are recorded there and back; what is not of this packet stays behind (RFC 1122 §3.2.2.6)', async () => {
    const route = { kind: 7, data: Uint8Array.of(8, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
    const options = [route, { kind: 148, data: Uint8Array.of(0, 0) }];
    link.peer.icmp({ payload: new Uint8Array(8) }, { options });
    await link.net.pass(1);
    const [reply] = link.peer.takeIp();
    // Once as it came, once as it left.
    const recorded = [20, 192, 0, 2, 1, 10, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0];
    const first = reply!.options.filter(({ kind }) => kind !== 1);
    expect(first.map(({ kind, data }) => [kind, [...data].slice(1, 13)])).toEqual([[7, recorded.slice(1, 13)]]);
    expect(reply!.payload[0]).toBe(0);
  });

  test('a source route that was followed to its end leads back', async () => {
    const { host, peer, net } = link;
    for (const name of ['all', 'eth0']) host.kernel.sysctl.set(`net.ipv4.conf.${name}.accept_source_route`, 1);
    const options = [{ kind: 131, data: Uint8Array.of(12, 10, 0, 0, 66, 10, 0, 0, 77) }];
    peer.icmp({ payload: new Uint8Array(8) }, { src: '192.0.2.9', options });
    host.addRoute('default', { via: PEER });
    peer.answers = false;
    peer.frames.length = 0;
    await net.pass(1);
    peer.arp({ operation: 2, sender: word('10.0.0.77'), senderLink: mac('02:00:00:00:00:77') }, peer.mac);
    await net.pass(1);
    const [reply] = peer.takeIp();
    expect(reply).toMatchObject({ dst: '10.0.0.77', options: [{ kind: 131, data: Uint8Array.of(4, 10, 0, 0, 66, 192, 0, 2, 9) }] });
  });

  test('to many is not answered, unless it is wished', async () => {
    const { peer, host } = link;
    for (const dst of ['10.0.0.255', '255.255.255.255', '224.0.0.1']) {
      expect(await link.dropsOf(() => peer.icmp({}, { dst }, EVERYBODY))).toEqual({ 'icmpv4.echo-ignored': 1 });
    }
    host.kernel.sysctl.set('net.ipv4.icmp_echo_ignore_broadcasts', false);
    peer.icmp({}, { dst: '10.0.0.255' }, EVERYBODY);
    await link.net.pass(1);
    expect(peer.takeIcmp()).toMatchObject([{ type: 0, src: HOST }]);
    host.kernel.sysctl.set('net.ipv4.icmp_echo_ignore_all', true);
    expect(await link.dropsOf(() => peer.icmp({}))).toEqual({ 'icmpv4.echo-ignored': 1 });
  });

  test.each([
    ['icmpv4.truncated', { payload: new Uint8Array(7) }],
    ['icmpv4.checksum', { payload: Uint8Array.of(8, 0, 1, 2, 0, 1, 0, 1) }],
  ])('%s', async (reason, packet) => {
    expect(await link.dropsOf(() => link.peer.ip({ protocol: 1, ...packet }))).toEqual({ [reason]: 1 });
    expect(link.peer.takeIp()).toEqual([]);
  });

  test.each([
    ['icmpv4.unmatched', { type: 0 }],
    ['icmpv4.truncated', { type: 13 }],
    ['icmpv4.type', { type: 200 }],
    ['icmp.quote-truncated', { type: 5 }],
    ['icmp.quote-truncated', { type: 3 }],
  ])('%s: %o', async (reason, message) => {
    expect(await link.dropsOf(() => link.peer.icmp(message))).toEqual({ [reason]: 1 });
    expect(link.peer.takeIp()).toEqual([]);
  });
});

describe('errors that are sent', () => {
  test('port and protocol unreachable quote what fits into 576 bytes', async () => {
    for (const payloadBytes of [0, 4, 520, 521, 1400]) {
      const packet = ipv4({ payload: udp(payloadBytes), tos: 0x1c });
      link.peer.ip(packet);
      await link.net.pass(3000);
      const [error, ...more] = link.peer.takeIcmp();
      expect(more).toEqual([]);
      expect(error).toMatchObject({ type: 3, code: 3, rest: 0, src: HOST, dst: PEER, tos: 0xdc });
      const sent = emitIpv4Packet(packet);
      expect(error!.payload).toEqual(sent.subarray(0, Math.min(sent.length, 548)));
    }
    link.peer.ip({ protocol: 200 });
    await link.net.pass(1);
    expect(link.peer.takeIcmp()).toMatchObject([{ type: 3, code: 2 }]);
  });

  test.each([
    ['to many', { dst: '10.0.0.255', payload: udp() }, EVERYBODY],
    ['of which the beginning did not come', { protocol: 200, fragmentOffsetBytes: 80, moreFragments: false }, undefined],
    ['from nobody', { src: '0.0.0.0', dst: '255.255.255.255', payload: udp() }, EVERYBODY],
    ['from all the net', { src: '10.0.0.255', payload: udp() }, undefined],
  ])('none about a packet %s', async (_what, packet, to) => {
    link.peer.ip(packet, to);
    await link.net.pass(31_000);
    expect(link.peer.takeIp()).toEqual([]);
  });

  test('none about an error', async () => {
    const quoted = emitIpv4Packet(ipv4({ src: HOST, dst: PEER, payload: udp() }));
    expect(await link.dropsOf(() => link.peer.icmp({ type: 3, code: 3, payload: quoted }))).toEqual({ 'icmpv4.unmatched': 1 });
    expect(link.peer.takeIp()).toEqual([]);
  });

  test('so many to one peer, and so many to all', async () => {
    const { peer, net, host } = link;
    for (let i = 0; i < 20; i++) peer.ip({ payload: udp() });
    await net.pass(1);
    expect(peer.takeIcmp().length).toBe(6);
    await net.pass(3000);
    for (let i = 0; i < 20; i++) peer.ip({ payload: udp() });
    await net.pass(1);
    expect(peer.takeIcmp().length).toBe(3);
    host.kernel.sysctl.set('net.ipv4.icmp_ratelimit', 0);
    await net.pass(1000);
    for (let i = 0; i < 80; i++) peer.ip({ payload: udp() });
    await net.pass(0);
    // A burst of 50, then one for each ms; how much each costs is left to chance.
    const burst = peer.takeIcmp().length;
    expect([burst > 35, burst < 70]).toEqual([true, true]);
    for (let i = 0; i < 80; i++) peer.ip({ payload: udp() });
    await net.pass(0);
    expect(peer.takeIcmp().length).toBe(0);
    await net.pass(12);
    for (let i = 0; i < 80; i++) peer.ip({ payload: udp() });
    await net.pass(0);
    const more = peer.takeIcmp().length;
    expect([more > 5, more < 20]).toEqual([true, true]);
    host.kernel.sysctl.set('net.ipv4.icmp_msgs_per_sec', 0);
    peer.ip({ payload: udp() });
    await net.pass(10_000);
    expect(peer.takeIcmp()).toEqual([]);
    // Echoes are not limited.
    for (let i = 0; i < 80; i++) peer.icmp({});
    await net.pass(0);
    expect(peer.takeIcmp().length).toBe(80);
  });
});

describe('errors that come', () => {
  /** What the host sent last, quoted by an error. */
  const answer = async (type: number, code: number, rest = 0, cut = 28): Promise<void> => {
    const [sent] = link.peer.takeIp();
    const quoted = emitIpv4Packet(sent!).subarray(0, cut);
    link.peer.icmp({ type, code, rest, payload: quoted }, { src: '10.0.0.9' });
    await link.net.pass(1);
  };

  test.each([
    [3, 0, 'ENETUNREACH', false],
    [3, 1, 'EHOSTUNREACH', false],
    [3, 2, 'ENOPROTOOPT', true],
    [3, 3, 'ECONNREFUSED', true],
    [3, 9, 'ENETUNREACH', true],
    [3, 13, 'EHOSTUNREACH', true],
    [11, 0, 'EHOSTUNREACH', false],
    [12, 0, 'EPROTO', true],
  ])('type %i code %i is %s, told to all if fatal: %s', async (type, code, errno, fatal) => {
    const plain = link.host.open({ family: INET, name: 'plain' });
    const keen = link.host.open({ family: INET, name: 'keen' });
    keen.sock.ops.calls!.setOption(keen.sock, 0, 11, Uint8Array.of(1));
    for (const user of [plain, keen]) {
      user.connect(PEER, 9);
      await link.net.run(user.send(Uint8Array.of(1)));
      await link.net.pass(1);
      await answer(type, code);
    }
    await expect(link.net.run(keen.receive())).rejects.toMatchObject({ code: errno });
    if (fatal) await expect(link.net.run(plain.receive())).rejects.toMatchObject({ code: errno });
    else expect(plain.tryReceive()).toBe(-11);
    for (const user of [plain, keen]) user.close();
  });

  test('a ping socket hears of its request', async () => {
    const pinged = link.net.run(link.host.ping(PEER, { timeoutMs: 100 }).catch((error: unknown) => error));
    const keen = link.host.open({ family: INET, protocol: 1 });
    keen.sock.ops.calls!.setOption(keen.sock, 0, 11, Uint8Array.of(1));
    await pinged;
    link.peer.takeIp();
    await link.net.run(keen.send(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1, 42), PEER));
    await link.net.pass(1);
    await answer(11, 0);
    await expect(link.net.run(keen.receive())).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
    keen.close();
  });

  test('a packet that this host did not send, or of no flow, changes nothing', async () => {
    const quoted = (packet: Parameters<typeof ipv4>[0]): Uint8Array =>
      emitIpv4Packet(ipv4({ src: HOST, dst: PEER, payload: udp(), ...packet }));
    const send = (payload: Uint8Array) => link.dropsOf(() => link.peer.icmp({ type: 3, code: 3, payload }));
    expect(await send(quoted({ src: '10.0.0.2' }))).toEqual({ 'icmpv4.foreign-quote': 1 });
    expect(await send(quoted({}))).toEqual({ 'icmpv4.unmatched': 1 });
    expect(await send(quoted({ fragmentOffsetBytes: 8 }))).toEqual({ 'icmpv4.unmatched': 1 });
    expect(await send(quoted({}).subarray(0, 19))).toEqual({ 'icmp.quote-truncated': 1 });
    expect(await link.dropsOf(() => link.peer.icmp({ type: 3, code: 99, payload: quoted({}) }))).toEqual({ 'icmpv4.type': 1 });
    expect(link.peer.takeIp()).toEqual([]);
  });

  test('fragmentation needed: the next call says so, and what follows fits', async () => {
    const { host, net, peer } = link;
    const user = host.open({ family: INET });
    user.connect(PEER, 9);
    await net.run(user.send(new Uint8Array(1400)));
    await net.pass(1);
    await answer(3, 4, 800);
    expect(user.trySend(new Uint8Array(1400))).toBe(-90);
    await net.run(user.send(new Uint8Array(1400)));
    await net.run(user.send(new Uint8Array(700)));
    await net.pass(1);
    const sent = peer.takeIp();
    expect(sent.map(({ payload, dontFragment }) => [payload.length + 20, dontFragment])).toEqual([
      [796, false],
      [652, false],
      [728, true],
    ]);
    const value = new Uint8Array(4);
    user.sock.ops.calls!.getOption(user.sock, 0, 14, value);
    expect(value[0]! | (value[1]! << 8)).toBe(800);
    user.close();
  });
});

test('on this host itself: answers, and errors', async () => {
  const { host, net } = link;
  for (const address of ['127.0.0.1', '127.1.2.3', HOST]) {
    for (const lenBytes of [0, 56, 65_507]) expect(await net.run(host.ping(address, { lenBytes }))).toMatchObject({ address, lenBytes });
    const user = host.open({ family: INET });
    user.connect(address, 4711);
    await net.run(user.send(Uint8Array.of(1)));
    await expect(net.run(user.receive())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    user.close();
  }
  expect(link.peer.takeIp()).toEqual([]);
});

test('ping sockets: only echo requests are sent, and what is wrong is not handed up', async () => {
  const { host, net, peer } = link;
  const user = host.open({ family: INET, protocol: 1 });
  expect(user.trySend(Uint8Array.of(8, 0, 0, 0, 0, 0, 0), PEER)).toBe(-22);
  expect(user.trySend(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0), PEER)).toBe(-22);
  expect(user.trySend(Uint8Array.of(8, 1, 0, 0, 0, 0, 0, 0), PEER)).toBe(-22);
  await net.run(user.send(Uint8Array.of(8, 0, 9, 9, 9, 9, 0, 5, 1, 2, 3), PEER));
  await net.pass(1);
  const [request] = peer.takeIcmp();
  expect(request).toMatchObject({ type: 8, rest: (user.localPort << 16) | 5, payload: Uint8Array.of(1, 2, 3) });
  const id = request!.rest & 0xffff0000;
  peer.icmp({ type: 0, rest: id | 5, payload: Uint8Array.of(1, 2, 3) });
  peer.icmp({ type: 8, rest: id | 6 });
  peer.ip({ protocol: 1, payload: Uint8Array.of(0, 0, 0, 0, id >>> 24, (id >>> 16) & 0xff, 0, 7) });
  await net.pass(1);
  expect(user.tryReceive()).toMatchObject({ address: PEER, port: 0, data: expect.objectContaining({ length: 11 }) });
  expect(user.tryReceive()).toBe(-11);
  const reply = parseIpv4Packet(peer.frames[0]!.payload, 0, peer.frames[0]!.payload.length);
  expect(reply).toMatchObject({ protocol: 1 });
  user.close();
});

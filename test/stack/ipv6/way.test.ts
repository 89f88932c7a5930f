import type { Ipv6Packet } from '@softnet/wire';
import { emitIpv6Packet } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, echo, icmp, rawPacket } from './bad-input/row.ts';
import { FAR, fragment, HOST, PEER, RawPeer } from './raw-peer.ts';

const SOL_IPV6 = 41;
const OPTION = Object.freeze({ MTU_DISCOVER: 23, RECVERR: 25, DONTFRAG: 62, AUTOFLOWLABEL: 70 });
const DISCOVER = Object.freeze({ DO: 2, PROBE: 3, INTERFACE: 4, OMIT: 5 });

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot();
});
afterEach(() => peer.end());

const set = (name: string, value: number | boolean): void => peer.host.kernel.sysctl.set(name, value);

/** A socket of the host, connected to a port of the peer, or of one behind it. */
function connected(port: number, to: string = PEER) {
  const user = peer.host.open();
  user.bind(HOST, 4000 + port);
  user.connect(to, port);
  return user;
}

async function sent(user: ReturnType<typeof connected>, lenBytes = 8): Promise<Ipv6Packet[]> {
  await peer.net.run(user.send(new Uint8Array(lenBytes)));
  return peer.answers(1);
}

const lengths = (packets: readonly Ipv6Packet[]): number[] => packets.map((packet) => emitIpv6Packet(packet).length);

describe('flow labels (RFC 6437)', () => {
  test('are those of the flow: the same for all of its packets and pieces, others for others', async () => {
    const users = [1, 2, 3].map((port) => connected(port));
    const labels: number[] = [];
    for (const user of users) {
      const packets = [...(await sent(user)), ...(await sent(user, 4000)), ...(await sent(user))];
      expect(packets.length).toBe(5);
      const of = new Set(packets.map(({ flowLabel }) => flowLabel));
      expect(of.size).toBe(1);
      labels.push(...of);
    }
    expect(new Set(labels).size).toBe(3);
    expect(Math.min(...labels)).toBeGreaterThan(0);
    for (const user of users) user.close();
  });

  test('are as the setting and the socket have it', async () => {
    const user = connected(1);
    const isLabelled = async (): Promise<boolean> => (await sent(user))[0]!.flowLabel !== 0;
    user.setOption(SOL_IPV6, OPTION.AUTOFLOWLABEL, 0);
    expect(await isLabelled()).toBe(false);
    set('net.ipv6.auto_flowlabels', 3);
    expect(await isLabelled()).toBe(true);
    set('net.ipv6.auto_flowlabels', 2);
    expect(await isLabelled()).toBe(false);
    user.setOption(SOL_IPV6, OPTION.AUTOFLOWLABEL, 1);
    expect(await isLabelled()).toBe(true);
    set('net.ipv6.auto_flowlabels', 0);
    expect(await isLabelled()).toBe(false);
    user.close();
  });

  test('of an echo request go back where a setting says so; the traffic class always does', async () => {
    const request = rawPacket(58, echo());
    request.set([0x6b, 0x81, 0x23, 0x45]);
    peer.bytes(request);
    const [first] = await peer.answers();
    expect([first!.trafficClass, first!.flowLabel === 0x12345]).toEqual([0xb8, false]);
    set('net.ipv6.flowlabel_reflect', 4);
    peer.bytes(request);
    expect((await peer.answers())[0]!.flowLabel).toBe(0x12345);
  });

  test('of what passes through are left alone', async () => {
    set('net.ipv6.conf.all.forwarding', true);
    for (const flowLabel of [0, 0x54321]) {
      peer.packet({ dst: FAR, protocol: 253, flowLabel });
      const forwarded = (await peer.answers()).find(({ protocol }) => protocol === 253);
      expect(forwarded!.flowLabel).toBe(flowLabel);
    }
  });

  test('solicitations have none', async () => {
    const user = peer.host.open();
    await peer.net.run(user.send(new Uint8Array(1), 'fd00::77', 9));
    expect((await peer.answers()).map(({ protocol, flowLabel }) => [protocol, flowLabel])).toEqual([[58, 0]]);
    user.close();
  });
});

describe('the link (RFC 4861 §6.3.4)', () => {
  test('has a hop limit of its own', async () => {
    const user = connected(1);
    set('net.ipv6.conf.eth0.hop_limit', 7);
    expect((await sent(user))[0]!.hopLimit).toBe(7);
    user.close();
  });

  test('carries no more than conf.mtu says, nor may a router pass more on; below 1280 that is 1280', async () => {
    const user = connected(1);
    set('net.ipv6.conf.eth0.mtu', 1400);
    expect(lengths(await sent(user, 1400))).toEqual([1400, 104]);
    set('net.ipv6.conf.all.forwarding', true);
    peer.packet({ dst: FAR, protocol: 253, payload: new Uint8Array(1361) });
    expect((await peer.messages()).filter((each) => !each.startsWith('13'))).toEqual(['2/0 @1400']);
    set('net.ipv6.conf.eth0.mtu', 600);
    expect(lengths(await sent(user, 1400))).toEqual([1280, 224]);
    user.close();
  });
});

test('echoes to an anycast address are answered from one of its own, unless a setting says otherwise', async () => {
  set('net.ipv6.conf.all.forwarding', true);
  await peer.net.pass(1);
  const anycast = 'fd00::';
  const request = rawPacket(58, echo({ dst: anycast }), { dst: anycast });
  peer.bytes(request);
  expect((await peer.answers()).filter(({ protocol }) => protocol === 58).map(({ src, dst }) => [src, dst])).toEqual([[HOST, PEER]]);
  set('net.ipv6.icmp.echo_ignore_anycast', true);
  peer.drops();
  peer.bytes(request);
  expect([await peer.messages(), peer.drops()]).toEqual([[], ['icmpv6.echo-ignored']]);
});

test('who floods with fragments loses his own: others are put together all the same', async () => {
  set('net.ipv6.ip6frag_max_datagrams', 10);
  const longer = icmp(128, 0, 1, new Uint8Array(8));
  peer.packet({ protocol: 58, headers: [fragment(0, true, 1)], payload: longer.slice(0, 8) });
  for (let id = 0; id < 100; id++) peer.packet({ src: FAR, protocol: 58, headers: [fragment(0, true, id)], payload: echo() });
  peer.packet({ protocol: 58, headers: [fragment(8, false, 1)], payload: longer.slice(8) });
  expect(await peer.messages()).toEqual(['129']);
  expect(peer.drops()).toContain('ipv6.fragment-limit 91');
});

describe('path MTUs (RFC 8201)', () => {
  /** FAR is reached by 1300 bytes at once, as somebody has said. */
  async function narrow() {
    const user = connected(1, FAR);
    user.setOption(SOL_IPV6, OPTION.RECVERR, 1);
    const [packet] = await sent(user, 100);
    peer.icmp({ type: 2, rest: 1300, payload: emitIpv6Packet(packet!) });
    await peer.net.pass(1);
    await expect(peer.net.run(user.receive())).rejects.toThrow('EMSGSIZE');
    return user;
  }

  test('count for who believes them; who probes, or takes only the link’s word, may send more', async () => {
    const user = await narrow();
    expect(lengths(await sent(user, 1400))).toEqual([1296, 208]);
    user.setOption(SOL_IPV6, OPTION.MTU_DISCOVER, DISCOVER.OMIT);
    expect(lengths(await sent(user, 1400))).toEqual([1448]);
    expect(lengths(await sent(user, 1600))).toEqual([1496, 208]);
    for (const way of [DISCOVER.PROBE, DISCOVER.INTERFACE]) {
      user.setOption(SOL_IPV6, OPTION.MTU_DISCOVER, way);
      expect(lengths(await sent(user, 1400))).toEqual([1448]);
      await expect(sent(user, 1600)).rejects.toThrow('EMSGSIZE');
    }
    user.close();
  });

  test('who wants no fragments is told what would fit (RFC 3542 §11.2)', async () => {
    for (const [name, value] of [
      ['MTU_DISCOVER', DISCOVER.DO],
      ['DONTFRAG', 1],
    ] as const) {
      const user = await narrow();
      user.setOption(SOL_IPV6, OPTION[name], value);
      await expect(sent(user, 1253)).rejects.toThrow('EMSGSIZE');
      expect(lengths(await sent(user, 1252))).toEqual([1300]);
      user.close();
      await peer.net.pass(700_000);
      await peer.introduce();
    }
  });

  test('a large message that others do not know of tells nobody anything', async () => {
    const user = await narrow();
    const before = lengths(await sent(user, 1400));
    const [packet] = await sent(user, 100);
    const other = emitIpv6Packet(packet!);
    other[42]! ^= 1;
    peer.icmp({ type: 2, rest: 1280, payload: other });
    await peer.net.pass(1);
    expect([peer.drops().filter((each) => each.startsWith('icmpv6')), lengths(await sent(user, 1400))]).toEqual([
      ['icmpv6.unmatched'],
      before,
    ]);
    user.close();
  });
});

describe('limits of extension headers are settings (RFC 8504 §5.3)', () => {
  const options = (kind: 0 | 60, text: string) => rawPacket(kind, bytesOf(`3a00${text}`, echo()));

  test.each<[string, number, Uint8Array, string]>([
    ['max_dst_opts_number', 2, options(60, '3e003e003e00'), '4/9 @46'],
    ['max_hbh_opts_number', 2, options(0, '3e003e003e00'), '4/9 @46'],
    ['max_dst_opts_length', 0, options(60, '010400000000'), '4/6 @40'],
    ['max_hbh_length', 0, options(0, '010400000000'), '4/6 @40'],
    ['max_extension_headers', 0, options(60, '010400000000'), '4/8 @40'],
    ['max_opts_padding', 5, options(60, '010400000000'), '4/10 @42'],
  ])('net.ipv6.%s %d', async (name, value, packet, problem) => {
    peer.bytes(packet);
    expect(await peer.messages()).toEqual(['129']);
    set(`net.ipv6.${name}`, value);
    peer.bytes(packet);
    expect(await peer.messages()).toEqual([problem]);
  });

  test('below 0: only what is known', async () => {
    set('net.ipv6.max_hbh_opts_number', -2);
    set('net.ipv6.max_dst_opts_number', -2);
    peer.bytes(options(0, '050200000100'));
    peer.bytes(options(60, '040104010100'));
    expect(await peer.messages()).toEqual(['129', '129']);
    peer.drops();
    peer.bytes(options(0, '3e0400000000'));
    peer.bytes(options(60, '850400000000'));
    expect([await peer.messages(), peer.drops()]).toEqual([[], ['ipv6.option-limit 2']]);
  });
});

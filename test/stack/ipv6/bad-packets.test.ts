import type { Ipv6Packet } from '@softnet/wire';
import { emitIcmpv6, emitIpv6Packet, emitUdp, ICMPV6_TYPE, parseIpv6, pseudoHeaderSum } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAR, fragment, HOST, icmpOf, PEER, packetOf, RawPeer } from './raw-peer.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1);
/** A UDP packet to a port where nobody is. */
const udp = emitUdp(
  { srcPort: 9, dstPort: 9, checksum: 0, payload: bytes(0) },
  pseudoHeaderSum(...parseIpv6(PEER)!, ...parseIpv6(HOST)!, 17, 8),
);
const options = (type: 0 | 60, ...types: number[]) => ({ type, options: types.map((each) => ({ type: each, data: bytes(2) })) });
const group = 'ff02::1';

let peer: RawPeer;
beforeAll(async () => {
  peer = await RawPeer.boot();
  peer.host.kernel.sysctl.set('net.ipv6.icmp.ratelimit', 0);
  peer.drops();
});
afterAll(() => peer.end());

async function outcome(send: () => void): Promise<[drops: string[], answers: string[]]> {
  send();
  const answers = await peer.messages();
  return [peer.drops(), answers];
}

describe('RFC 8200: packets that are not as they should be', () => {
  test.each<[string, Partial<Ipv6Packet>, string, string[]]>([
    ['a source that is a group', { src: group }, 'ipv6.source', []],
    ['from ::1', { src: '::1' }, 'ipv6.source', []],
    ['from an IPv4 address', { src: '::ffff:10.0.0.1' }, 'ipv6.source', []],
    ['to ::', { dst: '::' }, 'ipv6.destination', []],
    ['to ::1', { dst: '::1' }, 'ipv6.destination', []],
    ['to an IPv4 address', { dst: '::ffff:10.0.0.1' }, 'ipv6.destination', []],
    ['to a group of scope 0', { dst: 'ff00::1' }, 'ipv6.destination', []],
    ['to a group of scope 1', { dst: 'ff01::1' }, 'ipv6.destination', []],
    ['to a group that is not joined', { dst: 'ff02::77' }, 'ipv6.not-a-member', []],
    ['to another host', { dst: 'fd00::77' }, 'ipv6.not-forwarding', []],
    ['to nowhere', { dst: '2001:db8::1' }, 'route.none', []],
    ['to a link-local address of nobody', { dst: 'fe80::77' }, 'ipv6.not-forwarding', []],
    ['§4: a next header that nobody knows', { protocol: 200 }, 'ipv6.no-protocol', ['4/1 @6']],
    ['… behind others', { protocol: 200, headers: [options(60, 5)] }, 'ipv6.no-protocol', ['4/1 @40']],
    ['… to a group', { protocol: 200, dst: group }, 'ipv6.no-protocol', []],
    ['… from nobody', { protocol: 200, src: '::' }, 'ipv6.no-protocol', []],
    ['§4.7: nothing follows', { protocol: 59, payload: bytes(4) }, 'ipv6.no-next-header', []],
    ['§4.2: an option to skip', { payload: udp, headers: [options(60, 0x05)] }, 'udp.no-port', ['1/4']],
    ['an option to discard', { headers: [options(60, 0x45)] }, 'ipv6.option-action', []],
    ['an option to report', { headers: [options(60, 0x85)] }, 'ipv6.option-action', ['4/2 @42']],
    ['an option to report to unicast', { headers: [options(60, 0xc5)] }, 'ipv6.option-action', ['4/2 @42']],
    ['… to a group: reported', { dst: group, headers: [options(60, 0x85)] }, 'ipv6.option-action', ['4/2 @42']],
    ['… to a group: not reported', { dst: group, headers: [options(60, 0xc5)] }, 'ipv6.option-action', []],
    ['hop by hop, the same', { headers: [options(0, 0x85)] }, 'ipv6.option-action', ['4/2 @42']],
    ['hop by hop, for others', { dst: FAR, headers: [options(0, 0x85)] }, 'ipv6.option-action', ['4/2 @42']],
    ['more options than the limit', { headers: [options(60, ...new Array<number>(9).fill(5))] }, 'ipv6.option-limit', ['4/9 @74']],
    ['§4.4: a routing header, nothing left', { payload: udp, headers: [routing(0, 0)] }, 'udp.no-port', ['1/4']],
    ['RFC 5095: type 0, segments left', { headers: [routing(0, 1)] }, 'ipv6.routing-type', ['4/0 @42']],
    ['of a type that is not known', { headers: [routing(77, 2)] }, 'ipv6.routing-type', ['4/0 @42']],
    ['RFC 8504: nine headers', { headers: new Array(9).fill(options(60, 5)) }, 'ipv6.extension-limit', ['4/8 @104']],
    [
      '§4.5: a fragment of 9 bytes with more to follow',
      { payload: bytes(9), headers: [fragment(0, true)] },
      'ipv6.fragment-length',
      ['4/0 @4'],
    ],
    ['an empty fragment', { headers: [fragment(8, false)] }, 'ipv6.fragment-length', ['4/0 @4']],
    ['a fragment beyond 65,535', { payload: bytes(16), headers: [fragment(65_528, false)] }, 'ipv6.fragment-too-big', ['4/0 @42']],
    [
      'RFC 7112: a first fragment with half a UDP header',
      { protocol: 6, payload: udp, headers: [fragment(0, true)] },
      'ipv6.fragment-chain',
      ['4/3'],
    ],
    ['RFC 6946: a whole packet in a fragment header', { payload: udp, headers: [fragment(0, false)] }, 'udp.no-port', ['1/4']],
    [
      'RFC 6980: a solicitation in one',
      { protocol: 58, hopLimit: 255, payload: Uint8Array.from([135, ...bytes(23)]), headers: [fragment(0, false)] },
      'nd.fragment',
      [],
    ],
    ['ICMPv6 with a wrong checksum', { protocol: 58, payload: bytes(8) }, 'icmpv6.checksum', []],
    ['ICMPv6 of 7 bytes', { protocol: 58, payload: bytes(7) }, 'icmpv6.truncated', []],
  ])('%s', async (_name, packet, drop, answers) => {
    expect(await outcome(() => peer.packet(packet))).toEqual([[drop], answers]);
  });

  test.each<[string, (packet: Uint8Array) => Uint8Array, string, string?]>([
    ['39 bytes', (packet) => packet.slice(0, 39), 'ipv6.truncated'],
    ['version 5', (packet) => packet.with(0, 0x50), 'ipv6.version'],
    ['a payload length beyond the frame', (packet) => packet.with(5, 99), 'ipv6.payload-length'],
    ['an extension header beyond the packet', (packet) => packet.with(6, 60).with(41, 9), 'ipv6.extension-truncated', '4/0 @41'],
    ['an option beyond its header', (packet) => packet.with(6, 60).with(41, 0).with(42, 5).with(43, 200), 'ipv6.option', '4/0 @43'],
    ['padding that is not zero', (packet) => packet.with(6, 60).with(41, 0).with(42, 1).with(43, 4), 'ipv6.option-padding'],
  ])('%s', async (_name, spoil, drop, ...answers) => {
    const whole = emitIpv6Packet(packetOf({ payload: bytes(8) }));
    expect(await outcome(() => peer.bytes(spoil(whole)))).toEqual([[drop], answers]);
  });

  test("the link's padding is no part of the packet", async () => {
    const padded = new Uint8Array(100);
    padded.set(emitIpv6Packet(packetOf({ payload: udp })));
    expect(await outcome(() => peer.bytes(padded))).toEqual([['udp.no-port'], ['1/4']]);
  });

  test('… nor of what is echoed', async () => {
    const payload = bytes(5);
    const echo = { type: ICMPV6_TYPE.ECHO_REQUEST, code: 0, rest: 9, payload };
    const pseudo = pseudoHeaderSum(...parseIpv6(PEER)!, ...parseIpv6(HOST)!, 58, 8 + payload.length);
    const padded = new Uint8Array(100).fill(0xee);
    padded.set(emitIpv6Packet(packetOf({ protocol: 58, payload: emitIcmpv6(echo, pseudo) })));
    peer.bytes(padded);
    const [reply] = await peer.answers();
    expect(icmpOf(reply!).payload).toEqual(payload);
  });

  test('a frame for another host is for captures only', async () => {
    expect(await outcome(() => peer.bytes(emitIpv6Packet(packetOf({})), HOST, '02:00:00:00:00:77'))).toEqual([['netdev.otherhost'], []]);
  });
});

function routing(routingType: number, segmentsLeft: number) {
  return { type: 43 as const, routingType, segmentsLeft, data: new Uint8Array(4) };
}

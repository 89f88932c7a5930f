import type { Ipv6Packet } from '@softnet/wire';
import { emitIpv6Packet, emitUdp, ICMPV6_TYPE, parseIpv6, parseIpv6Packet, pseudoHeaderSum } from '@softnet/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { FAR, fragment, HOST, icmpOf, PEER, packetOf, RawPeer } from './raw-peer.ts';

let peer: RawPeer;
afterEach(() => peer.end());

/** UDP from the peer to a port of the host. */
function udp(payload: Uint8Array, dstPort = 9): Uint8Array {
  const sum = pseudoHeaderSum(...parseIpv6(PEER)!, ...parseIpv6(HOST)!, 17, 8 + payload.length);
  return emitUdp({ srcPort: 7, dstPort, checksum: 0, payload }, sum);
}

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);

describe('RFC 4443: errors that are sent', () => {
  test('quote the packet, as much as fits into 1280 bytes, from the address that it was for', async () => {
    peer = await RawPeer.boot();
    for (const length of [0, 1184, 1185, 1400]) {
      const sent = packetOf({ payload: udp(counting(length)) });
      peer.packet(sent);
      const [answer] = await peer.answers();
      expect([answer!.src, answer!.dst, answer!.hopLimit]).toEqual([HOST, PEER, 64]);
      const whole = emitIpv6Packet(sent);
      expect(icmpOf(answer!).payload).toEqual(whole.slice(0, 1232));
    }
  });

  test('never about errors and redirects; about fragments, whatever they may be of', async () => {
    peer = await RawPeer.boot();
    for (const type of [1, 100, ICMPV6_TYPE.REDIRECT]) {
      peer.packet({
        protocol: 58,
        payload: Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0),
        headers: [{ type: 60, options: [{ type: 0x85, data: counting(2) }] }],
      });
    }
    peer.packet({
      protocol: 58,
      payload: Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0),
      headers: [{ type: 60, options: [{ type: 0x85, data: counting(2) }] }],
    });
    peer.packet({ protocol: 58, payload: counting(9), headers: [fragment(8, true)] });
    expect(await peer.messages()).toEqual(['4/2 @42', '4/0 @4']);
  });

  test('so many a second, and so many at once', async () => {
    peer = await RawPeer.boot();
    const { sysctl } = peer.host.kernel;
    sysctl.set('net.ipv6.icmp.ratelimit', 0);
    sysctl.set('net.ipv6.icmp.msgs_burst', 100);
    sysctl.set('net.ipv6.icmp.msgs_per_sec', 200);
    await peer.net.pass(2000);
    peer.received.length = 0;
    const flood = async (): Promise<number> => {
      for (let i = 0; i < 300; i++) peer.packet({ payload: udp(counting(1)) });
      return (await peer.messages(1)).filter((each) => each === '1/4').length;
    };
    // Each takes none, one or two of them, so that nobody can count whom else it told.
    const first = await flood();
    expect(Math.abs(first - 100)).toBeLessThan(30);
    await peer.net.pass(250);
    expect(Math.abs((await flood()) - 50)).toBeLessThan(25);
    sysctl.set('net.ipv6.icmp.msgs_per_sec', 0);
    expect(await flood()).toBe(0);
  });

  test('so many to each peer: 6 at once, then one in a quarter of a second, and others are told all the same', async () => {
    peer = await RawPeer.boot();
    const flood = async (src: string): Promise<number> => {
      for (let i = 0; i < 10; i++) peer.packet({ src, dst: HOST, protocol: 200 });
      return (await peer.messages(1)).filter((each) => each.startsWith('4/1')).length;
    };
    expect([await flood(PEER), await flood(FAR)]).toEqual([6, 6]);
    await peer.net.pass(510);
    expect(await flood(PEER)).toBe(2);
    const { sysctl } = peer.host.kernel;
    sysctl.set('net.ipv6.icmp.ratemask', '0-3,5-127');
    expect(await flood(PEER)).toBe(10);
    sysctl.set('net.ipv6.icmp.ratemask', 'nonsense');
    expect(sysctl.get('net.ipv6.icmp.ratemask')).toBe('0-3,5-127');
  });

  test('an echo is answered, also one to all nodes, unless settings say otherwise', async () => {
    peer = await RawPeer.boot();
    const echo = { type: ICMPV6_TYPE.ECHO_REQUEST, rest: 0x12345678, payload: counting(3000) };
    peer.icmp({ ...echo, payload: counting(33) });
    const [reply] = await peer.answers();
    expect([reply!.src, icmpOf(reply!)]).toEqual([HOST, { type: 129, code: 0, rest: 0x12345678, payload: counting(33) }]);
    peer.icmp({ ...echo, payload: counting(0) }, { dst: 'ff02::1', src: 'fe80::9' });
    expect((await peer.answers()).map(({ src, dst }) => [src, dst])).toEqual([['fe80::ff:fe00:1', 'fe80::9']]);
    peer.host.kernel.sysctl.set('net.ipv6.icmp.echo_ignore_all', true);
    peer.icmp(echo);
    expect(await peer.messages()).toEqual([]);
  });

  test('a router: hop limit, too big, no route, link-local addresses', async () => {
    peer = await RawPeer.boot();
    peer.host.kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
    const send = async (packet: Partial<Ipv6Packet>): Promise<string[]> => {
      peer.packet({ dst: FAR, payload: counting(8), protocol: 253, ...packet });
      return peer.messages();
    };
    expect(await send({ hopLimit: 1 })).toEqual(['3/0']);
    expect(await send({ hopLimit: 0 })).toEqual(['3/0']);
    expect(await send({ hopLimit: 2 })).toEqual(['protocol 253']);
    expect(await send({ dst: '2001:db8::1' })).toEqual(['1/0']);
    expect(await send({ src: 'fe80::9' })).toEqual(['1/2']);
    expect(await send({ dst: 'fe80::77' })).toEqual([]);
    expect(await send({ src: '::' })).toEqual([]);
    expect(peer.drops().sort()).toEqual(['ipv6.hop-limit 2', 'ipv6.scope 3', 'route.none']);
  });
});

describe('RFC 4443: errors that are received', () => {
  /** A socket of the host that is connected to FAR, with what it sent last. */
  async function connected() {
    const user = peer.host.open();
    user.bind(HOST, 4000);
    user.connect(FAR, 7);
    user.sock.flags |= 0x80; // RECVERR
    await peer.net.run(user.send(counting(100)));
    const [sent] = await peer.answers();
    return { user, quote: emitIpv6Packet(sent!) };
  }

  test('reach the socket whose packet it was', async () => {
    peer = await RawPeer.boot();
    const { user, quote } = await connected();
    for (const [type, code, rest, errno] of [
      [1, 0, 0, 'ENETUNREACH'],
      [1, 3, 0, 'EHOSTUNREACH'],
      [1, 4, 0, 'ECONNREFUSED'],
      [3, 0, 0, 'EHOSTUNREACH'],
      [4, 1, 6, 'EPROTO'],
    ] as const) {
      peer.icmp({ type, code, rest, payload: quote });
      await expect(peer.net.run(user.receive())).rejects.toThrow(errno);
    }
    user.close();
  });

  test('packet too big: later packets are cut to it; below 1280 it is not believed, nor about packets of others, or of no flow', async () => {
    peer = await RawPeer.boot();
    const { user, quote } = await connected();
    const sizes = async (): Promise<number[]> => {
      await peer.net.run(user.send(counting(1300)));
      return (await peer.answers()).map((packet) => emitIpv6Packet(packet).length);
    };
    peer.icmp({ type: 2, rest: 1279, payload: quote });
    peer.icmp({ type: 2, rest: 1400, payload: emitIpv6Packet(packetOf({ src: FAR, dst: PEER, payload: udp(counting(8)) })) });
    peer.icmp({ type: 1, payload: quote.slice(0, 39) });
    await peer.net.pass(1);
    expect(peer.drops().sort()).toEqual(['icmp.quote-truncated', 'icmpv6.mtu', 'icmpv6.quote-not-ours']);
    expect(await sizes()).toEqual([1348]);
    // Of a port that nobody has: nobody has sent that (RFC 5927 §4).
    const invented = quote.slice();
    invented[41]! ^= 1;
    peer.icmp({ type: 2, rest: 1300, payload: invented });
    await peer.net.pass(1);
    expect(await sizes()).toEqual([1348]);
    peer.icmp({ type: 2, rest: 1300, payload: quote });
    await peer.net.pass(1);
    await peer.net.run(user.receive()).catch(() => {});
    expect(await sizes()).toEqual([1296, 108]);
    user.close();
  });
});

describe('RFC 8200 §4.5: fragments', () => {
  const datagram = udp(counting(100), 4000);

  async function listening() {
    peer = await RawPeer.boot();
    const user = peer.host.open();
    user.bind(HOST, 4000);
    return user;
  }

  function piece(from: number, to: number, id = 7, more = to < datagram.length): void {
    peer.packet({ payload: datagram.slice(from, to), headers: [fragment(from, more, id)] });
  }

  test('are put together, in whatever order they come', async () => {
    const user = await listening();
    const orders = [
      [0, 40, 80],
      [80, 40, 0],
      [40, 0, 80],
      [40, 80, 0],
    ];
    for (const [id, order] of orders.entries()) {
      for (const from of order) piece(from, Math.min(from + 40, 108), id);
      expect((await peer.net.run(user.receive())).data).toEqual(counting(100));
    }
    user.close();
  });

  test('RFC 5722: those that overlap go with their datagram; the same again goes alone; of others they know nothing', async () => {
    const user = await listening();
    piece(0, 40);
    piece(32, 72);
    await peer.net.pass(1);
    expect(peer.drops()).toEqual(['ipv6.fragment-overlap 2']);
    piece(0, 40, 8);
    piece(0, 40, 8);
    piece(0, 40, 9);
    piece(40, 108, 8);
    expect((await peer.net.run(user.receive())).data).toEqual(counting(100));
    expect(peer.drops()).toEqual(['ipv6.fragment-duplicate']);
    user.close();
  });

  test('RFC 6946: a packet within one fragment is whole, whatever waits under its identification', async () => {
    const user = await listening();
    piece(0, 40);
    peer.packet({ payload: datagram, headers: [fragment(0, false)] });
    expect((await peer.net.run(user.receive())).data).toEqual(counting(100));
    piece(40, 108);
    expect((await peer.net.run(user.receive())).data).toEqual(counting(100));
    expect(peer.drops()).toEqual([]);
    user.close();
  });

  test('errors are about the whole packet, without its fragment header', async () => {
    peer = await RawPeer.boot();
    const headers = [{ type: 60 as const, options: [{ type: 5, data: counting(2) }] }];
    peer.packet({ payload: datagram.slice(40), headers: [...headers, fragment(40, false)] });
    peer.packet({ payload: datagram.slice(0, 40), headers: [...headers, fragment(0, true)] });
    const [answer] = await peer.answers();
    expect(icmpOf(answer!).payload).toEqual(emitIpv6Packet(packetOf({ payload: datagram, headers })));
  });

  test('that do not come: after a minute the sender is told, if the first came', async () => {
    const user = await listening();
    piece(0, 40, 1);
    piece(40, 80, 2);
    expect((await peer.messages(59_000)).filter((each) => each.startsWith('3'))).toEqual([]);
    await peer.introduce();
    expect((await peer.messages(2000)).filter((each) => each.startsWith('3'))).toEqual(['3/1']);
    expect(peer.drops()).toContain('ipv6.fragment-timeout 2');
    user.close();
  });

  test('a flood of them is bounded', async () => {
    const user = await listening();
    peer.host.kernel.sysctl.set('net.ipv6.ip6frag_max_datagrams', 10);
    for (let id = 0; id < 50; id++) piece(0, 40, id);
    await peer.net.pass(1);
    expect(peer.drops()).toContain('ipv6.fragment-limit 40');
    user.close();
  });

  test('are made of what is too long for the link, with one identification, each 1280 bytes or more but the last', async () => {
    peer = await RawPeer.boot();
    const user = peer.host.open();
    user.bind(HOST, 4000);
    await peer.net.run(user.send(counting(4000), PEER, 7));
    const pieces = await peer.answers();
    const headers = pieces.map(({ headers: [first] }) => first as ReturnType<typeof fragment>) as {
      offsetBytes: number;
      more: boolean;
      id: number;
    }[];
    expect(headers.map(({ offsetBytes, more }) => [offsetBytes, more])).toEqual([
      [0, true],
      [1448, true],
      [2896, false],
    ]);
    expect(new Set(headers.map(({ id }) => id)).size).toBe(1);
    const whole = Buffer.concat(pieces.map(({ payload }) => payload));
    expect(new Uint8Array(whole.subarray(8))).toEqual(counting(4000));
    const again = parseIpv6Packet(emitIpv6Packet({ ...pieces[0]!, headers: [], payload: new Uint8Array(whole) }), 0, 48 + 4000);
    expect(typeof again).toBe('object');
    user.close();
  });
});

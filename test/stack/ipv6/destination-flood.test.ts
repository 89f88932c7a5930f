import { ADDRESS_FAMILY, NeighbourTable, Route } from '@softnet/contract';
import type { IcmpMessage } from '@softnet/wire';
import { emitIcmpv6, emitIpv6Packet, emitUdp, formatIpv6, ipv6PseudoHeaderSum, parseIpv6, parseMac, viewOf } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flood, LONG, many, spoofed } from './flood.ts';
import { HOST, PEER_MAC, packetOf, RawPeer } from './raw-peer.ts';
import { ROUTER, redirect, router, sendNd } from './router-messages.ts';

const { INET6 } = ADDRESS_FAMILY;
/** `net.route.max_exceptions_of_hop`; all go by one router. */
const LIMIT = 1024;
const FLOOD = many(6_000);
/** One that is learned looks at so many, at most. */
const LOOK = 64;
const MTU = 1400;
const BETTER = 'fe80::8';
/** Whom the users talk to: their answers are not the flood's. */
const FRIEND = '2001:db8:f::1';
const REDIRECTED = '2001:db8:f::2';

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot();
  sendNd(peer, router({ lifetimeS: 9000 }));
  // They answer no probes.
  const table = peer.host.kernel.port(NeighbourTable).current;
  for (const hop of [ROUTER, BETTER]) table.set(peer.host.device('eth0'), INET6, parseIpv6(hop)!, parseMac(PEER_MAC)!);
  await peer.net.pass(10);
});
afterEach(() => peer.end());

/** The bytes of a message to the host, checksummed. */
function bytesOf(message: IcmpMessage, src: string, hopLimit: number): Uint8Array {
  const whole = packetOf({ src, hopLimit, protocol: 58, payload: new Uint8Array(8 + message.payload.length) });
  return emitIpv6Packet({
    ...whole,
    payload: emitIcmpv6(message, ipv6PseudoHeaderSum(viewOf(emitIpv6Packet(whole)), 0, 58, whole.payload.length)),
  });
}

/** A packet too big about the datagram from port 9 to port 9 of the destination whose last word is the stranger's number. */
function tooBig(dst: string, mtuBytes: number): IcmpMessage {
  const payload = emitUdp({ srcPort: 9, dstPort: 9, checksum: 1, payload: Uint8Array.of(1) });
  return { type: 2, code: 0, rest: mtuBytes, payload: emitIpv6Packet(packetOf({ src: HOST, dst, payload })) };
}

/** Behind the IPv6 header, the ICMPv6 one, and what comes before the destination in what follows it. */
const QUOTED_DESTINATION = 40 + 8 + 24 + 12;
const REDIRECT_DESTINATION = 40 + 8 + 16 + 12;
const CHECKSUM = 42;

const ANSWERS = [
  ['a packet too big', spoofed(bytesOf(tooBig('2001:db8::', 1300), '2001:db8:e::1', 60), [QUOTED_DESTINATION], CHECKSUM)],
  ['a redirect', spoofed(bytesOf(redirect(BETTER, '2001:db8::'), ROUTER, 255), [REDIRECT_DESTINATION], CHECKSUM)],
] as const;

test.each(ANSWERS)(
  'destinations beyond a router, each sent to once and answered by %s: exceptions are as many as may be, memory is flat, what users have learned stays',
  LONG,
  async (what, answer) => {
    const { kernel } = peer.host;
    const route = kernel.port(Route).current;
    const strange = peer.host.open();
    strange.bind('::', 9);
    const [friend, redirected] = [FRIEND, REDIRECTED].map((to) => {
      const user = peer.host.open();
      user.bind(HOST, 0);
      user.connect(to, 9);
      return user;
    });
    strange.trySend(Uint8Array.of(1), FRIEND, 9);
    peer.icmp(tooBig(FRIEND, MTU), { src: '2001:db8:e::1' });
    sendNd(peer, redirect(BETTER, REDIRECTED), { dst: HOST });
    await peer.net.pass(10);
    peer.received.length = 0;
    let [sent, mtus, gateways] = [0, 0, 0];
    const { mostVisited, heapUsedBytes } = await flood(peer, `destinations answered by ${what}`, {
      ...{ count: FLOOD, visits: 'exceptions-visited' },
      send: (index) => {
        strange.trySend(Uint8Array.of(1), formatIpv6(0x20010db8, 0, 0, index), 9);
        peer.bytes(answer(index));
      },
      live: () => {
        for (const user of [friend!, redirected!]) if (user.trySend(Uint8Array.of(7)) === 1) sent++;
        if (friend!.sock.dst!.dst!.mtuBytes === MTU) mtus++;
        if (formatIpv6(...gatewayOf(redirected!.sock.dst!.dst!)) === BETTER) gateways++;
      },
    });
    const batches = FLOOD / 200;
    expect([sent, mtus, gateways]).toEqual([2 * batches, batches, batches]);
    expect(route.exceptions(INET6)).toHaveLength(LIMIT);
    expect(mostVisited).toBeGreaterThan(100);
    // Of a whole step less than two for each: who is used is looked at once a round.
    expect(mostVisited).toBeLessThanOrEqual(200 + LOOK);
    expect(heapUsedBytes).toBeLessThan(1 << 20);
    for (const user of [strange, friend!, redirected!]) user.close();
  },
);

function gatewayOf({ gateway0, gateway1, gateway2, gateway3 }: { gateway0: number; gateway1: number; gateway2: number; gateway3: number }) {
  return [gateway0, gateway1, gateway2, gateway3] as const;
}

import { ADDRESS_FAMILY, Neighbours, RouterAdvertisements, SkbPools } from '@softnet/contract';
import { emitMld, emitNeighbour, NA_FLAG } from '@softnet/ipv6';
import type { IcmpMessage, Ipv6Packet } from '@softnet/wire';
import {
  addSums,
  checksumOf,
  emitIcmpv6,
  emitIpv6Packet,
  emitUdp,
  formatIpv6,
  ipv6PseudoHeaderSum,
  parseMac,
  pseudoHeaderSum,
  sumBytes,
  viewOf,
} from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flood, LONG, many, spoofed } from './flood.ts';
import { join } from './group-values.ts';
import { ALERT, query, REPORTS, words } from './mld-link.ts';
import { fragment, HOST, icmpOf, PEER, PEER_MAC, packetOf, RawPeer } from './raw-peer.ts';

const { INET6 } = ADDRESS_FAMILY;
/** `net.ipv6.neigh.default.gc_thresh3`. */
const LIMIT = 1024;
const BATCH = 200;
/** Of each kind. */
const FLOOD = many(6_000);
const ALL_NODES = 'ff02::1';
/** The last words of what stands in IPv6's header; behind it, of an address behind ICMPv6's. */
const SOURCE = 20;
const DESTINATION = 36;
const TARGET = 40 + 8 + 12;

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot({ settings: REPORTS });
});
afterEach(() => peer.end());

const skbsOut = (): number => peer.host.kernel.port(SkbPools).current.usage()[0]!.skbsOut;

function bytesOf(message: IcmpMessage, packet: Partial<Ipv6Packet>): Uint8Array {
  const whole = packetOf({ hopLimit: 255, dst: ALL_NODES, ...packet, protocol: 58, payload: new Uint8Array(8 + message.payload.length) });
  const pseudo = ipv6PseudoHeaderSum(viewOf(emitIpv6Packet(whole)), 0, 58, whole.payload.length);
  return emitIpv6Packet({ ...whole, payload: emitIcmpv6(message, pseudo) });
}

/** Asks, and counts answers. */
async function isServed(): Promise<boolean> {
  peer.received.length = 0;
  peer.icmp({ type: 128, payload: new Uint8Array(8) }, { dst: HOST });
  return (await peer.messages()).includes('129');
}

/** Who is there answers when he is asked whether he is. */
function answerProbes(): void {
  peer.solicit({ target: PEER, type: 136, flags: NA_FLAG.SOLICITED | NA_FLAG.OVERRIDE }, { src: PEER, dst: HOST });
}

test(
  'advertisements of strangers, where a router takes them, and their questions for routers: neighbours are as many as may be, memory is flat, who is there is served',
  LONG,
  async () => {
    const { kernel } = peer.host;
    for (const [name, value] of [
      ['forwarding', true],
      ['accept_untracked_na', 1],
    ] as const)
      kernel.sysctl.set(`net.ipv6.conf.eth0.${name}`, value);
    kernel.port(RouterAdvertisements).current.set(peer.host.device('eth0'), {});
    await peer.net.pass(20_000);
    await peer.introduce();
    const src = formatIpv6(...words('fe80::7:0:0'));
    const linkAddress = parseMac(PEER_MAC);
    const advertisement = emitNeighbour({ type: 136, target: words(src), flags: NA_FLAG.OVERRIDE, linkAddress });
    const solicitation = { type: 133, code: 0, rest: 0, payload: Uint8Array.of(1, 1, ...linkAddress!) };
    const advertise = spoofed(bytesOf(advertisement, { src }), [SOURCE, TARGET], 42);
    const other = formatIpv6(...words('fe80::8:0:0'));
    const ask = spoofed(bytesOf(solicitation, { src: other }), [SOURCE], 42);
    let [served, advertised] = [0, 0];
    const { mostVisited, heapUsedBytes } = await flood(peer, 'neighbours that advertise and ask for routers', {
      ...{ count: FLOOD, batch: BATCH, visits: 'neighbours-visited' },
      send: (index) => {
        peer.bytes(advertise(index), ALL_NODES);
        peer.bytes(ask(index), ALL_NODES);
      },
      live: async () => {
        answerProbes();
        peer.received.length = 0;
        if (await isServed()) served++;
        advertised += peer.received.filter((packet) => packet.protocol === 58 && icmpOf(packet).type === 134).length;
      },
    });
    expect(served).toBe(FLOOD / BATCH);
    expect(peer.host.kernel.port(Neighbours).current.entries(INET6).length).toBeLessThanOrEqual(LIMIT);
    expect(mostVisited).toBeLessThanOrEqual(2 * BATCH + 5 * 160);
    expect(heapUsedBytes).toBeLessThan(1 << 20);
    // RFC 4861 §6.2.6: to all, no more often than every 3 s.
    expect(advertised).toBeLessThanOrEqual(1 + (FLOOD / BATCH) * 0.03);
  },
);

test('fragments of strangers that lead nowhere: as many wait as may, memory is flat, true datagrams come whole', LONG, async () => {
  const nowhere = spoofed(
    emitIpv6Packet(packetOf({ src: 'fd00:7::', headers: [fragment(0, true, 0)], payload: new Uint8Array(64) })),
    [SOURCE, 40 + 4],
    -1,
  );
  const user = peer.host.open({ family: INET6 });
  user.bind(HOST, 7);
  const payload = Uint8Array.from({ length: 2000 }, (_, i) => (i * 13) & 0xff);
  const udp = { srcPort: 9, dstPort: 7, payload };
  const pseudo = pseudoHeaderSum(...words(PEER), ...words(HOST), 17, 2008);
  const sum = sumBytes(viewOf(emitUdp({ ...udp, checksum: 0 })), 0, 2008);
  const whole = emitUdp({ ...udp, checksum: checksumOf(addSums(sum, pseudo)) });
  const part = (from: number, to: number, id: number): void =>
    peer.packet({ headers: [fragment(from, to < whole.length, id)], payload: whole.subarray(from, to) });
  let [came, mostOut] = [0, 0];
  const { heapUsedBytes } = await flood(peer, 'fragments that lead nowhere', {
    ...{ count: FLOOD, batch: BATCH, visits: 'none' },
    send: (index) => {
      if (index % BATCH === 0) part(0, 1200, index + 1);
      peer.bytes(nowhere(index));
      if (index % BATCH === BATCH - 1) part(1200, 2008, index - BATCH + 2);
    },
    live: () => {
      mostOut = Math.max(mostOut, skbsOut());
      const got = user.tryReceive();
      if (typeof got !== 'number' && Buffer.compare(got.data, payload) === 0) came++;
    },
  });
  expect(came).toBe(FLOOD / BATCH);
  expect(mostOut).toBeGreaterThan(500);
  // `ip6frag_max_datagrams`, and what is under way.
  expect(mostOut).toBeLessThanOrEqual(1024 + 64);
  expect(heapUsedBytes).toBeLessThan(1 << 20);
  user.close();
  await peer.net.pass(70_000);
  expect(skbsOut()).toBe(0);
});

test(
  'groups and sources of strangers, asked for and reported: memory is flat, answers are few, true queries are answered',
  LONG,
  async () => {
    const group = 'ff05::1:3';
    const user = peer.host.open({ family: INET6 });
    user.bind('::', 5000);
    join(user, group, peer.host.device('eth0').ifindex);
    const src = 'fe80::7';
    const mld = (message: Parameters<typeof emitMld>[0], dst: string): Uint8Array => {
      const payload = emitMld(message, (lenBytes) => pseudoHeaderSum(...words(src), ...words(dst), 58, lenBytes));
      return emitIpv6Packet(packetOf({ src, dst, hopLimit: 1, headers: ALERT, protocol: 58, payload }));
    };
    // Behind the router alert and MLD's fixed part the group, behind that and four bytes the first source.
    const [checksum, groupAt, sourceAt] = [40 + 8 + 2, 40 + 8 + 8 + 12, 40 + 8 + 28 + 12];
    const askGroup = spoofed(mld(query('ff05::7:0:0'), ALL_NODES), [groupAt], checksum);
    const askSource = spoofed(mld(query(group, { sources: [words('fd07::')] }), ALL_NODES), [sourceAt], checksum);
    const report = spoofed(mld({ type: 131, group: words('ff05::8:0:0') }, 'ff05::8:0:0'), [groupAt, DESTINATION], checksum);
    await peer.net.pass(10_000);
    let [reports, served, rounds] = [0, 0, 0];
    const { heapUsedBytes } = await flood(peer, 'groups and sources of MLD', {
      ...{ count: FLOOD, batch: BATCH, visits: 'none' },
      send: (index) => {
        peer.bytes(askGroup(index), ALL_NODES);
        peer.bytes(askSource(index), ALL_NODES);
        peer.bytes(report(index), ALL_NODES);
      },
      live: async (batch) => {
        if (batch % 10 !== 9) return;
        rounds++;
        peer.bytes(mld(query('::'), ALL_NODES), ALL_NODES);
        const said = (await peer.answers(1500)).filter(({ payload }) => payload[0] === 143);
        reports += said.length;
        if (said.some(({ payload }) => Buffer.from(payload).includes(Buffer.from('ff050000000000000000000000010003', 'hex')))) served++;
      },
    });
    expect(served).toBe(rounds);
    // Ten a second, and there may be one more at either end.
    expect(reports).toBeLessThanOrEqual(rounds * 17);
    expect(heapUsedBytes).toBeLessThan(1 << 20);
    user.close();
    await peer.net.pass(20_000);
    expect(skbsOut()).toBe(0);
  },
);

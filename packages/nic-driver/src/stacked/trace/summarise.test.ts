import { ETHERTYPE, IP_PROTOCOL } from '@softnet/contract';
import type { Ipv4Packet, Ipv6Packet, VlanTag } from '@softnet/wire';
import {
  echoRest,
  emitEthernet,
  emitIcmpv4,
  emitIcmpv6,
  emitIpv4Packet,
  emitIpv6Packet,
  emitTcp,
  emitUdp,
  ICMPV4_TYPE,
  ICMPV6_TYPE,
  IPV6_EXTENSION,
  parseIpv6,
  TCP_FLAG,
} from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { summarise } from './summarise.ts';

const DST = '02:00:00:00:00:02';
const SRC = '02:00:00:00:00:01';
const NONE = new Uint8Array(0);

const ether = (type: number, payload: Uint8Array, tags: readonly VlanTag[] = []): Uint8Array =>
  emitEthernet({ dst: DST, src: SRC, tags, type, payload });

const ip4 = (protocol: number, payload: Uint8Array, more: Partial<Ipv4Packet> = {}): Uint8Array =>
  emitIpv4Packet({
    tos: 0,
    id: 77,
    dontFragment: false,
    moreFragments: false,
    fragmentOffsetBytes: 0,
    ttl: 64,
    src: '10.0.0.1',
    dst: '10.0.0.2',
    options: [],
    protocol,
    payload,
    ...more,
  });

const ip6 = (protocol: number, payload: Uint8Array, headers: Ipv6Packet['headers'] = []): Uint8Array =>
  emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit: 64, src: 'fd00::1', dst: 'fd00::2', headers, protocol, payload });

const udp = (lenBytes: number): Uint8Array => emitUdp({ srcPort: 4711, dstPort: 7, checksum: 0, payload: new Uint8Array(lenBytes) });
const tcp = (flags: number, lenBytes: number): Uint8Array =>
  emitTcp({
    srcPort: 80,
    dstPort: 50000,
    seq: 4_000_000_000,
    ack: 17,
    flags,
    window: 65535,
    checksum: 0,
    urgentPointer: 0,
    options: [],
    payload: new Uint8Array(lenBytes),
  });

const arp = (operation: number): Uint8Array =>
  Uint8Array.of(0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2);

const solicitation = (): Uint8Array => {
  const payload = new Uint8Array(16);
  parseIpv6('fd00::2')!.forEach((word, i) => {
    new DataView(payload.buffer).setInt32(4 * i, word);
  });
  return emitIcmpv6({ type: ICMPV6_TYPE.NEIGHBOR_SOLICITATION, code: 0, rest: 0, payload }, 0);
};

function said(bytes: Uint8Array, heldBytes = bytes.length, hasLinkHeader = true): string {
  return summarise(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, heldBytes, bytes.length, hasLinkHeader);
}

describe('a frame in a line', () => {
  test.each([
    ['IP 10.0.0.1.4711 > 10.0.0.2.7: UDP, length 12', ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.UDP, udp(12)))],
    ['IP6 fd00::1.4711 > fd00::2.7: UDP, length 12', ether(ETHERTYPE.IPV6, ip6(IP_PROTOCOL.UDP, udp(12)))],
    [
      'IP 10.0.0.1.80 > 10.0.0.2.50000: Flags [S.], seq 4000000000, ack 17, win 65535, length 0',
      ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.TCP, tcp(TCP_FLAG.SYN | TCP_FLAG.ACK, 0))),
    ],
    [
      'IP6 fd00::1.80 > fd00::2.50000: Flags [P.], seq 4000000000, ack 17, win 65535, length 5',
      ether(ETHERTYPE.IPV6, ip6(IP_PROTOCOL.TCP, tcp(TCP_FLAG.PSH | TCP_FLAG.ACK, 5))),
    ],
    [
      'IP 10.0.0.1.80 > 10.0.0.2.50000: Flags [none], seq 4000000000, win 65535, length 0',
      ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.TCP, tcp(0, 0))),
    ],
    [
      'IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 5, seq 6, length 64',
      ether(
        ETHERTYPE.IPV4,
        ip4(IP_PROTOCOL.ICMP, emitIcmpv4({ type: ICMPV4_TYPE.ECHO, code: 0, rest: echoRest(5, 6), payload: new Uint8Array(56) })),
      ),
    ],
    [
      'IP 10.0.0.1 > 10.0.0.2: ICMP unreachable, code 3, length 8',
      ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.ICMP, emitIcmpv4({ type: 3, code: 3, rest: 0, payload: NONE }))),
    ],
    [
      'IP6 fd00::1 > fd00::2: ICMP6 echo reply, id 1, seq 2, length 8',
      ether(
        ETHERTYPE.IPV6,
        ip6(IP_PROTOCOL.ICMPV6, emitIcmpv6({ type: ICMPV6_TYPE.ECHO_REPLY, code: 0, rest: echoRest(1, 2), payload: NONE }, 0)),
      ),
    ],
    [
      'IP6 fd00::1 > fd00::2: ICMP6 neighbour solicitation, target fd00::2, length 24',
      ether(ETHERTYPE.IPV6, ip6(IP_PROTOCOL.ICMPV6, solicitation())),
    ],
    ['IP 10.0.0.1 > 10.0.0.2: protocol 47, length 3', ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.GRE, new Uint8Array(3)))],
    [
      'IP 10.0.0.1.4711 > 10.0.0.2.7: UDP, length 16 (frag 77:24@0+)',
      ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.UDP, udp(16), { moreFragments: true })),
    ],
    [
      'IP 10.0.0.1 > 10.0.0.2: protocol 17 (frag 77:8@1480)',
      ether(ETHERTYPE.IPV4, ip4(17, new Uint8Array(8), { fragmentOffsetBytes: 1480 })),
    ],
    ['ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28', ether(ETHERTYPE.ARP, arp(1))],
    [`ARP, Reply 10.0.0.1 is-at ${SRC}, length 28`, ether(ETHERTYPE.ARP, arp(2))],
    [`${SRC} > ${DST}, ethertype 0x88b5, length 60`, ether(0x88b5, new Uint8Array(46))],
    [
      'vlan 100, p 3, IP 10.0.0.1.4711 > 10.0.0.2.7: UDP, length 0',
      ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.UDP, udp(0)), [{ tpid: ETHERTYPE.VLAN, priority: 3, dropEligible: false, id: 100 }]),
    ],
  ] as const)('%s', (line, frame) => {
    expect(said(frame)).toBe(line);
  });

  test('of extension headers it names all, and of a later fragment no ports', () => {
    const fragment = (offsetBytes: number): Uint8Array =>
      ether(
        ETHERTYPE.IPV6,
        ip6(IP_PROTOCOL.UDP, udp(16), [{ type: IPV6_EXTENSION.FRAGMENT, offsetBytes, more: offsetBytes === 0, id: 9 }]),
      );
    expect(said(fragment(0))).toBe('IP6 fd00::1.4711 > fd00::2.7: UDP, length 16 (frag 9:24@0+)');
    expect(said(fragment(1448))).toBe('IP6 fd00::1 > fd00::2: protocol 17 (frag 9:24@1448)');
    const options = ip6(IP_PROTOCOL.UDP, udp(16), [{ type: IPV6_EXTENSION.DESTINATION_OPTIONS, options: [] }]);
    expect(said(ether(ETHERTYPE.IPV6, options))).toBe('IP6 fd00::1.4711 > fd00::2.7: UDP, length 16 (destination-options)');
  });

  test('without a link header it begins with IP', () => {
    expect(said(ip4(IP_PROTOCOL.UDP, udp(1)), undefined, false)).toBe('IP 10.0.0.1.4711 > 10.0.0.2.7: UDP, length 1');
    expect(said(ip6(IP_PROTOCOL.UDP, udp(1)), undefined, false)).toBe('IP6 fd00::1.4711 > fd00::2.7: UDP, length 1');
    expect(said(Uint8Array.of(0x12), undefined, false)).toBe('no IP packet, length 1');
  });

  test('what is cut off or lies is said', () => {
    const frame = ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.UDP, udp(12)));
    expect(said(frame, 13)).toBe('[truncated], length 54');
    expect(said(frame, 20)).toBe('IP [truncated], length 40');
    expect(said(frame, 36)).toBe('IP 10.0.0.1 > 10.0.0.2: UDP [truncated], length 20');
    frame[17] = 41;
    expect(said(frame)).toBe('IP 10.0.0.1 > 10.0.0.2: lying lengths (header 20, total 41), length 40');
    frame[14] = 0x65;
    expect(said(frame)).toBe('IP of version 6, length 40');
    expect(said(ether(ETHERTYPE.ARP, arp(1)), 41)).toBe('ARP [truncated], length 28');
    const long = ether(ETHERTYPE.IPV6, ip6(IP_PROTOCOL.UDP, udp(12)));
    long[19]!++;
    expect(said(long)).toBe('IP6 fd00::1 > fd00::2: lying length (payload 21), length 60');
  });
});

const corpus = [
  ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.TCP, tcp(255, 5))),
  ether(ETHERTYPE.IPV6, ip6(IP_PROTOCOL.ICMPV6, solicitation())),
  ether(ETHERTYPE.IPV4, ip4(IP_PROTOCOL.ICMP, new Uint8Array(20))),
  ether(ETHERTYPE.ARP, arp(1)),
  ether(ETHERTYPE.IPV6, ip6(IP_PROTOCOL.UDP, udp(80), [{ type: IPV6_EXTENSION.DESTINATION_OPTIONS, options: [] }]), [
    { tpid: ETHERTYPE.QINQ, priority: 0, dropEligible: false, id: 5 },
  ]),
];

test('whatever the bytes are, and however many of them are there: one short line, nothing thrown, nothing read beyond them', () => {
  const change = fc.record({ at: fc.nat(120), value: fc.nat(255) });
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(corpus.length - 1), fc.array(change, { maxLength: 6 })).map(([base, changes]) => {
      const bytes = corpus[base]!.slice();
      for (const { at, value } of changes) bytes[at % bytes.length] = value;
      return bytes;
    }),
  );
  fc.assert(
    fc.property(garbage, fc.nat(320), fc.nat(70_000), fc.boolean(), (bytes, heldBytes, lenBytes, hasLinkHeader) => {
      const line = summarise(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, heldBytes, lenBytes, hasLinkHeader);
      expect(line.length).toBeGreaterThan(0);
      expect(line.length).toBeLessThan(400);
      expect(line).not.toMatch(/[\n\r]|undefined|NaN/);
      // Bytes that are not held do not matter.
      const held = Math.min(heldBytes, lenBytes, bytes.length);
      const other = bytes.map((byte, i) => (i < held ? byte : byte ^ 0xff));
      expect(summarise(new DataView(other.buffer), 0, heldBytes, lenBytes, hasLinkHeader)).toBe(line);
    }),
    { numRuns: 3000 },
  );
});

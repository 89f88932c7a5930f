import type { NetDevice, Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, ETHERTYPE, SkbPool, TRANSMIT } from '@softnet/contract';
import { TapModule } from '@softnet/nic-driver/node';
import { copyIn } from '@softnet/skb';
import {
  emitEthernet,
  emitIpv4Packet,
  emitIpv6Packet,
  emitTcp,
  emitUdp,
  formatMac,
  ipv4PseudoHeaderSum,
  ipv6PseudoHeaderSum,
  parseEthernet,
  parseIpv4Packet,
  parseIpv6Packet,
  parseTcp,
  parseUdp,
  TCP_FLAG,
  viewOf,
} from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from '../../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../../interop/linux/netns.ts';
import { FrameHost, until } from './frame-host.ts';
import { LinuxNetwork } from './linux-network.ts';

const { GSO_TCPV4, GSO_TCPV6, GSO_TCP_ECN, GSO_UDP } = DEVICE_FEATURE;
const { ACK, CWR, PSH } = TCP_FLAG;
const MAC = '02:00:00:00:00:99';
const SEQ = 0x7fff_ff00;
const UDP = 17;
const TCP = 6;

/** Bursts go into Linux by one tap; it routes them out by another, which takes none: so it cuts them, and finishes their checksums. */
describe.skipIf(skipAloud('bursts into Linux', netnsSkipReason()))('bursts by hand, into Linux and out again', () => {
  let linux: LinuxNetwork;
  let host: FrameHost;
  let into: NetDevice;
  let router: string;

  beforeAll(async () => {
    linux = new LinuxNetwork();
    host = await FrameHost.boot(TapModule);
    const names = [`${linux.tag}a`, `${linux.tag}b`] as const;
    into = await host.create('tap', 'tap0', { ifname: names[0] });
    const out = await host.create('tap', 'tap1', { ifname: names[1], vnetHeader: false });
    for (const [number, name] of names.entries()) linux.adopt(name, `10.89.${number}.1/24`, `fd89:${number}::1/64`);
    for (const setting of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']) linux.set(setting, 1);
    for (const address of ['10.89.1.2', 'fd89:1::2'])
      linux.ip('neigh', 'add', address, 'lladdr', formatMac(out.address, 0), 'dev', names[1]);
    router = linux.ip('link', 'show', names[0]).match(/ether ([0-9a-f:]{17})/)![1]!;
    for (const device of [into, out]) host.devices.open(device);
    await until('both have carrier', () => into.carrier && out.carrier);
  });
  afterAll(async () => {
    await host.kernel.shutdown();
    linux.close();
  });

  /** An Ethernet frame with this packet; its transport header's checksum field holds the pseudo-header's sum. */
  function frameOf(family: 4 | 6, protocol: number, payload: Uint8Array): { frame: Uint8Array; transport: number } {
    const v4 = { tos: 2, id: 0xfffe, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 9, options: [] };
    const v6 = { trafficClass: 2, flowLabel: 0, hopLimit: 9, headers: [] };
    const packet =
      family === 4
        ? emitIpv4Packet({ ...v4, protocol, src: '10.89.0.2', dst: '10.89.1.2', payload })
        : emitIpv6Packet({ ...v6, protocol, src: 'fd89::2', dst: 'fd89:1::2', payload });
    const type = family === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
    const frame = emitEthernet({ dst: router, src: MAC, tags: [], type, payload: packet });
    const transport = 14 + packet.length - payload.length;
    const sum = (family === 4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum)(viewOf(frame), 14, protocol, payload.length);
    viewOf(frame).setUint16(transport + (protocol === UDP ? 6 : 16), sum);
    return { frame, transport };
  }

  function burstOf(family: 4 | 6, protocol: number, payload: Uint8Array, gsoSize: number, gsoType: number): Skb {
    const { frame, transport } = frameOf(family, protocol, payload);
    const skb = host.kernel.port(SkbPool).current.alloc(64, Math.min(frame.length, 1900))!;
    copyIn(skb, frame);
    skb.mac = skb.data;
    skb.network = skb.data + 14;
    skb.transport = skb.data + transport;
    skb.protocol = family === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((skb.transport - skb.head) << 16) | (protocol === UDP ? 6 : 16);
    skb.gsoSize = gsoSize;
    skb.gsoSegs = gsoSize === 0 ? 0 : Math.ceil((payload.length - (protocol === UDP ? 8 : 20)) / gsoSize);
    skb.gsoType = gsoType;
    return skb;
  }

  /** What Linux makes of it: payloads of IP, whose headers are right. */
  async function cut(skb: Skb, family: 4 | 6, protocol: number, count: number): Promise<{ id: number; bytes: Uint8Array; sum: number }[]> {
    host.ethertype = skb.protocol;
    host.received.length = 0;
    const { txPackets } = into.stats;
    expect(host.traffic.transmit(into, skb)).toBe(TRANSMIT.OK);
    // Linux speaks of neighbours and groups besides.
    const ours = (): Uint8Array[] => host.received.filter((frame) => frame[family === 4 ? 23 : 20] === protocol);
    await until('all have come', () => ours().length >= count);
    expect([into.stats.txPackets - txPackets, ours().length]).toEqual([1, count]);
    return ours().map((frame) => {
      expect(frame.length).toBeLessThanOrEqual(1514);
      const { payload } = parseEthernet(frame, 0, frame.length) as Exclude<ReturnType<typeof parseEthernet>, string>;
      const packet = family === 4 ? parseIpv4Packet(payload, 0, payload.length) : parseIpv6Packet(payload, 0, payload.length);
      if (typeof packet === 'string') throw new Error(packet);
      expect('ttl' in packet ? packet.ttl : packet.hopLimit).toBe(8);
      const sum = (family === 4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum)(viewOf(payload), 0, protocol, packet.payload.length);
      return { id: 'id' in packet ? packet.id : 0, bytes: packet.payload, sum };
    });
  }

  const bytes = (lenBytes: number): Uint8Array => Uint8Array.from({ length: lenBytes }, (_, at) => (at * 31 + (at >> 8)) & 0xff);

  test.each([4, 6] as const)('a burst of UDP over IPv%i arrives as single datagrams', async (family) => {
    if ((into.features & GSO_UDP) === 0) return void skipAloud('bursts of UDP into Linux', 'this Linux is older than 6.2');
    const data = bytes(40 * 1400 + 7);
    const skb = burstOf(family, UDP, emitUdp({ srcPort: 7, dstPort: 9, checksum: 0, payload: data }), 1400, GSO_UDP);
    const parts = await cut(skb, family, UDP, 41);
    const datagrams = parts.map((part) => parseUdp(part.bytes, 0, part.bytes.length, part.sum));
    expect(datagrams.filter((datagram) => typeof datagram === 'string' || datagram.checksum === 0)).toEqual([]);
    expect(Buffer.compare(Buffer.concat(datagrams.map((each) => (each as { payload: Uint8Array }).payload)), data)).toBe(0);
    expect(datagrams.map((each) => (each as { payload: Uint8Array }).payload.length)).toEqual([...new Array(40).fill(1400), 7]);
  });

  test.each([
    [4, GSO_TCPV4],
    [6, GSO_TCPV6],
  ] as const)('a burst of TCP over IPv%i arrives as segments, CWR on the first only', async (family, gsoType) => {
    const data = bytes(10 * 1400 + 1);
    const segment = {
      srcPort: 7,
      dstPort: 9,
      seq: SEQ,
      ack: 5,
      flags: ACK | PSH | CWR,
      window: 77,
      checksum: 0,
      urgentPointer: 0,
      options: [],
    };
    const skb = burstOf(family, TCP, emitTcp({ ...segment, payload: data }), 1400, gsoType | GSO_TCP_ECN);
    const parts = await cut(skb, family, TCP, 11);
    const segments = parts.map((part) => parseTcp(part.bytes, 0, part.bytes.length, part.sum));
    const seen = segments.map((each) => (typeof each === 'string' ? each : [each.seq | 0, each.flags, each.payload.length]));
    const flags = (number: number): number => ACK | (number === 0 ? CWR : 0) | (number === 10 ? PSH : 0);
    expect(seen).toEqual(Array.from({ length: 11 }, (_, number) => [(SEQ + number * 1400) | 0, flags(number), number === 10 ? 1 : 1400]));
    expect(Buffer.compare(Buffer.concat(segments.map((each) => (each as { payload: Uint8Array }).payload)), data)).toBe(0);
    if (family === 4) expect(parts.map(({ id }) => id)).toEqual(Array.from({ length: 11 }, (_, number) => (0xfffe + number) & 0xffff));
  });

  test.each([4, 6] as const)('a single datagram over IPv%i has its checksum finished', async (family) => {
    const payload = emitUdp({ srcPort: 7, dstPort: 9, checksum: 0, payload: bytes(1333) });
    const [part] = await cut(burstOf(family, UDP, payload, 0, 0), family, UDP, 1);
    expect(parseUdp(part!.bytes, 0, part!.bytes.length, part!.sum)).toMatchObject({ srcPort: 7, dstPort: 9, payload: bytes(1333) });
  });

  test('what Linux does not take is refused with a reason, and nothing is leaked', async () => {
    const payload = emitUdp({ srcPort: 7, dstPort: 9, checksum: 0, payload: bytes(3000) });
    host.send(into, new Uint8Array(10));
    const odd = burstOf(4, UDP, payload, 1000, GSO_UDP);
    odd.checksum = CHECKSUM.NONE;
    host.traffic.transmit(into, odd);
    expect([host.drops('tap.refused'), into.stats.txErrors, host.skbsOut]).toEqual([2, 2, 0]);
  });
});

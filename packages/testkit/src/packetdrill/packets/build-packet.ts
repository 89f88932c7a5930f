import { IP_PROTOCOL } from '@softnet/contract';
import type { HeaderOption } from '@softnet/wire';
import { emitIcmpv4, emitIcmpv6, emitIpv4Packet, emitIpv6Packet, emitTcp, emitUdp } from '@softnet/wire';
import { icmpCodeNumber, icmpTypeNumber } from '../language/icmp-words.ts';
import type { IcmpSpec, PacketSpec, QuotedSpec, TcpOptionSpec, TcpSpec, UpperSpec } from '../language/packet-spec.ts';
import { FLAG_BITS } from '../language/packet-spec.ts';
import { putOuter } from './encapsulation.ts';
import type { Flow } from './flow.ts';
import { pseudoSum } from './read-packet.ts';
import { bytesOfOption } from './tcp-option-bytes.ts';

/** ECN's two bits (RFC 3168 §5). */
export const ECN_BITS = Object.freeze({ noecn: 0, ect1: 1, ect0: 2, ce: 3, ect01: 2 } as const);
const TTL = 255;

/** The bytes that a script's packet is on the wire, from its remote end to the kernel under test. */
export function buildPacket(spec: PacketSpec, flow: Flow, version: 4 | 6): Uint8Array {
  const { upper, ip } = spec;
  const { protocol, payload } = buildUpper(upper, flow, version);
  const tos = (ip.tos ?? 0) | (ip.ecn === null ? 0 : ECN_BITS[ip.ecn]);
  const inner = buildIp(
    { version, src: flow.remoteAddress, dst: flow.localAddress, tos, ttl: ip.ttl ?? TTL, flowLabel: ip.flowLabel ?? 0 },
    protocol,
    payload,
  );
  return putOuter(spec.outer, inner);
}

interface IpFields {
  readonly version: 4 | 6;
  readonly src: string;
  readonly dst: string;
  readonly tos: number;
  readonly ttl: number;
  readonly flowLabel: number;
}

function buildIp({ version, src, dst, tos, ttl, flowLabel }: IpFields, protocol: number, payload: Uint8Array): Uint8Array {
  if (version === 6) return emitIpv6Packet({ trafficClass: tos, flowLabel, hopLimit: ttl, src, dst, headers: [], protocol, payload });
  const fixed = { id: 0, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, options: [] };
  return emitIpv4Packet({ ...fixed, tos, ttl, protocol, src, dst, payload });
}

function buildUpper(upper: UpperSpec, flow: Flow, version: 4 | 6): { protocol: number; payload: Uint8Array } {
  const { remoteAddress: src, localAddress: dst } = flow;
  if (upper.kind === 'icmp') {
    const message = buildIcmp(upper, flow, version);
    const protocol = upper.version === 4 ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6;
    if (upper.version === 4) return { protocol, payload: emitIcmpv4(message) };
    return { protocol, payload: emitIcmpv6(message, pseudoSum(src, dst, protocol, 8 + message.payload.length)) };
  }
  const srcPort = upper.ports?.src ?? flow.remotePort;
  const dstPort = upper.ports?.dst ?? flow.localPort;
  if (upper.kind === 'udp') {
    const sum = pseudoSum(src, dst, IP_PROTOCOL.UDP, 8 + upper.lenBytes);
    return { protocol: IP_PROTOCOL.UDP, payload: emitUdp({ srcPort, dstPort, checksum: 0, payload: pattern(upper.lenBytes) }, sum) };
  }
  const { window, urgent, lenBytes } = upper;
  const options = (upper.options ?? []).map((option) => bytesOfOption(ontoWire(option, flow)));
  const segment = {
    srcPort,
    dstPort,
    seq: (upper.seq + flow.remoteBase) >>> 0,
    ack: upper.ack === null ? 0 : (upper.ack + (flow.localBase ?? 0)) >>> 0,
    flags: flagBits(upper),
    window: window ?? 0,
    checksum: 0,
    urgentPointer: urgent ?? 0,
    options: options.filter((option): option is HeaderOption => option !== null),
    payload: pattern(lenBytes),
  };
  const headerBytes = emitTcp({ ...segment, payload: new Uint8Array(0) }).length;
  return { protocol: IP_PROTOCOL.TCP, payload: emitTcp(segment, pseudoSum(src, dst, IP_PROTOCOL.TCP, headerBytes + lenBytes)) };
}

/** AccECN's counter takes the places of AE, CWR and ECE, most significant first (RFC 9768 §3.1). */
export function flagBits({ flags, ace }: TcpSpec): number {
  const counter = ace === null ? 0 : ((ace & 4) << 6) | ((ace & 2) << 6) | ((ace & 1) << 6);
  return [...flags].reduce((bits, flag) => bits | FLAG_BITS.get(flag)!, counter);
}

/** What the script says of the kernel's numbers, as they are on the wire. */
function ontoWire(option: TcpOptionSpec, flow: Flow): TcpOptionSpec {
  const base = flow.localBase ?? 0;
  if (option.kind === 'sack')
    return { ...option, blocks: option.blocks.map(([left, right]) => [(left + base) >>> 0, (right + base) >>> 0] as const) };
  if (option.kind !== 'TS' || option.echo === 0 || flow.stampBase === null) return option;
  return { ...option, echo: (option.echo + flow.stampBase) >>> 0 };
}

function buildIcmp(spec: IcmpSpec, flow: Flow, version: 4 | 6) {
  const type = icmpTypeNumber(spec.version, spec.type)!;
  const code = icmpCodeNumber(spec.version, spec.type, spec.code)!;
  const isEcho = type === 8 || type === 0 || type >= 128;
  const rest = isEcho ? ((spec.id ?? flow.echoId) << 16) | (spec.seq ?? 0) : (spec.mtu ?? 0);
  if (isEcho) return { type, code, rest, payload: pattern(spec.lenBytes ?? 0) };
  return { type, code, rest, payload: quoteOf(spec.quoted, flow, version) };
}

/** The packet that an error is about: as the script says, or the last that the kernel sent. */
function quoteOf(quoted: QuotedSpec | null, flow: Flow, version: 4 | 6): Uint8Array {
  if (quoted === null && flow.lastSent !== null) return flow.lastSent.slice(0, 1232);
  const { localAddress: src, remoteAddress: dst, localPort: srcPort, remotePort: dstPort } = flow;
  const fields = { version, src, dst, tos: 0, ttl: 64, flowLabel: 0 };
  if (quoted?.protocol === 'tcp') {
    const seq = (quoted.seq + (flow.localBase ?? 0)) >>> 0;
    const bare = { ack: 0, flags: 0x10, window: 0, checksum: 0, urgentPointer: 0, options: [] };
    return buildIp(fields, IP_PROTOCOL.TCP, emitTcp({ ...bare, srcPort, dstPort, seq, payload: pattern(quoted.lenBytes) })).slice(0, 1232);
  }
  const payload = pattern(quoted?.lenBytes ?? 0);
  const sum = pseudoSum(src, dst, IP_PROTOCOL.UDP, 8 + payload.length);
  return buildIp(fields, IP_PROTOCOL.UDP, emitUdp({ srcPort, dstPort, checksum: 0, payload }, sum)).slice(0, 1232);
}

/** Bytes that differ by their place. */
export function pattern(lenBytes: number): Uint8Array {
  return Uint8Array.from({ length: lenBytes }, (_, i) => i & 0xff);
}

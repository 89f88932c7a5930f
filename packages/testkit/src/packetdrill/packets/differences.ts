import { IP_PROTOCOL } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { icmpCodeNumber, icmpTypeNumber } from '../language/icmp-words.ts';
import type { IcmpSpec, PacketSpec, TcpSpec, UdpSpec } from '../language/packet-spec.ts';
import { ECN_BITS, flagBits } from './build-packet.ts';
import type { Flow } from './flow.ts';
import type { LivePacket, LiveUpper } from './live-packet.ts';
import { tcpOptionDifferences } from './tcp-options-differ.ts';

/** What is compared with what: a script's packet, and how far stamps may be off. */
export interface Expectation {
  readonly spec: PacketSpec;
  readonly flow: Flow;
  readonly version: 4 | 6;
  readonly toleranceUs: number;
}

/** In what a packet that was sent differs from what the script says; empty: in nothing. */
export function differences(live: LivePacket, { spec, flow, version, toleranceUs }: Expectation): string[] {
  const said: string[] = [];
  const check = (name: string, actual: number | string, expected: number | string | null): void => {
    if (expected !== null && actual !== expected) said.push(`${name} is ${actual}, not ${expected}`);
  };
  check('the IP version', live.version, version);
  check('the outer headers', JSON.stringify(live.outer), JSON.stringify(spec.outer));
  check('the source', live.src, flow.localAddress);
  check('the destination', live.dst, flow.remoteAddress);
  const { ecn, tos, ttl, flowLabel, frags } = spec.ip;
  check(
    'the type of service',
    tos !== null && ecn === null ? live.tos : live.tos & ~3,
    tos === null ? null : ecn === null ? tos : tos & ~3,
  );
  if (ecn === 'ect01') check('ECN', (live.tos & 3) === 1 || (live.tos & 3) === 2 ? 'ECT' : live.tos & 3, 'ECT');
  else check('ECN', live.tos & 3, ecn === null ? null : ECN_BITS[ecn]);
  check('the TTL', live.ttl, ttl);
  check('the flow label', live.flowLabel, flowLabel);
  check('the number of fragments', live.frags, frags);
  const { upper } = live;
  if (upper.kind === 'other') return [...said, upper.what];
  if (upper.kind !== spec.upper.kind) return [...said, `it is ${upper.kind}, not ${spec.upper.kind}`];
  if (upper.kind === 'udp') checkUdp(upper, spec.upper as UdpSpec, flow, version, check);
  if (upper.kind === 'tcp') checkTcp(upper, spec.upper as TcpSpec, flow, toleranceUs, check, said);
  if (upper.kind === 'icmp') checkIcmp(upper, spec.upper as IcmpSpec, flow, live, check);
  return said;
}

type Check = (name: string, actual: number | string, expected: number | string | null) => void;
type Live<K extends LiveUpper['kind']> = Extract<LiveUpper, { kind: K }>;

function checkUdp(live: Live<'udp'>, spec: UdpSpec, flow: Flow, version: 4 | 6, check: Check): void {
  check('the source port', live.srcPort, spec.ports?.src ?? (flow.localPort || null));
  check('the destination port', live.dstPort, spec.ports?.dst ?? (flow.remotePort || null));
  check('its length', live.lenBytes, spec.lenBytes);
  if (version === 6 && live.checksum === 0) check('the checksum', 'none', 'one');
}

function checkTcp(live: Live<'tcp'>, spec: TcpSpec, flow: Flow, toleranceUs: number, check: Check, said: string[]): void {
  check('the source port', live.srcPort, spec.ports?.src ?? (flow.localPort || null));
  check('the destination port', live.dstPort, spec.ports?.dst ?? (flow.remotePort || null));
  check('the flags', flagText(live.flags), flagText(flagBits(spec)));
  check('the sequence number', (live.seq - (flow.localBase ?? 0)) >>> 0, spec.seq);
  check('its length', live.payload.length, spec.lenBytes);
  if ((live.flags & TCP_FLAG.ACK) !== 0) check('the acknowledgment', (live.ack - flow.remoteBase) >>> 0, spec.ack);
  else check('the acknowledgment', live.ack === 0 ? 'none' : live.ack, spec.ack);
  check('the window', live.window, spec.window);
  check('the urgent pointer', live.urgentPointer, spec.urgent ?? ((live.flags & TCP_FLAG.URG) !== 0 ? null : 0));
  if (spec.options !== null) said.push(...tcpOptionDifferences(live.options, spec.options, flow, toleranceUs));
}

function flagText(bits: number): string {
  const letters = Object.entries(TCP_FLAG).filter(([, bit]) => (bits & bit) !== 0);
  return letters.map(([name]) => name).join('|') || 'none';
}

function checkIcmp(live: Live<'icmp'>, spec: IcmpSpec, flow: Flow, packet: LivePacket, check: Check): void {
  check('the ICMP version', packet.protocol === IP_PROTOCOL.ICMP ? 4 : 6, spec.version);
  check('the type', live.type, icmpTypeNumber(spec.version, spec.type));
  check('the code', live.code, icmpCodeNumber(spec.version, spec.type, spec.code));
  check('the MTU', live.rest >>> 0, spec.mtu);
  check('the identifier', live.rest >>> 16, spec.id);
  check('the sequence number', live.rest & 0xffff, spec.seq);
  check('its length', live.payload.length, spec.lenBytes);
  if (live.type === 0 || live.type === 129) {
    const isSame = live.payload.every((byte, i) => byte === (i & 0xff));
    check('the echoed data', isSame ? 'the same' : 'other bytes', 'the same');
  }
  if (spec.quoted !== null) checkQuote(live.payload, spec, flow, check);
}

/** The quote is of a packet that the script has sent, as much as fits. */
function checkQuote(payload: Uint8Array, { quoted, version }: IcmpSpec, flow: Flow, check: Check): void {
  const headerBytes = version === 4 ? 20 : 40;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (payload.length < headerBytes + 8) {
    check('the quote', `${payload.length} bytes`, `${headerBytes + 8} or more`);
    return;
  }
  const protocol = version === 4 ? payload[9]! : payload[6]!;
  check('the quoted protocol', protocol, quoted!.protocol === 'udp' ? IP_PROTOCOL.UDP : IP_PROTOCOL.TCP);
  check('the quoted source port', view.getUint16(headerBytes), flow.remotePort || null);
  check('the quoted destination port', view.getUint16(headerBytes + 2), flow.localPort || null);
  if (quoted!.protocol === 'udp') check('the quoted length', view.getUint16(headerBytes + 4) - 8, quoted!.lenBytes);
  else check('the quoted sequence number', view.getUint32(headerBytes + 4), quoted!.seq);
}

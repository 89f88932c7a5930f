import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';
import {
  dstPort,
  formatAddress,
  ICMP_HEADER_BYTES,
  ICMPV4_TYPE,
  ICMPV6_TYPE,
  icmpCode,
  icmpEchoId,
  icmpEchoSequence,
  icmpType,
  PORTS_BYTES,
  readAddress,
  srcPort,
  TCP_FLAG,
  TCP_HEADER_BYTES,
  tcpAck,
  tcpFlags,
  tcpHeaderBytes,
  tcpSeq,
  tcpWindow,
  UDP_HEADER_BYTES,
} from '@softnet/wire';

/** What stands behind the IP headers: from `at` on, held up to `end`, of `lenBytes`. */
export interface UpperPart {
  readonly protocol: number;
  readonly at: number;
  readonly end: number;
  readonly lenBytes: number;
}

/** `10.0.0.1.4711 > 10.0.0.2.7: UDP, length 12`. */
export function summariseUpper(view: DataView, upper: UpperPart, from: string, to: string, isV6 = false): string {
  const { protocol, at, end, lenBytes } = upper;
  const between = `${from} > ${to}: `;
  if (protocol === IP_PROTOCOL.ICMP && !isV6) return between + summariseIcmp(view, upper, ICMP4);
  if (protocol === IP_PROTOCOL.ICMPV6 && isV6) return between + summariseIcmp(view, upper, ICMP6);
  const name = WITH_PORTS.get(protocol);
  if (name === undefined) return `${between}protocol ${protocol}, length ${lenBytes}`;
  if (end - at < PORTS_BYTES) return `${between}${name} [truncated], length ${lenBytes}`;
  const ends = `${from}.${srcPort(view, at)} > ${to}.${dstPort(view, at)}: `;
  if (protocol === IP_PROTOCOL.TCP) return ends + summariseTcp(view, upper);
  const dataBytes = protocol === IP_PROTOCOL.UDP || protocol === IP_PROTOCOL.UDPLITE ? lenBytes - UDP_HEADER_BYTES : lenBytes;
  return `${ends}${name}, length ${Math.max(0, dataBytes)}`;
}

/** Protocols that begin with their ports. */
const WITH_PORTS: ReadonlyMap<number, string> = new Map([
  [IP_PROTOCOL.UDP, 'UDP'],
  [IP_PROTOCOL.TCP, 'TCP'],
  [IP_PROTOCOL.UDPLITE, 'UDP-Lite'],
  [IP_PROTOCOL.DCCP, 'DCCP'],
  [IP_PROTOCOL.SCTP, 'SCTP'],
]);

/** In tcpdump's letters and order. */
const FLAGS = Object.freeze([
  ['F', TCP_FLAG.FIN],
  ['S', TCP_FLAG.SYN],
  ['R', TCP_FLAG.RST],
  ['P', TCP_FLAG.PSH],
  ['.', TCP_FLAG.ACK],
  ['U', TCP_FLAG.URG],
  ['E', TCP_FLAG.ECE],
  ['W', TCP_FLAG.CWR],
] as const);

function summariseTcp(view: DataView, { at, end, lenBytes }: UpperPart): string {
  if (end - at < TCP_HEADER_BYTES) return `TCP [truncated], length ${lenBytes}`;
  const headerBytes = tcpHeaderBytes(view, at);
  if (headerBytes < TCP_HEADER_BYTES || headerBytes > lenBytes) return `TCP, lying header length ${headerBytes}, length ${lenBytes}`;
  const bits = tcpFlags(view, at);
  const letters = FLAGS.map(([letter, bit]) => ((bits & bit) === 0 ? '' : letter)).join('');
  const ack = (bits & TCP_FLAG.ACK) === 0 ? '' : `, ack ${tcpAck(view, at) >>> 0}`;
  const dataBytes = lenBytes - headerBytes;
  return `Flags [${letters || 'none'}], seq ${tcpSeq(view, at) >>> 0}${ack}, win ${tcpWindow(view, at)}, length ${dataBytes}`;
}

/** One version of ICMP: names of its types, and which of them have an identifier, or a target behind the first 8 bytes. */
interface IcmpWords {
  readonly title: string;
  readonly types: ReadonlyMap<number, string>;
  readonly echo: readonly number[];
  readonly targeted: readonly number[];
}

const ICMP4_TYPES: ReadonlyMap<number, string> = new Map([
  [ICMPV4_TYPE.ECHO_REPLY, 'echo reply'],
  [ICMPV4_TYPE.DESTINATION_UNREACHABLE, 'unreachable'],
  [ICMPV4_TYPE.REDIRECT, 'redirect'],
  [ICMPV4_TYPE.ROUTER_ADVERTISEMENT, 'router advertisement'],
  [ICMPV4_TYPE.ROUTER_SOLICITATION, 'router solicitation'],
  [ICMPV4_TYPE.ECHO, 'echo request'],
  [ICMPV4_TYPE.TIME_EXCEEDED, 'time exceeded'],
  [ICMPV4_TYPE.PARAMETER_PROBLEM, 'parameter problem'],
]);

const ICMP4: IcmpWords = Object.freeze({
  title: 'ICMP',
  types: ICMP4_TYPES,
  echo: [ICMPV4_TYPE.ECHO_REPLY, ICMPV4_TYPE.ECHO],
  targeted: [],
} as const);

const ICMP6_TYPES: ReadonlyMap<number, string> = new Map([
  [ICMPV6_TYPE.DESTINATION_UNREACHABLE, 'unreachable'],
  [ICMPV6_TYPE.PACKET_TOO_BIG, 'packet too big'],
  [ICMPV6_TYPE.TIME_EXCEEDED, 'time exceeded'],
  [ICMPV6_TYPE.PARAMETER_PROBLEM, 'parameter problem'],
  [ICMPV6_TYPE.ECHO_REQUEST, 'echo request'],
  [ICMPV6_TYPE.ECHO_REPLY, 'echo reply'],
  [ICMPV6_TYPE.MLD_QUERY, 'multicast listener query'],
  [ICMPV6_TYPE.MLD_REPORT, 'multicast listener report'],
  [ICMPV6_TYPE.MLD_DONE, 'multicast listener done'],
  [ICMPV6_TYPE.MLD2_REPORT, 'multicast listener report v2'],
  [ICMPV6_TYPE.REDIRECT, 'redirect'],
  [ICMPV6_TYPE.ROUTER_SOLICITATION, 'router solicitation'],
  [ICMPV6_TYPE.ROUTER_ADVERTISEMENT, 'router advertisement'],
  [ICMPV6_TYPE.NEIGHBOR_SOLICITATION, 'neighbour solicitation'],
  [ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT, 'neighbour advertisement'],
]);

const ICMP6: IcmpWords = Object.freeze({
  title: 'ICMP6',
  types: ICMP6_TYPES,
  echo: [ICMPV6_TYPE.ECHO_REQUEST, ICMPV6_TYPE.ECHO_REPLY],
  targeted: [ICMPV6_TYPE.NEIGHBOR_SOLICITATION, ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT],
} as const);

const TARGET_BYTES = 16;

function summariseIcmp(view: DataView, { at, end, lenBytes }: UpperPart, words: IcmpWords): string {
  const { title, types, echo, targeted } = words;
  if (end - at < ICMP_HEADER_BYTES) return `${title} [truncated], length ${lenBytes}`;
  const type = icmpType(view, at);
  const name = types.get(type) ?? `type ${type}`;
  if (echo.includes(type)) return `${title} ${name}, id ${icmpEchoId(view, at)}, seq ${icmpEchoSequence(view, at)}, length ${lenBytes}`;
  const code = icmpCode(view, at);
  const target = targeted.includes(type) && end - at >= ICMP_HEADER_BYTES + TARGET_BYTES ? `, target ${targetOf(view, at)}` : '';
  return `${title} ${name}${code === 0 ? '' : `, code ${code}`}${target}, length ${lenBytes}`;
}

function targetOf(view: DataView, at: number): string {
  return formatAddress(ADDRESS_FAMILY.INET6, ...readAddress(view, at + ICMP_HEADER_BYTES, ADDRESS_FAMILY.INET6));
}

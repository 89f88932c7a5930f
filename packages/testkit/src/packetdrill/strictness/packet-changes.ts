import { icmpCodeNumber, icmpTypeNumber } from '../language/icmp-words.ts';
import type { IcmpSpec, IpSpec, PacketSpec, PortsSpec, TcpOptionSpec, TcpSpec, UpperSpec } from '../language/packet-spec.ts';
import { ECN_NAMES, FLAG_BITS } from '../language/packet-spec.ts';
import { printOption } from '../language/print-packet.ts';
import type { Change } from './mutant.ts';
import { oneMore, within } from './mutant.ts';

/** A packet with one field changed, for each that it says. */
export function packetChanges(packet: PacketSpec): Change<PacketSpec>[] {
  return [
    ...within(ipChanges(packet.ip), (ip) => ({ ...packet, ip })),
    ...within(upperChanges(packet.upper), (upper) => ({ ...packet, upper })),
  ];
}

function ipChanges(ip: IpSpec): Change<IpSpec>[] {
  const ecn = ip.ecn === null ? [] : [{ what: `ECN ${ip.ecn}`, value: { ...ip, ecn: ECN_NAMES[(ECN_NAMES.indexOf(ip.ecn) + 1) % 4]! } }];
  const tos = ip.tos === null ? [] : [{ what: 'the type of service', value: { ...ip, tos: ip.tos ^ 4 } }];
  return [
    ...ecn,
    ...tos,
    ...within(oneMore('the TTL', ip.ttl, 255), (ttl) => ({ ...ip, ttl })),
    ...within(oneMore('the flow label', ip.flowLabel, 0xfffff), (flowLabel) => ({ ...ip, flowLabel })),
    ...within(oneMore('the fragments', ip.frags, 255), (frags) => ({ ...ip, frags })),
  ];
}

function portsChanges(ports: PortsSpec | null): Change<PortsSpec>[] {
  if (ports === null) return [];
  return [
    ...within(oneMore('the source port', ports.src, 0xffff), (src) => ({ ...ports, src })),
    ...within(oneMore('the destination port', ports.dst, 0xffff), (dst) => ({ ...ports, dst })),
  ];
}

function upperChanges(upper: UpperSpec): Change<UpperSpec>[] {
  if (upper.kind === 'icmp') return icmpChanges(upper);
  const ports = within(portsChanges(upper.ports), (value) => ({ ...upper, ports: value }));
  if (upper.kind === 'tcp') return [...ports, ...tcpChanges(upper)];
  return [...ports, ...within(oneMore('the length', upper.lenBytes, 60_000), (lenBytes) => ({ ...upper, lenBytes }))];
}

function icmpChanges(icmp: IcmpSpec): Change<UpperSpec>[] {
  const type = icmpTypeNumber(icmp.version, icmp.type)!;
  const code = icmpCodeNumber(icmp.version, icmp.type, icmp.code)!;
  const quoted = icmp.quoted;
  return [
    { what: `the type ${type} → ${type + 1}`, value: { ...icmp, type: type + 1, code } },
    { what: `the code ${code} → ${code + 1}`, value: { ...icmp, type, code: code + 1 } },
    ...within(oneMore('the MTU', icmp.mtu), (mtu) => ({ ...icmp, mtu })),
    ...within(oneMore('the identifier', icmp.id, 0xffff), (id) => ({ ...icmp, id })),
    ...within(oneMore('the sequence number', icmp.seq, 0xffff), (seq) => ({ ...icmp, seq })),
    ...within(oneMore('the length', icmp.lenBytes, 60_000), (lenBytes) => ({ ...icmp, lenBytes })),
    ...(quoted === null
      ? []
      : within(oneMore('the quoted length', quoted.lenBytes, 60_000), (lenBytes) => ({
          ...icmp,
          quoted: quoted.protocol === 'udp' ? { ...quoted, lenBytes } : { ...quoted, lenBytes, end: (quoted.seq + lenBytes) >>> 0 },
        }))),
  ];
}

function tcpChanges(tcp: TcpSpec): Change<UpperSpec>[] {
  const flags = [...FLAG_BITS.keys()].filter((flag) => tcp.ace === null || !'EWA'.includes(flag));
  const toggled = flags.map((flag): Change<UpperSpec> => {
    const letters = tcp.flags.includes(flag)
      ? tcp.flags.replace(flag, '')
      : flags.filter((each) => each === flag || tcp.flags.includes(each)).join('');
    return { what: `the flag ${flag}`, value: { ...tcp, flags: letters } };
  });
  const moved = (seq: number, lenBytes: number) => ({ ...tcp, seq, lenBytes, end: (seq + lenBytes) >>> 0 });
  return [
    ...toggled,
    { what: 'the sequence number', value: moved((tcp.seq + 1) >>> 0, tcp.lenBytes) },
    { what: 'the length', value: moved(tcp.seq, tcp.lenBytes + 1) },
    ...within(oneMore('the acknowledgment', tcp.ack), (ack) => ({ ...tcp, ack })),
    ...within(oneMore('the window', tcp.window, 0xffff), (window) => ({ ...tcp, window })),
    ...within(oneMore('the urgent pointer', tcp.urgent, 0xffff), (urgent) => ({ ...tcp, urgent })),
    ...optionChanges(tcp.options ?? []).map(({ what, value }) => ({ what, value: { ...tcp, options: value } })),
  ];
}

function optionChanges(options: readonly TcpOptionSpec[]): Change<readonly TcpOptionSpec[]>[] {
  return options.flatMap((option, index) => [
    { what: `without ${printOption(option)}`, value: options.toSpliced(index, 1) },
    ...within(numberChanges(option), (value) => options.with(index, value)),
  ]);
}

function numberChanges(option: TcpOptionSpec): Change<TcpOptionSpec>[] {
  switch (option.kind) {
    case 'mss':
    case 'wscale':
      return within(oneMore(option.kind, option.value, option.kind === 'mss' ? 0xffff : 0xff), (value) => ({ ...option, value }));
    case 'sack':
      return option.blocks.flatMap(([left, right], i) => [
        ...within(oneMore('a left edge', left), (value) => ({ ...option, blocks: option.blocks.with(i, [value, right]) })),
        ...within(oneMore('a right edge', right), (value) => ({ ...option, blocks: option.blocks.with(i, [left, value]) })),
      ]);
    case 'TS':
      return within(oneMore('the echoed stamp', option.echo), (echo) => ({ ...option, echo }));
    default:
      return [];
  }
}

import type { IcmpSpec, IpSpec, OuterHeader, PacketSpec, PortsSpec, TcpOptionSpec, TcpSpec, UpperSpec } from './packet-spec.ts';

/** A packet as text, with its direction. */
export function printPacket({ direction, outer, ip, upper }: PacketSpec): string {
  return [direction === 'in' ? '<' : '>', ...outer.map(printOuter), printIp(ip), printUpper(upper)].filter((part) => part !== '').join(' ');
}

function printOuter(header: OuterHeader): string {
  if (header.kind === 'gre') {
    const { flags, protocol, key } = header;
    return `gre flags 0x${flags.toString(16)}, proto 0x${protocol.toString(16)}${key === null ? '' : `, key 0x${key.toString(16)}`}:`;
  }
  if (header.kind !== 'mpls') return `${header.kind} ${header.src} > ${header.dst} :`;
  const labels = header.stack.map(({ label, tc, bottom, ttl }) => `(label ${label}, tc ${tc}, ${bottom ? '[S], ' : ''}ttl ${ttl})`);
  return `mpls ${labels.join(', ')}:`;
}

function printIp({ ecn, tos, ttl, flowLabel, frags }: IpSpec): string {
  const fields = [
    ecn ?? '',
    tos === null ? '' : `tos 0x${tos.toString(16)}`,
    ttl === null ? '' : `ttl ${ttl}`,
    flowLabel === null ? '' : `flowlabel 0x${flowLabel.toString(16)}`,
    frags === null ? '' : `frags ${frags}`,
  ].filter((field) => field !== '');
  return fields.length === 0 ? '' : `[${fields.join(', ')}]`;
}

function printUpper(upper: UpperSpec): string {
  if (upper.kind === 'udp') return `${printPorts(upper.ports)}udp (${upper.lenBytes})`;
  return upper.kind === 'icmp' ? printIcmp(upper) : printTcp(upper);
}

function printPorts(ports: PortsSpec | null): string {
  return ports === null ? '' : `${ports.src} > ${ports.dst} `;
}

function printTcp({ ports, flags, ace, seq, end, lenBytes, ack, window, urgent, options }: TcpSpec): string {
  const shown = `${ace ?? ''}${flags}` || '-';
  const fields = [
    ack === null ? '' : ` ack ${ack}`,
    window === null ? '' : ` win ${window}`,
    urgent === null ? '' : ` urg ${urgent}`,
    options === null ? ' <...>' : options.length === 0 ? '' : ` <${options.map(printOption).join(',')}>`,
  ];
  return `${printPorts(ports)}${shown} ${seq}:${end}(${lenBytes})${fields.join('')}`;
}

export function printOption(option: TcpOptionSpec): string {
  switch (option.kind) {
    case 'mss':
    case 'wscale':
      return `${option.kind} ${option.value}`;
    case 'sack':
      return `sack ${option.blocks.map(([left, right]) => `${left}:${right}`).join(' ')}`;
    case 'TS':
      return `TS val ${option.value} ecr ${option.echo}`;
    case 'FO':
    case 'FOEXP':
      return option.cookie === '' ? option.kind : `${option.kind} ${option.cookie}`;
    case 'md5':
      return `md5 ${option.digest}`;
    case 'ECN':
      return `ECN ${option.counters.map(([name, bytes]) => `${name} ${bytes}`).join(' ')}`;
    default:
      return option.kind;
  }
}

function printIcmp({ version, type, code, mtu, id, seq, lenBytes, quoted }: IcmpSpec): string {
  const fields = [
    code === null ? '' : ` ${code}`,
    mtu === null ? '' : ` mtu ${mtu}`,
    id === null ? '' : ` id ${id}`,
    seq === null ? '' : ` seq ${seq}`,
    quoted === null ? '' : quoted.protocol === 'udp' ? ` [udp (${quoted.lenBytes})]` : ` [${quoted.seq}:${quoted.end}(${quoted.lenBytes})]`,
    lenBytes === null ? '' : ` (${lenBytes})`,
  ];
  return `icmp${version === 6 ? 'v6' : ''} ${type}${fields.join('')}`;
}

import type { SockAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, IP_PROTOCOL, IPV4_WORD2 } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import type { PacketSpec, PortsSpec } from '../language/packet-spec.ts';
import { Flow } from '../packets/flow.ts';
import type { LivePacket } from '../packets/live-packet.ts';
import type { ScriptConfig } from './script-config.ts';

/** The first port of a remote end that no script names. */
const FIRST_REMOTE_PORT = 53_000;

/** The flows of a script: which one a packet without ports belongs to. */
export class FlowBook {
  readonly #config: ScriptConfig;
  readonly #all: Flow[] = [];
  readonly #byFd = new Map<number, Flow>();
  #current: Flow | null = null;
  #listening = 0;
  #nextPort = FIRST_REMOTE_PORT;

  constructor(config: ScriptConfig) {
    this.#config = config;
  }

  /** A socket has, or may have, other ends now. @param remote null: none. */
  touched(fd: number, protocol: number, local: SockAddress, remote: SockAddress | null): void {
    const known = this.#byFd.get(fd) ?? this.#between(protocol, local.port, remote?.port ?? 0);
    const flow = known ?? this.#make(protocol, local.port || this.#config.bindPort, 0);
    this.#byFd.set(fd, flow);
    const address = textOf(local);
    if (address !== null) flow.localAddress = address;
    flow.localPort = local.port;
    if (remote !== null) {
      flow.remoteAddress = textOf(remote) ?? flow.remoteAddress;
      flow.remotePort = remote.port;
    }
    this.#current = flow;
  }

  /** A socket listens: the next SYN begins a flow to it. */
  listens(localPort: number): void {
    this.#listening = localPort;
    this.#current = null;
  }

  closed(fd: number): void {
    this.#byFd.delete(fd);
  }

  /** The flow that a packet of the script belongs to. */
  of({ direction, upper }: PacketSpec): Flow {
    if (upper.kind === 'tcp' && upper.ports !== null) return this.#named(upper.ports, direction);
    const flow = this.#current;
    // A SYN of the number of the first begins another connection; of another number it is one in, or after, the same.
    const isSyn = upper.kind === 'tcp' && upper.flags.includes('S') && !upper.flags.includes('.') && direction === 'in';
    if (flow === null || (isSyn && flow.isUnderWay && flow.remoteIsn === upper.seq)) {
      const protocol = upper.kind === 'udp' ? IP_PROTOCOL.UDP : IP_PROTOCOL.TCP;
      this.#current = this.#make(protocol, this.#listening || flow?.localPort || this.#config.bindPort, this.#nextPort++);
    } else if (flow.remotePort === 0 && direction === 'in') flow.remotePort = this.#nextPort++;
    return this.#current!;
  }

  /** A segment that says its ports is of that flow, and what says none goes on with another. */
  #named({ src, dst }: PortsSpec, direction: PacketSpec['direction']): Flow {
    const [localPort, remotePort] = direction === 'in' ? [dst, src] : [src, dst];
    return this.#between(IP_PROTOCOL.TCP, localPort, remotePort) ?? this.#make(IP_PROTOCOL.TCP, localPort, remotePort);
  }

  /** The socket opens another connection: its numbers will be others. */
  opens(fd: number): void {
    const flow = this.#byFd.get(fd);
    if (flow !== undefined) flow.sawLocalSyn = false;
  }

  /** The flow whose ports a packet of the kernel has; null: none is known. */
  carrying({ upper, protocol }: LivePacket): Flow | null {
    if (upper.kind !== 'tcp' && upper.kind !== 'udp') return null;
    return this.#between(protocol, upper.srcPort, upper.dstPort);
  }

  #between(protocol: number, localPort: number, remotePort: number): Flow | null {
    if (remotePort === 0) return null;
    return (
      this.#all.findLast((flow) => flow.protocol === protocol && flow.localPort === localPort && flow.remotePort === remotePort) ?? null
    );
  }

  /** What a packet of the kernel says of its flow. */
  heard(flow: Flow, { upper, bytes }: LivePacket): void {
    flow.lastSent = bytes;
    if (upper.kind === 'udp' || upper.kind === 'tcp') {
      if (flow.localPort === 0) flow.localPort = upper.srcPort;
      if (flow.remotePort === 0) flow.remotePort = upper.dstPort;
    }
    if (upper.kind === 'icmp') flow.echoId = upper.rest >>> 16;
  }

  #make(protocol: number, localPort: number, remotePort: number): Flow {
    const { localIp, remoteIp } = this.#config;
    const flow = new Flow(protocol, localIp, remoteIp, localPort, remotePort);
    this.#all.push(flow);
    return flow;
  }
}

/** As packets have it: mapped ones as IPv4. Null: none. */
function textOf({ family, address0, address1, address2, address3 }: SockAddress): string | null {
  if ((address0 | address1 | address3) === 0 && (address2 === 0 || address2 === IPV4_WORD2)) return null;
  const isIpv4 = family === ADDRESS_FAMILY.INET || (address0 === 0 && address1 === 0 && address2 === IPV4_WORD2);
  return formatAddress(isIpv4 ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6, address0, address1, address2, address3);
}

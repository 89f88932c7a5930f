import type {
  ProtocolDoor as Door,
  DropReason,
  ModuleContext,
  NetworkLayer,
  Segment,
  Skb,
  SockCommon,
  SoftnetModule,
} from '@softnet/contract';
import {
  HeaderParser,
  IP_PROTOCOL,
  Module,
  OptionLevel,
  Protocol,
  ProtocolDoor,
  REFUSAL,
  SkbPool,
  SOCK_TYPE,
  SocketDemux,
  SocketHolder,
  SocketProtocol,
} from '@softnet/contract';
import { DATAGRAM_NEEDS, DatagramSockets, Segmenter } from '@softnet/inet';
import { dissectPorts } from '@softnet/wire';
import type { UdpReasons } from './datagram-check.ts';
import { DatagramCheck, UDP_REASONS } from './datagram-check.ts';
import { UDP_PARSER } from './header-parser.ts';
import { UdpBursts } from './udp-bursts.ts';
import { MERGE, UdpOffload } from './udp-offload.ts';
import { UdpOptions } from './udp-options.ts';
import { UdpProtocol } from './udp-protocol.ts';

/** UDP over whatever layers there are (RFC 768). Its sockets go on while it leaves, and hold it up; packets for nobody are then dropped in silence. */
@Module({
  name: 'udp',
  version: '1.0.0',
  summary: 'UDP sockets over IPv4 and IPv6',
  requires: DATAGRAM_NEEDS,
  provides: [Protocol, ProtocolDoor, SocketProtocol, SocketHolder, OptionLevel, HeaderParser],
})
export class UdpModule implements SoftnetModule {
  /** Sockets that want merged datagrams whole. */
  readonly #asked = new Set<SockCommon>();

  start(ctx: ModuleContext): void {
    const check = new DatagramCheck(defineReasons(ctx));
    const offload = this.#defineOffload(ctx, check);
    const sockets = new DatagramSockets(ctx, new UdpProtocol(check, new UdpBursts()), {
      full: ctx.dropReason('udp.full', 'its socket has as much as SO_RCVBUF allows'),
      shut: ctx.dropReason('udp.shut', 'its socket was shut for receiving, or closed before it was read'),
    });
    const number = IP_PROTOCOL.UDP;
    const segment: Segment = (skb, features, out) => offload.segment(skb, features, out);
    ctx.contribute(Protocol, { name: 'udp', number, input: null, error: null, dissect: dissectPorts, gro: offload, segment }, 'corridor');
    ctx.contribute(OptionLevel, new UdpOptions(this.#asked, (sock) => sockets.push(sock)), 'corridor');
    ctx.contribute(HeaderParser, UDP_PARSER, 'corridor');
    ctx.contribute(ProtocolDoor, makeDoor(check, ctx.dropReason('udp.no-port', 'nobody has this port (RFC 1122 §4.1.3.1)')), 'door');
    ctx.contribute(
      SocketProtocol,
      {
        ...{ name: 'udp', family: 0, type: SOCK_TYPE.DGRAM, protocol: number, usual: true },
        open: (family, owner) => sockets.open(family, owner),
      },
      'door',
    );
  }

  #defineOffload(ctx: ModuleContext, check: DatagramCheck): UdpOffload {
    const which = ctx.sysctl.define('net.udp.gro', {
      ...{ type: 'int', default: MERGE.ASKED, min: MERGE.NOBODY, max: MERGE.ALL },
      summary: 'whose received datagrams are merged: 0 nobody’s, 1 of sockets with UDP_GRO, 2 of all flows, forwarded ones too',
    });
    const segmenter = new Segmenter(ctx.port(SkbPool), {
      malformed: ctx.dropReason('udp.segment', 'stands for several datagrams, and does not say what can be cut'),
      memory: ctx.dropReason('udp.no-memory', 'stands for several datagrams, and there was no memory to cut it'),
    });
    const asked = this.#asked;
    return new UdpOffload(check, segmenter, {
      which: () => which.value,
      asked: () => asked.size,
      asks: (sock) => asked.has(sock),
      demux: ctx.port(SocketDemux),
      current: ctx.current,
    });
  }
}

/** What is for no socket: refused, if it is intact (RFC 1122 §4.1.3.1; the layer keeps §3.2.2's silences and its rate). */
function makeDoor(check: DatagramCheck, noPort: DropReason): Door {
  return {
    number: IP_PROTOCOL.UDP,
    unmatched: (skb: Skb, layer: NetworkLayer) => {
      const fault = check.fault(skb, IP_PROTOCOL.UDP);
      if (fault === null) layer.refuse(skb, REFUSAL.PORT_UNREACHABLE, 0);
      skb.memory.pool.drop(skb, fault ?? noPort);
    },
  };
}

function defineReasons(ctx: ModuleContext): UdpReasons {
  const entries = Object.entries(UDP_REASONS).map(([name, text]) => [name, ctx.dropReason(name, text)]);
  return Object.fromEntries(entries) as UdpReasons;
}

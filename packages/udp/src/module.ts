import type { ProtocolDoor as Door, DropReason, ModuleContext, NetworkLayer, Skb, SoftnetModule } from '@softnet/contract';
import { IP_PROTOCOL, Module, Protocol, ProtocolDoor, REFUSAL, SOCK_TYPE, SocketProtocol } from '@softnet/contract';
import { DATAGRAM_NEEDS, DatagramSockets } from '@softnet/inet';
import { dissectPorts } from '@softnet/wire';
import type { UdpReasons } from './datagram-check.ts';
import { DatagramCheck, UDP_REASONS } from './datagram-check.ts';
import { UdpProtocol } from './udp-protocol.ts';

/** UDP over whatever layers there are (RFC 768). Its sockets go on while it leaves, and hold it up; packets for nobody are then dropped in silence. */
@Module({
  name: 'udp',
  version: '1.0.0',
  summary: 'UDP sockets over IPv4 and IPv6',
  requires: DATAGRAM_NEEDS,
  provides: [Protocol, ProtocolDoor, SocketProtocol],
})
export class UdpModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const check = new DatagramCheck(defineReasons(ctx));
    const sockets = new DatagramSockets(ctx, new UdpProtocol(check), {
      full: ctx.dropReason('udp.full', 'its socket has as much as SO_RCVBUF allows'),
      shut: ctx.dropReason('udp.shut', 'its socket was shut for receiving, or closed before it was read'),
    });
    const number = IP_PROTOCOL.UDP;
    ctx.contribute(
      Protocol,
      { name: 'udp', number, input: null, error: null, dissect: dissectPorts, gro: null, segment: null },
      'corridor',
    );
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

import type { ModuleContext, NetworkLayer, Skb, SoftnetModule } from '@softnet/contract';
import { Module, OptionLevel, Protocol, ProtocolDoor, REFUSAL, SOCK_TYPE, SocketHolder, SocketProtocol } from '@softnet/contract';
import { DATAGRAM_NEEDS, DatagramSockets } from '@softnet/inet';
import { dissectPorts } from '@softnet/wire';
import { LiteProtocol } from './protocol.ts';
import { PROTOCOL } from './wire.ts';

/** UDP-Lite over whatever layers there are: for those who would rather have a damaged payload than none (RFC 3828). */
@Module({
  name: 'udplite',
  version: '1.0.0',
  summary: 'UDP-Lite sockets: a checksum that covers as much as its user wants',
  requires: DATAGRAM_NEEDS,
  provides: [Protocol, ProtocolDoor, SocketProtocol, SocketHolder, OptionLevel],
})
export default class UdpLite implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = (name: string, text: string) => ctx.dropReason(`udplite.${name}`, text);
    const lite = new LiteProtocol({
      malformed: reason('malformed', 'too short, no checksum, or a coverage that there cannot be (RFC 3828 §3.1)'),
      checksum: reason('checksum', 'what its checksum covers is damaged (RFC 3828 §3.1)'),
      coverage: reason('coverage', 'its checksum covers less than its receiver wants'),
    });
    const sockets = new DatagramSockets(ctx, lite, {
      full: reason('full', 'its socket has as much as SO_RCVBUF allows'),
      shut: reason('shut', 'its socket was shut or closed'),
    });
    const noPort = reason('no-port', 'nobody has this port');
    const refuse = (skb: Skb, layer: NetworkLayer): void => {
      layer.refuse(skb, REFUSAL.PORT_UNREACHABLE, 0);
      skb.memory.pool.drop(skb, noPort);
    };
    const open: SocketProtocol['open'] = (family, owner) => sockets.open(family, owner);
    const none = { input: null, error: null, gro: null, segment: null };
    ctx.contribute(Protocol, { name: 'udplite', number: PROTOCOL, dissect: dissectPorts, ...none }, 'corridor');
    ctx.contribute(OptionLevel, lite, 'corridor');
    ctx.contribute(ProtocolDoor, { number: PROTOCOL, unmatched: refuse }, 'door');
    ctx.contribute(SocketProtocol, { name: 'udplite', family: 0, type: SOCK_TYPE.DGRAM, protocol: PROTOCOL, usual: false, open }, 'door');
  }
}

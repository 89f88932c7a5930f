import type { Frozen, ModuleContext, Segment, SoftnetModule } from '@softnet/contract';
import {
  HeaderParser,
  IP_PROTOCOL,
  Module,
  Protocol,
  ProtocolDoor,
  SkbPool,
  SOCK_TYPE,
  SocketHolder,
  SocketProtocol,
} from '@softnet/contract';
import { DATAGRAM_NEEDS, Segmenter } from '@softnet/inet';
import { dissectPorts } from '@softnet/wire';
import { TCP_PARSER } from './segment/header-parser.ts';
import { SegmentCheck } from './segment/segment-check.ts';
import { TcpOffload } from './segment/tcp-offload.ts';
import { freezeModule, thawModule } from './socket/freezer.ts';
import { TcpSockets } from './socket/tcp-sockets.ts';

/** TCP over whatever layers there are (RFC 9293). Connections go on while it leaves, and hold it up; listeners are parked. */
@Module({
  name: 'tcp',
  version: '1.0.0',
  summary: 'TCP sockets over IPv4 and IPv6',
  requires: DATAGRAM_NEEDS,
  provides: [Protocol, ProtocolDoor, SocketProtocol, SocketHolder, HeaderParser],
})
export class TcpModule implements SoftnetModule {
  #sockets!: TcpSockets;

  start(ctx: ModuleContext): void {
    const sockets = new TcpSockets(ctx);
    this.#sockets = sockets;
    const offload = makeOffload(ctx);
    const number = IP_PROTOCOL.TCP;
    const segment: Segment = (skb, features, out) => offload.segment(skb, features, out);
    ctx.contribute(Protocol, { name: 'tcp', number, input: null, error: null, dissect: dissectPorts, gro: offload, segment }, 'corridor');
    ctx.contribute(HeaderParser, TCP_PARSER, 'corridor');
    ctx.contribute(SocketHolder, { name: 'tcp', sockets }, 'corridor');
    ctx.contribute(ProtocolDoor, { number, unmatched: (skb, layer) => sockets.stray(skb, layer) }, 'door');
    ctx.contribute(
      SocketProtocol,
      {
        ...{ name: 'tcp', family: 0, type: SOCK_TYPE.STREAM, protocol: number, usual: true },
        open: (family, owner) => sockets.open(family, owner),
      },
      'door',
    );
  }

  freeze(): Frozen {
    return freezeModule(this.#sockets.parts);
  }

  thaw(frozen: Frozen): void {
    thawModule(this.#sockets.parts, frozen);
  }
}

function makeOffload(ctx: ModuleContext): TcpOffload {
  return new TcpOffload(
    new SegmentCheck(),
    new Segmenter(ctx.port(SkbPool), {
      malformed: ctx.dropReason('tcp.segment', 'stands for several segments, and does not say what can be cut'),
      memory: ctx.dropReason('tcp.no-memory', 'stands for several segments, and there was no memory to cut it'),
    }),
  );
}

import type { Dst, SockCommon } from '@softnet/contract';
import { DstUse, Flow, IP_PROTOCOL, isFresh } from '@softnet/contract';
import { aimAtPeer, aimByOptions, beginFlow, errnoOf, layerOfUse } from '@softnet/inet';
import type { BareSegment } from './bare-segment.ts';
import type { SegmentHost } from './segment-host.ts';

/** Where a segment goes: both ends into a flow, and the route. Kept, and filled anew for each. */
export class SegmentWay {
  readonly flow: Flow = new Flow();
  readonly #host: Pick<SegmentHost, 'route' | 'layers' | 'current'>;

  constructor(host: Pick<SegmentHost, 'route' | 'layers' | 'current'>) {
    this.#host = host;
  }

  /** Of a socket with both ends: by the dst that it holds, looked up again where that is old. Null: there is no way. */
  ofSocket(sock: SockCommon): Dst | null {
    const { dst: use, layer } = sock;
    if (layer === null) return null;
    const flow = this.flow;
    beginFlow(flow, sock, layer.family, sock.ifindex);
    aimAtPeer(flow, sock);
    aimByOptions(flow, sock);
    flow.hash = sock.hash;
    const dst = use !== null && use.holdNext !== null && isFresh(use) ? use.dst! : this.#again(sock);
    return dst === null || dst.error !== 0 ? null : dst;
  }

  /** Of what belongs to nobody: looked up for each. Null: there is no way. */
  ofBare(bare: BareSegment): Dst | null {
    const flow = this.flow;
    flow.family = bare.layer!.family;
    flow.protocol = IP_PROTOCOL.TCP;
    flow.src0 = bare.local0;
    flow.src1 = bare.local1;
    flow.src2 = bare.local2;
    flow.src3 = bare.local3;
    flow.dst0 = bare.remote0;
    flow.dst1 = bare.remote1;
    flow.dst2 = bare.remote2;
    flow.dst3 = bare.remote3;
    flow.srcPort = bare.localPort;
    flow.dstPort = bare.remotePort;
    flow.mark = bare.mark;
    flow.uid = bare.sock === null || bare.sock.options === null ? 0 : bare.sock.options.uid;
    flow.oif = bare.ifindex;
    flow.iif = 0;
    flow.table = 0;
    flow.tos = bare.tos;
    flow.label = 0;
    flow.hash = bare.hash;
    const { route, current } = this.#host;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(flow);
    current.id = caller;
    return dst.error === 0 ? dst : null;
  }

  #again(sock: SockCommon): Dst | null {
    const { route, current, layers } = this.#host;
    const caller = current.id;
    current.id = route.owner;
    let use = sock.dst;
    try {
      if (use !== null && use.holdNext !== null && use.dst !== null) return route.current.validate(use, this.flow);
      // Its layer was replaced: the hold is over, or is one without a route.
      if (use !== null && use.holdNext !== null) use.holdKind!.release(use);
      use = new DstUse();
      sock.dst = use;
      return route.current.attach(use, this.flow, sock, 'tcp.route');
    } catch (error) {
      errnoOf(error);
      return null;
    } finally {
      current.id = caller;
      if (use !== null) sock.layer = layerOfUse(layers, use, this.flow.family) ?? sock.layer;
    }
  }
}

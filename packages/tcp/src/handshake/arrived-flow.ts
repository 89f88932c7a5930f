import type { Contributions, NetworkLayer, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, FlowKey, isGroup, SKB_TYPE } from '@softnet/contract';
import { isIpv4, isUnspecified, layerOf, needsScope } from '@softnet/inet';
import { dstPort, srcPort } from '@softnet/wire';
import type { BareSegment } from '../segment/bare-segment.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const BROADCAST_IPV4 = -1;

/** Both ends of a segment that came, and the layer by which an answer goes. Kept, and filled anew for each. */
export class ArrivedFlow {
  readonly key: FlowKey = new FlowKey();
  layer: NetworkLayer | null = null;
  readonly #layers: Contributions<NetworkLayer>;

  constructor(layers: Contributions<NetworkLayer>) {
    this.#layers = layers;
  }

  /** `network` and `transport` are at the headers. False: its layer is gone. */
  read(skb: Skb): boolean {
    const { view } = skb.memory;
    const layer = layerOf(this.#layers, view.getUint8(skb.network) >>> 4 === 4 ? INET : INET6);
    this.layer = layer;
    if (layer === null) return false;
    layer.readKey(skb, this.key);
    this.key.localPort = dstPort(view, skb.transport);
    this.key.remotePort = srcPort(view, skb.transport);
    return true;
  }

  /** From one host to one, and so to be answered at all (RFC 9293 §3.9.2.3, MUST-57; RFC 1122 §4.2.3.10). */
  isBetweenTwo({ type }: Skb): boolean {
    const { local0, local1, local2, local3, remote0, remote1, remote2, remote3 } = this.key;
    if (type === SKB_TYPE.BROADCAST || type === SKB_TYPE.MULTICAST) return false;
    return isOne(local0, local1, local2, local3) && isOne(remote0, remote1, remote2, remote3);
  }

  /** By which interface alone the peer is reached: a link-local one; 0: by whichever. */
  get scope(): number {
    return needsScope(this.layer!.family, this.key.remote0) ? this.key.ifindex : 0;
  }

  /** The way back, into a segment that has nothing else yet. */
  aim(bare: BareSegment): void {
    const { key } = this;
    aimAt(bare, key, key.localPort, key.remotePort, this.scope);
    bare.layer = this.layer;
    bare.sock = null;
    bare.mark = 0;
    bare.priority = 0;
  }
}

/** Both ends of a flow, as we see it. */
export interface Ends {
  readonly local0: number;
  readonly local1: number;
  readonly local2: number;
  readonly local3: number;
  readonly remote0: number;
  readonly remote1: number;
  readonly remote2: number;
  readonly remote3: number;
}

/** Ends and interface into a segment; options of a SYN and timestamps are off, as are the fields of IP. */
export function aimAt(bare: BareSegment, ends: Ends, localPort: number, remotePort: number, ifindex: number): void {
  bare.local0 = ends.local0;
  bare.local1 = ends.local1;
  bare.local2 = ends.local2;
  bare.local3 = ends.local3;
  bare.remote0 = ends.remote0;
  bare.remote1 = ends.remote1;
  bare.remote2 = ends.remote2;
  bare.remote3 = ends.remote3;
  bare.localPort = localPort;
  bare.remotePort = remotePort;
  bare.ifindex = ifindex;
  bare.syn = null;
  bare.hasTimestamps = false;
  bare.tos = 0;
  bare.hash = 0;
}

export function familyOf({ local0, local1, local2 }: Ends): number {
  return isIpv4(local0, local1, local2) ? INET : INET6;
}

function isOne(word0: number, word1: number, word2: number, word3: number): boolean {
  if (isGroup(word0, word1, word2, word3) || isUnspecified(word0, word1, word2, word3)) return false;
  return !(isIpv4(word0, word1, word2) && word3 === BROADCAST_IPV4);
}

import type { NetworkLayer, Skb } from '@softnet/contract';
import { Flow, PacketOptions } from '@softnet/contract';

/** A datagram that grows send by send (MSG_MORE, UDP_CORK): where it goes is settled by the first. It is there only as long as it grows. Linux's `inet_cork`. */
export class Cork {
  readonly skb: Skb;
  readonly layer: NetworkLayer;
  readonly flow = new Flow();
  /** What the first send's control messages said; null: nothing. */
  readonly packet: PacketOptions | null;
  /** Bits of MESSAGE_FLAG of the first send. */
  readonly flags: number;
  /** Sent to the socket's peer, no address was given. */
  readonly toPeer: boolean;
  /** Bytes of each datagram that it will be cut into; 0: it is one. */
  readonly segmentBytes: number;
  /** Of `skb`, charged to its socket. */
  chargedBytes = 0;

  constructor(
    skb: Skb,
    layer: NetworkLayer,
    flow: Flow,
    first: { readonly packet: PacketOptions | null; readonly flags: number; readonly toPeer: boolean; readonly segmentBytes: number },
  ) {
    this.skb = skb;
    this.layer = layer;
    Object.assign(this.flow, flow);
    this.packet = first.packet === null ? null : Object.assign(new PacketOptions(), first.packet);
    this.flags = first.flags;
    this.toPeer = first.toPeer;
    this.segmentBytes = first.segmentBytes;
  }
}

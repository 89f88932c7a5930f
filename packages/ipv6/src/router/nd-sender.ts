import type { AddressWords, InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FLAG, Flow, IP_PROTOCOL, SKB_TYPE } from '@softnet/contract';
import { copyIn } from '@softnet/skb';
import type { IcmpMessage } from '@softnet/wire';
import { emitIcmpv6, pseudoHeaderSum } from '@softnet/wire';
import { isLinkLocal } from '../machine/address-kind.ts';
import { beginIcmpFlow } from '../machine/flow-of.ts';
import type { Ipv6Output } from '../machine/output.ts';
import type { Link, Surroundings } from '../machine/surroundings.ts';
import { ND_HOP_LIMIT } from '../wire/neighbour-message.ts';

/** Sends messages of router discovery on a link: rare ones, so that they may be plain values. */
export class NdSender {
  readonly #around: Surroundings;
  readonly #output: Ipv6Output;
  readonly #flow = new Flow();

  constructor(around: Surroundings, output: Ipv6Output) {
    this.#around = around;
    this.#output = output;
  }

  /** Without a route, with the hop limit of Neighbor Discovery. Returns whether there was memory for it. */
  send({ device, dst }: Link, src: AddressWords, to: AddressWords, message: IcmpMessage): boolean {
    const lenBytes = 8 + message.payload.length;
    const bytes = emitIcmpv6(message, pseudoHeaderSum(...src, ...to, IP_PROTOCOL.ICMPV6, lenBytes));
    const skb = this.#around.pool.current.alloc(dst.headroomBytes, lenBytes + dst.tailroomBytes);
    if (skb === null) return false;
    if (!copyIn(skb, bytes)) {
      skb.memory.pool.release(skb);
      return false;
    }
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, message.type, message.code);
    [flow.src0, flow.src1, flow.src2, flow.src3] = src;
    [flow.dst0, flow.dst1, flow.dst2, flow.dst3] = to;
    flow.oif = device.ifindex;
    skb.transport = skb.data;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    this.#output.emit(skb, flow, ND_HOP_LIMIT, 0);
    return true;
  }
}

/** A link-local address that may be used (RFC 4861 §6.2.3, RFC 4862 §5.4); null: the link has none. */
export function linkLocalOf({ addresses }: Link): InterfaceAddress | null {
  const unfit = ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED;
  return addresses.find(({ address, flags }) => isLinkLocal(address[0]) && (flags & unfit) === 0) ?? null;
}

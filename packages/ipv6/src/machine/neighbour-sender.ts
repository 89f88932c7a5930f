import type { Flow } from '@softnet/contract';
import { ADDRESS_FAMILY, IP_PROTOCOL, SKB_TYPE } from '@softnet/contract';
import { put } from '@softnet/skb';
import { finishIcmpv6, pseudoHeaderSum, putAddress, setIcmpRest, setIcmpTypeAndCode } from '@softnet/wire';
import { ND_HOP_LIMIT, ND_NEIGHBOUR_BYTES, ND_TARGET } from '../wire/neighbour-message.ts';
import { linkAddressOptionBytes, nonceOptionBytes, writeLinkAddressOption, writeNonceOption } from '../wire/neighbour-option.ts';
import type { Ipv6Output } from './output.ts';
import type { Link, Surroundings } from './surroundings.ts';

/** Sends neighbor solicitations and advertisements (RFC 4861 §4.3, §4.4). */
export class NeighbourSender {
  readonly #around: Surroundings;
  readonly #output: Ipv6Output;

  constructor(around: Surroundings, output: Ipv6Output) {
    this.#around = around;
    this.#output = output;
  }

  /**
   * To both ends of the flow, of the flow's type, about this target. Without memory, nothing is sent.
   * @param rest flags. @param option which link address option says ours; 0: none. @param nonce null: none.
   */
  send(
    link: Link,
    flow: Flow,
    rest: number,
    target0: number,
    target1: number,
    target2: number,
    target3: number,
    option: number,
    nonce: Uint8Array | null,
  ): void {
    const { device, dst } = link;
    const optionBytes = option === 0 || device.addressLen === 0 ? 0 : linkAddressOptionBytes(device.addressLen);
    const lenBytes = ND_NEIGHBOUR_BYTES + optionBytes + (nonce === null ? 0 : nonceOptionBytes(nonce.length));
    const skb = this.#around.pool.current.alloc(dst.headroomBytes, lenBytes + dst.tailroomBytes);
    if (skb === null) return;
    const at = put(skb, lenBytes);
    const { view } = skb.memory;
    setIcmpTypeAndCode(view, at, flow.srcPort, 0);
    setIcmpRest(view, at, rest);
    putAddress(view, at + ND_TARGET, ADDRESS_FAMILY.INET6, target0, target1, target2, target3);
    if (optionBytes > 0) writeLinkAddressOption(view, at + ND_NEIGHBOUR_BYTES, option, device.address, device.addressLen);
    if (nonce !== null) writeNonceOption(view, at + ND_NEIGHBOUR_BYTES + optionBytes, nonce);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    finishIcmpv6(view, at, lenBytes, pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IP_PROTOCOL.ICMPV6, lenBytes));
    skb.transport = at;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    flow.oif = device.ifindex;
    this.#output.emit(skb, flow, ND_HOP_LIMIT, 0);
  }
}

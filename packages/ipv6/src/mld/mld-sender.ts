import type { AddressWords, Counter, NetDevice, NetworkLayer } from '@softnet/contract';
import { ADDRESS_FLAG, ETHERTYPE, IP_PROTOCOL, SKB_TYPE } from '@softnet/contract';
import type { ReportedRecord } from '@softnet/inet';
import { packRecords } from '@softnet/inet';
import { copyIn } from '@softnet/skb';
import type { ExtensionHeader } from '@softnet/wire';
import { emitIpv6Packet, formatIpv6, ICMPV6_TYPE, IPV6_EXTENSION, IPV6_HEADER_BYTES, IPV6_OPTION, pseudoHeaderSum } from '@softnet/wire';
import { ALL_ROUTERS, isLinkLocal } from '../machine/address-kind.ts';
import type { Link, Links, Surroundings } from '../machine/surroundings.ts';
import type { MldGroupMessage, MldMessage } from './wire.ts';
import { emitMld, MLD2_RECORD_BYTES, MLD2_REPORT_BYTES, MLD2_SOURCE_BYTES } from './wire.ts';

/** All MLDv2-capable routers, where reports of version 2 go (RFC 3810 §5.2.14). */
const ALL_MLD2_ROUTERS: AddressWords = Object.freeze([0xff020000 | 0, 0, 0, 0x16] as const);
const UNSPECIFIED: AddressWords = Object.freeze([0, 0, 0, 0] as const);
const HEADERS_BYTES = IPV6_HEADER_BYTES + 8;
const SIZES = Object.freeze({ reportBytes: MLD2_REPORT_BYTES, recordBytes: MLD2_RECORD_BYTES, sourceBytes: MLD2_SOURCE_BYTES });
const UNUSABLE = ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED;

/** What the sender needs of the layer. */
export interface MldSenderHost {
  readonly around: Pick<Surroundings, 'pool'>;
  readonly links: Links;
  readonly layer: Pick<NetworkLayer, 'reenter'>;
  readonly sent: Counter;
  /** Stage 1 has begun: addresses may be the next generation's, or gone, before all is said. */
  isLeaving(): boolean;
}

/** MLD on its way out: hop limit 1, router alert, from the link-local address, never longer than the link takes (RFC 3810 §5, §5.2.15). */
export class MldSender {
  readonly #host: MldSenderHost;
  /** Whence it spoke last. */
  readonly #last = new WeakMap<NetDevice, AddressWords>();

  constructor(host: MldSenderHost) {
    this.#host = host;
  }

  report(device: NetDevice, records: readonly ReportedRecord[]): void {
    for (const packed of packRecords(records, device.mtuBytes - HEADERS_BYTES, SIZES)) {
      this.#send(device, ALL_MLD2_ROUTERS, { type: ICMPV6_TYPE.MLD2_REPORT, records: packed });
    }
  }

  /** RFC 2710 §4: a report goes to its group, a done to routers. */
  message(device: NetDevice, type: MldGroupMessage['type'], group: AddressWords): void {
    this.#send(device, type === ICMPV6_TYPE.MLD_DONE ? ALL_ROUTERS : group, { type, group });
  }

  #send(device: NetDevice, to: AddressWords, message: MldMessage): void {
    const { links, around, layer, sent } = this.#host;
    const link = links.of(device.ifindex);
    if (link === null) return;
    const source = this.#sourceOn(link);
    const payload = emitMld(message, (lenBytes) => pseudoHeaderSum(...source, ...to, IP_PROTOCOL.ICMPV6, lenBytes));
    const packet = emitIpv6Packet({
      ...{ trafficClass: 0, flowLabel: 0, hopLimit: 1, headers: [routerAlert()], protocol: IP_PROTOCOL.ICMPV6, payload },
      ...{ src: formatIpv6(...source), dst: formatIpv6(...to) },
    });
    const skb = around.pool.current.alloc(link.dst.headroomBytes, packet.length);
    if (skb === null) return;
    if (!copyIn(skb, packet)) {
      skb.memory.pool.release(skb);
      return;
    }
    skb.network = skb.data;
    skb.transport = skb.data + HEADERS_BYTES;
    skb.protocol = ETHERTYPE.IPV6;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = link.dst;
    sent.value++;
    layer.reenter(skb);
  }

  /** A link-local address that is known to be nobody else's; none yet: `::` (RFC 3590 §4). */
  #sourceOn({ addresses, device }: Link): AddressWords {
    const usable = addresses.find(({ address, flags }) => isLinkLocal(address[0]) && (flags & UNUSABLE) === 0);
    if (usable !== undefined) this.#last.set(device, usable.address);
    else if (!this.#host.isLeaving()) this.#last.delete(device);
    return this.#last.get(device) ?? UNSPECIFIED;
  }
}

/** Hop-by-hop options: a router alert for MLD, value 0 (RFC 2711 §2.1). */
function routerAlert(): ExtensionHeader {
  return { type: IPV6_EXTENSION.HOP_BY_HOP, options: [{ type: IPV6_OPTION.ROUTER_ALERT, data: new Uint8Array(2) }] };
}

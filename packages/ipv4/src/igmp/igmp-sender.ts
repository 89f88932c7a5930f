import type { AddressWords, Counter, NetDevice } from '@softnet/contract';
import { ADDRESS_FLAG, ETHERTYPE, Flow, IP_PROTOCOL, IPV4_WORD2, SKB_TYPE } from '@softnet/contract';
import { packRecords } from '@softnet/inet';
import { copyIn } from '@softnet/skb';
import { emitIpv4Packet, formatIpv4, IPV4_HEADER_BYTES, routerAlertOption } from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { wordOf } from '../machine/address-book.ts';
import { aim } from '../machine/flow.ts';
import type { Ipv4Parts } from '../parts.ts';
import type { IgmpGroupMessage, IgmpMessage, IgmpRecord } from './wire.ts';
import { emitIgmp, IGMP_BYTES, IGMP_RECORD_BYTES, IGMP_SOURCE_BYTES, IGMP_TYPE } from './wire.ts';

/** Where reports of version 3 go, and leaves of version 2 (RFC 3376 §4.2.14, RFC 2236 §9). */
const ALL_IGMPV3_ROUTERS: number = 0xe0000016 | 0;
const ALL_ROUTERS: number = 0xe0000002 | 0;
/** Internetwork control (RFC 3376 §4). */
const TOS = 0xc0;
const ROUTER_ALERT_BYTES = 4;
const SIZES = Object.freeze({ reportBytes: IGMP_BYTES, recordBytes: IGMP_RECORD_BYTES, sourceBytes: IGMP_SOURCE_BYTES });
const HEADER_BYTES = IPV4_HEADER_BYTES + ROUTER_ALERT_BYTES;

/** IGMP on its way out: TTL 1, router alert, never longer than the link takes (RFC 3376 §4, §4.2.16). */
export class IgmpSender {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #sent: Counter;
  readonly #flow = new Flow();

  constructor(parts: Ipv4Parts, joints: Joints, sent: Counter) {
    this.#parts = parts;
    this.#joints = joints;
    this.#sent = sent;
  }

  report(device: NetDevice, records: readonly IgmpRecord[]): void {
    for (const packed of packRecords(records, device.mtuBytes - HEADER_BYTES, SIZES)) {
      this.#send(device, ALL_IGMPV3_ROUTERS, { type: IGMP_TYPE.REPORT_V3, records: packed });
    }
  }

  message(device: NetDevice, type: IgmpGroupMessage['type'], group: AddressWords): void {
    this.#send(device, type === IGMP_TYPE.LEAVE ? ALL_ROUTERS : group[3], { type, group });
  }

  #send(device: NetDevice, to: number, message: IgmpMessage): void {
    const { route, current, pool } = this.#parts;
    const source = this.#sourceOn(device);
    aim(this.#flow, IP_PROTOCOL.IGMP, source, to, TOS, 0);
    this.#flow.oif = device.ifindex;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    if (dst.error !== 0) return;
    const packet = emitIpv4Packet({
      ...{ tos: TOS, id: 0, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 1, protocol: IP_PROTOCOL.IGMP },
      ...{ src: formatIpv4(source), dst: formatIpv4(to), options: [routerAlertOption()], payload: emitIgmp(message) },
    });
    const skb = pool.current.alloc(dst.headroomBytes, packet.length);
    if (skb === null) return;
    if (!copyIn(skb, packet)) {
      skb.memory.pool.release(skb);
      return;
    }
    skb.network = skb.data;
    skb.transport = skb.data + HEADER_BYTES;
    skb.protocol = ETHERTYPE.IPV4;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    this.#sent.value++;
    this.#joints.layer.reenter(skb);
  }

  /** The first address of the link; none: 0.0.0.0, which says that there is none (RFC 3376 §4.2.13). */
  #sourceOn(device: NetDevice): number {
    const entry = this.#parts.book.entries.find((each) => each.device === device && (each.flags & ADDRESS_FLAG.SECONDARY) === 0);
    return entry === undefined ? 0 : wordOf(entry);
  }
}

/** 224.0.0.1, which all hosts are in always. */
export const ALL_HOSTS_GROUP: AddressWords = Object.freeze([0, 0, IPV4_WORD2, 0xe0000001 | 0] as const);

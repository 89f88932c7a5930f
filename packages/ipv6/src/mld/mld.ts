import type { AddressWords, Clock, Contributions, Counter, DropReason, NetDevice, NetworkLayer, Skb } from '@softnet/contract';
import type { GroupReporters, HeardQuery } from '@softnet/inet';
import { gather } from '@softnet/skb';
import {
  extensionHeaderBytes,
  ICMPV6_TYPE,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  IPV6_OPTION,
  ipv6Dst,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6OptionBytes,
  ipv6Src,
} from '@softnet/wire';
import { isLinkLocal, isMulticast, isSame, multicastScope, SCOPE } from '../machine/address-kind.ts';
import type { Links, Surroundings } from '../machine/surroundings.ts';
import type { MldDrops } from './drops.ts';
import type { MldGroupMessage, MldQuery } from './wire.ts';
import { parseMld } from './wire.ts';

/** What MLD's input works with. */
export interface MldHost {
  readonly around: Pick<Surroundings, 'reasons' | 'traffic'>;
  readonly clock: Clock;
  readonly links: Links;
  readonly drops: MldDrops;
  readonly reporters: GroupReporters;
  readonly layer: NetworkLayer;
  readonly layers: Contributions<NetworkLayer>;
  readonly received: Counter;
}

/** MLD as it comes in (RFC 3810 §6.2, RFC 2710 §4): what may be wrong with it is seen here. Queries are rare: what they say is made an object. */
export class Mld {
  readonly #host: MldHost;

  constructor(host: MldHost) {
    this.#host = host;
  }

  /**
   * A message of one of its types, whose checksum is right, `data` = `transport`. True: it is taken. Of two generations, each answers for its own
   * members: the older one leaves the packet to the newer.
   */
  receive(skb: Skb): boolean {
    const isNewest = this.#isNewest();
    const fault = this.#read(skb, isNewest);
    if (!isNewest) return false;
    if (fault === null) skb.memory.pool.release(skb);
    else skb.memory.pool.drop(skb, fault);
    return true;
  }

  #isNewest(): boolean {
    const { layer, layers } = this.#host;
    const { items } = layers;
    for (let i = items.length - 1; i >= 0; i--) if (items[i]!.family === layer.family) return items[i] === layer;
    return true;
  }

  /** RFC 3810 §6.2, RFC 2710 §3. Of a report, too: one that routers do not hear, silences nobody. */
  #read(skb: Skb, counts: boolean): DropReason | null {
    const { around, drops, received, reporters } = this.#host;
    if (counts) received.value++;
    if (!gather(skb, skb.len)) return around.reasons['ipv6.no-memory'];
    const { view, bytes } = skb.memory;
    if (!isLinkLocal(ipv6Src(view, skb.network, 0))) return drops['mld.source'];
    if (ipv6HopLimit(view, skb.network) !== 1) return drops['mld.hop-limit'];
    if (!hasRouterAlert(skb)) return drops['mld.router-alert'];
    const message = parseMld(bytes, skb.transport, skb.len);
    if (typeof message === 'string') return drops[message];
    const device = around.traffic.current.byIndex(skb.ifindex);
    if (device === null || reporters.of(device) === null) return drops['mld.no-link'];
    if (message.type === ICMPV6_TYPE.MLD_QUERY) return this.#query(message, device);
    return message.type === ICMPV6_TYPE.MLD_REPORT ? this.#heard(skb, message, device) : drops['mld.for-routers'];
  }

  /** To whichever address of ours it was sent (RFC 3810 §5.1.15). */
  #query({ version, group, sources, maxResponseMs, robustness, intervalS }: MldQuery, device: NetDevice): DropReason | null {
    const { reporters, drops, clock } = this.#host;
    const isGeneral = isSame(group, 0, 0, 0, 0);
    if (isGeneral && sources.length > 0) return drops['mld.general-sources'];
    if (!isGeneral && !isReportable(group)) return drops['mld.group'];
    const heard: HeardQuery = {
      version: version === 1 ? 2 : 3,
      group: isGeneral ? null : group,
      ...{ sources, robustness, intervalS, withinUs: maxResponseMs * 1000 },
    };
    reporters.of(device)!.query(heard, clock.nowUs);
    reporters.arm();
    return null;
  }

  #heard({ memory: { view }, network }: Skb, { group }: MldGroupMessage, device: NetDevice): DropReason | null {
    const { reporters, drops, clock, links } = this.#host;
    if (!isReportable(group)) return drops['mld.group'];
    const isToGroup = isSame(
      group,
      ipv6Dst(view, network, 0),
      ipv6Dst(view, network, 1),
      ipv6Dst(view, network, 2),
      ipv6Dst(view, network, 3),
    );
    if (!isToGroup) return drops['mld.report-destination'];
    const own = links.find(
      ipv6Src(view, network, 0),
      ipv6Src(view, network, 1),
      ipv6Src(view, network, 2),
      ipv6Src(view, network, 3),
      device.ifindex,
    );
    if (own !== null) return drops['mld.own'];
    reporters.of(device)!.heard(group, clock.nowUs);
    reporters.arm();
    return null;
  }
}

/** All nodes are in ff02::1 without a word; nor is anything said of scopes 0 and 1 (RFC 3810 §6, RFC 2710 §5). */
export function isReportable(group: AddressWords): boolean {
  return isMulticast(group[0]) && multicastScope(group[0]) > SCOPE.INTERFACE && !isSame(group, 0xff020000 | 0, 0, 0, 1);
}

/** For MLD: value 0 (RFC 2711 §2.1). The options were checked when the packet came. */
function hasRouterAlert({ network, memory: { view }, tail }: Skb): boolean {
  if (ipv6NextHeader(view, network) !== IPV6_EXTENSION.HOP_BY_HOP) return false;
  const header = network + IPV6_HEADER_BYTES;
  const end = header + extensionHeaderBytes(view, IPV6_EXTENSION.HOP_BY_HOP, header, tail);
  for (let at = header + 2, lenBytes = 0; at < end; at += lenBytes) {
    lenBytes = ipv6OptionBytes(view, at, end);
    if (lenBytes === 0) return false;
    if (view.getUint8(at) === IPV6_OPTION.ROUTER_ALERT) return lenBytes === 4 && view.getUint16(at + 2) === 0;
  }
  return false;
}

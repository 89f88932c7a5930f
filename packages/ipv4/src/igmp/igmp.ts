import type { Contributions, Counter, NetDevice, NetworkLayer, Protocol, Skb } from '@softnet/contract';
import { IP_PROTOCOL } from '@softnet/contract';
import type { GroupReporters } from '@softnet/inet';
import { gather } from '@softnet/skb';
import { IPV4_HEADER_BYTES, IPV4_OPTION, ipv4Dst, ipv4HeaderBytes, ipv4Src, ipv4Ttl, optionBytes } from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { isOnLink } from '../machine/address-book.ts';
import { ALL_HOSTS, isMulticast, LIMITED_BROADCAST } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import type { IgmpDrops } from './drops.ts';
import type { IgmpGroupMessage, IgmpQuery } from './wire.ts';
import { IGMP_TYPE, parseIgmp } from './wire.ts';

/** IGMP as it comes in (RFC 3376 §4, §5.2; RFC 2236 §3): what may be wrong with it is seen here. Queries are rare: what they say is made an object. */
export class Igmp implements Protocol {
  readonly name = 'igmp';
  readonly number: number = IP_PROTOCOL.IGMP;
  readonly error = null;
  readonly dissect = null;
  readonly gro = null;
  readonly segment = null;
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #drops: IgmpDrops;
  readonly #links: GroupReporters;
  readonly #layers: Contributions<NetworkLayer>;
  readonly #received: Counter;

  constructor(
    parts: Ipv4Parts,
    joints: Joints,
    own: { drops: IgmpDrops; links: GroupReporters; layers: Contributions<NetworkLayer>; received: Counter },
  ) {
    this.#parts = parts;
    this.#joints = joints;
    this.#drops = own.drops;
    this.#links = own.links;
    this.#layers = own.layers;
    this.#received = own.received;
  }

  /** Of two generations, each answers for its own members: the older one leaves the packet to the newer. */
  readonly input = (skb: Skb): boolean => {
    const isNewest = this.#isNewest();
    const fault = this.#read(skb, isNewest);
    if (!isNewest) return false;
    if (fault === null) skb.memory.pool.release(skb);
    else skb.memory.pool.drop(skb, fault === 'memory' ? this.#parts.drops['ipv4.no-memory'] : this.#drops[fault]);
    return true;
  };

  #isNewest(): boolean {
    const { items } = this.#layers;
    const { layer } = this.#joints;
    for (let i = items.length - 1; i >= 0; i--) if (items[i]!.family === layer.family) return items[i] === layer;
    return true;
  }

  #read(skb: Skb, counts: boolean): keyof IgmpDrops | 'memory' | null {
    if (counts) this.#received.value++;
    if (!gather(skb, skb.len)) return 'memory';
    const { view, bytes } = skb.memory;
    const message = parseIgmp(bytes, skb.data, skb.len);
    if (typeof message === 'string') return message;
    if (ipv4Ttl(view, skb.network) !== 1) return 'igmp.ttl';
    const device = this.#parts.traffic.current.byIndex(skb.ifindex);
    if (device === null || this.#links.of(device) === null) return 'igmp.no-group';
    if (message.type === IGMP_TYPE.QUERY) return this.#query(skb, message, device);
    if (message.type === IGMP_TYPE.REPORT_V1 || message.type === IGMP_TYPE.REPORT_V2) return this.#heard(skb, message, device);
    return 'igmp.for-routers';
  }

  /**
   * To whatever address of ours it came: RFC 3376 §4.1.12. DEVIATION from Linux, which asks neither for the option nor for the TTL: RFC 3376
   * §9.1, §4.
   */
  #query(skb: Skb, query: IgmpQuery, device: NetDevice): keyof IgmpDrops | null {
    const group = query.group[3];
    if (query.version !== 1 && !hasRouterAlert(skb)) return 'igmp.router-alert';
    if (group !== 0 && (!isMulticast(group) || group === ALL_HOSTS)) return 'igmp.group';
    if (group === 0 && query.sources.length > 0) return 'igmp.group';
    if (query.sources.some(([, , , word]) => !isHost(word))) return 'igmp.query-source';
    const { version, sources, robustness, intervalS, maxResponseDs } = query;
    const heard = { version, group: group === 0 ? null : query.group, sources, withinUs: maxResponseDs * 100_000, robustness, intervalS };
    this.#links.of(device)!.query(heard, this.#parts.clock.nowUs);
    this.#links.arm();
    return null;
  }

  #heard(skb: Skb, { group }: IgmpGroupMessage, device: NetDevice): keyof IgmpDrops | null {
    const { view } = skb.memory;
    if (!isMulticast(group[3]) || group[3] === ALL_HOSTS) return 'igmp.group';
    if (ipv4Dst(view, skb.network) !== group[3]) return 'igmp.report-destination';
    const source = ipv4Src(view, skb.network);
    const isNear = source === 0 || this.#parts.book.entries.some((entry) => entry.device === device && isOnLink(entry, source));
    if (!isNear) return 'igmp.report-source';
    this.#links.of(device)!.heard(group, this.#parts.clock.nowUs);
    this.#links.arm();
    return null;
  }
}

/** Options were checked when the packet came. */
function hasRouterAlert({ network, memory: { view } }: Skb): boolean {
  const end = network + ipv4HeaderBytes(view, network);
  for (let at = network + IPV4_HEADER_BYTES; at < end; ) {
    const kind = view.getUint8(at);
    if (kind === IPV4_OPTION.ROUTER_ALERT) return true;
    if (kind === IPV4_OPTION.END) return false;
    const lenBytes = optionBytes(view, at, end);
    if (lenBytes <= 0) return false;
    at += lenBytes;
  }
  return false;
}

function isHost(word: number): boolean {
  return word !== 0 && !isMulticast(word) && word !== LIMITED_BROADCAST;
}

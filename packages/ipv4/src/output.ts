import type { Dst, Flow, NetDevice, Skb, SkbStep, SockCommon } from '@softnet/contract';
import {
  DEVICE_FLAG,
  DST_METRIC,
  ERRNO,
  ERROR_ORIGIN,
  ErrorReport,
  ETHERTYPE,
  IP_PROTOCOL,
  IPV4_WORD2,
  ROUTE_TYPE,
  runHooks,
  SKB_FLAG,
  SKB_TYPE,
  TRANSMIT,
} from '@softnet/contract';
import { segmentBytes } from '@softnet/inet';
import { push } from '@softnet/skb';
import {
  finishIpv4,
  IPV4_DF,
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4Protocol,
  setIpv4Dst,
  setIpv4FragmentField,
  setIpv4HeaderBytes,
  setIpv4Id,
  setIpv4Protocol,
  setIpv4Src,
  setIpv4Tos,
  setIpv4TotalBytes,
  setIpv4Ttl,
} from '@softnet/wire';
import type { Fragmenter } from './fragmenter.ts';
import type { Joints } from './joints.ts';
import type { Identification } from './machine/identification.ts';
import { optionsOf, PATH_MTU } from './machine/sock-options.ts';
import { isMulticast, LIMITED_BROADCAST } from './machine/special-address.ts';
import type { Ipv4Parts } from './parts.ts';
import { drop } from './parts.ts';

const MAX_PACKET_BYTES = 65535;

/** The way out: header, output hooks, the route's transformations; then postrouting, fragments, neighbour. */
export class Output {
  /** `dst.output` at the bottom. Linux's `ip_output`. */
  readonly output: SkbStep = (skb) => this.#output(skb);
  /** `dst.finish`: to the neighbour. */
  readonly finish: SkbStep = (skb) => this.#finish(skb);
  readonly #posted: SkbStep = (skb) => this.posted(skb);
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #ids: Identification;
  readonly #fragmenter: Fragmenter;
  readonly #report = new ErrorReport();

  constructor(parts: Ipv4Parts, joints: Joints, ids: Identification, fragmenter: Fragmenter) {
    this.#parts = parts;
    this.#joints = joints;
    this.#ids = ids;
    this.#fragmenter = fragmenter;
  }

  /** `NetworkLayer.send`. Linux's `ip_queue_xmit` and `ip_send_skb`. */
  send(skb: Skb, flow: Flow, sock: SockCommon | null): number {
    const { counters, drops } = this.#parts;
    const dst = skb.dst!;
    const totalBytes = skb.len + IPV4_HEADER_BYTES;
    if (totalBytes > MAX_PACKET_BYTES) return this.#tooLong(skb, sock, drops['ipv4.too-long'], MAX_PACKET_BYTES);
    const options = sock === null ? null : optionsOf(sock);
    const policy = options !== null && options.mtuDiscover >= 0 ? options.mtuDiscover : this.#pathMtuPolicy(flow.protocol);
    const fits = totalBytes <= dst.mtuBytes || skb.gsoSize !== 0;
    // DEVIATION: PROBE is as DO. Linux lets probes of more than is known of the path pass; never are they cut (RFC 4821 §7.2).
    const mustNotBeCut = policy === PATH_MTU.DO || policy === PATH_MTU.PROBE;
    if (!fits && mustNotBeCut) return this.#tooLong(skb, sock, drops['ipv4.too-big'], dst.mtuBytes);
    const dontFragment = mustNotBeCut || (policy === PATH_MTU.WANT && fits);
    const at = push(skb, IPV4_HEADER_BYTES);
    const { view } = skb.memory;
    skb.network = at;
    skb.protocol = ETHERTYPE.IPV4;
    skb.type = SKB_TYPE.OUTGOING;
    setIpv4HeaderBytes(view, at, IPV4_HEADER_BYTES);
    setIpv4Tos(view, at, flow.tos | (options === null ? 0 : options.tos));
    setIpv4TotalBytes(view, at, totalBytes);
    // RFC 6864 §4.2: what cannot be cut needs no identification.
    setIpv4Id(view, at, dontFragment ? 0 : this.#ids.next(flow.src3, flow.dst3, flow.protocol, Math.max(1, skb.gsoSegs)));
    if (dontFragment && skb.gsoSize !== 0) skb.flags |= SKB_FLAG.FIXED_ID;
    setIpv4FragmentField(view, at, dontFragment ? IPV4_DF : 0);
    setIpv4Ttl(view, at, this.#ttl(flow.dst3, dst, options));
    setIpv4Protocol(view, at, flow.protocol);
    setIpv4Src(view, at, flow.src3);
    setIpv4Dst(view, at, flow.dst3);
    finishIpv4(view, at);
    if (sock !== null) this.#mark(skb, sock);
    counters.outRequests.value++;
    return this.reenter(skb);
  }

  /** `NetworkLayer.reenter`. Linux's `ip_local_out`. */
  reenter(skb: Skb): number {
    return runHooks(this.#joints.hooks.output, skb, null, skb.dst!.device);
  }

  /** Behind the output hooks, which may have chosen another route. */
  sent(skb: Skb): number {
    return skb.dst!.output(skb);
  }

  /** Behind postrouting. Linux's `ip_finish_output`. */
  posted(skb: Skb): number {
    const dst = skb.dst!;
    if (skb.len <= dst.mtuBytes) return dst.finish(skb);
    if (skb.gsoSize !== 0) {
      const fits = segmentBytes(skb, ipv4Protocol(skb.memory.view, skb.network)) <= dst.mtuBytes;
      return fits ? dst.finish(skb) : this.#joints.unmerger.each(skb, this.#posted);
    }
    return this.#fragmenter.send(skb, dst);
  }

  #output(skb: Skb): number {
    return runHooks(this.#joints.hooks.postrouting, skb, null, skb.dst!.device);
  }

  #finish(skb: Skb): number {
    const { drops } = this.#parts;
    const dst = skb.dst!;
    const { device } = dst;
    if (device === null) return drop(skb, drops['ipv4.no-device']);
    if (!skb.memory.pool.makeRoom(skb, device.headroomBytes, 0)) return drop(skb, drops['ipv4.no-memory']);
    if ((device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return this.#toSelf(skb, device);
    const destination = ipv4Dst(skb.memory.view, skb.network);
    const isGroup = destination === LIMITED_BROADCAST || isMulticast(destination) || dst.type === ROUTE_TYPE.BROADCAST;
    if (isGroup || dst.gatewayFamily === 0) {
      return this.#toNeighbour(skb, device, this.#joints.layer.family, 0, 0, IPV4_WORD2, destination);
    }
    return this.#toNeighbour(skb, device, dst.gatewayFamily, dst.gateway0, dst.gateway1, dst.gateway2, dst.gateway3);
  }

  #toNeighbour(skb: Skb, device: NetDevice, family: number, word0: number, word1: number, word2: number, word3: number): number {
    const { neighbours, current, drops } = this.#parts;
    const caller = current.id;
    current.id = neighbours.owner;
    const neighbour = neighbours.current.find(device, family, word0, word1, word2, word3);
    if (neighbour === null) {
      current.id = caller;
      return drop(skb, drops['ipv4.no-neighbour']);
    }
    if ((skb.flags & SKB_FLAG.CONFIRM_NEIGHBOUR) !== 0) neighbours.current.confirm(neighbour);
    const result = neighbour.output(neighbour, skb);
    current.id = caller;
    return result;
  }

  #toSelf(skb: Skb, device: NetDevice): number {
    const { traffic, current } = this.#parts;
    device.link.write(skb, device, ETHERTYPE.IPV4, device.address, null);
    skb.dst = null;
    const caller = current.id;
    current.id = traffic.owner;
    const result = traffic.current.transmit(device, skb);
    current.id = caller;
    return result;
  }

  /** What a socket has not said for itself. ICMP may always be cut, as in Linux: who asks is to be answered. */
  #pathMtuPolicy(protocol: number): number {
    if (protocol === IP_PROTOCOL.ICMP || this.#parts.settings.noPathMtuDiscovery.value !== 0) return PATH_MTU.DONT;
    return PATH_MTU.WANT;
  }

  #ttl(destination: number, dst: Dst, options: ReturnType<typeof optionsOf>): number {
    if (isMulticast(destination)) return options === null ? 1 : options.multicastTtl;
    if (options !== null && options.ttl > 0) return options.ttl;
    const metric = dst.metrics === null ? 0 : dst.metrics[DST_METRIC.HOPLIMIT]!;
    return metric > 0 ? metric : this.#parts.settings.defaultTtl.value;
  }

  #mark(skb: Skb, sock: SockCommon): void {
    const { options } = sock;
    if (options === null) return;
    if (skb.mark === 0) skb.mark = options.mark;
    if (skb.priority === 0) skb.priority = options.priority;
  }

  /** The socket is told how much would fit (RFC 1191 §6.2; Linux's `ip_local_error`). */
  #tooLong(skb: Skb, sock: SockCommon | null, reason: Parameters<typeof drop>[1], mtuBytes: number): number {
    if (sock !== null) {
      const report = this.#report;
      report.errno = ERRNO.EMSGSIZE;
      report.origin = ERROR_ORIGIN.LOCAL;
      report.info = mtuBytes;
      const { current } = this.#parts;
      const caller = current.id;
      current.id = sock.holdKind?.owner ?? caller;
      sock.ops.error(sock, skb, report);
      current.id = caller;
    }
    drop(skb, reason);
    return TRANSMIT.DROPPED;
  }
}

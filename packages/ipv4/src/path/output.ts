import type { DropReason, Dst, NetDevice, PacketOptions, Skb, SkbStep, SockCommon } from '@softnet/contract';
import {
  DEVICE_FLAG,
  DST_METRIC,
  ERRNO,
  ERROR_ORIGIN,
  ErrorReport,
  ETHERTYPE,
  Flow,
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
  ipv4Ttl,
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
import type { Joints } from '../joints.ts';
import { aim } from '../machine/flow.ts';
import type { Identification } from '../machine/identification.ts';
import { OptionBlock, writeOptions } from '../machine/option-block.ts';
import type { Ipv4SockOptions } from '../machine/sock-options.ts';
import { optionsOf, PATH_MTU } from '../machine/sock-options.ts';
import { isMulticast, LIMITED_BROADCAST } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';
import type { Fragmenter } from './fragmenter.ts';

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
  readonly #hop = new Flow();

  constructor(parts: Ipv4Parts, joints: Joints, ids: Identification, fragmenter: Fragmenter) {
    this.#parts = parts;
    this.#joints = joints;
    this.#ids = ids;
    this.#fragmenter = fragmenter;
  }

  /**
   * `NetworkLayer.send`. Linux's `ip_queue_xmit` and `ip_send_skb`.
   * @param block options of the header; null: those that the packet, or its socket, has.
   */
  send(skb: Skb, flow: Flow, sock: SockCommon | null, block: OptionBlock | null = null, packet: PacketOptions | null = null): number {
    const options = sock === null ? null : optionsOf(sock);
    const own = packet !== null && packet.headers instanceof OptionBlock ? packet.headers : null;
    const header = block ?? own ?? (options === null ? null : options.header);
    const headerBytes = header === null ? IPV4_HEADER_BYTES : IPV4_HEADER_BYTES + header.lenBytes;
    if (header !== null && !this.#isWayOf(header, headerBytes, skb, flow, sock)) return TRANSMIT.DROPPED;
    const { drops } = this.#parts;
    const dst = skb.dst!;
    const totalBytes = skb.len + headerBytes;
    if (totalBytes > MAX_PACKET_BYTES) return this.#tooLong(skb, sock, drops['ipv4.too-long'], MAX_PACKET_BYTES);
    const policy = options !== null && options.mtuDiscover >= 0 ? options.mtuDiscover : this.#pathMtuPolicy(flow.protocol);
    const mtuBytes = knownMtuBytes(policy, dst);
    const fits = totalBytes <= mtuBytes || skb.gsoSize !== 0;
    if (!fits && mustNotBeCut(policy)) return this.#tooLong(skb, sock, drops['ipv4.too-big'], mtuBytes);
    // Where the way is narrower than packets may be told, they are cut (Linux's mtu lock).
    const asks = policy === PATH_MTU.WANT && fits && !dst.mtuLocked;
    const dontFragment = asks || policy === PATH_MTU.DO || policy === PATH_MTU.PROBE;
    this.#write(skb, flow, options, header, dontFragment, packet);
    if (sock !== null) this.#mark(skb, sock);
    this.#parts.counters.outRequests.value++;
    return this.reenter(skb);
  }

  #write(
    skb: Skb,
    flow: Flow,
    options: Ipv4SockOptions | null,
    header: OptionBlock | null,
    dontFragment: boolean,
    packet: PacketOptions | null,
  ): void {
    const headerBytes = header === null ? IPV4_HEADER_BYTES : IPV4_HEADER_BYTES + header.lenBytes;
    const at = push(skb, headerBytes);
    const { view } = skb.memory;
    skb.network = at;
    skb.protocol = ETHERTYPE.IPV4;
    skb.type = SKB_TYPE.OUTGOING;
    setIpv4HeaderBytes(view, at, headerBytes);
    const tos = packet !== null && packet.trafficClass >= 0 ? packet.trafficClass : options === null ? 0 : options.tos;
    setIpv4Tos(view, at, flow.tos | tos);
    setIpv4TotalBytes(view, at, skb.len);
    // RFC 6864 §4.2: what cannot be cut needs no identification.
    setIpv4Id(view, at, dontFragment ? 0 : this.#ids.next(flow.src3, flow.dst3, flow.protocol, Math.max(1, skb.gsoSegs)));
    if (dontFragment && skb.gsoSize !== 0) skb.flags |= SKB_FLAG.FIXED_ID;
    setIpv4FragmentField(view, at, dontFragment ? IPV4_DF : 0);
    const ttl = packet !== null && packet.hopLimit >= 0 ? packet.hopLimit : this.#ttl(flow.dst3, skb.dst!, options);
    setIpv4Ttl(view, at, ttl);
    setIpv4Protocol(view, at, flow.protocol);
    setIpv4Src(view, at, flow.src3);
    setIpv4Dst(view, at, flow.dst3);
    if (header !== null) {
      if (header.firstHop !== 0) setIpv4Dst(view, at, header.firstHop);
      writeOptions(header, view, at, flow.dst3);
      this.#joints.options.departs(view, at, flow.src3);
    }
    finishIpv4(view, at);
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
    const mtuBytes = this.#mtuFor(skb, dst);
    return skb.len <= mtuBytes ? dst.finish(skb) : this.#fragmenter.send(skb, dst, mtuBytes);
  }

  /** To those beyond what is known of the path, where its socket probes, or does not believe what it is told. */
  #mtuFor(skb: Skb, dst: Dst): number {
    const options = skb.ifindex !== 0 || skb.sock === null ? null : optionsOf(skb.sock);
    return options === null ? dst.mtuBytes : knownMtuBytes(options.mtuDiscover, dst);
  }

  #output(skb: Skb): number {
    const { device, type } = skb.dst!;
    // A broadcast of our own is for our sockets too.
    if (type === ROUTE_TYPE.BROADCAST && skb.ifindex === 0 && device !== null && (device.flags & DEVICE_FLAG.LOOPBACK) === 0) {
      this.#joints.selfCopies.keep(skb, device, SKB_TYPE.BROADCAST);
    }
    if (type === ROUTE_TYPE.MULTICAST) {
      this.#joints.groups.loop(skb);
      if (ipv4Ttl(skb.memory.view, skb.network) === 0) return stay(skb);
    }
    return runHooks(this.#joints.hooks.postrouting, skb, null, device);
  }

  /**
   * There is room for options, and, where they name a first hop, the packet goes there: it is looked up for each. False: it was dropped,
   * and its socket knows why.
   */
  #isWayOf(header: OptionBlock, headerBytes: number, skb: Skb, flow: Flow, sock: SockCommon | null): boolean {
    const { drops, route, current } = this.#parts;
    if (header.firstHop !== 0) {
      const hop = this.#hop;
      aim(hop, flow.protocol, flow.src3, header.firstHop, flow.tos, flow.mark);
      hop.oif = flow.oif;
      const caller = current.id;
      current.id = route.owner;
      const dst = route.current.lookup(hop);
      current.id = caller;
      if (dst.error !== 0 || (header.strict && dst.gatewayFamily !== 0)) {
        this.#tell(skb, sock, dst.error === 0 ? ERRNO.EHOSTUNREACH : dst.error, 0);
        drop(skb, drops['ipv4.source-route-failed']);
        return false;
      }
      skb.dst = dst;
    }
    const { headroomBytes, tailroomBytes } = skb.dst!;
    if (skb.memory.pool.makeRoom(skb, headroomBytes + headerBytes - IPV4_HEADER_BYTES, tailroomBytes)) return true;
    drop(skb, drops['ipv4.no-memory']);
    return false;
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
      return this.#toNeighbour(skb, device, null, this.#joints.layer.family, 0, 0, IPV4_WORD2, destination);
    }
    return this.#toNeighbour(skb, device, dst, dst.gatewayFamily, dst.gateway0, dst.gateway1, dst.gateway2, dst.gateway3);
  }

  /** @param by the dst whose gateway it is, which keeps it; null: a destination on the link. */
  #toNeighbour(
    skb: Skb,
    device: NetDevice,
    by: Dst | null,
    family: number,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
  ): number {
    const { neighbours, current, drops } = this.#parts;
    const caller = current.id;
    current.id = neighbours.owner;
    const known = by === null ? null : by.neighbour;
    const neighbour = known ?? neighbours.current.find(device, family, word0, word1, word2, word3);
    if (neighbour === null) {
      current.id = caller;
      return drop(skb, drops['ipv4.no-neighbour']);
    }
    if (by !== null) by.neighbour = neighbour;
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

  #ttl(destination: number, dst: Dst, options: Ipv4SockOptions | null): number {
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
  #tooLong(skb: Skb, sock: SockCommon | null, reason: DropReason, mtuBytes: number): number {
    this.#tell(skb, sock, ERRNO.EMSGSIZE, mtuBytes);
    return drop(skb, reason);
  }

  #tell(skb: Skb, sock: SockCommon | null, errno: number, info: number): void {
    if (sock === null) return;
    const report = this.#report;
    report.errno = errno;
    report.origin = ERROR_ORIGIN.LOCAL;
    report.info = info;
    const { current } = this.#parts;
    const caller = current.id;
    current.id = sock.holdKind?.owner ?? caller;
    sock.ops.error(sock, skb, report);
    current.id = caller;
  }
}

/** What may be sent in one piece. Who probes the path, or disbelieves what it is told of it, may send what the link carries (RFC 4821 §7.2; ip(7)). */
function knownMtuBytes(policy: number, dst: Dst): number {
  if (policy < PATH_MTU.PROBE || dst.child !== null || dst.device === null) return dst.mtuBytes;
  return Math.max(dst.mtuBytes, dst.device.mtuBytes);
}

function mustNotBeCut(policy: number): boolean {
  return policy === PATH_MTU.DO || policy === PATH_MTU.PROBE || policy === PATH_MTU.INTERFACE;
}

/** To a group, for members on this host only (RFC 1112 §6.1). Takes the packet. */
function stay(skb: Skb): number {
  skb.memory.pool.release(skb);
  return TRANSMIT.OK;
}

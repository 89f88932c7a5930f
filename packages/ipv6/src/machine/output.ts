import type { Dst, Flow, Neighbour, NetDevice, NetworkLayer, PacketOptions, Skb, SkbStep, SockCommon } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DEVICE_FLAG,
  DST_METRIC,
  dequeue,
  ERRNO,
  ERROR_ORIGIN,
  ErrorReport,
  ETHERTYPE,
  enqueue,
  REFUSAL,
  ROUTE_TYPE,
  runHooks,
  SKB_FLAG,
  SkbQueue,
  TRANSMIT,
} from '@softnet/contract';
import type { LayerHooks, Unmerger } from '@softnet/inet';
import { Cutter, segmentBytes } from '@softnet/inet';
import { push, SkbReader } from '@softnet/skb';
import {
  IPV6_DST,
  IPV6_FRAGMENT_BYTES,
  IPV6_HEADER_BYTES,
  IPV6_SRC,
  ipv6Dst,
  ipv6HopLimit,
  ipv6NextHeader,
  putAddress,
  setIpv6HopLimit,
  setIpv6NextHeader,
  setIpv6PayloadBytes,
  setIpv6TrafficClassAndFlowLabel,
  writeIpv6Fragment,
} from '@softnet/wire';
import { isLinkLocal, isMulticast, multicastScope, SCOPE } from './address-kind.ts';
import type { FlowLabels } from './flow-labels.ts';
import { findUnfragmentable, Unfragmentable } from './header-walk.ts';
import { hopLimitOn, IPV6_MIN_MTU, mtuOn } from './link-values.ts';
import { pushHeaders, SentHeaders } from './sent-headers.ts';
import type { Ipv6SockOptions } from './sock-options.ts';
import { MTU_DISCOVER, sockOptions, WANTS_PATH_MTU } from './sock-options.ts';
import type { Links, Surroundings } from './surroundings.ts';

export { IPV6_MIN_MTU };

/** What a payload length can say. */
const MAX_PAYLOAD_BYTES = 65535;

/** The way out: header, hooks, fragments, neighbour. */
export class Ipv6Output {
  readonly #around: Surroundings;
  readonly #layer: NetworkLayer;
  readonly #hooks: LayerHooks;
  readonly #unmerger: Unmerger;
  readonly #cut: SkbStep = (skb) => this.cut(skb);
  readonly #cutter = new Cutter(new SkbReader());
  readonly #pieces = new SkbQueue();
  readonly #unfragmentable = new Unfragmentable();
  readonly #id = new Int32Array(1);
  readonly #idBytes = new Uint8Array(this.#id.buffer);
  readonly #report = new ErrorReport();
  readonly #labels: FlowLabels;
  readonly #links: Links;

  constructor(around: Surroundings, links: Links, layer: NetworkLayer, hooks: LayerHooks, unmerger: Unmerger, labels: FlowLabels) {
    this.#links = links;
    this.#labels = labels;
    this.#unmerger = unmerger;
    this.#around = around;
    this.#layer = layer;
    this.#hooks = hooks;
  }

  /** `NetworkLayer.send`. */
  send(skb: Skb, flow: Flow, sock: SockCommon | null, packet: PacketOptions | null = null): number {
    const options = sockOptions(sock);
    const dst = skb.dst!;
    const headers = headersOf(options, packet);
    let nextHeader = flow.protocol;
    if (headers !== null) {
      const { pool } = skb.memory;
      if (!pool.makeRoom(skb, dst.headroomBytes + headers.lenBytes, dst.tailroomBytes)) return this.#drop(skb, 'ipv6.no-memory');
      nextHeader = pushHeaders(skb, headers, flow.protocol);
    }
    if (isNeverCut(options, packet) && skb.gsoSize === 0) {
      const mtuBytes = this.#mtuOf(dst, options);
      if (skb.len + IPV6_HEADER_BYTES > mtuBytes) {
        if (isDontFragment(options, packet)) keepTooBig(options, flow, mtuBytes);
        return this.#tooBigForSocket(skb, sock!, mtuBytes);
      }
    }
    this.#around.counters.outRequests.value++;
    flow.label = this.#labels.of(flow, options);
    const ofSocket = flow.tos === 0 && options !== null ? options.trafficClass : flow.tos;
    const trafficClass = packet !== null && packet.trafficClass >= 0 ? packet.trafficClass : ofSocket;
    const hopLimit = packet !== null && packet.hopLimit >= 0 ? packet.hopLimit : this.#hopLimitOf(flow, dst, options);
    return this.emit(skb, flow, hopLimit, trafficClass, nextHeader);
  }

  /** The same, with this hop limit: for Neighbor Discovery. */
  emit(skb: Skb, flow: Flow, hopLimit: number, trafficClass: number, nextHeader: number = flow.protocol): number {
    const payloadBytes = skb.len;
    if (payloadBytes > MAX_PAYLOAD_BYTES && skb.gsoSize === 0) return this.#drop(skb, 'ipv6.too-long');
    const at = push(skb, IPV6_HEADER_BYTES);
    const { view } = skb.memory;
    skb.network = at;
    skb.protocol = ETHERTYPE.IPV6;
    setIpv6TrafficClassAndFlowLabel(view, at, trafficClass, flow.label);
    setIpv6PayloadBytes(view, at, payloadBytes > MAX_PAYLOAD_BYTES ? 0 : payloadBytes);
    setIpv6NextHeader(view, at, nextHeader);
    setIpv6HopLimit(view, at, hopLimit);
    putAddress(view, at + IPV6_SRC, ADDRESS_FAMILY.INET6, flow.src0, flow.src1, flow.src2, flow.src3);
    putAddress(view, at + IPV6_DST, ADDRESS_FAMILY.INET6, flow.dst0, flow.dst1, flow.dst2, flow.dst3);
    return this.reenter(skb);
  }

  /** `NetworkLayer.reenter`. */
  reenter(skb: Skb): number {
    return runHooks(this.#hooks.output, skb, null, skb.dst!.device);
  }

  /** `Dst.output`, and what follows the output and forward hooks. */
  readonly output = (skb: Skb): number => {
    const { type, device } = skb.dst!;
    if (type === ROUTE_TYPE.MULTICAST) {
      this.#around.groups.loop(skb);
      if (staysHere(skb, device)) {
        // Members on this host have theirs.
        skb.memory.pool.release(skb);
        return TRANSMIT.OK;
      }
    }
    return runHooks(this.#hooks.postrouting, skb, null, device);
  };

  /** What follows the postrouting hook: cut to the MTU (RFC 8200 §5: by the source only), and on. */
  cut(skb: Skb): number {
    const dst = skb.dst!;
    // Every link carries so much, whatever is known of it.
    if (skb.len <= IPV6_MIN_MTU) return dst.finish(skb);
    const own = skb.ifindex !== 0 || skb.sock === null ? null : sockOptions(skb.sock);
    const mtuBytes = this.#mtuOf(dst, own);
    if (skb.len <= mtuBytes) return dst.finish(skb);
    if (skb.gsoSize !== 0) {
      const fits = segmentBytes(skb, ipv6NextHeader(skb.memory.view, skb.network)) <= mtuBytes;
      return fits ? dst.finish(skb) : this.#unmerger.each(skb, this.#cut);
    }
    if (skb.ifindex === 0 || (skb.flags & SKB_FLAG.IGNORE_DF) !== 0) return this.#fragment(skb, dst, mtuBytes);
    this.#layer.refuse(skb, REFUSAL.TOO_BIG, mtuBytes);
    return this.#drop(skb, 'ipv6.too-big');
  }

  /** `Dst.finish`: to the neighbour. */
  readonly finish = (skb: Skb): number => {
    const dst = skb.dst!;
    const device = dst.device;
    if (device === null) return this.#drop(skb, 'ipv6.no-device');
    const { neighbours, current } = this.#around;
    const caller = current.id;
    current.id = neighbours.owner;
    const neighbour = dst.gatewayFamily === 0 ? this.#onLink(skb, device) : this.#gateway(dst, device);
    const result = neighbour === null ? TRANSMIT.DROPPED : neighbour.output(neighbour, skb);
    current.id = caller;
    return neighbour === null ? this.#drop(skb, 'ipv6.no-neighbour') : result;
  };

  #onLink(skb: Skb, device: NetDevice): Neighbour | null {
    const { view } = skb.memory;
    const at = skb.network + IPV6_DST;
    return this.#around.neighbours.current.find(
      device,
      ADDRESS_FAMILY.INET6,
      view.getInt32(at),
      view.getInt32(at + 4),
      view.getInt32(at + 8),
      view.getInt32(at + 12),
    );
  }

  /** One that the core has let go of leads to the one in its place. */
  #gateway(dst: Dst, device: NetDevice): Neighbour | null {
    if (dst.neighbour !== null) return dst.neighbour;
    const { gatewayFamily, gateway0, gateway1, gateway2, gateway3 } = dst;
    dst.neighbour = this.#around.neighbours.current.find(device, gatewayFamily, gateway0, gateway1, gateway2, gateway3);
    return dst.neighbour;
  }

  /** What may leave in one piece. Who probes the path, or does not believe what is told of it, may send what the link carries (RFC 4821 §7.2). */
  #mtuOf(dst: Dst, options: Ipv6SockOptions | null): number {
    const { device } = dst;
    if (device === null) return Math.max(dst.mtuBytes, IPV6_MIN_MTU);
    const disbelieves = options !== null && options.mtuDiscover >= MTU_DISCOVER.PROBE && dst.child === null;
    const mtuBytes = disbelieves ? Math.max(dst.mtuBytes, device.mtuBytes) : dst.mtuBytes;
    return mtuOn(this.#around, this.#links, device.ifindex, mtuBytes);
  }

  #hopLimitOf(flow: Flow, dst: Dst, options: Ipv6SockOptions | null): number {
    if (isMulticast(flow.dst0)) return options === null ? 1 : options.multicastHops;
    if (options !== null && options.unicastHops >= 0) return options.unicastHops;
    const metric = dst.metrics === null ? 0 : dst.metrics[DST_METRIC.HOPLIMIT]!;
    return metric > 0 ? metric & 0xff : hopLimitOn(this.#around, this.#links, dst.device === null ? 0 : dst.device.ifindex);
  }

  /** RFC 8200 §4.5; identifications nobody can foresee: RFC 7739 §5.3. */
  #fragment(skb: Skb, dst: Dst, mtuBytes: number): number {
    const part = this.#unfragmentable;
    findUnfragmentable(skb, part);
    const { lenBytes, nextHeaderAt, nextHeader } = part;
    const pieceBytes = (mtuBytes - lenBytes - IPV6_FRAGMENT_BYTES) & ~7;
    if (pieceBytes < 8) return this.#drop(skb, 'ipv6.too-big');
    // Not by `u32`: what does not fit into 31 bits would be garbage.
    this.#around.random.fill(this.#idBytes);
    const id = this.#id[0]!;
    const roomBytes = dst.headroomBytes + lenBytes - IPV6_HEADER_BYTES + IPV6_FRAGMENT_BYTES;
    const cutter = this.#cutter;
    if (!cutter.begin(skb, lenBytes, pieceBytes, roomBytes)) return this.#drop(skb, 'ipv6.no-memory');
    const pool = this.#around.pool.current;
    for (let piece = cutter.next(pool); piece !== null; piece = cutter.next(pool)) {
      const at = push(piece, IPV6_FRAGMENT_BYTES);
      const { view } = piece.memory;
      writeIpv6Fragment(view, at, nextHeader, cutter.offsetBytes, cutter.more, id);
      const network = cutter.pushHeader(piece);
      view.setUint8(network + nextHeaderAt, 44);
      setIpv6PayloadBytes(view, network, piece.len - IPV6_HEADER_BYTES);
      this.#around.counters.fragCreates.value++;
      enqueue(this.#pieces, piece);
    }
    return this.#sendPieces(cutter.end());
  }

  /** All of them, or none: a datagram of which a piece is missing is of no use. */
  #sendPieces(complete: boolean): number {
    let result: number = complete ? TRANSMIT.OK : TRANSMIT.DROPPED;
    for (let piece = dequeue(this.#pieces); piece !== null; piece = dequeue(this.#pieces)) {
      if (result === TRANSMIT.DROPPED) this.#drop(piece, 'ipv6.no-memory');
      else result = piece.dst!.finish(piece);
    }
    return result;
  }

  /** RFC 3542 §11.2: the socket wants to know the MTU instead. */
  #tooBigForSocket(skb: Skb, sock: SockCommon, mtuBytes: number): number {
    const report = this.#report;
    report.errno = ERRNO.EMSGSIZE;
    report.origin = ERROR_ORIGIN.LOCAL;
    report.type = 0;
    report.code = 0;
    report.info = mtuBytes;
    report.fatal = false;
    report.offender0 = 0;
    report.offender1 = 0;
    report.offender2 = 0;
    report.offender3 = 0;
    const { current } = this.#around;
    const caller = current.id;
    current.id = sock.holdKind?.owner ?? caller;
    sock.ops.error(sock, null, report);
    current.id = caller;
    return this.#drop(skb, 'ipv6.dont-fragment');
  }

  #drop(
    skb: Skb,
    name: 'ipv6.too-long' | 'ipv6.too-big' | 'ipv6.no-device' | 'ipv6.no-neighbour' | 'ipv6.no-memory' | 'ipv6.dont-fragment',
  ): number {
    skb.memory.pool.drop(skb, this.#around.reasons[name]);
    return TRANSMIT.DROPPED;
  }
}

/** A message's own headers are instead of its socket's, as in Linux. */
function headersOf(options: Ipv6SockOptions | null, packet: PacketOptions | null): SentHeaders | null {
  if (packet !== null && packet.headers instanceof SentHeaders) return packet.headers;
  return options === null ? null : options.headers;
}

/** Linux's `ip6_sk_ignore_df`. */
function isNeverCut(options: Ipv6SockOptions | null, packet: PacketOptions | null): boolean {
  if (isDontFragment(options, packet)) return true;
  if (options === null) return false;
  const { mtuDiscover } = options;
  return mtuDiscover >= MTU_DISCOVER.DO && mtuDiscover !== MTU_DISCOVER.OMIT;
}

/** IPV6_DONTFRAG, of the message or else of its socket. */
function isDontFragment(options: Ipv6SockOptions | null, packet: PacketOptions | null): boolean {
  if (packet !== null && packet.dontFragment >= 0) return packet.dontFragment > 0;
  return options?.dontFragment ?? false;
}

/** For IPV6_RECVPATHMTU. */
function keepTooBig(options: Ipv6SockOptions | null, { dst0, dst1, dst2, dst3, oif }: Flow, mtuBytes: number): void {
  if (options === null || (options.ancillary & WANTS_PATH_MTU) === 0) return;
  options.tooBig = { word0: dst0, word1: dst1, word2: dst2, word3: dst3, port: 0, ifindex: isLinkLocal(dst0) ? oif : 0, mtuBytes };
}

/** To a group of this interface alone, or with no hop to go (RFC 4291 §2.7, RFC 3493 §5.2). */
function staysHere({ network, memory: { view } }: Skb, device: NetDevice | null): boolean {
  if (device === null || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return false;
  return multicastScope(ipv6Dst(view, network, 0)) <= SCOPE.INTERFACE || ipv6HopLimit(view, network) === 0;
}

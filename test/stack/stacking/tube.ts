import type {
  Backlog,
  Contributions,
  CurrentOwner,
  DeviceTraffic,
  DropReason,
  ErrorReport,
  NetDevice,
  NetworkLayer,
  Port,
  Route,
  Skb,
  SkbQueue,
  TxQueue,
} from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DstUse,
  dequeue,
  ERRNO,
  ETHERTYPE,
  Flow,
  IP_PROTOCOL,
  IPV4_WORD2,
  isFresh,
  REFUSAL,
  SKB_TYPE,
} from '@softnet/contract';
import { gather, passOn, push, scrub } from '@softnet/skb';
import {
  finishIpv4,
  IPV4_DF,
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4Protocol,
  ipv4Src,
  isIpv4DontFragment,
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
import { layerIndex } from './layer-index.ts';

/** What tubes work with. */
export interface TubeHost {
  readonly current: CurrentOwner;
  readonly layers: Contributions<NetworkLayer>;
  readonly route: Port<Route>;
  readonly backlog: Port<Backlog>;
  readonly traffic: Port<DeviceTraffic>;
  readonly noWay: DropReason;
  readonly tooBig: DropReason;
}

const TTL = 64;

/** One tunnel device: IPv4 in IPv4 (RFC 2003), between two addresses. It stands in `device.ext`. */
export class Tube {
  readonly device: NetDevice;
  readonly local: number;
  readonly remote: number;
  /** The way to the other end. */
  use = new DstUse();
  readonly #host: TubeHost;
  readonly #outer = new Flow();
  readonly #inner = new Flow();
  #id = 0;

  constructor(host: TubeHost, device: NetDevice, local: number, remote: number) {
    this.#host = host;
    this.device = device;
    this.local = local;
    this.remote = remote;
  }

  open(): void {
    const dst = this.#host.route.current.attach(this.use, this.#toRemote(), this.device, 'tube.open');
    this.device.headroomBytes = dst.headroomBytes;
    this.device.tailroomBytes = dst.tailroomBytes;
  }

  stop(): void {
    this.#host.route.current.detach(this.use);
  }

  /** Asks anew, so that what went holds nobody up. */
  refresh(): void {
    if (this.use.holdNext !== null && !isFresh(this.use)) this.#host.route.current.validate(this.use, this.#toRemote());
  }

  transmit(queue: TxQueue, batch: SkbQueue): void {
    const { lenPackets, lenBytes } = batch;
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) this.#wrap(skb);
    const { current, traffic } = this.#host;
    const caller = current.id;
    current.id = traffic.owner;
    traffic.current.completed(queue, lenPackets, lenBytes);
    current.id = caller;
    this.device.stats.txPackets += lenPackets;
    this.device.stats.txBytes += lenBytes;
  }

  /** Of a packet with `data` behind the outer header: it comes in by the device. */
  unwrap(skb: Skb): void {
    const { backlog, current } = this.#host;
    const { reentries } = skb;
    scrub(skb);
    skb.reentries = reentries;
    this.device.stats.rxPackets++;
    this.device.stats.rxBytes += skb.len;
    const caller = current.id;
    current.id = backlog.owner;
    backlog.current.receive(skb, this.device);
    current.id = caller;
  }

  /** The way is narrower than was thought: what is inside is told so (RFC 2003 §5.1). `data` at the inner header, as far as it was quoted. */
  error(skb: Skb, report: ErrorReport): void {
    if (report.errno !== ERRNO.EMSGSIZE || report.info <= 0) return;
    if (skb.len < IPV4_HEADER_BYTES || !gather(skb, IPV4_HEADER_BYTES)) return;
    this.#narrow(skb, skb.data, report.info - IPV4_HEADER_BYTES);
  }

  #wrap(skb: Skb): void {
    const { current, route, noWay, tooBig } = this.#host;
    const layer = this.#layer();
    const { view } = skb.memory;
    const caller = current.id;
    current.id = route.owner;
    const dst = isFresh(this.use) ? this.use.dst! : route.current.validate(this.use, this.#toRemote());
    current.id = caller;
    const { pool } = skb.memory;
    if (layer === null || dst.error !== 0 || skb.protocol !== ETHERTYPE.IPV4) {
      pool.drop(skb, noWay);
      return;
    }
    const fragile = isIpv4DontFragment(view, skb.network);
    const roomBytes = dst.mtuBytes - IPV4_HEADER_BYTES;
    if (skb.len > roomBytes && fragile) {
      // It came for us to pass on; for the driver's sake it is marked as one that leaves.
      if (skb.ifindex !== 0) skb.type = SKB_TYPE.HOST;
      layer.refuse(skb, REFUSAL.TOO_BIG, roomBytes);
      this.#narrow(skb, skb.network, roomBytes);
      pool.drop(skb, tooBig);
      return;
    }
    if (!pool.makeRoom(skb, dst.headroomBytes, dst.tailroomBytes)) {
      pool.drop(skb, noWay);
      return;
    }
    this.#header(skb, fragile);
    skb.dst = dst;
    passOn(skb, 'driver');
    const { backlog } = this.#host;
    current.id = backlog.owner;
    backlog.current.send(skb, layer);
    current.id = caller;
  }

  #header(skb: Skb, fragile: boolean): void {
    const { view } = skb.memory;
    skb.transport = skb.network;
    const at = push(skb, IPV4_HEADER_BYTES);
    skb.network = at;
    skb.mac = -1;
    skb.ifindex = 0;
    skb.type = SKB_TYPE.OUTGOING;
    setIpv4HeaderBytes(view, at, IPV4_HEADER_BYTES);
    setIpv4Tos(view, at, 0);
    setIpv4TotalBytes(view, at, skb.len);
    this.#id = (this.#id + 1) & 0xffff;
    setIpv4Id(view, at, fragile ? 0 : this.#id);
    setIpv4FragmentField(view, at, fragile ? IPV4_DF : 0);
    setIpv4Ttl(view, at, TTL);
    setIpv4Protocol(view, at, IP_PROTOCOL.IPIP);
    setIpv4Src(view, at, this.local);
    setIpv4Dst(view, at, this.remote);
    finishIpv4(view, at);
  }

  /** A path MTU of the flow inside. @param at its header. */
  #narrow(skb: Skb, at: number, mtuBytes: number): void {
    const { route, current } = this.#host;
    const { view } = skb.memory;
    aim(this.#inner, ipv4Src(view, at), ipv4Dst(view, at), ipv4Protocol(view, at));
    const caller = current.id;
    current.id = route.owner;
    route.current.learnMtu(this.#inner, mtuBytes);
    current.id = caller;
  }

  #toRemote(): Flow {
    return aim(this.#outer, this.local, this.remote, IP_PROTOCOL.IPIP);
  }

  #layer(): NetworkLayer | null {
    const { layers } = this.#host;
    const index = layerIndex(layers, ADDRESS_FAMILY.INET);
    return index < 0 ? null : layers.items[index]!;
  }
}

function aim(flow: Flow, src: number, dst: number, protocol: number): Flow {
  flow.family = ADDRESS_FAMILY.INET;
  flow.protocol = protocol;
  flow.src2 = IPV4_WORD2;
  flow.src3 = src;
  flow.dst2 = IPV4_WORD2;
  flow.dst3 = dst;
  flow.oif = 0;
  flow.hash = 0;
  return flow;
}

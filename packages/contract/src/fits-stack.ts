// Fakes for fits-*.test.ts: a network layer, routes, the flow table. Written against the contract alone.

import type { Trace } from './fits-link.ts';
import { FakeNeighbours, FakeTraffic } from './fits-link.ts';
import { dropping, FakeObjects, FakePoint, FakePool, FakePort } from './fits-memory.ts';
import type {
  EthertypeHandler,
  FlowKey,
  Held,
  HookOkay,
  NetDevice,
  NetworkLayer,
  Route,
  Skb,
  SkbStep,
  SockCommon,
  SocketDemux,
} from './index.ts';
import {
  ADDRESS_FAMILY,
  ADDRESS_TYPE,
  CurrentOwner,
  DropReason,
  Dst,
  DstUse,
  ETHERTYPE,
  Flow,
  Generation,
  HOOK_FAMILY,
  HOOK_POINT,
  Hook,
  HookChain,
  HookQueue,
  IPV4_WORD2,
  isFresh,
  FlowKey as Key,
  PacketPolicy,
  Protocol,
  ProtocolDoor,
  ROUTE_TYPE,
  runHooks,
  TRANSMIT,
} from './index.ts';

/** What the kernel would compose. */
export class FakeNet {
  readonly trace: Trace = [];
  readonly pool = new FakePool();
  readonly traffic = new FakeTraffic(this.trace);
  readonly neighbours = new FakeNeighbours(this.traffic, this.trace);
  readonly hooks = new FakePoint(Hook);
  readonly protocols = new FakePoint(Protocol);
  readonly doors = new FakePoint(ProtocolDoor);
  readonly policy = new FakePort(PacketPolicy);
  readonly hookQueue = new FakePort(HookQueue);
  readonly current = new CurrentOwner();
  readonly route = new FakeRoute(this);
  readonly demux = new FakeDemux();
  readonly layer: FakeLayer = new FakeLayer(this);
}

/** 10.x.y.z as the fourth word. */
export function ip(x: number, y: number, z: number): number {
  return (10 << 24) | (x << 16) | (y << 8) | z;
}

/** IPv4 with a header of 20 bytes, of which it uses protocol and addresses. */
export class FakeLayer implements NetworkLayer, EthertypeHandler {
  readonly name = 'ipv4';
  readonly family = ADDRESS_FAMILY.INET;
  readonly ethertype = ETHERTYPE.IPV4;
  readonly headerBytes = 20;
  readonly minMtuBytes = 68;
  readonly uses = new FakeObjects<DstUse>('ipv4#1', 'dst');
  readonly dissect = null;
  readonly gro = null;
  readonly segment = null;
  readonly refused: number[] = [];
  readonly lost = new DropReason(2, 'ipv4.lost', 'came back too late');
  address = ip(0, 0, 1);
  readonly #net: FakeNet;
  readonly #flow = new Flow();
  readonly #key = new Key();
  readonly #prerouting: HookChain;
  readonly #input: HookChain;
  readonly #output: HookChain;
  readonly #postrouting: HookChain;

  constructor(net: FakeNet) {
    this.#net = net;
    this.#prerouting = this.#chain(HOOK_POINT.PREROUTING, (skb) => this.#routed(skb));
    this.#input = this.#chain(HOOK_POINT.INPUT, (skb) => this.#admitted(skb));
    this.#output = this.#chain(HOOK_POINT.OUTPUT, (skb) => skb.dst!.output(skb));
    this.#postrouting = this.#chain(HOOK_POINT.POSTROUTING, (skb) => skb.dst!.finish(skb));
    net.traffic.handlers.set(this.ethertype, this);
  }
  send(skb: Skb, flow: Flow): number {
    skb.data -= 20;
    skb.len += 20;
    skb.network = skb.data;
    skb.protocol = this.ethertype;
    const { bytes, view } = skb.memory;
    bytes[skb.network] = 0x45;
    bytes[skb.network + 9] = flow.protocol;
    view.setInt32(skb.network + 12, flow.src3);
    view.setInt32(skb.network + 16, flow.dst3);
    return this.reenter(skb);
  }
  reenter(skb: Skb): number {
    this.#net.trace.push(`output ${skb.memory.bytes[skb.network + 9]}`);
    return runHooks(this.#output, skb, null, skb.dst!.device);
  }
  input(skb: Skb, device: NetDevice): void {
    this.receive(skb, device);
  }
  receive(skb: Skb, device: NetDevice): void {
    this.#net.trace.push('ip');
    runHooks(this.#prerouting, skb, device, null);
  }
  deliver(skb: Skb, protocol: number): void {
    const { demux, protocols, doors } = this.#net;
    for (const item of protocols.items) {
      if (item.number !== protocol) continue;
      this.readKey(skb, this.#key);
      const isRead = item.dissect?.(skb.memory, skb.transport, skb.tail, this.#key) ?? false;
      if (isRead && demux.deliver(skb, this.#key)) return;
      if (item.input?.(skb, this)) return;
    }
    const door = doors.items.find((item) => item.number === protocol);
    if (door === undefined) skb.memory.pool.drop(skb, this.lost);
    else door.unmatched(skb, this);
  }
  prepare(dst: Dst): void {
    dst.uses = this.uses;
    dst.input = (skb) => runHooks(this.#input, skb, this.#net.traffic.byIndex(skb.ifindex), null);
    dst.output = (skb) => {
      this.#net.trace.push(`postrouting ${skb.memory.bytes[skb.network + 9]}`);
      return runHooks(this.#postrouting, skb, null, skb.dst!.device);
    };
    dst.finish = (skb) => this.#neighbour(skb, skb.dst!);
    dst.headroomBytes += this.headerBytes;
  }
  chooseSource(flow: Flow): boolean {
    flow.src2 = IPV4_WORD2;
    flow.src3 = this.address;
    return true;
  }
  addressType(_a0: number, _a1: number, _a2: number, a3: number): number {
    return a3 === this.address ? ADDRESS_TYPE.LOCAL : ADDRESS_TYPE.UNICAST;
  }
  readKey(skb: Skb, key: FlowKey): void {
    const { bytes, view } = skb.memory;
    key.protocol = bytes[skb.network + 9]!;
    key.remote2 = IPV4_WORD2;
    key.remote3 = view.getInt32(skb.network + 12);
    key.local2 = IPV4_WORD2;
    key.local3 = view.getInt32(skb.network + 16);
    key.ifindex = skb.ifindex;
  }
  refuse(_skb: Skb, refusal: number): void {
    this.refused.push(refusal);
  }
  #chain(point: number, okay: HookOkay): HookChain {
    const { hooks, hookQueue, current } = this.#net;
    return new HookChain({ family: HOOK_FAMILY.IPV4, point, hooks, queue: hookQueue, current, okay, lost: this.lost });
  }
  #routed(skb: Skb): number {
    const flow = this.#flow;
    flow.family = this.family;
    flow.iif = skb.ifindex;
    flow.dst3 = skb.memory.view.getInt32(skb.network + 16);
    skb.dst = this.#net.route.lookupInput(flow);
    return skb.dst.input(skb);
  }
  #admitted(skb: Skb): number {
    if (!this.#net.policy.current.admit(skb, 0, this)) return TRANSMIT.DROPPED;
    skb.transport = skb.network + this.headerBytes;
    skb.data = skb.transport;
    skb.len -= this.headerBytes;
    this.deliver(skb, skb.memory.bytes[skb.network + 9]!);
    return TRANSMIT.OK;
  }
  #neighbour(skb: Skb, dst: Dst): number {
    const onLink = dst.gatewayFamily === 0;
    const a3 = onLink ? skb.memory.view.getInt32(skb.network + 16) : dst.gateway3;
    const neighbour = this.#net.neighbours.find(dst.device!, this.family, 0, 0, IPV4_WORD2, a3);
    return neighbour.output(neighbour, skb);
  }
}

/** One table of whole addresses, and a route for the rest. */
export class FakeRoute implements Route {
  readonly generation = new Generation();
  readonly exact = new Map<number, Dst>();
  readonly noRoute = new DropReason(3, 'route.none', 'no route');
  rest: Dst | null = null;
  readonly #net: FakeNet;

  constructor(net: FakeNet) {
    this.#net = net;
  }
  /** A dst as route makes it for a next hop, or for this host. */
  make(device: NetDevice | null, type: number): Dst {
    const dst = new Dst(this.generation, dropping(this.noRoute));
    dst.family = ADDRESS_FAMILY.INET;
    dst.type = type;
    dst.device = device;
    dst.headroomBytes = device?.headroomBytes ?? 0;
    dst.mtuBytes = device?.mtuBytes ?? 65535;
    this.#net.layer.prepare(dst);
    return dst;
  }
  changed(): void {
    this.generation.value = (this.generation.value + 1) | 0 || 1;
  }
  lookup(flow: Flow): Dst {
    this.#net.trace.push('route');
    const dst = this.lookupInput(flow);
    if (flow.src2 === 0) this.#net.layer.chooseSource(flow);
    return this.#net.policy.current.stack(dst, flow);
  }
  lookupInput(flow: Flow): Dst {
    if (flow.dst3 === this.#net.layer.address) return this.make(null, ROUTE_TYPE.LOCAL);
    return this.exact.get(flow.dst3) ?? this.rest ?? this.make(null, ROUTE_TYPE.UNREACHABLE);
  }
  attach(use: DstUse, flow: Flow, holder: Held, place: string): Dst {
    if (use.dst !== null) this.detach(use);
    const dst = this.lookup(flow);
    use.dst = dst;
    use.generation = dst.generation.value;
    dst.uses?.derive(use, holder, place);
    for (let below = dst.child; below !== null; below = below.child) below.uses?.derive(new DstUse(), use, place);
    return dst;
  }
  validate(use: DstUse, flow: Flow): Dst {
    return isFresh(use) ? use.dst! : this.attach(use, flow, use.holdHolder!, use.holdPlace);
  }
  detach(use: DstUse): void {
    use.dst?.uses?.release(use);
    use.dst = null;
  }
  learnMtu(): void {}
  learnGateway(): void {}
}

/** The flow table: all ends, or port alone. */
export class FakeDemux implements SocketDemux {
  readonly #socks = new Set<SockCommon>();

  deliver(skb: Skb, key: FlowKey): boolean {
    const sock = this.find(key);
    sock?.ops.input(sock, skb);
    return sock !== null;
  }
  find(key: FlowKey): SockCommon | null {
    let found: SockCommon | null = null;
    for (const sock of this.#socks) {
      if (sock.protocol !== key.protocol || sock.localPort !== key.localPort) continue;
      if (sock.remotePort === key.remotePort && sock.remote3 === key.remote3) return sock;
      if (sock.remotePort === 0) found = sock;
    }
    return found;
  }
  insert(sock: SockCommon): void {
    this.#socks.add(sock);
  }
  remove(sock: SockCommon): void {
    this.#socks.delete(sock);
  }
}

/** A step that notes its name before it goes on. */
export function noting(trace: Trace, name: string, step: SkbStep): SkbStep {
  return (skb) => {
    trace.push(name);
    return step(skb);
  };
}

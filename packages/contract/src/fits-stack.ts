// Fakes for fits-*.test.ts: a network layer, routes, the flow table. Written against the contract alone.

import type { Trace } from './fits-link.ts';
import { FakeNeighbours, FakeTraffic } from './fits-link.ts';
import { FakeObjects, FakePoint, FakePool, FakePort } from './fits-memory.ts';
import { FakeDemux, FakeRoute } from './fits-route.ts';
import type { Dst, DstUse, EthertypeHandler, FlowKey, HookOkay, InterfaceAddress, NetDevice, NetworkLayer, Skb, SkbStep } from './index.ts';
import {
  ADDRESS_FAMILY,
  ADDRESS_TYPE,
  CurrentOwner,
  DropReason,
  ETHERTYPE,
  Flow,
  HOOK_FAMILY,
  HOOK_POINT,
  Hook,
  HookChain,
  HookQueue,
  IPV4_WORD2,
  FlowKey as Key,
  PacketPolicy,
  Protocol,
  ProtocolDoor,
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
  readonly addresses = new FakeObjects<InterfaceAddress>('ipv4#1', 'address');
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

/** A step that notes its name before it goes on. */
export function noting(trace: Trace, name: string, step: SkbStep): SkbStep {
  return (skb) => {
    trace.push(name);
    return step(skb);
  };
}

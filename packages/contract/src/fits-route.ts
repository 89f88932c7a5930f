// Fakes for fits-*.test.ts: routes and the flow table. Written against the contract alone.
import { dropping } from './fits-memory.ts';
import type { FakeNet } from './fits-stack.ts';
import type { Flow, FlowKey, Held, NetDevice, Route, Skb, SockCommon, SocketDemux } from './index.ts';
import { ADDRESS_FAMILY, DropReason, Dst, DstUse, Generation, isFresh, ROUTE_TYPE } from './index.ts';

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
  entries(): [] {
    return [];
  }
  rules(): [] {
    return [];
  }
  nextHops(): [] {
    return [];
  }
  wantsPorts(): boolean {
    return false;
  }
  exceptions(): [] {
    return [];
  }
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

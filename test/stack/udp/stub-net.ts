// IPv4, IPv6 and routes as far as sockets see them: every packet comes back in, a poll later. What goes wrong, the test says.
import type { AddressWords, Flow, FlowKey, Held, InterfaceAddress, ModuleContext, Poll, Skb, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_TYPE,
  DropReason,
  Dst,
  DstUse,
  dequeue,
  ERRNO,
  ERROR_ORIGIN,
  ErrorReport,
  ETHERTYPE,
  enqueue,
  Generation,
  IPV4_WORD2,
  isFresh,
  Module,
  NetworkLayer,
  one,
  Protocol,
  REFUSAL,
  ROUTE_TYPE,
  Route,
  SKB_TYPE,
  SkbPool,
  SkbQueue,
  SocketDemux,
  TRANSMIT,
} from '@softnet/contract';
import { Delivery } from '@softnet/inet';
import { finishChecksum, orphan, pull, push, SkbReader } from '@softnet/skb';
import {
  IPV6_HEADER_BYTES,
  ipv4Dst,
  ipv4Protocol,
  ipv4Src,
  ipv6Dst,
  ipv6NextHeader,
  ipv6Src,
  parseAddress,
  setIpv4Dst,
  setIpv4HeaderBytes,
  setIpv4Protocol,
  setIpv4Src,
  setIpv6NextHeader,
} from '@softnet/wire';

const { INET } = ADDRESS_FAMILY;

/** What the test turns, and sees. */
export class StubControl {
  /** Packets wait until `go` is called. */
  hold = false;
  /** Said by the layer itself of the packet that it is sending; 0: it sends. */
  localErrno = 0;
  /** Bytes of each packet on the way, to be spoilt. */
  spoil: ((skb: Skb) => void) | null = null;
  /** Finish checksums, as a device does. */
  finish = false;
  mtuBytes = 1500;
  headroomBytes = 48;
  tailroomBytes = 0;
  /** How often routes were looked up, and dsts attached. */
  lookups = 0;
  readonly routes = new Generation();
  readonly waiting = new SkbQueue();
  poll: Poll | null = null;

  go(): void {
    this.hold = false;
    this.poll?.raise();
  }
  /** Answers given before are stale. */
  changed(): void {
    this.routes.value++;
  }
}

function words(text: string): AddressWords {
  return parseAddress(text)!.words;
}

/** Of 10.0.0.0/24 all, 127.0.0.1, ::1, 2001:db8::/64, fe80::1. */
function isLocal(w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 === 0 && w1 === 0 && w2 === IPV4_WORD2) return w3 >>> 8 === 0x0a0000 || w3 === 0x7f000001;
  return (w0 === 0 && w1 === 0 && w2 === 0 && w3 === 1) || (w0 === 0x20010db8 && w1 === 0) || (w0 === (0xfe800000 | 0) && w3 === 1);
}

class StubLayer implements NetworkLayer {
  readonly name: string;
  readonly family: number;
  readonly ethertype: number;
  readonly headerBytes: number;
  readonly minMtuBytes = 1280;
  readonly uses;
  readonly addresses;
  readonly refused: number[] = [];
  readonly #ctx: ModuleContext;
  readonly #control: StubControl;
  readonly #delivery: Delivery;
  readonly #lost: DropReason;
  readonly #reader = new SkbReader();

  constructor(ctx: ModuleContext, family: number, control: StubControl) {
    this.#ctx = ctx;
    this.name = ctx.name;
    this.family = family;
    this.ethertype = family === INET ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
    this.headerBytes = family === INET ? 20 : IPV6_HEADER_BYTES;
    this.#control = control;
    this.#lost = ctx.dropReason(`${ctx.name}.lost`, 'a test');
    this.uses = ctx.objects<DstUse>('dst', {
      drain: 'wait',
      close: () => {},
      freeze: () => ({ version: 1, data: null }),
      thaws: [1],
      thaw: () => new DstUse(),
    });
    this.addresses = ctx.objects<InterfaceAddress>('address', { drain: 'keep', close: () => {} });
    this.#delivery = new Delivery(ctx, this, { noProtocol: this.#lost, noPorts: this.#lost });
  }
  send(skb: Skb, flow: Flow, sock: Parameters<NetworkLayer['send']>[2]): number {
    const at = push(skb, this.headerBytes);
    skb.network = at;
    skb.protocol = this.ethertype;
    const { bytes, view } = skb.memory;
    bytes.fill(0, at, at + this.headerBytes);
    if (this.family === INET) {
      bytes[at] = 0x40;
      setIpv4HeaderBytes(view, at, 20);
      setIpv4Protocol(view, at, flow.protocol);
      setIpv4Src(view, at, flow.src3);
      setIpv4Dst(view, at, flow.dst3);
    } else {
      bytes[at] = 0x60;
      setIpv6NextHeader(view, at, flow.protocol);
      for (const [i, word] of [flow.src0, flow.src1, flow.src2, flow.src3].entries()) view.setInt32(at + 8 + 4 * i, word);
      for (const [i, word] of [flow.dst0, flow.dst1, flow.dst2, flow.dst3].entries()) view.setInt32(at + 24 + 4 * i, word);
    }
    if (this.#control.localErrno !== 0 && sock !== null) {
      const report = new ErrorReport();
      report.errno = this.#control.localErrno;
      report.origin = ERROR_ORIGIN.LOCAL;
      sock.ops.error(sock, skb, report);
      skb.memory.pool.drop(skb, this.#lost);
      return TRANSMIT.DROPPED;
    }
    return this.reenter(skb);
  }
  reenter(skb: Skb): number {
    return skb.dst!.output(skb);
  }
  receive(skb: Skb): void {
    skb.transport = skb.network + this.headerBytes;
    pull(skb, this.headerBytes);
    this.deliver(skb, this.#protocolOf(skb));
  }
  deliver(skb: Skb, protocol: number): void {
    this.#delivery.deliver(skb, protocol);
  }
  prepare(dst: Dst): void {
    dst.uses = this.uses;
    dst.headroomBytes = this.headerBytes + this.#control.headroomBytes;
    dst.tailroomBytes = this.#control.tailroomBytes;
    dst.mtuBytes = this.#control.mtuBytes;
    dst.output = (skb) => {
      skb.dst = null;
      enqueue(this.#control.waiting, skb);
      if (!this.#control.hold) this.#control.poll?.raise();
      return TRANSMIT.OK;
    };
  }
  chooseSource(flow: Flow): boolean {
    const [w0, w1, w2, w3] = flow.dst0 === (0xfe800000 | 0) ? words('fe80::1') : words(this.family === INET ? '10.0.0.1' : '2001:db8::1');
    Object.assign(flow, { src0: w0, src1: w1, src2: w2, src3: w3 });
    return true;
  }
  addressType(w0: number, w1: number, w2: number, w3: number): number {
    if (isLocal(w0, w1, w2, w3)) return ADDRESS_TYPE.LOCAL;
    const multicast = w0 === 0 ? w3 >>> 28 === 0xe : w0 >>> 24 === 0xff;
    return multicast ? ADDRESS_TYPE.MULTICAST : ADDRESS_TYPE.UNICAST;
  }
  readKey(skb: Skb, key: FlowKey): void {
    const { view } = skb.memory;
    const at = skb.network;
    key.protocol = this.#protocolOf(skb);
    key.ifindex = skb.ifindex;
    const v4 = this.family === INET;
    key.remote0 = v4 ? 0 : ipv6Src(view, at, 0);
    key.remote1 = v4 ? 0 : ipv6Src(view, at, 1);
    key.remote2 = v4 ? IPV4_WORD2 : ipv6Src(view, at, 2);
    key.remote3 = v4 ? ipv4Src(view, at) : ipv6Src(view, at, 3);
    key.local0 = v4 ? 0 : ipv6Dst(view, at, 0);
    key.local1 = v4 ? 0 : ipv6Dst(view, at, 1);
    key.local2 = v4 ? IPV4_WORD2 : ipv6Dst(view, at, 2);
    key.local3 = v4 ? ipv4Dst(view, at) : ipv6Dst(view, at, 3);
  }
  /** Its sender is this host: it hears of it at once. */
  refuse(skb: Skb, refusal: number): void {
    this.refused.push(refusal);
    const report = new ErrorReport();
    report.errno = refusal === REFUSAL.PORT_UNREACHABLE ? ERRNO.ECONNREFUSED : ERRNO.EHOSTUNREACH;
    report.origin = ERROR_ORIGIN.ICMP;
    report.fatal = true;
    this.#delivery.report(skb, this.#protocolOf(skb), report);
  }
  /** What was sent comes in. */
  comesIn(skb: Skb): void {
    if (this.#control.finish && !finishChecksum(skb, this.#reader)) throw new Error('no checksum');
    this.#control.spoil?.(skb);
    orphan(skb);
    skb.type = SKB_TYPE.HOST;
    skb.ifindex = 1;
    const caller = this.#ctx.current.id;
    this.receive(skb);
    this.#ctx.current.id = caller;
  }
  #protocolOf(skb: Skb): number {
    return this.family === INET ? ipv4Protocol(skb.memory.view, skb.network) : ipv6NextHeader(skb.memory.view, skb.network);
  }
}

/** A module that is the layer of a family. */
export function stubLayer(family: number, control: StubControl): new () => SoftnetModule {
  class Layer implements SoftnetModule {
    start(ctx: ModuleContext): void {
      ctx.contribute(NetworkLayer, new StubLayer(ctx, family, control), 'corridor');
    }
  }
  const name = family === INET ? 'ipv4' : 'ipv6';
  Module({ name, version: '1.0.0', requires: [one(SocketDemux)], provides: [NetworkLayer, Protocol] })(Layer);
  return Layer;
}

/** A module that knows the way: to us, to 10.255.255.255 and 255.255.255.255 for all, and no further. */
export function stubRoute(control: StubControl): new () => SoftnetModule {
  class Routes implements SoftnetModule, Route {
    readonly #dsts = new Map<string, Dst>();
    #ctx!: ModuleContext;

    start(ctx: ModuleContext): void {
      this.#ctx = ctx;
      const layers = ctx.contributions(NetworkLayer);
      control.poll = ctx.poll(
        {
          poll: (budget) => {
            let done = 0;
            for (; done < budget && !control.hold; done++) {
              const skb = dequeue(control.waiting);
              if (skb === null) break;
              const layer = layers.items.find((each) => each.ethertype === skb.protocol);
              if (layer === undefined) skb.memory.pool.release(skb);
              else (layer as StubLayer).comesIn(skb);
            }
            return done;
          },
        },
        'stub.poll',
      );
      ctx.corridor(Route, this);
    }
    changed(): void {
      control.changed();
    }
    lookup(flow: Flow): Dst {
      control.lookups++;
      const layer = this.#ctx.contributions(NetworkLayer).items.findLast((each) => each.family === flow.family);
      const broadcast = flow.dst2 === IPV4_WORD2 && (flow.dst3 === 0x0affffff || flow.dst3 === -1);
      const multicast = flow.dst2 === IPV4_WORD2 ? flow.dst3 >>> 28 === 0xe : flow.dst0 >>> 24 === 0xff;
      const known = broadcast || multicast || isLocal(flow.dst0, flow.dst1, flow.dst2, flow.dst3);
      if (layer === undefined || !known) return this.#dst('none', null, ROUTE_TYPE.UNREACHABLE);
      const type = broadcast ? ROUTE_TYPE.BROADCAST : multicast ? ROUTE_TYPE.MULTICAST : ROUTE_TYPE.LOCAL;
      const dst = this.#dst(`${flow.family} ${type}`, layer, type);
      if ((flow.src0 | flow.src1 | flow.src2 | flow.src3) === 0) layer.chooseSource(flow, dst);
      return dst;
    }
    lookupInput(flow: Flow): Dst {
      return this.lookup(flow);
    }
    attach(use: DstUse, flow: Flow, holder: Held, place: string): Dst {
      if (use.dst !== null) this.detach(use);
      const dst = this.lookup(flow);
      dst.uses?.derive(use, holder, place);
      use.dst = dst;
      use.generation = dst.generation.value;
      return dst;
    }
    validate(use: DstUse, flow: Flow): Dst {
      return isFresh(use) ? use.dst! : this.attach(use, flow, use.holdHolder!, use.holdPlace);
    }
    detach(use: DstUse): void {
      if (use.holdNext !== null) use.holdKind!.release(use);
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
    #dst(name: string, layer: NetworkLayer | null, type: number): Dst {
      const found = this.#dsts.get(name);
      if (found !== undefined && found.uses?.module === layer?.uses.module) return found;
      const reason = new DropReason(0, 'stub.none', 'a test');
      const dst = new Dst(control.routes, (skb) => {
        skb.memory.pool.drop(skb, reason);
        return TRANSMIT.DROPPED;
      });
      dst.type = type;
      if (layer === null) dst.error = ERRNO.ENETUNREACH;
      else layer.prepare(dst);
      this.#dsts.set(name, dst);
      return dst;
    }
  }
  Module({ name: 'route', version: '1.0.0', requires: [one(SkbPool)], provides: [Route] })(Routes);
  return Routes;
}

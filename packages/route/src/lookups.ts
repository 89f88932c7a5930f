import type { CurrentOwner, Dst, Flow, PacketPolicy, Port } from '@softnet/contract';
import { Flow as FlowRecord, ROUTE_TYPE, SOURCE_CHECK } from '@softnet/contract';
import { groupType, isOwn, isScoped, isUnspecified } from './destination.ts';
import type { DstMaker } from './dst-maker.ts';
import type { ErrorDsts } from './error-dsts.ts';
import type { Exceptions } from './exceptions.ts';
import type { Fib } from './fib.ts';
import type { Groups } from './groups.ts';
import type { Hop } from './hop.ts';
import type { Layers } from './layers.ts';
import { leavesBy } from './next-hop/pick-hop.ts';
import type { RouteAlias } from './route-alias.ts';

export interface LookupParts {
  readonly fib: Fib;
  readonly groups: Groups;
  readonly layers: Layers;
  readonly maker: DstMaker;
  readonly errors: ErrorDsts;
  readonly exceptions: Exceptions;
  readonly policy: Port<PacketPolicy>;
  readonly current: CurrentOwner;
  /** Layers have come or gone. */
  readonly relayer: () => void;
}

/** From a flow to its dst. Once warm, nothing is allocated. */
export class Lookups {
  readonly #parts: LookupParts;
  readonly #back = new FlowRecord();

  constructor(parts: LookupParts) {
    this.#parts = parts;
  }

  lookup(flow: Flow): Dst {
    const { layers, policy, current } = this.#parts;
    if (layers.changed) this.#parts.relayer();
    const dst = this.#output(flow);
    if (dst.error !== 0) return dst;
    const caller = current.id;
    current.id = policy.owner;
    const stacked = policy.current.stack(dst, flow);
    current.id = caller;
    return stacked;
  }

  lookupInput(flow: Flow, sourceCheck: number): Dst {
    const { fib, layers, errors, groups } = this.#parts;
    if (layers.changed) this.#parts.relayer();
    if (sourceCheck !== SOURCE_CHECK.NONE && !this.#isSourceGood(flow, sourceCheck)) return errors.of('source', flow.family);
    // What loops back has left its link: its scope is any.
    const alias = fib.select(flow, isScoped(flow) && flow.iif !== fib.loopback ? flow.iif : 0);
    const group = groupType(flow);
    if (group !== 0 && fib.refusal === 0 && (alias === null || alias.info.type === ROUTE_TYPE.UNICAST)) {
      const hop = groups.find(flow.family, group, flow.iif);
      return hop === null ? errors.of('none', flow.family) : this.#dstOf(hop);
    }
    if (alias === null) return errors.ofRefusal(fib.refusal, flow.family);
    if (fib.hop === null) return errors.ofType(alias.info.refusal, flow.family);
    return this.#dstOf(fib.hop);
  }

  /** The route of a flow as `lookup` finds it, exceptions aside; its next hop is `fib.hop`. */
  route(flow: Flow): RouteAlias | null {
    return this.#parts.fib.select(flow, flow.oif);
  }

  #output(flow: Flow): Dst {
    const { fib, errors } = this.#parts;
    const alias = fib.select(flow, flow.oif);
    const group = groupType(flow);
    if (group !== 0 && fib.refusal === 0 && (alias === null || alias.info.type === ROUTE_TYPE.UNICAST)) return this.#toGroup(flow, group);
    if (alias === null) return errors.ofRefusal(fib.refusal, flow.family);
    const { hop } = fib;
    if (hop === null) return errors.ofType(alias.info.refusal, flow.family);
    const dst = hop.exceptions === 0 ? this.#dstOf(hop) : this.#exceptional(hop, flow);
    return this.#complete(flow, dst, alias);
  }

  /** By the device that was asked for, else by that of the route; no gateway is on the way to a group (Linux does the same). */
  #toGroup(flow: Flow, group: number): Dst {
    const { fib, groups, errors } = this.#parts;
    const ifindex = flow.oif !== 0 ? flow.oif : (fib.hop?.ifindex ?? 0);
    const hop = groups.find(flow.family, group, ifindex);
    return hop === null || !hop.alive ? errors.of('none', flow.family) : this.#complete(flow, this.#dstOf(hop), null);
  }

  /** Fills in what the flow did not say. */
  #complete(flow: Flow, dst: Dst, alias: RouteAlias | null): Dst {
    if (dst.error !== 0) return dst;
    const { device } = dst;
    // This host is reached by its loopback device only.
    if (device === null) return this.#parts.errors.of('none', flow.family);
    if (flow.oif === 0) flow.oif = device.ifindex;
    if (!isUnspecified(flow.src0, flow.src1, flow.src2, flow.src3)) return dst;
    const preferred = alias === null ? null : alias.info.preferredSource;
    if (preferred !== null) {
      flow.src0 = preferred[0];
      flow.src1 = preferred[1];
      flow.src2 = preferred[2];
      flow.src3 = preferred[3];
    } else if (dst.type === ROUTE_TYPE.LOCAL) {
      // RFC 6724 §5, rule 1; Linux does so for IPv4 too.
      flow.src0 = flow.dst0;
      flow.src1 = flow.dst1;
      flow.src2 = flow.dst2;
      flow.src3 = flow.dst3;
    } else this.#parts.layers.chooseSource(flow, dst);
    return dst;
  }

  #dstOf(hop: Hop): Dst {
    hop.dst ??= this.#parts.maker.make(hop, null);
    return hop.dst;
  }

  #exceptional(hop: Hop, flow: Flow): Dst {
    const exception = this.#parts.exceptions.find(hop, flow);
    if (exception === null) return this.#dstOf(hop);
    exception.dst ??= this.#parts.maker.make(hop, exception);
    return exception.dst;
  }

  /** The best route back is what counts, not one that leads there by this device too. Linux's `fib_validate_source`. */
  #isSourceGood(flow: Flow, sourceCheck: number): boolean {
    const { fib } = this.#parts;
    const back = this.#back;
    if (isUnspecified(flow.src0, flow.src1, flow.src2, flow.src3) || flow.iif === fib.loopback) return true;
    back.family = flow.family;
    back.protocol = flow.protocol;
    back.dst0 = flow.src0;
    back.dst1 = flow.src1;
    back.dst2 = flow.src2;
    back.dst3 = flow.src3;
    back.src0 = flow.dst0;
    back.src1 = flow.dst1;
    back.src2 = flow.dst2;
    back.src3 = flow.dst3;
    back.srcPort = flow.dstPort;
    back.dstPort = flow.srcPort;
    back.mark = flow.mark;
    back.tos = flow.tos;
    const alias = fib.select(back, isScoped(back) ? flow.iif : 0);
    if (alias === null || fib.hop === null) return false;
    // Whether its own addresses may come in is for the layer to say.
    if (isOwn(alias.info.type)) return true;
    if (alias.info.type !== ROUTE_TYPE.UNICAST) return false;
    return sourceCheck !== SOURCE_CHECK.STRICT || leavesBy(alias.info, flow.iif);
  }
}

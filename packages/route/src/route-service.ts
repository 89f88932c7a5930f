import type {
  Dst,
  DstUse,
  Flow,
  Generation,
  Held,
  NextHopObject,
  Route,
  RouteEntry,
  RouteExceptionEntry,
  RoutingRule,
} from '@softnet/contract';
import { ROUTE_TYPE, SOURCE_CHECK } from '@softnet/contract';
import type { DstUses } from './dst-uses.ts';
import type { Exceptions, RouteException } from './exceptions.ts';
import type { Fib } from './fib.ts';
import type { Hop } from './hop.ts';
import type { Hops } from './hops.ts';
import type { Layers } from './layers.ts';
import type { Lookups } from './lookups.ts';
import type { NextHopStore } from './next-hop/next-hop-store.ts';
import type { RouteStore } from './route-store.ts';
import type { RuleStore } from './rule/rule-store.ts';
import type { RuleBook } from './rules.ts';

export interface RouteServiceParts {
  readonly generation: Generation;
  readonly fib: Fib;
  readonly layers: Layers;
  readonly lookups: Lookups;
  readonly uses: DstUses;
  readonly exceptions: Exceptions;
  readonly hops: Hops;
  readonly book: RuleBook;
  readonly store: RouteStore;
  readonly ruleStore: RuleStore;
  readonly nextHops: NextHopStore;
  /** Layers or neighbour protocols may have come or gone. */
  readonly look: () => void;
  /** How long exceptions of a family live. */
  readonly lifetimeMs: (family: number) => number;
}

/** What others ask of routes. */
export class RouteService implements Route {
  readonly #parts: RouteServiceParts;

  constructor(parts: RouteServiceParts) {
    this.#parts = parts;
  }

  changed(): void {
    this.#parts.look();
    bump(this.#parts.generation);
  }

  lookup(flow: Flow): Dst {
    return this.#parts.lookups.lookup(flow);
  }

  lookupInput(flow: Flow, sourceCheck: number = SOURCE_CHECK.NONE): Dst {
    return this.#parts.lookups.lookupInput(flow, sourceCheck);
  }

  attach(use: DstUse, flow: Flow, holder: Held, place: string): Dst {
    return this.#parts.uses.attach(use, flow, holder, place);
  }

  validate(use: DstUse, flow: Flow): Dst {
    return this.#parts.uses.validate(use, flow);
  }

  detach(use: DstUse): void {
    this.#parts.uses.detach(use);
  }

  /** Of a route with several ways, on each: which one the flow takes is not in what the ICMP error quotes. Groups have paths too (RFC 8201 §4). */
  learnMtu(flow: Flow, mtuBytes: number, locked = false): void {
    const { layers, lookups, fib, hops } = this.#parts;
    const layer = layers.of(flow.family);
    const alias = lookups.route(flow);
    if (layer === null || alias === null) return;
    const { type } = alias.info;
    if (type !== ROUTE_TYPE.UNICAST && type !== ROUTE_TYPE.MULTICAST) return;
    const bytes = Math.max(mtuBytes | 0, layer.minMtuBytes);
    const { realms } = fib;
    for (const hop of alias.info.hops) this.#lowerMtu(realms === 0 ? hop : hops.withRealms(hop, realms), flow, bytes, locked);
  }

  learnGateway(flow: Flow, gateway0: number, gateway1: number, gateway2: number, gateway3: number): void {
    const { lookups, fib } = this.#parts;
    const alias = lookups.route(flow);
    const { hop } = fib;
    // What has no gateway cannot get a better one.
    if (alias === null || hop === null || alias.info.type !== ROUTE_TYPE.UNICAST || hop.spec.gatewayFamily === 0) return;
    const [word0, word1, word2, word3] = hop.spec.gateway;
    const known = this.#find(hop, flow);
    if (known === null && word0 === gateway0 && word1 === gateway1 && word2 === gateway2 && word3 === gateway3) return;
    const exception = this.#learn(hop, flow);
    exception.gatewayFamily = flow.family;
    exception.gateway0 = gateway0;
    exception.gateway1 = gateway1;
    exception.gateway2 = gateway2;
    exception.gateway3 = gateway3;
  }

  entries(family: number): readonly RouteEntry[] {
    return this.#parts.store.entries(family);
  }

  rules(family: number): readonly RoutingRule[] {
    return this.#parts.ruleStore.entries(family);
  }

  nextHops(): readonly NextHopObject[] {
    return this.#parts.nextHops.entries();
  }

  exceptions(family: number): readonly RouteExceptionEntry[] {
    return Array.from(this.#parts.exceptions).flatMap((each) => (each.hop.spec.family === family ? exceptionEntry(each) : []));
  }

  wantsPorts(family: number): boolean {
    return this.#parts.book.find(family)?.wantsPorts ?? false;
  }

  /** A report may lower the path MTU, never raise it (RFC 8201 §4); it rises when the exception has aged. */
  #lowerMtu(hop: Hop, flow: Flow, mtuBytes: number, locked: boolean): void {
    const known = this.#find(hop, flow);
    const present = known !== null && known.mtuBytes > 0 ? known.mtuBytes : (hop.dst?.mtuBytes ?? hop.spec.device?.mtuBytes ?? 0);
    const isNews = known !== null && known.mtuBytes > 0 ? mtuBytes <= present : mtuBytes < present;
    if (!isNews) return;
    const exception = this.#learn(hop, flow);
    exception.mtuBytes = mtuBytes;
    exception.mtuLocked = locked;
  }

  #find(hop: Hop, flow: Flow): RouteException | null {
    return hop.exceptions === 0 ? null : this.#parts.exceptions.find(hop, flow);
  }

  #learn(hop: Hop, flow: Flow): RouteException {
    return this.#parts.exceptions.learn(hop, flow, this.#parts.lifetimeMs(flow.family));
  }
}

function exceptionEntry(exception: RouteException): RouteExceptionEntry {
  const { hop, address0, address1, address2, address3, mtuBytes, mtuLocked, expiresMs, gatewayFamily } = exception;
  const { gateway0, gateway1, gateway2, gateway3 } = exception;
  return {
    ...{ family: hop.spec.family, destination: [address0, address1, address2, address3], ifindex: hop.ifindex },
    ...{ mtuBytes, mtuLocked, expiresMs },
    gateway: gatewayFamily === 0 ? null : { family: gatewayFamily, address: [gateway0, gateway1, gateway2, gateway3] },
  };
}

/** Wraps, and is never 0. */
export function bump(generation: Generation): void {
  generation.value = (generation.value + 1) | 0 || 1;
}

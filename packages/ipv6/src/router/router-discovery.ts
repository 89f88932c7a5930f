import type {
  AddressWords,
  Change,
  Clock,
  Counter,
  NameServer,
  NameServers,
  Neighbour,
  NeighbourListener,
  NetDevice,
  Objects,
  Owner,
  SearchDomain,
  Skb,
  Timer,
} from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_FLAG, NEIGHBOUR_UPDATE } from '@softnet/contract';
import { armUntil } from '@softnet/inet';
import { ICMP_HEADER_BYTES, IPV6_SRC, icmpRest, readAddress } from '@softnet/wire';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import type { LinkListener } from '../device/link-listener.ts';
import { LINK_EVENT } from '../device/link-listener.ts';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { Surroundings } from '../machine/surroundings.ts';
import type { NdMessage } from '../wire/neighbour-message.ts';
import { readRouter } from '../wire/router-value.ts';
import type { Heard } from './heard-list.ts';
import type { PrefixListener } from './heed-advertisement.ts';
import { heedAdvertisement } from './heed-advertisement.ts';
import type { LinkRouters } from './link-routers.ts';
import type { SolicitationTimes } from './solicitation-schedule.ts';

const { CREATE, OVERRIDE, IS_ROUTER } = NEIGHBOUR_UPDATE;

/** What the host's side of router discovery needs. */
export interface RouterDiscoveryHost {
  readonly around: Surroundings;
  readonly clock: Clock;
  readonly objects: Objects<LinkRouters>;
  readonly owner: Owner;
  readonly make: (device: NetDevice) => LinkRouters;
  readonly linkOf: (ifindex: number) => Ipv6Link | null;
  readonly isOurs: (address: AddressWords, ifindex: number) => boolean;
  readonly prefixes: PrefixListener;
  /** Sends a router solicitation; with which source, it finds itself (RFC 4861 §4.1). */
  readonly solicit: (link: Ipv6Link) => void;
  /** Asks a router that does not answer whether it is back. */
  readonly probe: (link: Ipv6Link, router: AddressWords) => void;
  /** Routers and routes that found no place. */
  readonly refused: Counter;
}

/** A host asks for routers, and heeds what they say (RFC 4861 §6.3, RFC 4191, RFC 7559, RFC 8106). */
export class RouterDiscovery implements LinkListener, NeighbourListener, NameServers {
  /** Set once: fires {@link fire}. */
  timer!: Timer;
  servers: readonly NameServer[] = [];
  searchDomains: readonly SearchDomain[] = [];
  readonly #host: RouterDiscoveryHost;
  /** By ifindex. */
  readonly #links = new Map<number, LinkRouters>();

  constructor(host: RouterDiscoveryHost) {
    this.#host = host;
  }

  /** A sound router advertisement. Null: it counts; else why it does not. */
  advertised(skb: Skb, link: Ipv6Link, { sourceLinkAddress }: NdMessage): Ipv6Reason | null {
    const { memory, network, transport, tail } = skb;
    const { device } = link;
    const router = readAddress(memory.view, network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    const reason = this.#refusalOf(router, device.ifindex);
    if (reason !== null) return reason;
    const rest = icmpRest(memory.view, transport);
    const message = readRouter(memory.view, transport + ICMP_HEADER_BYTES, tail, rest, device.addressLen);
    if (message === null) return 'nd.option';
    const { nowMs } = this;
    const state = this.#stateOf(device);
    const { refused, items } = state.routes;
    const [servers, domains] = [state.servers.items, state.domains.items];
    heedAdvertisement({ conf: this.#host.around.conf, prefixes: this.#host.prefixes }, { link, state, router, nowMs }, message);
    this.#host.refused.value += state.routes.refused - refused;
    if (message.lifetimeS > 0) state.solicitations.answered();
    Object.assign(link, state.parameters);
    if (items !== state.routes.items) state.watch.follow(state.routes.routers);
    if (this.#learn(device, router, memory.bytes, sourceLinkAddress)) state.watch.confirm(router);
    if (servers !== state.servers.items || domains !== state.domains.items) this.#listNames();
    this.#arm();
    return null;
  }

  // LinkListener.

  linkChanged(link: Ipv6Link, event: number): void {
    const state = this.#links.get(link.device.ifindex);
    if (event === LINK_EVENT.BEGIN && state !== undefined) resume(link, state);
    else if (event === LINK_EVENT.READY) this.#begin(link);
    else if (event === LINK_EVENT.FORWARDING) this.#forwardingChanged(link);
    else if ((event === LINK_EVENT.DOWN || event === LINK_EVENT.END) && state !== undefined) this.#forget(link, state);
    if (event === LINK_EVENT.END && state !== undefined) this.#end(state);
  }

  // NeighbourListener: it only notes what it hears; the timer does the rest.

  neighbourChanged(change: Change, neighbour: Neighbour): void {
    if (neighbour.family !== ADDRESS_FAMILY.INET6 || change === 'remove') return;
    const state = this.#links.get(neighbour.device.ifindex);
    if (state?.watch.changed(neighbour, this.nowMs)) this.#arm();
  }

  /** A router there that did not answer has just been asked again. */
  isAwaited({ ifindex }: NetDevice, word0: number, word1: number, word2: number, word3: number): boolean {
    return this.#links.get(ifindex)?.watch.isAsked(word0, word1, word2, word3, this.nowMs) ?? false;
  }

  /** What was due is done. */
  fire(): void {
    const { nowMs } = this;
    for (const state of this.#links.values()) {
      const link = this.#host.linkOf(state.device.ifindex);
      for (const { router, news } of state.watch.takeNews()) {
        if (news === 'lost') state.routes.dropRouter(router);
        else state.routes.rank(router, news === 'silent', nowMs);
      }
      state.routes.expire(nowMs);
      state.servers.expire(nowMs);
      state.domains.expire(nowMs);
      if (link !== null) this.#ask(link, state);
    }
    this.#settled();
  }

  /** Another generation's state is this one's now; its routes are in the tables. */
  settle(state: LinkRouters): void {
    const made = this.#links.get(state.device.ifindex);
    if (made !== undefined && made.holdNext !== null) this.#host.objects.release(made);
    this.#links.set(state.device.ifindex, state);
    const link = this.#host.linkOf(state.device.ifindex);
    if (link !== null) resume(link, state);
    this.#settled();
    for (const neighbour of this.#host.around.neighbours.current.entries(ADDRESS_FAMILY.INET6)) this.neighbourChanged('add', neighbour);
  }

  /** The next generation has it. */
  left(state: LinkRouters): void {
    this.#links.delete(state.device.ifindex);
    this.#arm();
  }

  /** The module goes, and with it what was heard. */
  close(state: LinkRouters): void {
    state.routes.clear();
    this.#end(state);
  }

  /** Kernel ms, not wrapping. */
  get nowMs(): number {
    return Math.floor(this.#host.clock.nowUs / 1000);
  }

  #refusalOf(router: AddressWords, ifindex: number): Ipv6Reason | null {
    const { conf } = this.#host.around;
    if (!this.#isHost(ifindex)) return 'nd.router-off';
    if (conf.value(ifindex, 'accept_ra_from_local') === 0 && this.#host.isOurs(router, ifindex)) return 'nd.router-ourselves';
    return null;
  }

  /** Whether advertisements count there: a router's own way is an administrator's matter, unless he says otherwise (RFC 4861 §6.2.7). */
  #isHost(ifindex: number): boolean {
    const { conf } = this.#host.around;
    const accept = conf.value(ifindex, 'accept_ra');
    return accept === 2 || (accept === 1 && conf.value(ifindex, 'forwarding') === 0);
  }

  #stateOf(device: NetDevice): LinkRouters {
    let state = this.#links.get(device.ifindex);
    if (state === undefined) {
      const { objects, owner, make } = this.#host;
      state = make(device);
      // A generation that leaves keeps what it hears for those inside only.
      if (objects.open) objects.hold(state, owner, 'ipv6.routers');
      this.#links.set(device.ifindex, state);
    }
    return state;
  }

  /** Its neighbour is a router's (RFC 4861 §6.3.4). @param offset of its link address in `bytes`; -1: it says none. Returns whether there is one. */
  #learn(device: NetDevice, router: AddressWords, bytes: Uint8Array, offset: number): boolean {
    const { neighbours, current } = this.#host.around;
    const caller = current.id;
    current.id = neighbours.owner;
    const isThere = neighbours.current.learn(device, ADDRESS_FAMILY.INET6, ...router, bytes, offset, CREATE | OVERRIDE | IS_ROUTER);
    current.id = caller;
    return isThere;
  }

  #begin(link: Ipv6Link): void {
    const { device } = link;
    if ((device.flags & DEVICE_FLAG.LOOPBACK) !== 0 || !this.#isHost(device.ifindex)) return;
    const { solicitations } = this.#stateOf(device);
    solicitations.begin(this.#host.clock.nowUs, this.#timesOf(device.ifindex));
    this.#arm();
  }

  /** A router forgets its routers; who is a host again asks for them (RFC 4861 §6.3.7). */
  #forwardingChanged(link: Ipv6Link): void {
    const state = this.#links.get(link.device.ifindex);
    if (this.#isHost(link.device.ifindex)) {
      if (link.isReady) this.#begin(link);
    } else if (state !== undefined) this.#forget(link, state);
  }

  #forget(link: Ipv6Link, state: LinkRouters): void {
    state.solicitations.stop();
    state.routes.clear();
    state.servers.clear();
    state.domains.clear();
    Object.assign(state.parameters, { hopLimit: 0, mtuBytes: 0, reachableMs: 0, retransMs: 0 });
    Object.assign(link, state.parameters);
    this.#settled();
  }

  #end(state: LinkRouters): void {
    this.#links.delete(state.device.ifindex);
    if (state.holdNext !== null) this.#host.objects.release(state);
    this.#settled();
  }

  #ask(link: Ipv6Link, { solicitations, watch, device }: LinkRouters): void {
    const { clock, solicit, probe } = this.#host;
    if (solicitations.nextUs <= clock.nowUs) {
      solicit(link);
      solicitations.sent(clock.nowUs, this.#timesOf(device.ifindex));
    }
    for (const router of watch.takeDue(this.nowMs)) probe(link, router);
  }

  #timesOf(ifindex: number): SolicitationTimes {
    const { conf } = this.#host.around;
    return {
      delayUs: conf.value(ifindex, 'router_solicitation_delay') * 1_000_000,
      intervalUs: conf.value(ifindex, 'router_solicitation_interval') * 1_000_000,
      maxIntervalUs: conf.value(ifindex, 'router_solicitation_max_interval') * 1_000_000,
      limit: conf.value(ifindex, 'router_solicitations'),
    };
  }

  /** Anything may be another: lists and timer follow. */
  #settled(): void {
    for (const { watch, routes } of this.#links.values()) watch.follow(routes.routers);
    this.#listNames();
    this.#arm();
  }

  #listNames(): void {
    const all = [...this.#links.values()];
    this.servers = all.flatMap(({ device, servers }) => servers.items.map((heard) => serverOf(device, heard)));
    this.searchDomains = all.flatMap(({ device: { ifindex }, domains }) =>
      domains.items.map(({ value: name, untilMs }) => ({ name, ifindex, untilMs })),
    );
  }

  #arm(): void {
    let nextUs = Number.POSITIVE_INFINITY;
    for (const { routes, servers, domains, watch, solicitations } of this.#links.values()) {
      const ms = Math.min(routes.nextMs, servers.nextMs, domains.nextMs, watch.nextMs);
      nextUs = Math.min(nextUs, ms * 1000, solicitations.nextUs);
    }
    armUntil(this.timer, this.#host.clock, nextUs);
  }
}

/** What the last generation heard of the link is so still. */
function resume(link: Ipv6Link, state: LinkRouters): void {
  Object.assign(link, state.parameters);
  if (state.onLink.length > 0) link.onLink = state.onLink;
  state.onLink = [];
}

function serverOf({ ifindex }: NetDevice, { value: address, untilMs }: Heard<AddressWords>): NameServer {
  return { family: ADDRESS_FAMILY.INET6, address, ifindex, untilMs };
}

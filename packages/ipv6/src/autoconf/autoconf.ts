import type { AddressWords, Clock, Counter, InterfaceAddress, Log, NetDevice, Objects, Owner, Random } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, ADDRESS_SCOPE, DEVICE_FLAG, InterfaceAddress as Entry } from '@softnet/contract';
import { setLifetimes } from '@softnet/inet';
import type { Ipv6Conf } from '../conf.ts';
import type { AddressRoutes } from '../device/address-routes.ts';
import type { AddressSet } from '../device/address-set.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import type { LinkListener } from '../device/link-listener.ts';
import { LINK_EVENT } from '../device/link-listener.ts';
import { isLinkLocal, isMulticast, isSame, LOOPBACK, prefixOf } from '../machine/address-kind.ts';
import { AddressState, ORIGIN, stateOf } from '../machine/address-state.ts';
import { identifierOf } from '../machine/interface-identifier.ts';
import type { PrefixInformation } from '../wire/router-option.ts';
import { FOREVER_S } from '../wire/router-option.ts';
import type { Identifier } from './interface-identifiers.ts';
import { isReservedIdentifier, stableIdentifier } from './interface-identifiers.ts';
import { validAfter } from './lifetimes.ts';
import type { StableSecrets } from './stable-secrets.ts';

/** `addr_gen_mode`. */
export const GEN_MODE = Object.freeze({ EUI64: 0, NONE: 1, STABLE: 2, RANDOM: 3 } as const);

const FOREVER = Number.POSITIVE_INFINITY;
const IDENTIFIER_BITS = 64;
/** Prefixes on a link that are remembered; `max_addresses` of 0 means as many. */
const MAX_ON_LINK = 128;
const MAX_ADDRESSES = 4096;
/** IDGEN_RETRIES and IDGEN_DELAY (RFC 7217 §7). */
const IDENTIFIER_RETRIES = 3;
const RETRY_DELAY_MS = 1000;
const LINK_LOCAL: AddressWords = Object.freeze([0xfe800000 | 0, 0, 0, 0] as const);

export interface AutoconfHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly conf: Ipv6Conf;
  readonly log: Log;
  /** Addresses that were not made of prefixes: `max_addresses`. */
  readonly crowded: Counter;
  readonly secrets: StableSecrets;
  readonly set: AddressSet;
  readonly routes: AddressRoutes;
  readonly objects: () => Objects<InterfaceAddress>;
  /** Of addresses that nobody asked for: the module. */
  readonly owner: Owner;
}

type Life = Pick<InterfaceAddress, 'preferredUntilMs' | 'validUntilMs'>;

/** Stateless autoconfiguration (RFC 4862 §5.3, §5.5): link-local addresses, and those of advertised prefixes. */
export class Autoconf implements LinkListener {
  readonly #host: AutoconfHost;

  constructor(host: AutoconfHost) {
    this.#host = host;
  }

  linkChanged(link: Ipv6Link, event: number): void {
    if (event !== LINK_EVENT.UP && event !== LINK_EVENT.ADDRESS) return;
    if ((link.device.flags & DEVICE_FLAG.LOOPBACK) !== 0) this.#give(link, LOOPBACK, 128, new AddressState(ORIGIN.LINK, this.#nowMs), 0);
    else this.#giveLinkLocal(link, link.takenOf(LINK_LOCAL));
  }

  /** `addr_gen_mode` was set to one that wants another link-local address, or a secret was. */
  modeChanged(link: Ipv6Link): void {
    if (link.isUp && !link.addresses.some(isLinkLocalOne)) this.#giveLinkLocal(link, link.takenOf(LINK_LOCAL));
  }

  /**
   * A prefix in a router advertisement that was believed (RFC 4861 §6.3.4, RFC 4862 §5.5.3). What says nothing sensible is passed over.
   * @param router who said it.
   */
  prefixHeard(link: Ipv6Link, option: PrefixInformation, router: AddressWords | null = null): void {
    const { ifindex } = link.device;
    const { conf } = this.#host;
    const [word0] = option.prefix;
    if (!link.isUp) return;
    if (isLinkLocal(word0) || isMulticast(word0) || option.preferredS > option.validS) return;
    if (option.onLink) this.#onLink(link, option);
    if (option.autonomous && conf.value(ifindex, 'autoconf') !== 0) this.#autonomous(link, option, router);
  }

  /** Somebody else has one of ours. True: it was replaced, or is to be. */
  failed(link: Ipv6Link, address: InterfaceAddress): boolean {
    const { origin, attempt } = stateOf(address);
    if (origin !== ORIGIN.LINK && origin !== ORIGIN.PREFIX) return false;
    if ((address.flags & ADDRESS_FLAG.STABLE_PRIVACY) === 0) {
      if (origin === ORIGIN.LINK) this.#lostLinkLocal(link.device);
      return false;
    }
    if (attempt + 1 > IDENTIFIER_RETRIES) {
      this.#host.log.warn(`${link.device.name}: ${attempt + 1} stable addresses are taken; no other is tried (RFC 7217 §6)`);
      return false;
    }
    const prefix = prefixOf(address.address, IDENTIFIER_BITS);
    this.#host.set.take(address);
    link.keepTaken(prefix, attempt + 1);
    if (origin === ORIGIN.LINK) this.#giveLinkLocal(link, attempt + 1, RETRY_DELAY_MS);
    else this.#givePrefixed(link, prefix, address, attempt + 1, RETRY_DELAY_MS);
    return true;
  }

  get #nowMs(): number {
    return this.#host.clock.nowUs / 1000;
  }

  /** RFC 4862 §5.4.5: an address by the link address, twice: so is the link address, and IPv6 had better be off, if that is wanted. */
  #lostLinkLocal(device: NetDevice): void {
    const { conf, log } = this.#host;
    if (conf.value(device.ifindex, 'accept_dad') < 2) return;
    log.warn(`${device.name}: its link-local address is another host's too: no IPv6 there from now on (accept_dad 2)`);
    conf.set(device.ifindex, 'disable_ipv6', 1);
  }

  #giveLinkLocal(link: Ipv6Link, attempt: number, waitMs = 0): void {
    const identifier = this.#identifierOf(link, LINK_LOCAL, attempt);
    if (identifier === null) return;
    const state = new AddressState(ORIGIN.LINK, this.#nowMs);
    state.attempt = identifier.attempt;
    this.#give(link, [LINK_LOCAL[0], 0, ...identifier.words], IDENTIFIER_BITS, state, this.#usualFlags(link), FOREVER, FOREVER, waitMs);
  }

  #givePrefixed(link: Ipv6Link, prefix: AddressWords, life: Life, attempt: number, waitMs = 0): Entry | null {
    const identifier = this.#identifierOf(link, prefix, attempt);
    if (identifier === null) return null;
    const state = new AddressState(ORIGIN.PREFIX, this.#nowMs);
    state.attempt = identifier.attempt;
    const flags = ADDRESS_FLAG.MANAGETEMPADDR | this.#usualFlags(link);
    const address: AddressWords = [prefix[0], prefix[1], ...identifier.words];
    return this.#give(link, address, IDENTIFIER_BITS, state, flags, life.preferredUntilMs, life.validUntilMs, waitMs);
  }

  /** Null: there is none, or no secret to make it of. */
  #identifierOf({ device }: Ipv6Link, prefix: AddressWords, from: number): { readonly words: Identifier; readonly attempt: number } | null {
    const { conf, secrets, random } = this.#host;
    const mode = conf.value(device.ifindex, 'addr_gen_mode');
    const isOfPrefix = prefix !== LINK_LOCAL;
    if (mode === GEN_MODE.EUI64 || (mode === GEN_MODE.NONE && isOfPrefix)) {
      const words = identifierOf(device.address);
      return words === null ? null : { words, attempt: 0 };
    }
    if (mode === GEN_MODE.NONE) return null;
    if (mode === GEN_MODE.RANDOM) secrets.make(device, random);
    const secret = secrets.of(device.ifindex);
    if (secret === null) return null;
    let attempt = from;
    let words = stableIdentifier(secret, prefix, device.address, attempt);
    while (isReservedIdentifier(words)) words = stableIdentifier(secret, prefix, device.address, ++attempt);
    return { words, attempt };
  }

  #usualFlags({ device: { ifindex } }: Ipv6Link): number {
    const { conf } = this.#host;
    const isStable = conf.value(ifindex, 'addr_gen_mode') >= GEN_MODE.STABLE;
    return (isStable ? ADDRESS_FLAG.STABLE_PRIVACY : 0) | optimismOf(conf, ifindex);
  }

  #give(
    link: Ipv6Link,
    address: AddressWords,
    prefixLen: number,
    state: AddressState,
    flags: number,
    preferredUntilMs = FOREVER,
    validUntilMs = FOREVER,
    waitMs = 0,
  ): Entry | null {
    const { set, objects, owner } = this.#host;
    // Of two generations the newer has it; one that leaves gives none.
    if (!objects().open || link.addresses.some((each) => isSame(each.address, ...address))) return null;
    const entry = new Entry(ADDRESS_FAMILY.INET6, link.device, address, prefixLen);
    const isPrefixed = state.origin === ORIGIN.PREFIX;
    entry.ext = state;
    entry.scope = isPrefixed ? ADDRESS_SCOPE.UNIVERSE : prefixLen === 128 ? ADDRESS_SCOPE.HOST : ADDRESS_SCOPE.LINK;
    setLifetimes(entry, preferredUntilMs - this.#nowMs, validUntilMs - this.#nowMs, this.#nowMs);
    entry.flags |= flags;
    if (isPrefixed) entry.flags &= ~ADDRESS_FLAG.PERMANENT;
    set.put(link, entry, owner, waitMs);
    return entry;
  }

  /** RFC 4861 §6.3.4. A route that goes by itself, when its time is over. */
  #onLink(link: Ipv6Link, { prefix: said, prefixLen, validS }: PrefixInformation): void {
    const prefix = prefixOf(said, prefixLen);
    const nowMs = this.#nowMs;
    const others = link.onLink.filter((each) => each.untilMs > nowMs && !(each.prefixLen === prefixLen && isSame(each.prefix, ...prefix)));
    const isRoom = others.length < MAX_ON_LINK;
    link.onLink = validS === 0 || !isRoom ? others : [...others, { prefix, prefixLen, untilMs: nowMs + msOf(validS) }];
    this.#host.routes.followPrefix(link, prefix, prefixLen);
  }

  /** RFC 4862 §5.5.3 c to e. */
  #autonomous(link: Ipv6Link, { prefix: said, prefixLen, validS, preferredS }: PrefixInformation, router: AddressWords | null): void {
    if (prefixLen !== IDENTIFIER_BITS) return;
    const { set, conf } = this.#host;
    const prefix = prefixOf(said, prefixLen);
    const nowMs = this.#nowMs;
    const known = link.addresses.filter((each) => isOfPrefix(each, prefix));
    for (const entry of known) {
      const isNews = router !== null && stateOf(entry).advertisedBy(router);
      if (stateOf(entry).origin !== ORIGIN.PREFIX) continue;
      const { flags } = entry;
      const validMs = validAfter(entry.validUntilMs - nowMs, msOf(validS));
      setLifetimes(entry, Math.min(msOf(preferredS), validMs), validMs, nowMs);
      entry.flags &= ~ADDRESS_FLAG.PERMANENT;
      if (isNews || entry.flags !== flags) set.changed(entry);
      else set.prolonged(entry);
    }
    if (validS === 0 || known.some((each) => stateOf(each).origin === ORIGIN.PREFIX)) return;
    if (link.addresses.length >= (conf.value(link.device.ifindex, 'max_addresses') || MAX_ADDRESSES)) {
      this.#host.crowded.value++;
      return;
    }
    const life: Life = { preferredUntilMs: nowMs + msOf(preferredS), validUntilMs: nowMs + msOf(validS) };
    const made = this.#givePrefixed(link, prefix, life, link.takenOf(prefix));
    if (made === null || router === null) return;
    for (const each of link.addresses) if (isOfPrefix(each, prefix)) stateOf(each).advertisedBy(router);
  }
}

/** Addresses that this host makes for itself are optimistic, if that is wanted, but for a router's (RFC 4429 §2.2). */
export function optimismOf(conf: Ipv6Conf, ifindex: number): number {
  const wanted = conf.value(ifindex, 'optimistic_dad') !== 0 && conf.value(ifindex, 'forwarding') === 0;
  return wanted ? ADDRESS_FLAG.OPTIMISTIC : 0;
}

function isLinkLocalOne({ address: [word0] }: InterfaceAddress): boolean {
  return isLinkLocal(word0);
}

function isOfPrefix(entry: InterfaceAddress, prefix: AddressWords): boolean {
  const { origin } = stateOf(entry);
  if (origin !== ORIGIN.PREFIX && origin !== ORIGIN.TEMPORARY) return false;
  return isSame(prefixOf(entry.address, IDENTIFIER_BITS), ...prefix);
}

function msOf(seconds: number): number {
  return seconds === FOREVER_S ? FOREVER : seconds * 1000;
}

import type { AddressWords, Change, Clock, InterfaceAddress, Log, Objects, Owner, Random, Timer } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, ADDRESS_SCOPE, InterfaceAddress as Entry } from '@softnet/contract';
import { armUntil, setLifetimes } from '@softnet/inet';
import type { Ipv6Conf } from '../conf.ts';
import type { AddressFollower, AddressSet } from '../device/address-set.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import { isSame } from '../machine/address-kind.ts';
import { AddressState, ORIGIN, stateOf } from '../machine/address-state.ts';
import { optimismOf } from './autoconf.ts';
import { randomIdentifier } from './interface-identifiers.ts';

const RETRANS_TIMER_MS = 1000;

export interface TemporaryAddressesHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: (fire: () => void) => Timer;
  readonly conf: Ipv6Conf;
  readonly log: Log;
  readonly set: AddressSet;
  readonly objects: () => Objects<InterfaceAddress>;
  readonly links: () => Iterable<Ipv6Link>;
  /** For whom they live: the module. */
  readonly owner: Owner;
}

/**
 * Addresses by chance, which follow one another (RFC 8981): one beside each address that asks for it (`MANAGETEMPADDR`: those of advertised
 * prefixes do), where `use_tempaddr` wants them.
 */
export class TemporaryAddresses implements AddressFollower {
  readonly #host: TemporaryAddressesHost;
  readonly #timer: Timer;
  #closed = false;

  constructor(host: TemporaryAddressesHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#timeout());
  }

  addressChanged(change: Change | 'moved', address: InterfaceAddress, link: Ipv6Link): void {
    if (change === 'moved' || stateOf(address).origin === ORIGIN.TEMPORARY) {
      this.#arm();
      return;
    }
    if ((address.flags & ADDRESS_FLAG.MANAGETEMPADDR) === 0) return;
    const own = temporariesOf(link, address);
    if (change === 'remove') for (const each of own) this.#host.set.take(each);
    else {
      for (const each of own) this.#shorten(each, address);
      if (own.every((each) => stateOf(each).isSucceeded)) this.#make(link, address, 0);
    }
    this.#arm();
  }

  /** Somebody else has it: another is tried, so many times (RFC 8981 §3.4). */
  failed(link: Ipv6Link, address: InterfaceAddress): void {
    if (stateOf(address).origin !== ORIGIN.TEMPORARY) return;
    const { conf, log, set } = this.#host;
    const { ifindex, name } = link.device;
    const attempt = stateOf(address).attempt + 1;
    const beside = link.addresses.find((each) => isBeside(each, address));
    set.take(address);
    if (attempt < conf.value(ifindex, 'regen_max_retry')) {
      if (beside !== undefined) this.#make(link, beside, attempt);
      return;
    }
    log.warn(`${name}: ${attempt} temporary addresses are taken: no more are made there (use_tempaddr -1)`);
    conf.set(ifindex, 'use_tempaddr', -1);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  get #nowMs(): number {
    return this.#host.clock.nowUs / 1000;
  }

  /** So long before one is deprecated its successor is made (RFC 8981 §3.8, REGEN_ADVANCE), ms. */
  #advanceMs({ device: { ifindex }, retransMs }: Ipv6Link): number {
    const { conf } = this.#host;
    const tries = conf.value(ifindex, 'regen_max_retry') * conf.value(ifindex, 'dad_transmits');
    return conf.value(ifindex, 'regen_min_advance') * 1000 + tries * (retransMs || RETRANS_TIMER_MS);
  }

  /** RFC 8981 §3.4. None, where its life would be over before its successor's begins. */
  #make(link: Ipv6Link, beside: InterfaceAddress, attempt: number): void {
    const { conf, random, set, objects, owner } = this.#host;
    const { ifindex } = link.device;
    if (conf.value(ifindex, 'use_tempaddr') <= 0 || !objects().open) return;
    const advanceMs = this.#advanceMs(link);
    const longestMs = conf.value(ifindex, 'temp_prefered_lft') * 1000;
    const mostMs = Math.max(0, Math.min(conf.value(ifindex, 'max_desync_factor') * 1000, longestMs - advanceMs));
    const state = new AddressState(ORIGIN.TEMPORARY, this.#nowMs);
    state.attempt = attempt;
    state.desyncMs = Math.floor(random.fraction() * mostMs);
    const entry = new Entry(ADDRESS_FAMILY.INET6, link.device, this.#address(link, beside), beside.prefixLen);
    entry.ext = state;
    entry.scope = ADDRESS_SCOPE.UNIVERSE;
    this.#shorten(entry, beside);
    const nowMs = this.#nowMs;
    if (entry.preferredUntilMs - nowMs <= advanceMs || entry.validUntilMs <= nowMs) return;
    entry.flags |= ADDRESS_FLAG.TEMPORARY | optimismOf(conf, ifindex);
    set.put(link, entry, owner);
  }

  #address(link: Ipv6Link, { address: [word0, word1] }: InterfaceAddress): AddressWords {
    for (;;) {
      const address: AddressWords = [word0, word1, ...randomIdentifier(this.#host.random)];
      if (!link.addresses.some((each) => isSame(each.address, ...address))) return address;
    }
  }

  /** It lives no longer than the address that it is beside, and than a temporary one may (RFC 8981 §3.4, §3.8). */
  #shorten(entry: InterfaceAddress, { validUntilMs, preferredUntilMs }: InterfaceAddress): void {
    const { conf } = this.#host;
    const { ifindex } = entry.device;
    const { createdMs, desyncMs } = stateOf(entry);
    const nowMs = this.#nowMs;
    const validMs = Math.min(validUntilMs, createdMs + conf.value(ifindex, 'temp_valid_lft') * 1000) - nowMs;
    const preferredMs = Math.min(preferredUntilMs, createdMs + conf.value(ifindex, 'temp_prefered_lft') * 1000 - desyncMs) - nowMs;
    setLifetimes(entry, Math.max(0, Math.min(preferredMs, validMs)), Math.max(0, validMs), nowMs);
    entry.flags &= ~ADDRESS_FLAG.PERMANENT;
  }

  #timeout(): void {
    const nowMs = this.#nowMs;
    for (const link of this.#host.links()) {
      for (const entry of [...link.addresses]) {
        if (entry.holdNext === null || this.#dueMs(link, entry) > nowMs) continue;
        stateOf(entry).isSucceeded = true;
        const beside = link.addresses.find((each) => isBeside(each, entry));
        if (beside !== undefined) this.#make(link, beside, 0);
      }
    }
    this.#arm();
  }

  #arm(): void {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const link of this.#host.links()) {
      for (const entry of link.addresses) if (entry.holdNext !== null) dueMs = Math.min(dueMs, this.#dueMs(link, entry));
    }
    if (this.#closed) this.#timer.cancel();
    else armUntil(this.#timer, this.#host.clock, dueMs * 1000);
  }

  /** When its successor is to be made; Infinity: it has one, or is none of these. */
  #dueMs(link: Ipv6Link, entry: InterfaceAddress): number {
    const { origin, isSucceeded } = stateOf(entry);
    if (origin !== ORIGIN.TEMPORARY || isSucceeded || (entry.flags & ADDRESS_FLAG.DAD_FAILED) !== 0) return Number.POSITIVE_INFINITY;
    return entry.preferredUntilMs - this.#advanceMs(link);
  }
}

/** Temporary ones of the same prefix. */
function temporariesOf(link: Ipv6Link, beside: InterfaceAddress): InterfaceAddress[] {
  return link.addresses.filter((each) => stateOf(each).origin === ORIGIN.TEMPORARY && isSamePrefix(each, beside));
}

/** The one that a temporary address is beside. */
function isBeside(each: InterfaceAddress, temporary: InterfaceAddress): boolean {
  if ((each.flags & ADDRESS_FLAG.MANAGETEMPADDR) === 0 || stateOf(each).origin === ORIGIN.TEMPORARY) return false;
  return each.holdNext !== null && isSamePrefix(each, temporary);
}

/** Of 64 bits. */
function isSamePrefix(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.address[0] === b.address[0] && a.address[1] === b.address[1];
}

import type { InterfaceAddress, NetDevice } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, ADDRESS_TYPE, DEVICE_FLAG } from '@softnet/contract';
import { isLoopback, isMulticast, isThisNetwork, LIMITED_BROADCAST, maskOf } from './special-address.ts';

/** The int32 word of an IPv4 address. */
export function wordOf({ address }: InterfaceAddress): number {
  return address[3];
}

/** The word that its prefix is of: the other end's, where it has one. */
export function linkWordOf({ address, peer }: InterfaceAddress): number {
  return peer === null ? address[3] : peer[3];
}

/** It is known, or taken, to be nobody else's (RFC 5227 §2.1): packets may carry it. */
export function isUsable({ flags }: InterfaceAddress): boolean {
  return (flags & (ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED)) === 0;
}

/** Whether `target` is on the link of this address. */
export function isOnLink(entry: InterfaceAddress, target: number): boolean {
  return ((linkWordOf(entry) ^ target) & maskOf(entry.prefixLen)) === 0;
}

/** The directed broadcast address of its subnet (RFC 922); 0: it has none. */
export function broadcastOf(entry: InterfaceAddress): number {
  // RFC 3021: 31 bits leave two hosts and no broadcast.
  if (entry.prefixLen >= 31 || isLoopbackDevice(entry.device)) return 0;
  return linkWordOf(entry) | ~maskOf(entry.prefixLen);
}

/** Packets to `address` are for all of its subnet: the directed broadcast address, or what was set as such. */
function isBroadcastOf(entry: InterfaceAddress, address: number): boolean {
  return broadcastOf(entry) === address || (entry.broadcast !== null && entry.broadcast[3] === address);
}

export function isLoopbackDevice({ flags }: NetDevice): boolean {
  return (flags & DEVICE_FLAG.LOOPBACK) !== 0;
}

/**
 * This host's addresses, as packets and sockets ask for them, in Linux's order: on each device first the primary ones, those known in a
 * narrower scope before the others, then the secondary ones.
 */
export class AddressBook {
  #entries: readonly InterfaceAddress[] = [];
  #usable: readonly InterfaceAddress[] = [];
  /** Addresses, and broadcasts of their subnets. */
  #own: ReadonlySet<number> = new Set();

  /** All, also those that are not yet, or no more, to be used. */
  get entries(): readonly InterfaceAddress[] {
    return this.#entries;
  }

  /** Those that packets may carry. */
  get usable(): readonly InterfaceAddress[] {
    return this.#usable;
  }

  /** Of a subnet that the device has an address of already it is secondary. */
  add(entry: InterfaceAddress): void {
    entry.flags &= ~ADDRESS_FLAG.SECONDARY;
    if (this.#entries.some((other) => isSameSubnet(other, entry))) entry.flags |= ADDRESS_FLAG.SECONDARY;
    this.#set(placed(this.#entries, entry));
  }

  /**
   * Takes one out, and what goes with it: the secondary ones of its subnet; or, with `promotes`, none: the first of them takes its place.
   * Returns those that have gone, the asked-for first. Does nothing when it is not there.
   */
  remove(entry: InterfaceAddress, promotes: boolean): readonly InterfaceAddress[] {
    if (!this.#entries.includes(entry)) return [];
    const others = this.#entries.filter((other) => other !== entry);
    const seconds = (entry.flags & ADDRESS_FLAG.SECONDARY) !== 0 ? [] : others.filter((other) => isSameSubnet(other, entry));
    if (!promotes) {
      this.#set(others.filter((other) => !seconds.includes(other)));
      return [entry, ...seconds];
    }
    const next = seconds[0];
    this.#set(others);
    if (next !== undefined) {
      next.flags &= ~ADDRESS_FLAG.SECONDARY;
      this.#set(
        placed(
          others.filter((other) => other !== next),
          next,
        ),
      );
    }
    return [entry];
  }

  /** Flags or broadcast of one have changed. */
  changed(): void {
    this.#set(this.#entries);
  }

  find(device: NetDevice, address: number, prefixLen: number): InterfaceAddress | null {
    return this.#entries.find((e) => e.device === device && wordOf(e) === address && e.prefixLen === prefixLen) ?? null;
  }

  /** Packets to it are for this host. `ifindex` 0: on any device. */
  isLocal(address: number, ifindex: number): boolean {
    const entries = this.#usable;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (ifindex !== 0 && entry.device.ifindex !== ifindex) continue;
      if (wordOf(entry) === address) return true;
      // All of 127.0.0.0/8 is this host (RFC 1122 §3.2.1.3 g).
      if (isLoopback(address) && isLoopbackDevice(entry.device) && isOnLink(entry, address)) return true;
    }
    return false;
  }

  /** No packet of another host comes from there: it is an address of ours, or means all of a subnet. */
  isOwn(address: number): boolean {
    return this.#own.has(address);
  }

  isBroadcast(address: number, ifindex: number): boolean {
    if (address === LIMITED_BROADCAST) return true;
    const entries = this.#usable;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (ifindex !== 0 && entry.device.ifindex !== ifindex) continue;
      if (address !== 0 && isBroadcastOf(entry, address)) return true;
    }
    return false;
  }

  /** One of `ADDRESS_TYPE`. */
  typeOf(address: number, ifindex: number): number {
    if (address === 0) return ADDRESS_TYPE.UNSPECIFIED;
    if (isMulticast(address)) return ADDRESS_TYPE.MULTICAST;
    if (this.isLocal(address, ifindex)) return ADDRESS_TYPE.LOCAL;
    if (this.isBroadcast(address, ifindex)) return ADDRESS_TYPE.BROADCAST;
    return isThisNetwork(address) || isLoopback(address) ? ADDRESS_TYPE.INVALID : ADDRESS_TYPE.UNICAST;
  }

  /** Whether an address of the device is on one subnet with both: Linux's `inet_addr_onlink`. */
  areOnLink(ifindex: number, one: number, other: number): boolean {
    const entries = this.#usable;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.device.ifindex === ifindex && isOnLink(entry, one) && isOnLink(entry, other)) return true;
    }
    return false;
  }

  /** The narrowest scope of an own address, one of `ADDRESS_SCOPE`; 0 where it is none. */
  scopeOf(address: number): number {
    const entries = this.#usable;
    let scope = 0;
    for (let i = 0; i < entries.length; i++) if (wordOf(entries[i]!) === address) scope = Math.max(scope, entries[i]!.scope);
    return scope;
  }

  /**
   * A source for packets by `device` whose next hop is `target`: a primary address that is known as far as `scope`, first of the subnet of
   * the next hop, else of the device, else of any other, unless it is of a link (RFC 1122 §3.3.4.3; Linux's `inet_select_addr`).
   * Deprecated ones only where there is no other. 0: there is none. Allocates nothing.
   */
  sourceFor(device: NetDevice | null, target: number, scope: number = ADDRESS_SCOPE.LINK): number {
    return this.#source(device, target, scope, false) || this.#source(device, target, scope, true);
  }

  #source(device: NetDevice | null, target: number, scope: number, deprecated: boolean): number {
    const entries = this.#usable;
    let second = 0;
    let onDevice = 0;
    let elsewhere = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.scope > scope || ((entry.flags & ADDRESS_FLAG.DEPRECATED) !== 0 && !deprecated)) continue;
      if ((entry.flags & ADDRESS_FLAG.SECONDARY) !== 0) {
        // Counts only where the primary one does not, being deprecated.
        if (second === 0 && entry.device === device && isOnLink(entry, target)) second = wordOf(entry);
      } else if (entry.device === device) {
        if (isOnLink(entry, target)) return wordOf(entry);
        if (onDevice === 0) onDevice = wordOf(entry);
      } else if (elsewhere === 0 && entry.scope !== ADDRESS_SCOPE.LINK) elsewhere = wordOf(entry);
    }
    return second || onDevice || elsewhere;
  }

  #set(entries: readonly InterfaceAddress[]): void {
    this.#entries = entries;
    this.#usable = entries.filter(isUsable);
    this.#own = new Set(this.#usable.flatMap(ownWords));
  }
}

/** Of one device and one prefix: all but the first are secondary. */
export function isSameSubnet(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.device === b.device && a.prefixLen === b.prefixLen && isOnLink(a, linkWordOf(b));
}

/** Where Linux's `__inet_insert_ifa` puts it. */
function placed(entries: readonly InterfaceAddress[], entry: InterfaceAddress): InterfaceAddress[] {
  if ((entry.flags & ADDRESS_FLAG.SECONDARY) !== 0) return [...entries, entry];
  const isPrimary = (other: InterfaceAddress): boolean => other.device === entry.device && (other.flags & ADDRESS_FLAG.SECONDARY) === 0;
  const before = entries.findLastIndex((other) => isPrimary(other) && other.scope >= entry.scope);
  if (before >= 0) return entries.toSpliced(before + 1, 0, entry);
  const first = entries.findIndex(({ device }) => device === entry.device);
  return first < 0 ? [...entries, entry] : entries.toSpliced(first, 0, entry);
}

function ownWords(entry: InterfaceAddress): number[] {
  const words = [wordOf(entry)];
  const broadcast = broadcastOf(entry);
  if (broadcast !== 0) words.push(broadcast);
  if (entry.broadcast !== null) words.push(entry.broadcast[3]);
  return words;
}

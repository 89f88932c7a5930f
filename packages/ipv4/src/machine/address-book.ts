import type { InterfaceAddress, NetDevice } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, ADDRESS_TYPE, DEVICE_FLAG } from '@softnet/contract';
import { isLoopback, isMulticast, isThisNetwork, LIMITED_BROADCAST, maskOf } from './special-address.ts';

/** The int32 word of an IPv4 address. */
export function wordOf({ address }: InterfaceAddress): number {
  return address[3];
}

/** Whether `target` is on the link of this address. */
function isOnLink(entry: InterfaceAddress, target: number): boolean {
  return ((wordOf(entry) ^ target) & maskOf(entry.prefixLen)) === 0;
}

/** The directed broadcast address of its subnet (RFC 922); 0: it has none. */
export function broadcastOf(entry: InterfaceAddress): number {
  // RFC 3021: 31 bits leave two hosts and no broadcast.
  if (entry.prefixLen >= 31 || isLoopbackDevice(entry.device)) return 0;
  return wordOf(entry) | ~maskOf(entry.prefixLen);
}

export function isLoopbackDevice({ flags }: NetDevice): boolean {
  return (flags & DEVICE_FLAG.LOOPBACK) !== 0;
}

/** This host's addresses, as packets and sockets ask for them. In the order in which they came: earlier ones are preferred. */
export class AddressBook {
  #entries: readonly InterfaceAddress[] = [];
  /** Addresses, and broadcasts of their subnets. */
  #own: ReadonlySet<number> = new Set();

  get entries(): readonly InterfaceAddress[] {
    return this.#entries;
  }

  add(entry: InterfaceAddress): void {
    if (this.#entries.some((other) => other.device === entry.device && isSameSubnet(other, entry))) entry.flags |= ADDRESS_FLAG.SECONDARY;
    this.#set([...this.#entries, entry]);
  }

  /** The next of its subnet becomes the one for sources. Does nothing when it is not there. */
  remove(entry: InterfaceAddress): void {
    this.#set(this.#entries.filter((other) => other !== entry));
    if ((entry.flags & ADDRESS_FLAG.SECONDARY) !== 0) return;
    const next = this.#entries.find((other) => other.device === entry.device && isSameSubnet(other, entry));
    if (next !== undefined) next.flags &= ~ADDRESS_FLAG.SECONDARY;
  }

  find(device: NetDevice, address: number, prefixLen: number): InterfaceAddress | null {
    return this.#entries.find((e) => e.device === device && wordOf(e) === address && e.prefixLen === prefixLen) ?? null;
  }

  /** Packets to it are for this host. `ifindex` 0: on any device. */
  isLocal(address: number, ifindex: number): boolean {
    const entries = this.#entries;
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
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (ifindex !== 0 && entry.device.ifindex !== ifindex) continue;
      if (address !== 0 && broadcastOf(entry) === address) return true;
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

  /**
   * A source for packets by `device` whose next hop is `target`: the first on its subnet, else the first of the device, else the
   * first of any other that is known beyond its link (RFC 1122 §3.3.4.3; Linux's `inet_select_addr`). 0: there is none.
   */
  sourceFor(device: NetDevice | null, target: number): number {
    const entries = this.#entries;
    let onDevice = 0;
    let elsewhere = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      const address = wordOf(entry);
      if (entry.device === device) {
        if (isOnLink(entry, target) && (entry.flags & ADDRESS_FLAG.SECONDARY) === 0) return address;
        if (onDevice === 0 && (entry.flags & ADDRESS_FLAG.SECONDARY) === 0) onDevice = address;
      } else if (elsewhere === 0 && entry.scope < ADDRESS_SCOPE.LINK) elsewhere = address;
    }
    return onDevice !== 0 ? onDevice : elsewhere;
  }

  #set(entries: readonly InterfaceAddress[]): void {
    this.#entries = entries;
    this.#own = new Set(entries.flatMap((entry) => [wordOf(entry), broadcastOf(entry) || wordOf(entry)]));
  }
}

function isSameSubnet(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.prefixLen === b.prefixLen && isOnLink(a, wordOf(b));
}

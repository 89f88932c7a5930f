import type { InterfaceAddress, NetDevice, Owner } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, ADDRESS_SCOPE, InterfaceAddress as Entry, IPV4_WORD2, isRunning } from '@softnet/contract';
import { DEFENCE } from '../acd/conflict-detection.ts';
import type { AddressSet } from '../address/address-set.ts';
import { hasArp } from '../arp/arp-sender.ts';
import type { Ipv4Conf } from '../conf.ts';
import type { AddressBook } from '../machine/address-book.ts';
import { isUsable, wordOf } from '../machine/address-book.ts';
import { isLinkLocal } from '../machine/special-address.ts';
import { linkLocalChoice } from './link-local-choice.ts';

const PREFIX_LEN = 16;

export interface LinkLocalDevicesHost {
  readonly book: AddressBook;
  readonly conf: Ipv4Conf;
  readonly set: AddressSet;
  /** For whom such addresses live: the module. */
  readonly owner: Owner;
}

/** What a device has tried. */
interface Seat {
  attempt: number;
  entry: InterfaceAddress | null;
}

/**
 * Gives each device where `link_local` is set an address that it chooses by itself (RFC 3927), as long as it has none that is routable: at
 * a conflict the next one, and after one that was given up the same again.
 */
export class LinkLocalDevices {
  readonly #host: LinkLocalDevicesHost;
  /** By device. */
  readonly #seats = new Map<NetDevice, Seat>();
  /** Between `begin` and `close`. */
  #open = false;

  constructor(host: LinkLocalDevicesHost) {
    this.#host = host;
  }

  /** What the last generation had is here, so that nothing is chosen beside it. */
  begin(): void {
    this.#open = true;
  }

  /** Settings, devices or addresses have changed. */
  look(device: NetDevice): void {
    const { conf, set } = this.#host;
    if (!this.#open) return;
    const seat = this.#seats.get(device);
    const wants = conf.value(device.ifindex, 'link_local') !== 0 && !this.#isRoutable(device);
    if (!wants) {
      if (seat === undefined || seat.entry === null) return;
      const { entry } = seat;
      seat.entry = null;
      set.take(entry);
    } else if (isRunning(device) && hasArp(device) && (seat?.entry ?? null) === null) this.#choose(device);
  }

  lookAll(devices: readonly NetDevice[]): void {
    for (const device of devices) this.look(device);
  }

  /** Somebody else has the address: the next is tried. False: it is none of these. */
  lost(entry: InterfaceAddress): boolean {
    const seat = this.#seats.get(entry.device);
    if (seat?.entry !== entry) return false;
    seat.attempt++;
    seat.entry = null;
    this.#host.set.take(entry);
    this.look(entry.device);
    return true;
  }

  /** The attempt at which it was chosen; -1: it was given by others. */
  attemptOf(entry: InterfaceAddress): number {
    const seat = this.#seats.get(entry.device);
    return seat?.entry === entry ? seat.attempt : -1;
  }

  /** One of the last generation. */
  adopt(entry: InterfaceAddress, attempt: number): void {
    this.#seats.set(entry.device, { attempt, entry });
  }

  /** It has gone by other hands. */
  gone(entry: InterfaceAddress): void {
    const seat = this.#seats.get(entry.device);
    if (seat?.entry === entry) seat.entry = null;
  }

  deviceGone(device: NetDevice): void {
    this.#seats.delete(device);
  }

  close(): void {
    this.#open = false;
  }

  #choose(device: NetDevice): void {
    const { book, set, owner } = this.#host;
    const seat = this.#seats.get(device) ?? { attempt: 0, entry: null };
    this.#seats.set(device, seat);
    let word = linkLocalChoice(device.address, seat.attempt);
    while (book.entries.some((other) => wordOf(other) === word)) word = linkLocalChoice(device.address, ++seat.attempt);
    const entry = new Entry(ADDRESS_FAMILY.INET, device, [0, 0, IPV4_WORD2, word], PREFIX_LEN);
    entry.scope = ADDRESS_SCOPE.LINK;
    entry.flags = ADDRESS_FLAG.PERMANENT;
    entry.broadcast = [0, 0, IPV4_WORD2, 0xa9feffff | 0];
    seat.entry = entry;
    set.put(entry, owner, DEFENCE.ONCE);
  }

  #isRoutable(device: NetDevice): boolean {
    return this.#host.book.entries.some((entry) => entry.device === device && isUsable(entry) && !isLinkLocal(wordOf(entry)));
  }
}

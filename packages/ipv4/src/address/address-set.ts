import type {
  AddressListener,
  Change,
  Contributions,
  CurrentOwner,
  InterfaceAddress,
  Objects,
  Owner,
  Port,
  Route,
} from '@softnet/contract';
import { ADDRESS_FLAG, isRunning } from '@softnet/contract';
import type { AddressClaims } from '../acd/address-claims.ts';
import type { ArpSender } from '../arp/arp-sender.ts';
import type { Ipv4Conf } from '../conf.ts';
import type { AddressBook } from '../machine/address-book.ts';
import { isUsable, wordOf } from '../machine/address-book.ts';
import type { LinkRoutes } from './link-routes.ts';
import type { LostRoutes } from './lost-routes.ts';

export interface AddressSetParts {
  readonly book: AddressBook;
  readonly conf: Ipv4Conf;
  readonly current: CurrentOwner;
  readonly arp: ArpSender;
  readonly route: Port<Route>;
  readonly routes: LinkRoutes;
  readonly lostRoutes: LostRoutes;
  readonly listeners: Contributions<AddressListener>;
}

/** The addresses with all that follows from them: routes, conflict detection, announcements, and who listens. */
export class AddressSet {
  readonly #parts: AddressSetParts;
  objects!: Objects<InterfaceAddress>;
  claims!: AddressClaims;
  /** Something is other than it was: what waits for a time, or for a routable address, looks again. */
  looked: () => void = () => {};

  constructor(parts: AddressSetParts) {
    this.#parts = parts;
  }

  /** A new one. @param defence one of `DEFENCE`; 0: nobody looks after it, and it may be used at once. */
  put(entry: InterfaceAddress, owner: Owner, defence: number): void {
    const { book } = this.#parts;
    if (defence !== 0) entry.flags |= ADDRESS_FLAG.TENTATIVE;
    this.objects.hold(entry, owner, 'ipv4.address');
    book.add(entry);
    this.#settled('add', entry);
    if (defence !== 0) this.claims.begin(entry, defence);
    else this.announce(entry);
  }

  /**
   * Takes it, and the secondary ones that go with it. Does nothing for one that is not there.
   * @param withRoutes false: routes that others have made stay; it is the layer that goes.
   */
  take(entry: InterfaceAddress, withRoutes = true): void {
    const { book, conf, lostRoutes } = this.#parts;
    const gone = book.remove(entry, conf.value(entry.device.ifindex, 'promote_secondaries') !== 0);
    for (const each of gone) {
      this.claims.end(each);
      if (each.holdNext !== null) this.objects.release(each);
    }
    if (gone.length === 0) return;
    this.#follow();
    if (withRoutes) lostRoutes.drop(gone);
    for (const each of gone) this.#tell('remove', each);
    this.looked();
  }

  /** Flags, lifetimes or the like are others now. */
  changed(entry: InterfaceAddress): void {
    this.#parts.book.changed();
    this.#settled('replace', entry);
  }

  /** It is probed for: not to be used until that is over. */
  probed(entry: InterfaceAddress): void {
    entry.flags = (entry.flags & ~ADDRESS_FLAG.DAD_FAILED) | ADDRESS_FLAG.TENTATIVE;
    this.changed(entry);
  }

  claimed(entry: InterfaceAddress): void {
    entry.flags &= ~(ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED);
    this.changed(entry);
  }

  /** Another host has it (RFC 5227 §2.1.1, §2.4). */
  lost(entry: InterfaceAddress): void {
    entry.flags |= ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED;
    this.changed(entry);
    this.#parts.lostRoutes.drop([entry]);
  }

  /** Tells the link of an address, where that is wanted (Linux's `arp_notify`); those that are looked after are announced by that. */
  announce(entry: InterfaceAddress): void {
    const { conf, arp } = this.#parts;
    if (!isRunning(entry.device) || !isUsable(entry) || this.claims.has(entry)) return;
    if (conf.value(entry.device.ifindex, 'arp_notify') !== 0) arp.announce(entry.device, wordOf(entry));
  }

  #settled(change: Change, entry: InterfaceAddress): void {
    this.#follow();
    this.#tell(change, entry);
    this.looked();
  }

  #follow(): void {
    const { book, routes, route } = this.#parts;
    routes.sync(book.usable);
    route.current.changed();
  }

  #tell(change: Change, entry: InterfaceAddress): void {
    const { listeners, current } = this.#parts;
    const { items, owners } = listeners;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      current.id = owners[i]!;
      items[i]!.addressChanged(change, entry);
    }
    current.id = caller;
  }
}

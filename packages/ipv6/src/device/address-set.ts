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
import { ADDRESS_FLAG } from '@softnet/contract';
import type { DuplicateSearches } from '../dad/duplicate-searches.ts';
import { solicitedNodeOf } from '../machine/address-kind.ts';
import { isTentative, isUsable } from '../machine/address-use.ts';
import type { AddressIndex } from './address-index.ts';
import type { AddressRoutes } from './address-routes.ts';
import type { Ipv6Link } from './ipv6-link.ts';

export interface AddressSetHost {
  readonly index: AddressIndex;
  readonly routes: AddressRoutes;
  readonly route: Port<Route>;
  readonly current: CurrentOwner;
  readonly listeners: Contributions<AddressListener>;
  readonly linkOf: (ifindex: number) => Ipv6Link | null;
}

/** Part of this module that follows addresses: lifetimes, temporary ones, anycast. Told when all is as it says. */
export interface AddressFollower {
  /** @param change 'remove': it is gone already; 'moved': it is the last generation's, the next of which may come yet. */
  addressChanged(change: Change | 'moved', address: InterfaceAddress, link: Ipv6Link): void;
}

const UNUSABLE = ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED;

/** The addresses with all that follows from them: routes, groups, the search for duplicates, and who listens. */
export class AddressSet {
  readonly #host: AddressSetHost;
  /** Replaced whole. */
  #followers: readonly AddressFollower[] = [];
  objects!: Objects<InterfaceAddress>;
  searches!: DuplicateSearches;

  constructor(host: AddressSetHost) {
    this.#host = host;
  }

  follow(follower: AddressFollower): void {
    this.#followers = [...this.#followers, follower];
  }

  /** A new one, whose fields and state are set. @param waitMs until duplicates are looked for. */
  put(link: Ipv6Link, address: InterfaceAddress, owner: Owner, waitMs = 0): void {
    this.objects.hold(address, owner, 'ipv6.address');
    this.place(link, address);
    this.#doubt(address);
    this.#route(link, address);
    this.#changed('add', address, link);
    this.#search(link, address, waitMs);
  }

  /** It is in the lists; its group is joined before anybody is asked about it (RFC 4862 §5.4.2). */
  place(link: Ipv6Link, address: InterfaceAddress): void {
    link.addresses.push(address);
    link.join(solicitedNodeOf(address.address));
    this.#host.index.add(address);
  }

  /** It is in no list any more. Its routes stay, and it is held still. */
  displace(link: Ipv6Link, address: InterfaceAddress): void {
    this.searches.end(address);
    const at = link.addresses.indexOf(address);
    if (at >= 0) {
      link.addresses.splice(at, 1);
      link.leave(solicitedNodeOf(address.address));
    }
    this.#host.index.remove(address);
  }

  /** It ends, with its routes and its group. Does nothing for one that is not there. */
  take(address: InterfaceAddress): void {
    const { linkOf, routes, index } = this.#host;
    const link = linkOf(address.device.ifindex);
    if (link?.addresses.includes(address)) {
      this.displace(link, address);
      if (link.isUp) {
        routes.removeLocal(address);
        routes.follow(link, address);
      }
    } else index.remove(address);
    // What the next generation has, that one tells of.
    if (address.holdNext === null) return;
    this.objects.release(address);
    if (link !== null) this.#changed('remove', address, link);
  }

  /** Flags, lifetimes, metric or peer are others now. */
  changed(address: InterfaceAddress): void {
    const link = this.#host.linkOf(address.device.ifindex);
    // What the next generation has, that one looks after.
    if (link === null || address.holdNext === null) return;
    this.#route(link, address);
    this.#changed('replace', address, link);
  }

  /** It lives longer, or shorter, and is as it was: nobody needs to route or choose sources anew. */
  prolonged(address: InterfaceAddress): void {
    const link = this.#host.linkOf(address.device.ifindex);
    if (link === null) return;
    this.#route(link, address);
    this.#tell('replace', address, link);
  }

  /** Nobody else has it: it may be used. */
  settled(address: InterfaceAddress): void {
    address.flags &= ~(UNUSABLE | ADDRESS_FLAG.OPTIMISTIC);
    this.changed(address);
  }

  /** Another host has it, or wants it too: it is not to be used. */
  failed(address: InterfaceAddress): void {
    address.flags = (address.flags & ~ADDRESS_FLAG.OPTIMISTIC) | UNUSABLE;
    this.#host.routes.removeLocal(address);
    this.changed(address);
  }

  /** The link comes up: addresses that it kept are looked after anew. */
  resume(link: Ipv6Link): void {
    for (const address of [...link.addresses]) {
      address.flags &= ~UNUSABLE;
      this.#doubt(address);
      this.changed(address);
      this.#search(link, address, 0);
    }
  }

  /** The link is down: addresses that it keeps have no routes, and nobody is asked about them. */
  suspend(link: Ipv6Link): void {
    const { routes } = this.#host;
    for (const address of link.addresses) {
      this.searches.end(address);
      routes.removeLocal(address);
      routes.follow(link, address);
    }
  }

  /** Its routes are made again, where they are not there. */
  reroute(link: Ipv6Link): void {
    for (const address of link.addresses) this.#route(link, address);
  }

  /** One of the last generation is here: nobody outside is told of it. */
  moved(address: InterfaceAddress, link: Ipv6Link): void {
    for (const follower of this.#followers) follower.addressChanged('moved', address, link);
  }

  /** It is tentative, if duplicates are looked for; only then can it be optimistic. */
  #doubt(address: InterfaceAddress): void {
    if (this.searches.wants(address)) address.flags |= ADDRESS_FLAG.TENTATIVE;
    else address.flags &= ~ADDRESS_FLAG.OPTIMISTIC;
  }

  #search(link: Ipv6Link, address: InterfaceAddress, waitMs: number): void {
    // Who was told of it may have taken it.
    if (address.holdNext === null) return;
    if (isTentative(address)) this.searches.begin(link, address, waitMs);
    else this.searches.announce(link, address);
  }

  #route(link: Ipv6Link, address: InterfaceAddress): void {
    if (!link.isUp) return;
    const { routes } = this.#host;
    if (isUsable(address)) routes.addLocal(address);
    routes.follow(link, address);
  }

  #changed(change: Change, address: InterfaceAddress, link: Ipv6Link): void {
    this.#host.route.current.changed();
    this.#tell(change, address, link);
  }

  #tell(change: Change, address: InterfaceAddress, link: Ipv6Link): void {
    const { listeners, current } = this.#host;
    for (const follower of this.#followers) follower.addressChanged(change, address, link);
    const { items, owners } = listeners;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      current.id = owners[i]!;
      items[i]!.addressChanged(change, address);
    }
    current.id = caller;
  }
}

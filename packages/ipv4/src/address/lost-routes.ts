import type { InterfaceAddress, Port, Route, RouteEdit, RouteTables } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError } from '@softnet/contract';
import type { AddressBook } from '../machine/address-book.ts';
import { wordOf } from '../machine/address-book.ts';

/**
 * Routes that others have made and that go with an address (Linux's `fib_sync_down_addr`, `fib_disable_ip`): those whose preferred source it
 * was, and, with the last one of a device, all by that device.
 */
export class LostRoutes {
  readonly #route: Port<Route>;
  readonly #tables: Port<RouteTables>;
  readonly #book: AddressBook;

  constructor(route: Port<Route>, tables: Port<RouteTables>, book: AddressBook) {
    this.#route = route;
    this.#tables = tables;
    this.#book = book;
  }

  /** These have gone from the book. */
  drop(gone: readonly InterfaceAddress[]): void {
    const words = new Set(gone.map(wordOf).filter((word) => !this.#book.isLocal(word, 0)));
    const bare = new Set(gone.map(({ device }) => device.ifindex));
    for (const { device } of this.#book.usable) bare.delete(device.ifindex);
    if (words.size === 0 && bare.size === 0) return;
    const edits: RouteEdit[] = [];
    for (const entry of this.#route.current.entries(ADDRESS_FAMILY.INET)) {
      const { preferredSource, nextHops } = entry;
      const isLost = preferredSource !== undefined && words.has(preferredSource[3]);
      const isBare = nextHops.length > 0 && nextHops.every(({ ifindex }) => bare.has(ifindex));
      if (isLost || isBare) edits.push({ change: 'remove', entry });
    }
    if (edits.length > 0) this.#apply(edits);
  }

  /** Tables that are leaving take nothing more. */
  #apply(edits: readonly RouteEdit[]): void {
    try {
      this.#tables.current.apply(edits);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
    }
  }
}

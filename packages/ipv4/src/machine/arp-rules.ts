import type { NetDevice } from '@softnet/contract';
import { ADDRESS_SCOPE } from '@softnet/contract';
import type { AddressBook } from './address-book.ts';
import { isUsable, wordOf } from './address-book.ts';

/**
 * Whether a request for an address of this host stays unanswered, by `arp_ignore` (Linux's documentation): 1: for addresses of other
 * devices; 2: and where the asker is not on a subnet with it; 3: for those that only this host knows; 8: for all.
 * @param sender 0: a probe.
 */
export function isIgnored(book: AddressBook, mode: number, ifindex: number, sender: number, target: number): boolean {
  switch (mode) {
    case 1:
      return !book.isLocal(target, ifindex);
    case 2:
      return !book.isLocal(target, ifindex) || (sender !== 0 && !book.areOnLink(ifindex, target, sender));
    case 3:
      return book.scopeOf(target) > ADDRESS_SCOPE.LINK;
    case 8:
      return true;
    default:
      return false;
  }
}

/**
 * Whose address a request carries, by `arp_announce`: 0: that of the packet that waits, so that the answer finds its way; 1: only where it is
 * on a subnet with the target; 2: the best for the target. Deprecated and tentative ones only where the packet has them, or never.
 * @param asked the source of what waits; 0: nothing does.
 */
export function announcedSource(book: AddressBook, mode: number, device: NetDevice, asked: number, target: number): number {
  if (asked !== 0 && book.isLocal(asked, 0)) {
    if (mode === 0 || (mode === 1 && book.areOnLink(device.ifindex, asked, target))) return asked;
  }
  const source = book.sourceFor(device, target, ADDRESS_SCOPE.LINK);
  return source !== 0 ? source : anyOf(book, device);
}

/** Better an address of host scope than none: the answer goes to the link address anyway. */
function anyOf(book: AddressBook, device: NetDevice): number {
  const entry = book.entries.find((each) => each.device === device && isUsable(each));
  return entry === undefined ? 0 : wordOf(entry);
}

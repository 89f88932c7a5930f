import type { AddressWords } from './route-table.ts';
import { defineService } from './token.ts';

/** A line of the policy table of RFC 6724 §2.1: addresses of one label go together. */
export interface AddressLabel {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  /** 0 to 4,294,967,294. */
  readonly label: number;
  /** Of destinations and sources on this device only; 0: on all. */
  readonly ifindex: number;
}

/** Which labels sources are chosen by (RFC 6724 §5, rule 6): `ip addrlabel`. A **door** of ipv6. */
export interface AddressLabels {
  /** The longest prefix first, as they are asked. */
  list(): readonly AddressLabel[];
  /** @throws NetError EINVAL, EEXIST, ENOBUFS. */
  add(entry: AddressLabel): void;
  /** @throws NetError ENOENT. */
  remove(entry: Omit<AddressLabel, 'label'>): void;
}
export const AddressLabels = defineService<AddressLabels>({ name: 'address-labels', version: '1.0.0' });

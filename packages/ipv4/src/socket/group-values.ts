import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { ipv4Words } from '@softnet/wire';

// Values of options about groups, as in Linux's ABI: addresses in network order, all else little-endian.

/** `ip_mreq`, `ip_mreqn`, `ip_mreq_source`, `ip_msfilter` without sources; `group_req`, `group_source_req`, `group_filter` without. */
export const GROUP_VALUE = Object.freeze({
  MREQ: 8,
  MREQN: 12,
  MREQ_SOURCE: 12,
  MSFILTER: 16,
  GROUP_REQ: 136,
  GROUP_SOURCE_REQ: 264,
  GROUP_FILTER: 144,
} as const);

/** `sockaddr_storage`, and where it begins behind an interface. */
export const STORAGE_BYTES = 128;
export const STORAGE_AT = 8;

/** Reads and writes one value. */
export class GroupValue {
  readonly #view: DataView;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get length(): number {
    return this.#view.byteLength;
  }

  /** `in_addr`. */
  address(at: number): number {
    return this.#view.getInt32(at);
  }

  int(at: number): number {
    return this.#view.getInt32(at, true);
  }

  uint(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** A `sockaddr_in` in a `sockaddr_storage`; null: of another family. */
  sockaddr(at: number): AddressWords | null {
    return this.#view.getUint16(at, true) === ADDRESS_FAMILY.INET ? ipv4Words(this.#view.getInt32(at + 4)) : null;
  }

  putAddress(at: number, word: number): void {
    this.#view.setInt32(at, word);
  }

  putUint(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  putSockaddr(at: number, word: number): void {
    for (let i = 0; i < STORAGE_BYTES; i += 4) this.#view.setUint32(at + i, 0);
    this.#view.setUint16(at, ADDRESS_FAMILY.INET, true);
    this.#view.setInt32(at + 4, word);
  }
}

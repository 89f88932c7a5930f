import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { ipv4Words, putAddress, readAddress } from '@softnet/wire';

// Values of options about groups, as in Linux's ABI: addresses in network order, all else little-endian.

/** Bytes of `group_req`, of `group_source_req`, and of `group_filter` without sources. */
export const GROUP_VALUE = Object.freeze({ GROUP_REQ: 136, GROUP_SOURCE_REQ: 264, GROUP_FILTER: 144 } as const);

/** `sockaddr_storage`, and where it begins behind an interface. */
export const STORAGE_BYTES = 128;
export const STORAGE_AT = 8;

/** Where the address stands in `sockaddr_in` and `sockaddr_in6`. */
const IN_AT = 4;
const IN6_AT = 8;

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

  /** `in6_addr`. */
  address6(at: number): AddressWords {
    return readAddress(this.#view, at, ADDRESS_FAMILY.INET6);
  }

  int(at: number): number {
    return this.#view.getInt32(at, true);
  }

  uint(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** The address of a `sockaddr_storage`; null: of another family. */
  sockaddr(at: number, family: number): AddressWords | null {
    if (this.#view.getUint16(at, true) !== family) return null;
    return family === ADDRESS_FAMILY.INET ? ipv4Words(this.#view.getInt32(at + IN_AT)) : this.address6(at + IN6_AT);
  }

  putAddress(at: number, word: number): void {
    this.#view.setInt32(at, word);
  }

  putUint(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  putSockaddr(at: number, family: number, address: AddressWords): void {
    for (let i = 0; i < STORAGE_BYTES; i += 4) this.#view.setUint32(at + i, 0);
    this.#view.setUint16(at, family, true);
    putAddress(this.#view, at + (family === ADDRESS_FAMILY.INET ? IN_AT : IN6_AT), family, ...address);
  }
}

import type { NetDevice } from './device.ts';
import type { Owner } from './held.ts';
import { Held } from './held.ts';
import type { AddressWords } from './route-table.ts';
import { definePoint } from './token.ts';

/** An address of this host on a device. Kind `keep` of its layer: it holds nothing up. Linux's `in_ifaddr`, `inet6_ifaddr`. */
export class InterfaceAddress extends Held {
  readonly family: number;
  readonly device: NetDevice;
  readonly address: AddressWords;
  /** 0 to 32 or 128: of the family's own bits. */
  readonly prefixLen: number;
  /** One of {@link ADDRESS_SCOPE}. */
  scope = 0;
  /** Bits of {@link ADDRESS_FLAG}. */
  flags = 0;
  /** Kernel ms from which it is deprecated, or gone; Infinity: never. */
  preferredUntilMs = Number.POSITIVE_INFINITY;
  validUntilMs = Number.POSITIVE_INFINITY;
  /** The layer's own. */
  ext: object | null = null;

  constructor(family: number, device: NetDevice, address: AddressWords, prefixLen: number) {
    super();
    this.family = family;
    this.device = device;
    this.address = address;
    this.prefixLen = prefixLen;
  }
}

/** Linux's `RT_SCOPE_*`. */
export const ADDRESS_SCOPE = Object.freeze({ UNIVERSE: 0, LINK: 253, HOST: 254 } as const);

/** Linux's `IFA_F_*`. */
export const ADDRESS_FLAG = Object.freeze({
  /** Another of the same prefix is the one for sources. */
  SECONDARY: 0x01,
  DAD_FAILED: 0x08,
  DEPRECATED: 0x20,
  /** Duplicate address detection has not ended (RFC 4862 §5.4): not to be used. */
  TENTATIVE: 0x40,
  /** Set by hand, and does not expire. */
  PERMANENT: 0x80,
} as const);

/**
 * Gives addresses to devices and takes them: `ip addr add`, `del`. One for each family, of its layer. A **door**; which
 * addresses there are, `NetworkLayer.addresses` says.
 */
export interface Addresses {
  readonly family: number;
  /**
   * Brings the local and link routes along. @param owner for whom it lives.
   * @throws NetError EEXIST, EINVAL; ENODEV for a device that is not registered.
   */
  add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner): InterfaceAddress;
  /** @throws NetError EADDRNOTAVAIL. */
  remove(device: NetDevice, address: AddressWords, prefixLen: number): void;
}
export const Addresses = definePoint<Addresses>({ name: 'addresses', version: '1.0.0' });

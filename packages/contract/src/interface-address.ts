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
  /** IPv4's broadcast address of the subnet, or the other end of a point-to-point link, which `prefixLen` is of then; null: none. */
  broadcast: AddressWords | null = null;
  peer: AddressWords | null = null;
  /** Metric of the link route that it brings; 0: the family's own. */
  metric = 0;
  /** 'eth0:1', or ''. */
  label = '';
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
  /** IPv4: another of the same prefix is the one for sources. */
  SECONDARY: 0x01,
  /** IPv6: made for a while, and by chance (RFC 8981). */
  TEMPORARY: 0x01,
  /** Duplicates are not looked for. */
  NODAD: 0x02,
  /** May be used, with care, before it is known to be nobody else's (RFC 4429). */
  OPTIMISTIC: 0x04,
  DAD_FAILED: 0x08,
  DEPRECATED: 0x20,
  /** Duplicate address detection has not ended (RFC 4862 §5.4): not to be used. */
  TENTATIVE: 0x40,
  /** Set by hand, and does not expire. */
  PERMANENT: 0x80,
  /** Temporary addresses are made beside it. */
  MANAGETEMPADDR: 0x100,
  /** It brings no route to its prefix. */
  NOPREFIXROUTE: 0x200,
  /** RFC 7217. */
  STABLE_PRIVACY: 0x800,
} as const);

/** What `ip addr add` may say beyond address and prefix. */
export interface AddressOptions {
  /** Default: by the address. */
  readonly scope?: number;
  /** NODAD, MANAGETEMPADDR, NOPREFIXROUTE, OPTIMISTIC. Default none. */
  readonly flags?: number;
  readonly broadcast?: AddressWords;
  readonly peer?: AddressWords;
  readonly metric?: number;
  readonly label?: string;
  /** From now on; default: for ever. */
  readonly preferredMs?: number;
  readonly validMs?: number;
}

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
  add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner, options?: AddressOptions): InterfaceAddress;
  /** Changes lifetimes, flags, metric of one that is there. @throws NetError EADDRNOTAVAIL, EINVAL. */
  change(device: NetDevice, address: AddressWords, prefixLen: number, options: AddressOptions): InterfaceAddress;
  /** @throws NetError EADDRNOTAVAIL. */
  remove(device: NetDevice, address: AddressWords, prefixLen: number): void;
}
export const Addresses = definePoint<Addresses>({ name: 'addresses', version: '1.0.0' });

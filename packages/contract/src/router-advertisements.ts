import type { NetDevice } from './device.ts';
import type { AddressWords } from './route-table.ts';
import { defineService } from './token.ts';

/** A prefix information option (RFC 4861 §4.6.2). */
export interface AdvertisedPrefix {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  /** Default true. */
  readonly onLink?: boolean;
  readonly autonomous?: boolean;
  /** Defaults: 30 days, 7 days (RFC 4861 §6.2.1). Infinity: for ever. */
  readonly validMs?: number;
  readonly preferredMs?: number;
}

/** A route information option (RFC 4191 §2.3). */
export interface AdvertisedRoute {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  /** -1 low, 0 medium, 1 high. Default 0. */
  readonly preference?: number;
  readonly lifetimeMs: number;
}

/** What a router says of itself on a link (RFC 4861 §6.2.1, with its defaults). */
export interface RouterAdvertisement {
  /** MinRtrAdvInterval and MaxRtrAdvInterval: the time between two is chosen between them. Defaults: a third of the other; 600,000. */
  readonly minIntervalMs?: number;
  readonly maxIntervalMs?: number;
  readonly managed?: boolean;
  readonly otherConfig?: boolean;
  /** 0: says none. Default 64. */
  readonly hopLimit?: number;
  /** As a default router; 0: it is none. Default: three times the interval. */
  readonly lifetimeMs?: number;
  /** Of it as a default router (RFC 4191 §2.1). Default 0. */
  readonly preference?: number;
  /** 0, the default: says none. */
  readonly reachableMs?: number;
  readonly retransMs?: number;
  /** 0, the default: says none. */
  readonly mtuBytes?: number;
  /** Absent: those of its addresses on the device. */
  readonly prefixes?: readonly AdvertisedPrefix[];
  readonly routes?: readonly AdvertisedRoute[];
  /** RFC 8106 §5.1, §5.2; they live for as long as it may take until they are said three times more. */
  readonly nameServers?: readonly AddressWords[];
  readonly searchDomains?: readonly string[];
}

/** This host as an IPv6 router that tells of itself. It must forward there (`net.ipv6.conf.*.forwarding`). A **door** of ipv6. */
export interface RouterAdvertisements {
  /** From now on; null: no more, after the farewell of RFC 4861 §6.2.5. @throws NetError EINVAL, ENODEV, EOPNOTSUPP for a link without groups. */
  set(device: NetDevice, advertisement: RouterAdvertisement | null): void;
  /** Null: it sends none there. */
  of(device: NetDevice): RouterAdvertisement | null;
}
export const RouterAdvertisements = defineService<RouterAdvertisements>({ name: 'router-advertisements', version: '1.0.0' });

import type {
  Contributions,
  CurrentOwner,
  DeviceTraffic,
  Dst,
  InterfaceAddress,
  MulticastRouter,
  Neighbours,
  NetDevice,
  PacketPolicy,
  Port,
  Random,
  Route,
  SkbPool,
} from '@softnet/contract';
import type { Ipv6Conf } from '../conf.ts';
import type { GroupTraffic } from '../mld/group-traffic.ts';
import type { Ipv6Counters } from './counters.ts';
import type { LabelTable } from './label-table.ts';
import type { Ipv6Reasons } from './reasons.ts';
import type { Ipv6Settings } from './settings.ts';

/** What IPv6 sees of the kernel and of its neighbours. */
export interface Surroundings {
  readonly current: CurrentOwner;
  readonly random: Random;
  readonly pool: Port<SkbPool>;
  readonly route: Port<Route>;
  readonly neighbours: Port<Neighbours>;
  readonly traffic: Port<DeviceTraffic>;
  readonly policy: Port<PacketPolicy>;
  readonly routers: Contributions<MulticastRouter>;
  readonly reasons: Ipv6Reasons;
  readonly settings: Ipv6Settings;
  readonly conf: Ipv6Conf;
  readonly counters: Ipv6Counters;
  readonly groups: GroupTraffic;
  /** The policy table of sources (RFC 6724 §2.1). */
  readonly labels: LabelTable;
}

/** A device, as IPv6 uses it. */
export interface Link {
  readonly device: NetDevice;
  /** For packets that go to the link without a route: Neighbor Discovery. */
  readonly dst: Dst;
  /** What routers say of it (RFC 4861 §6.3.4); 0: nothing. */
  readonly hopLimit: number;
  readonly mtuBytes: number;
  readonly reachableMs: number;
  readonly retransMs: number;
  /** Of this device, in the order in which they came. */
  readonly addresses: readonly InterfaceAddress[];
  /** An anycast address of this host there (RFC 4291 §2.6)? */
  isAnycast(word0: number, word1: number, word2: number, word3: number): boolean;
}

/** Devices and addresses, as the packet's way asks for them. */
export interface Links {
  /** Null: IPv6 is not on it. */
  of(ifindex: number): Link | null;
  /** All addresses of this host. */
  readonly addresses: readonly InterfaceAddress[];
  /** Null: not ours. @param ifindex 0: on any device. */
  find(word0: number, word1: number, word2: number, word3: number, ifindex: number): InterfaceAddress | null;
}

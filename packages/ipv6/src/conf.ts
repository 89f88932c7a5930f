import type { NetDevice, SysctlBranch } from '@softnet/contract';
import type { ConfSpec } from '@softnet/inet';
import { DeviceConf } from '@softnet/inet';

const INT_MAX = 0x7fffffff;
const DAY_S = 86_400;
const DAY_MS = 86_400_000;

const OFF = Object.freeze({ default: 0, min: 0, max: 1, join: 'own' } as const);
const ON = Object.freeze({ default: 1, min: 0, max: 1, join: 'own' } as const);

/** `net.ipv6.conf.*`: names and defaults are Linux's. */
export type Ipv6Conf = DeviceConf<Ipv6ConfName>;

type Ipv6ConfName = keyof ReturnType<typeof specsOf>;

/** Who is told of what was set; device null: for all. What is set so for all devices is set for each, and for those to come, as in Linux. */
export interface Ipv6ConfListener {
  forwardingChanged(device: NetDevice | null, value: number): void;
  disableChanged(device: NetDevice | null, value: number): void;
  linkdownChanged(): void;
  genModeChanged(device: NetDevice | null): void;
  reportsChanged(device: NetDevice | null): void;
  proxyChanged(): void;
}

/** @throws NetError EEXIST. */
export function defineConf(sysctl: SysctlBranch, listener: Ipv6ConfListener): Ipv6Conf {
  return new DeviceConf(sysctl, 'net.ipv6.conf', specsOf(listener));
}

function specsOf(listener: Ipv6ConfListener) {
  return {
    ...wayOf(listener),
    ...ROUTERS,
    ...addressesOf(listener),
    ...discoveryOf(listener),
  } as const;
}

/** The way of packets. */
function wayOf(listener: Ipv6ConfListener) {
  return {
    forwarding: {
      ...OFF,
      summary: 'packets for others that come in here are passed on, and this host is a router there',
      changed: (device: NetDevice | null, value: number) => listener.forwardingChanged(device, value),
    },
    disable_ipv6: {
      ...OFF,
      join: 'or',
      summary: 'no IPv6 on the device',
      changed: (device: NetDevice | null, value: number) => listener.disableChanged(device, value),
    },
    hop_limit: { default: 64, min: 1, max: 255, join: 'own', summary: 'of packets whose socket and route say none' },
    mtu: { default: 0, min: 0, max: 65_535, join: 'own', summary: 'of IPv6 on the device, 1280 or more; 0: as the device has it' },
    accept_source_route: { default: 0, min: -1, max: INT_MAX, join: 'own', summary: 'routing headers are obeyed; only type 2 could be' },
    drop_unicast_in_l2_multicast: { ...OFF, join: 'or', summary: 'a packet to one in a frame to many is dropped' },
    ignore_routes_with_linkdown: {
      ...OFF,
      join: 'or',
      summary: 'routes by the device count as dead while it has no carrier',
      changed: () => listener.linkdownChanged(),
    },
  } as const satisfies Record<string, ConfSpec>;
}

/** What routers say (RFC 4861 §6.3, RFC 4191). */
const ROUTERS = Object.freeze({
  accept_ra: { default: 1, min: 0, max: 2, join: 'own', summary: 'router advertisements count; 2: also on a router' },
  accept_ra_defrtr: { ...ON, summary: 'their routers become default routers' },
  accept_ra_from_local: { ...OFF, summary: 'also those from an address of this host' },
  accept_ra_min_hop_limit: { default: 1, min: 0, max: 255, join: 'own', summary: 'hop limits below it are not believed' },
  accept_ra_min_lft: { default: 0, min: 0, max: INT_MAX, join: 'own', summary: 'seconds: lifetimes below it are not believed' },
  accept_ra_mtu: { ...ON, summary: 'their MTU option counts' },
  accept_ra_pinfo: { ...ON, summary: 'their prefixes count' },
  accept_ra_rtr_pref: { ...ON, summary: 'their preferences count (RFC 4191 §2.1)' },
  accept_ra_rt_info_min_plen: { default: 0, min: 0, max: 128, join: 'own', summary: 'route informations of shorter prefixes do not count' },
  accept_ra_rt_info_max_plen: { default: 0, min: 0, max: 128, join: 'own', summary: 'route informations of longer prefixes do not count' },
  accept_redirects: { ...ON, summary: 'redirects are believed (RFC 4861 §8)' },
  ra_defrtr_metric: { default: 1024, min: 1, max: INT_MAX, join: 'own', summary: 'metric of default routes from advertisements' },
  router_solicitations: { default: -1, min: -1, max: INT_MAX, join: 'own', summary: 'how many are sent; -1: until a router answers' },
  router_solicitation_delay: { default: 1, min: 0, max: DAY_S, join: 'own', summary: 'seconds before the first (RFC 4861 §6.3.7)' },
  router_solicitation_interval: { default: 4, min: 1, max: DAY_S, join: 'own', summary: 'seconds between the first two (RFC 7559)' },
  router_solicitation_max_interval: { default: 3600, min: 1, max: DAY_S, join: 'own', summary: 'seconds between two, at most (RFC 7559)' },
} as const satisfies Record<string, ConfSpec>);

/** Addresses (RFC 4862, 7217, 8981). */
function addressesOf(listener: Ipv6ConfListener) {
  return {
    autoconf: { ...ON, summary: 'addresses are made of advertised prefixes (RFC 4862 §5.5)' },
    addr_gen_mode: {
      default: 0,
      min: 0,
      max: 3,
      join: 'own',
      summary: 'EUI-64 (0), no link-local address (1), stable (2, RFC 7217), random (3)',
      changed: (device: NetDevice | null) => listener.genModeChanged(device),
    },
    accept_dad: {
      default: 1,
      min: 0,
      max: 2,
      join: 'own',
      summary: 'duplicates are looked for; 2: no IPv6 when the link-local one is taken',
    },
    dad_transmits: { default: 1, min: 0, max: 100, join: 'own', summary: 'solicitations until an address counts as free (RFC 4862 §5.1)' },
    enhanced_dad: { ...ON, summary: 'with a nonce, so that a looped-back one is known (RFC 7527)' },
    optimistic_dad: { ...OFF, join: 'or', summary: 'addresses may be used while duplicates are looked for (RFC 4429)' },
    use_optimistic: { ...OFF, join: 'or', summary: 'and as sources' },
    use_tempaddr: { default: 0, min: -1, max: 2, join: 'own', summary: 'temporary addresses are made (1), and preferred (2) (RFC 8981)' },
    temp_valid_lft: { default: 604_800, min: 0, max: INT_MAX, join: 'own', summary: 'seconds that a temporary address lives' },
    temp_prefered_lft: { default: 86_400, min: 0, max: INT_MAX, join: 'own', summary: 'seconds that a temporary address is preferred' },
    max_desync_factor: {
      default: 600,
      min: 0,
      max: INT_MAX,
      join: 'own',
      summary: 'seconds, at most, by which that is shorter (RFC 8981 §3.8)',
    },
    regen_max_retry: { default: 3, min: 0, max: 100, join: 'own', summary: 'tries to make a temporary address' },
    regen_min_advance: {
      default: 2,
      min: 0,
      max: INT_MAX,
      join: 'own',
      summary: 'seconds, at least, before one ends that the next is made',
    },
    max_addresses: { default: 16, min: 0, max: 4096, join: 'own', summary: 'addresses made of prefixes, at most; 0: no limit but 4,096' },
    keep_addr_on_down: { ...OFF, join: 'or', summary: 'addresses stay when their device goes down' },
  } as const satisfies Record<string, ConfSpec>;
}

/** Neighbours and groups. */
function discoveryOf(listener: Ipv6ConfListener) {
  return {
    proxy_ndp: {
      ...OFF,
      join: 'or',
      summary: 'solicitations for proxied addresses are answered (RFC 4861 §7.2.8)',
      changed: () => listener.proxyChanged(),
    },
    ndisc_notify: { ...OFF, join: 'or', summary: 'addresses are announced when a device comes up, or has another link address' },
    drop_unsolicited_na: { ...OFF, join: 'or', summary: 'advertisements that nobody asked for are dropped' },
    accept_untracked_na: {
      default: 0,
      min: 0,
      max: 2,
      join: 'max',
      summary: 'advertisements make neighbours (RFC 9131): all (1), of the subnet (2)',
    },
    suppress_frag_ndisc: { ...ON, summary: 'fragmented Neighbor Discovery is dropped (RFC 6980)' },
    mld_reports: {
      ...ON,
      summary: 'groups are reported on the link (RFC 3810); off: nobody there is told',
      changed: (device: NetDevice | null) => listener.reportsChanged(device),
    },
    force_mld_version: { default: 0, min: 0, max: 2, join: 'max', summary: 'MLD of this version; 0: as the querier speaks (RFC 3810 §8)' },
    mldv1_unsolicited_report_interval: { default: 10_000, min: 1, max: DAY_MS, join: 'own', summary: 'ms between reports of a join' },
    mldv2_unsolicited_report_interval: { default: 1000, min: 1, max: DAY_MS, join: 'own', summary: 'ms between reports of a change' },
  } as const satisfies Record<string, ConfSpec>;
}

import type { NetDevice, SysctlBranch } from '@softnet/contract';
import type { ConfSpec } from '@softnet/inet';
import { DeviceConf } from '@softnet/inet';

const DAY_MS = 86_400_000;

const SWITCH = Object.freeze({ default: 0, min: 0, max: 1 } as const);
const ON = Object.freeze({ default: 1, min: 0, max: 1 } as const);

/** `net.ipv4.conf.*`: names, defaults and joins are Linux's, but for `accept_source_route`, which nobody has by default. */
export type Ipv4Conf = DeviceConf<Ipv4ConfName>;

type Ipv4ConfName = keyof ReturnType<typeof specsOf>;

type Changed = (device: NetDevice | null, value: number) => void;

/**
 * @param forwardingChanged called when `forwarding` was set; null: of all devices.
 * @param linkLocalChanged the same of `link_local`.
 * @param linkdownChanged the same of `ignore_routes_with_linkdown`.
 * @throws NetError EEXIST.
 */
export function defineConf(
  sysctl: SysctlBranch,
  forwardingChanged: Changed,
  linkLocalChanged: Changed,
  linkdownChanged: Changed,
): Ipv4Conf {
  return new DeviceConf(sysctl, 'net.ipv4.conf', specsOf(forwardingChanged, linkLocalChanged, linkdownChanged));
}

function specsOf(changed: Changed, linkLocalChanged: Changed, linkdownChanged: Changed) {
  return {
    forwarding: { ...SWITCH, join: 'own', summary: 'packets for others that come in here are passed on (RFC 1812)', changed },
    rp_filter: { default: 0, min: 0, max: 2, join: 'max', summary: 'sources must be reached by this device (1), or at all (2) (RFC 3704)' },
    accept_local: { ...SWITCH, join: 'or', summary: 'packets from an address of this host are taken' },
    accept_source_route: { ...SWITCH, join: 'and', summary: 'source routes are obeyed (RFC 791 §3.1)' },
    bc_forwarding: { ...SWITCH, join: 'and', summary: 'broadcasts to another subnet are passed on (RFC 2644)' },
    route_localnet: { ...SWITCH, join: 'or', summary: '127.0.0.0/8 is no martian here' },
    log_martians: { ...SWITCH, join: 'or', summary: 'packets with impossible addresses are told of in the log' },
    ignore_routes_with_linkdown: {
      ...SWITCH,
      join: 'or',
      summary: 'routes by this device count as dead while it has no carrier',
      changed: linkdownChanged,
    },
    accept_redirects: { ...ON, join: 'own', summary: 'ICMP redirects are believed (RFC 1122 §3.2.2.2)' },
    secure_redirects: { ...ON, join: 'or', summary: 'redirects may only name gateways that routes know' },
    send_redirects: { ...ON, join: 'or', summary: 'hosts are told of shorter ways (RFC 1812 §5.2.7.2)' },
    shared_media: { ...ON, join: 'or', summary: 'other subnets may be on the same link (RFC 1620)' },
    drop_unicast_in_l2_multicast: { ...ON, join: 'or', summary: 'a packet to one in a frame to many is dropped (RFC 1122 §3.3.6)' },
    promote_secondaries: { ...SWITCH, join: 'or', summary: 'when a primary address goes, a secondary one takes its place' },
    proxy_arp: { ...SWITCH, join: 'or', summary: 'ARP is answered for whom this host has a way to elsewhere (RFC 1027)' },
    proxy_arp_pvlan: { ...SWITCH, join: 'or', summary: 'and on the same device (RFC 3069)' },
    arp_filter: { ...SWITCH, join: 'or', summary: 'ARP is answered only where the way to the asker leads by this device' },
    arp_announce: {
      default: 0,
      min: 0,
      max: 2,
      join: 'max',
      summary: 'whose address requests carry: any (0), of the subnet (1), the best (2)',
    },
    arp_ignore: { default: 0, min: 0, max: 8, join: 'max', summary: 'for which addresses requests are answered: see Linux' },
    arp_notify: { ...SWITCH, join: 'or', summary: 'addresses are announced: new ones, and when a device comes up or has another MAC' },
    arp_accept: { default: 0, min: 0, max: 2, join: 'max', summary: 'unasked ARP makes neighbours: all (1), of the subnet (2)' },
    drop_gratuitous_arp: { ...SWITCH, join: 'or', summary: 'unasked ARP is dropped' },
    // These two are ours: in Linux programs do it (RFC 5227, RFC 3927).
    acd: {
      default: 0,
      min: 0,
      max: 3,
      join: 'max',
      summary: 'new addresses are probed for; at a conflict later given up (1), defended once (2), always (3) (RFC 5227 §2.4)',
    },
    link_local: {
      ...SWITCH,
      join: 'or',
      summary: 'a device without a routable address chooses one of 169.254/16 (RFC 3927)',
      changed: linkLocalChanged,
    },
    force_igmp_version: {
      default: 0,
      min: 0,
      max: 3,
      join: 'max',
      summary: 'IGMP of this version; 0: as the querier speaks (RFC 3376 §7)',
    },
    igmpv2_unsolicited_report_interval: { default: 10_000, min: 1, max: DAY_MS, join: 'own', summary: 'ms between reports of a join' },
    igmpv3_unsolicited_report_interval: { default: 1000, min: 1, max: DAY_MS, join: 'own', summary: 'ms between reports of a change' },
  } as const satisfies Record<string, ConfSpec>;
}

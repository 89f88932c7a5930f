import type { Setting, SysctlBranch } from '@softnet/contract';

/** Linux's names and defaults. Read `value` at each use. */
export interface Ipv4Settings {
  readonly forward: Setting<boolean>;
  readonly defaultTtl: Setting<number>;
  readonly noPathMtuDiscovery: Setting<number>;
  readonly echoIgnoreAll: Setting<boolean>;
  readonly echoIgnoreBroadcasts: Setting<boolean>;
  readonly icmpRatelimitMs: Setting<number>;
  readonly icmpRatemask: Setting<number>;
  readonly icmpPerSecond: Setting<number>;
  readonly icmpBurst: Setting<number>;
  readonly icmpFromInbound: Setting<boolean>;
  readonly minPathMtu: Setting<number>;
  readonly redirectLoadMs: Setting<number>;
  readonly redirectNumber: Setting<number>;
  readonly redirectSilenceMs: Setting<number>;
  readonly fragmentsBytes: Setting<number>;
  readonly fragmentsSeconds: Setting<number>;
  readonly fragmentsPieces: Setting<number>;
  readonly fragmentsDistance: Setting<number>;
  readonly proxyDelayTicks: Setting<number>;
}

const INT_MAX = 0x7fffffff;
/** Destination unreachable, source quench, time exceeded, parameter problem. */
const LIMITED_TYPES = 0x1818;

/** @param forwardChanged called when `ip_forward` was set. @throws NetError EEXIST. */
export function defineSettings(sysctl: SysctlBranch, forwardChanged: (on: boolean) => void): Ipv4Settings {
  const bool = (name: string, value: boolean, summary: string) => sysctl.define(name, { type: 'bool', default: value, summary });
  const int = (name: string, value: number, min: number, max: number, summary: string) =>
    sysctl.define(name, { type: 'int', default: value, min, max, summary });
  return {
    forward: sysctl.define(
      'net.ipv4.ip_forward',
      { type: 'bool', default: false, summary: 'pass packets on that are for others (RFC 1812): sets conf.*.forwarding' },
      forwardChanged,
    ),
    defaultTtl: int('net.ipv4.ip_default_ttl', 64, 1, 255, 'TTL of packets whose socket and route say none'),
    noPathMtuDiscovery: int('net.ipv4.ip_no_pmtu_disc', 0, 0, 1, '1: sockets do not discover path MTUs unless told (RFC 1191)'),
    echoIgnoreAll: bool('net.ipv4.icmp_echo_ignore_all', false, 'answer no echo request'),
    echoIgnoreBroadcasts: bool('net.ipv4.icmp_echo_ignore_broadcasts', true, 'answer none that was sent to many (RFC 1122 §3.2.2.6)'),
    icmpRatelimitMs: int('net.ipv4.icmp_ratelimit', 1000, 0, INT_MAX, 'ms between errors to one peer, but for a burst of 6; 0: no limit'),
    icmpRatemask: int('net.ipv4.icmp_ratemask', LIMITED_TYPES, 0, INT_MAX, 'bits by ICMP type: which are limited'),
    icmpPerSecond: int('net.ipv4.icmp_msgs_per_sec', 1000, 0, INT_MAX, 'limited messages a second, to all peers (RFC 1812 §4.3.2.8)'),
    icmpBurst: int('net.ipv4.icmp_msgs_burst', 50, 0, INT_MAX, 'limited messages at once'),
    icmpFromInbound: bool(
      'net.ipv4.icmp_errors_use_inbound_ifaddr',
      false,
      'errors come from the address of the device that the packet came in by (RFC 1812 §4.3.2.4 has that of the way back)',
    ),
    minPathMtu: int('net.ipv4.route.min_pmtu', 552, 68, 65_535, 'a path that is said to be narrower gets pieces of so much, without DF'),
    redirectLoadMs: int('net.ipv4.route.redirect_load', 20, 0, INT_MAX, 'ms until a redirect is repeated: twice that, then twice as long'),
    redirectNumber: int('net.ipv4.route.redirect_number', 9, 0, 30, 'redirects in a row to who does not heed them'),
    redirectSilenceMs: int('net.ipv4.route.redirect_silence', 20_480, 0, INT_MAX, 'ms without one until a host is redirected anew'),
    fragmentsBytes: int(
      'net.ipv4.ipfrag_high_thresh',
      4 << 20,
      0,
      INT_MAX,
      'memory of fragments that wait: beyond it the oldest datagram goes',
    ),
    fragmentsSeconds: int('net.ipv4.ipfrag_time', 30, 0, 3600, 'seconds that fragments wait for the others (RFC 791 §3.2)'),
    fragmentsPieces: int('net.ipv4.ipfrag_max_pieces', 256, 1, 8192, 'fragments of one datagram'),
    fragmentsDistance: int(
      'net.ipv4.ipfrag_max_dist',
      64,
      0,
      INT_MAX,
      'other fragments of a sender between two of one datagram; 0: no limit',
    ),
    proxyDelayTicks: int('net.ipv4.neigh.default.proxy_delay', 80, 0, 6000, '1/100 s within which ARP is answered for others; 0: at once'),
  };
}

import type { Setting, SysctlBranch } from '@softnet/contract';

/** The module's settings: read at each use. Names and defaults are Linux's but for those that it has not. */
export interface Ipv6Settings {
  /** net.ipv6.icmp.echo_ignore_all */
  readonly ignoreEcho: { readonly value: boolean };
  /** net.ipv6.icmp.msgs_per_sec, msgs_burst */
  readonly errorsPerSecond: { readonly value: number };
  readonly errorsBurst: { readonly value: number };
  /** net.ipv6.ip6frag_time, s */
  readonly fragmentTimeS: { readonly value: number };
  /** net.ipv6.ip6frag_high_thresh, bytes of truesize */
  readonly fragmentBytes: { readonly value: number };
  /** net.ipv6.ip6frag_max_datagrams, ip6frag_max_pieces */
  readonly fragmentDatagrams: { readonly value: number };
  readonly fragmentPieces: { readonly value: number };
}

/** @throws NetError EEXIST. */
export function defineSettings(sysctl: SysctlBranch): Ipv6Settings {
  const flag = (name: string, summary: string): Setting<boolean> =>
    sysctl.define(`net.ipv6.${name}`, { type: 'bool', default: false, summary });
  const int = (name: string, value: number, min: number, max: number, summary: string): Setting<number> =>
    sysctl.define(`net.ipv6.${name}`, { type: 'int', default: value, min, max, summary });
  const many = 1 << 20;
  return {
    ignoreEcho: flag('icmp.echo_ignore_all', 'echo requests are not answered'),
    errorsPerSecond: int('icmp.msgs_per_sec', 1000, 0, many, 'ICMPv6 errors a second, at most (RFC 4443 §2.4 f)'),
    errorsBurst: int('icmp.msgs_burst', 50, 0, many, 'ICMPv6 errors at once, at most'),
    fragmentTimeS: int('ip6frag_time', 60, 1, 3600, 'seconds for all fragments of a datagram to come (RFC 8200 §4.5)'),
    fragmentBytes: int('ip6frag_high_thresh', 4 << 20, 0, 1 << 30, 'bytes of memory for fragments that wait'),
    fragmentDatagrams: int('ip6frag_max_datagrams', 1024, 1, many, 'datagrams that wait for fragments'),
    fragmentPieces: int('ip6frag_max_pieces', 128, 2, 8192, 'fragments of one datagram'),
  };
}

import type { Setting, SysctlBranch } from '@softnet/contract';
import type { HeaderLimits } from './header-limits.ts';
import { defineLimits } from './header-limits.ts';
import { TypeMask } from './type-mask.ts';

/** The module's settings: read at each use. Names and defaults are Linux's but for those that it has not. */
export interface Ipv6Settings {
  /** net.ipv6.icmp.echo_ignore_all */
  readonly ignoreEcho: { readonly value: boolean };
  /** net.ipv6.icmp.echo_ignore_multicast, echo_ignore_anycast */
  readonly ignoreGroupEcho: { readonly value: boolean };
  readonly ignoreAnycastEcho: { readonly value: boolean };
  /** net.ipv6.icmp.ratelimit, ms */
  readonly errorIntervalMs: { readonly value: number };
  /** net.ipv6.icmp.ratemask */
  readonly limitedTypes: TypeMask;
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
  /** net.ipv6.neigh.default.proxy_delay, 1/100 s */
  readonly proxyDelayTicks: { readonly value: number };
  /** net.ipv6.auto_flowlabels: one of {@link AUTO_LABEL}. */
  readonly autoLabels: { readonly value: number };
  /** net.ipv6.flowlabel_reflect: bits; 4: echo replies. */
  readonly reflectedLabels: { readonly value: number };
  readonly limits: HeaderLimits;
}

/** Flow labels made of the flow (RFC 6437 §3): Linux's `IP6_AUTO_FLOW_LABEL_*`. */
export const AUTO_LABEL = Object.freeze({ OFF: 0, UNLESS_REFUSED: 1, IF_WANTED: 2, FORCED: 3 } as const);

/** Of `flowlabel_reflect`: the label of an echo request is its reply's. */
export const REFLECT_ECHO = 4;

/** All errors but packet too big, as in Linux. */
const RATEMASK = '0-1,3-127';

/** @throws NetError EEXIST. */
export function defineSettings(sysctl: SysctlBranch): Ipv6Settings {
  const flag = (name: string, summary: string): Setting<boolean> =>
    sysctl.define(`net.ipv6.${name}`, { type: 'bool', default: false, summary });
  const int = (name: string, value: number, min: number, max: number, summary: string): Setting<number> =>
    sysctl.define(`net.ipv6.${name}`, { type: 'int', default: value, min, max, summary });
  const many = 1 << 20;
  return {
    limits: defineLimits(sysctl),
    limitedTypes: defineTypeMask(sysctl),
    ignoreEcho: flag('icmp.echo_ignore_all', 'echo requests are not answered'),
    ignoreGroupEcho: flag('icmp.echo_ignore_multicast', 'those to groups are not'),
    ignoreAnycastEcho: flag('icmp.echo_ignore_anycast', 'those to anycast addresses are not'),
    errorIntervalMs: int(
      'icmp.ratelimit',
      1000,
      0,
      0x7fffffff,
      'ms between messages to one host far away, but for a burst of 6; 0: no limit',
    ),
    errorsPerSecond: int('icmp.msgs_per_sec', 1000, 0, many, 'ICMPv6 errors a second, at most (RFC 4443 §2.4 f)'),
    errorsBurst: int('icmp.msgs_burst', 50, 0, many, 'ICMPv6 errors at once, at most'),
    proxyDelayTicks: int(
      'neigh.default.proxy_delay',
      80,
      0,
      6000,
      '1/100 s within which solicitations are answered for others; 0: at once',
    ),
    fragmentTimeS: int('ip6frag_time', 60, 1, 3600, 'seconds for all fragments of a datagram to come (RFC 8200 §4.5)'),
    fragmentBytes: int('ip6frag_high_thresh', 4 << 20, 0, 1 << 30, 'bytes of memory for fragments that wait'),
    fragmentDatagrams: int('ip6frag_max_datagrams', 1024, 1, many, 'datagrams that wait for fragments'),
    fragmentPieces: int('ip6frag_max_pieces', 128, 2, 8192, 'fragments of one datagram'),
    autoLabels: int(
      'auto_flowlabels',
      AUTO_LABEL.UNLESS_REFUSED,
      0,
      3,
      'flow labels by the flow: never (0), by default (1), if asked (2), always (3)',
    ),
    reflectedLabels: int('flowlabel_reflect', 0, 0, 7, 'bits: flow labels of what came go back; 4: of echo requests'),
  };
}

/** Linux's bitmap. What is none is taken back. */
function defineTypeMask(sysctl: SysctlBranch): TypeMask {
  const mask = new TypeMask();
  const name = 'net.ipv6.icmp.ratemask';
  let text = RATEMASK;
  mask.read(text);
  const summary = "types that are limited, like '0-1,3-127' (RFC 4443 §2.4 f)";
  sysctl.define(name, { type: 'string', default: RATEMASK, maxLength: 1023, summary }, (value) => {
    if (mask.read(value)) text = value;
    else sysctl.set(name, text);
  });
  return mask;
}

import type { Counter } from '@softnet/contract';

/** What happened: Linux's `Ip6*` and `Icmp6*` of /proc/net/snmp6, as far as there is no drop reason for it. */
export interface Ipv6Counters {
  readonly inReceives: Counter;
  readonly inDelivers: Counter;
  readonly outRequests: Counter;
  readonly outForwDatagrams: Counter;
  readonly fragCreates: Counter;
  readonly reasmOks: Counter;
  readonly icmpOutErrors: Counter;
  /** Not sent: `net.ipv6.icmp.ratelimit`, `msgs_per_sec`. */
  readonly icmpOutLimited: Counter;
}

/** @param counter `ctx.counter`. */
export function defineCounters(counter: (name: string) => Counter): Ipv6Counters {
  return {
    inReceives: counter('in-receives'),
    inDelivers: counter('in-delivers'),
    outRequests: counter('out-requests'),
    outForwDatagrams: counter('out-forw-datagrams'),
    fragCreates: counter('frag-creates'),
    reasmOks: counter('reasm-oks'),
    icmpOutErrors: counter('icmp-out-errors'),
    icmpOutLimited: counter('icmp-out-limited'),
  };
}

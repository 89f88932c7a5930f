import type * as contract from '@softnet/contract';
import type { Clock, Counter, CurrentOwner, DropReason, Port, Skb } from '@softnet/contract';
import { TRANSMIT } from '@softnet/contract';
import type { Ipv4Conf } from './conf.ts';
import type { Ipv4Drops } from './drops.ts';
import type { AddressBook } from './machine/address-book.ts';
import type { Ipv4Settings } from './settings.ts';

/** What the parts of the layer work with: made by the module, of its context. */
export interface Ipv4Parts {
  readonly current: CurrentOwner;
  readonly clock: Clock;
  readonly settings: Ipv4Settings;
  readonly conf: Ipv4Conf;
  readonly drops: Ipv4Drops;
  readonly counters: Ipv4Counters;
  readonly book: AddressBook;
  readonly pool: Port<contract.SkbPool>;
  readonly route: Port<contract.Route>;
  readonly neighbours: Port<contract.Neighbours>;
  readonly traffic: Port<contract.DeviceTraffic>;
  readonly policy: Port<contract.PacketPolicy>;
}

/** As in Linux's /proc/net/snmp. */
export interface Ipv4Counters {
  readonly inReceives: Counter;
  readonly inDelivers: Counter;
  readonly forwDatagrams: Counter;
  readonly outRequests: Counter;
  readonly reasmOks: Counter;
  readonly tinyFragments: Counter;
  readonly routerAlerts: Counter;
  readonly fragOks: Counter;
  readonly fragCreates: Counter;
  readonly icmpInErrors: Counter;
  readonly icmpOutErrors: Counter;
  readonly icmpOutLimited: Counter;
  readonly icmpInEchos: Counter;
  readonly icmpOutEchoReps: Counter;
  readonly icmpInTimestamps: Counter;
  readonly icmpOutTimestampReps: Counter;
  readonly icmpInRedirects: Counter;
  readonly icmpOutRedirects: Counter;
  readonly arpRequests: Counter;
  readonly arpReplies: Counter;
}

/** @param counter `ctx.counter`. */
export function defineCounters(counter: (name: string) => Counter): Ipv4Counters {
  return {
    inReceives: counter('in-receives'),
    inDelivers: counter('in-delivers'),
    forwDatagrams: counter('forw-datagrams'),
    outRequests: counter('out-requests'),
    reasmOks: counter('reasm-oks'),
    tinyFragments: counter('tiny-fragments'),
    routerAlerts: counter('router-alerts'),
    fragOks: counter('frag-oks'),
    fragCreates: counter('frag-creates'),
    icmpInErrors: counter('icmp-in-errors'),
    icmpOutErrors: counter('icmp-out-errors'),
    icmpOutLimited: counter('icmp-out-limited'),
    icmpInEchos: counter('icmp-in-echos'),
    icmpOutEchoReps: counter('icmp-out-echo-reps'),
    icmpInTimestamps: counter('icmp-in-timestamps'),
    icmpOutTimestampReps: counter('icmp-out-timestamp-reps'),
    icmpInRedirects: counter('icmp-in-redirects'),
    icmpOutRedirects: counter('icmp-out-redirects'),
    arpRequests: counter('arp-requests-out'),
    arpReplies: counter('arp-replies-out'),
  };
}

/** Takes the packet. */
export function drop(skb: Skb, reason: DropReason): number {
  skb.memory.pool.drop(skb, reason);
  return TRANSMIT.DROPPED;
}

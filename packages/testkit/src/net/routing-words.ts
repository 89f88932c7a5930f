import type { NextHop, NextHopObject, PortRange, RouteEntry, RoutingRule, RulePrefix } from '@softnet/contract';
import { ADDRESS_FAMILY, DST_METRIC, NetError, ROUTE_TYPE, RULE_ACTION } from '@softnet/contract';
import type { IpAddress, IpPrefix } from '@softnet/wire';
import { addressBits, parseAddress, parsePrefix } from '@softnet/wire';
import type { NetHost } from './net-host.ts';

/** RTPROT_STATIC: set by hand. */
const STATIC = 4;

/** One way, in the words of `ip`. */
export interface WayWords {
  readonly via?: string;
  readonly dev?: string;
  /** 1 to 256. Default 1. */
  readonly weight?: number;
}

/** What `ip route` says of a route. */
export interface RouteWords extends WayWords {
  /** Several ways, in the place of `via` and `dev`. */
  readonly ways?: readonly WayWords[];
  /** A next hop by number, in their place. */
  readonly nhid?: number;
  /** Default: unicast. */
  readonly type?: keyof typeof ROUTE_TYPE;
  /** Default 254, main. */
  readonly table?: number;
  readonly metric?: number;
  readonly src?: string;
  readonly mtu?: number;
}

/** What `ip rule` says of a rule; what is absent fits all. */
export interface RuleWords {
  /** `ADDRESS_FAMILY.INET`, the default without prefixes, or `INET6`. */
  readonly family?: number;
  /** The lowest is asked first. Linux's own are 0, 32766 and 32767. */
  readonly priority: number;
  /** Where to look; absent: `action` says what becomes of it. */
  readonly table?: number;
  readonly action?: keyof typeof RULE_ACTION;
  readonly from?: string;
  readonly to?: string;
  readonly iif?: string;
  readonly fwmark?: number;
  readonly ipproto?: number;
  /** One port, or both ends of a range. */
  readonly sport?: number | PortRange;
  readonly dport?: number | PortRange;
}

/** What `ip nexthop` says: a way, a blackhole, or members by number. */
export interface NextHopWords extends WayWords {
  readonly blackhole?: boolean;
  readonly group?: readonly (number | { readonly id: number; readonly weight: number })[];
}

/** @throws NetError EINVAL, ENODEV. */
export function routeOf(host: NetHost, prefix: string, words: RouteWords): RouteEntry {
  const {
    ways = words.via === undefined && words.dev === undefined ? [] : [words],
    type = 'UNICAST',
    table,
    metric,
    src,
    mtu,
    nhid,
  } = words;
  const nextHops = ways.map((way) => wayOf(host, way));
  const all = nextHops[0]?.gateway?.family === ADDRESS_FAMILY.INET6 ? '::/0' : '0.0.0.0/0';
  const { family, words: address, prefixLen } = parsed(prefix === 'default' ? all : prefix);
  const metrics = new Int32Array(DST_METRIC.QUICKACK + 1);
  metrics[DST_METRIC.MTU] = mtu ?? 0;
  return {
    ...{ family, prefix: address, prefixLen, type: ROUTE_TYPE[type], source: STATIC, nextHops },
    ...(table === undefined ? {} : { table }),
    ...(metric === undefined ? {} : { priority: metric }),
    ...(src === undefined ? {} : { preferredSource: addressOf(src).words }),
    ...(mtu === undefined ? {} : { metrics }),
    ...(nhid === undefined ? {} : { nextHopId: nhid }),
  };
}

/** @throws NetError EINVAL. */
export function ruleOf({ family, priority, table, action, from, to, iif, fwmark, ipproto, sport, dport }: RuleWords): RoutingRule {
  const [source, target] = [from, to].map((text) => (text === undefined ? undefined : parsed(text)));
  if (source !== undefined && target !== undefined && source.family !== target.family)
    throw new NetError('EINVAL', `${from} and ${to} are not of one family`);
  return {
    family: family ?? source?.family ?? target?.family ?? ADDRESS_FAMILY.INET,
    priority,
    action: RULE_ACTION[action ?? 'TABLE'],
    source: STATIC,
    ...(table === undefined ? {} : { table }),
    ...(source === undefined ? {} : { from: rulePrefix(source) }),
    ...(target === undefined ? {} : { to: rulePrefix(target) }),
    ...(iif === undefined ? {} : { iif }),
    ...(fwmark === undefined ? {} : { mark: fwmark }),
    ...(ipproto === undefined ? {} : { ipProtocol: ipproto }),
    ...(sport === undefined ? {} : { srcPorts: rangeOf(sport) }),
    ...(dport === undefined ? {} : { dstPorts: rangeOf(dport) }),
  };
}

/** @throws NetError EINVAL, ENODEV. */
export function nextHopOf(host: NetHost, id: number, { blackhole, group, ...way }: NextHopWords): NextHopObject {
  if (group !== undefined)
    return { id, family: 0, source: STATIC, group: group.map((each) => (typeof each === 'number' ? { id: each } : each)) };
  if (blackhole) return { id, family: ADDRESS_FAMILY.INET, source: STATIC, blackhole };
  const hop = wayOf(host, way);
  return { id, family: hop.gateway?.family ?? ADDRESS_FAMILY.INET, source: STATIC, hop };
}

/** '192.0.2.0/24', or an address, which is a prefix of all its bits. @throws NetError EINVAL. */
export function parsed(text: string): IpPrefix {
  const address = parseAddress(text);
  if (address !== null) return { ...address, prefixLen: addressBits(address.family) };
  const found = parsePrefix(text);
  if (found !== null) return found;
  throw new NetError('EINVAL', `'${text}' is no prefix: write 192.0.2.1/24 or 2001:db8::1/64`);
}

function wayOf(host: NetHost, { via, dev, weight }: WayWords): NextHop {
  const gateway = via === undefined ? undefined : addressOf(via);
  return {
    ifindex: dev === undefined ? 0 : host.device(dev).ifindex,
    ...(gateway === undefined ? {} : { gateway: { family: gateway.family, address: gateway.words } }),
    ...(weight === undefined ? {} : { weight }),
  };
}

function addressOf(text: string): IpAddress {
  const address = parseAddress(text);
  if (address !== null) return address;
  throw new NetError('EINVAL', `'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
}

function rulePrefix({ words: address, prefixLen }: IpPrefix): RulePrefix {
  return { address, prefixLen };
}

function rangeOf(ports: number | PortRange): PortRange {
  return typeof ports === 'number' ? { first: ports, last: ports } : ports;
}

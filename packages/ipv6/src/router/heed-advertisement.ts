import type { AddressWords } from '@softnet/contract';
import type { Ipv6Conf } from '../conf.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import { isLinkLocal, isLoopback, isMulticast, isUnspecified, prefixOf } from '../machine/address-kind.ts';
import { IPV6_MIN_MTU } from '../machine/output.ts';
import type { PrefixInformation, RouteInformation } from '../wire/router-option.ts';
import { FOREVER_S } from '../wire/router-option.ts';
import type { RouterMessage } from '../wire/router-value.ts';
import type { LinkRouters } from './link-routers.ts';

/** RFC 4861 §6.2.1: no router may say more. */
const MAX_REACHABLE_MS = 3_600_000;
/** Linux's HZ / 10: who is not reachable for long is asked without end. */
const MIN_REACHABLE_MS = 100;
/** Linux's HZ / 100: who asks more often floods the link. */
const MIN_RETRANS_MS = 10;
/** Whoever forges an advertisement must not make resolution and the search for duplicates take hours. */
const MAX_RETRANS_MS = 10_000;
const NO_PREFIX: AddressWords = Object.freeze([0, 0, 0, 0] as const);

/** Who makes addresses and link routes of prefixes (RFC 4862 §5.5.3, RFC 4861 §6.3.4). */
export interface PrefixListener {
  /** Of each prefix information option whose settings and lifetimes are in order; all that RFC 4862 §5.5.3 says of it is the listener's. */
  prefixHeard(link: Ipv6Link, option: PrefixInformation, router: AddressWords): void;
}

export interface AdvertisementHost {
  readonly conf: Ipv6Conf;
  readonly prefixes: PrefixListener;
}

/** What was heard, of whom, on which link, when. */
export interface HeardAdvertisement {
  readonly link: Ipv6Link;
  readonly state: LinkRouters;
  /** Its link-local address. */
  readonly router: AddressWords;
  readonly nowMs: number;
}

/** RFC 4861 §6.3.4, RFC 4191 §3.1, RFC 8106 §6: what an advertisement that counts changes here. */
export function heedAdvertisement(host: AdvertisementHost, heard: HeardAdvertisement, message: RouterMessage): void {
  heedRouter(host, heard, message);
  heedParameters(host, heard, message);
  const { ifindex } = heard.link.device;
  if (host.conf.value(ifindex, 'accept_ra_pinfo') !== 0) {
    for (const option of message.prefixes)
      if (isLifetimeGood(host, ifindex, option.validS)) host.prefixes.prefixHeard(heard.link, option, heard.router);
  }
  for (const option of message.routes) if (isRouteGood(host, ifindex, option)) heedRoute(host, heard, option);
  heedNames(heard, message);
}

function heedRouter(host: AdvertisementHost, heard: HeardAdvertisement, { lifetimeS, preference }: RouterMessage): void {
  const { ifindex } = heard.link.device;
  if (host.conf.value(ifindex, 'accept_ra_defrtr') === 0 || !isLifetimeGood(host, ifindex, lifetimeS)) return;
  heedRoute(host, heard, { prefix: NO_PREFIX, prefixLen: 0, preference, lifetimeS });
}

/** The default route's own information option takes the place of what the header says (RFC 4191 §3.1). */
function heedRoute({ conf }: AdvertisementHost, heard: HeardAdvertisement, option: RouteInformation): void {
  const { state, router, nowMs, link } = heard;
  const { ifindex } = link.device;
  const { prefix, prefixLen, lifetimeS } = option;
  const preference = conf.value(ifindex, 'accept_ra_rtr_pref') === 0 ? 0 : option.preference;
  const metric = conf.value(ifindex, 'ra_defrtr_metric');
  const route = { prefix: prefixOf(prefix, prefixLen), prefixLen, router, preference, metric };
  state.routes.hear({ ...route, untilMs: untilMs(nowMs, lifetimeS) }, nowMs);
}

/** Of link-local addresses and groups each link has its own. */
function isRouteGood(host: AdvertisementHost, ifindex: number, { prefix, prefixLen, lifetimeS }: RouteInformation): boolean {
  const { conf } = host;
  if (prefixLen < conf.value(ifindex, 'accept_ra_rt_info_min_plen')) return false;
  if (prefixLen > conf.value(ifindex, 'accept_ra_rt_info_max_plen')) return false;
  if (prefixLen === 0 && conf.value(ifindex, 'accept_ra_defrtr') === 0) return false;
  if (prefixLen > 0 && (isLinkLocal(prefix[0]) || isMulticast(prefix[0]))) return false;
  return isLifetimeGood(host, ifindex, lifetimeS);
}

/** 0 always counts: it takes something back. */
function isLifetimeGood({ conf }: AdvertisementHost, ifindex: number, lifetimeS: number): boolean {
  return lifetimeS === 0 || lifetimeS >= conf.value(ifindex, 'accept_ra_min_lft');
}

/** What is not said leaves things as they are; what cannot be meant is passed over. */
function heedParameters({ conf }: AdvertisementHost, { link, state }: HeardAdvertisement, message: RouterMessage): void {
  const { hopLimit, reachableMs, retransMs, mtuBytes } = message;
  const { device } = link;
  const { parameters } = state;
  if (hopLimit !== 0 && hopLimit >= conf.value(device.ifindex, 'accept_ra_min_hop_limit')) parameters.hopLimit = hopLimit;
  if (reachableMs >= MIN_REACHABLE_MS && reachableMs <= MAX_REACHABLE_MS) parameters.reachableMs = reachableMs;
  if (retransMs >= MIN_RETRANS_MS && retransMs <= MAX_RETRANS_MS) parameters.retransMs = retransMs;
  const isMtu = mtuBytes >= IPV6_MIN_MTU && mtuBytes <= device.mtuBytes;
  if (isMtu && conf.value(device.ifindex, 'accept_ra_mtu') !== 0) parameters.mtuBytes = mtuBytes;
}

/** RFC 8106 §6.1: each lives for itself. Addresses that nobody can ask are passed over. */
function heedNames({ state: { servers, domains }, nowMs }: HeardAdvertisement, { nameServers, searchLists }: RouterMessage): void {
  for (const { lifetimeS, addresses } of nameServers) {
    for (const address of addresses) if (isServer(address)) servers.hear(address, untilMs(nowMs, lifetimeS), nowMs);
  }
  for (const { lifetimeS, names } of searchLists)
    for (const name of names) domains.hear(name.toLowerCase(), untilMs(nowMs, lifetimeS), nowMs);
}

function isServer(address: AddressWords): boolean {
  return !isMulticast(address[0]) && !isUnspecified(...address) && !isLoopback(...address);
}

function untilMs(nowMs: number, lifetimeS: number): number {
  return lifetimeS === FOREVER_S ? Number.POSITIVE_INFINITY : nowMs + lifetimeS * 1000;
}

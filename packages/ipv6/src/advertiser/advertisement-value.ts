import type { AddressWords, AdvertisedPrefix, InterfaceAddress, NetDevice, RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FLAG, NetError } from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';
import { isLinkLocal, isLoopback, isMulticast, isSame, isUnspecified, prefixOf } from '../machine/address-kind.ts';
import { IPV6_MIN_MTU } from '../machine/link-values.ts';
import type { PrefixInformation } from '../wire/router-option.ts';
import { FOREVER_S } from '../wire/router-option.ts';
import type { RouterMessage } from '../wire/router-value.ts';
import { emitRouter } from '../wire/router-value.ts';
import { isDomainName } from '../wire/search-list.ts';
import type { AdvertisementInterval } from './advertisement-schedule.ts';

/** RFC 4861 §6.2.1. */
const MAX_INTERVAL_MS = 600_000;
const VALID_MS = 2_592_000_000;
const PREFERRED_MS = 604_800_000;
const HOP_LIMIT = 64;
/** Before the message, and of its ICMPv6 header. */
const HEADER_BYTES = 48;
/** As many fit beside all else into the shortest link. */
const MAX_OWN_PREFIXES = 16;

/** §6.2.1, with its defaults. */
export function intervalOf({ minIntervalMs, maxIntervalMs = MAX_INTERVAL_MS }: RouterAdvertisement): AdvertisementInterval {
  const usualMs = maxIntervalMs >= 9000 ? maxIntervalMs / 3 : maxIntervalMs * 0.75;
  return { minUs: Math.floor((minIntervalMs ?? usualMs) * 1000), maxUs: Math.floor(maxIntervalMs * 1000) };
}

/** What is said on a link now. @param addresses of it: their prefixes are said where the advertisement names none. */
export function messageOf(said: RouterAdvertisement, device: NetDevice, addresses: readonly InterfaceAddress[]): RouterMessage {
  const maxS = Math.ceil((said.maxIntervalMs ?? MAX_INTERVAL_MS) / 1000);
  const lifetimeS = 3 * maxS;
  const { nameServers = [], searchDomains = [], routes = [] } = said;
  return {
    hopLimit: said.hopLimit ?? HOP_LIMIT,
    managed: said.managed ?? false,
    otherConfig: said.otherConfig ?? false,
    preference: said.preference ?? 0,
    lifetimeS: said.lifetimeMs === undefined ? lifetimeS : Math.ceil(said.lifetimeMs / 1000),
    reachableMs: said.reachableMs ?? 0,
    retransMs: said.retransMs ?? 0,
    linkAddress: device.addressLen === 0 ? null : device.address.slice(0, device.addressLen),
    mtuBytes: said.mtuBytes ?? 0,
    prefixes: (said.prefixes ?? ownPrefixes(addresses)).map(prefixOption),
    routes: routes.map(({ prefix, prefixLen, preference = 0, lifetimeMs }) => ({
      ...{ prefix: prefixOf(prefix, prefixLen), prefixLen, preference },
      lifetimeS: secondsOf(lifetimeMs),
    })),
    nameServers: nameServers.length === 0 ? [] : [{ lifetimeS, addresses: nameServers }],
    searchLists: searchDomains.length === 0 ? [] : [{ lifetimeS, names: searchDomains }],
  };
}

/** The same, as it is said when this host is no default router any more (RFC 4861 §6.2.5). */
export function farewellOf(message: RouterMessage): RouterMessage {
  return { ...message, lifetimeS: 0 };
}

/** @throws NetError EINVAL: a value that no router may say, or more than fits. */
export function checkAdvertisement(said: RouterAdvertisement, device: NetDevice): void {
  const why = timesFault(said) ?? parametersFault(said, device) ?? listsFault(said);
  if (why !== null) throw refusal(device, why);
  const { payload } = emitRouter(messageOf(said, device, []));
  const prefixBytes = said.prefixes === undefined ? MAX_OWN_PREFIXES * 32 : 0;
  const roomBytes = Math.max(IPV6_MIN_MTU, said.mtuBytes ?? 0) - HEADER_BYTES - prefixBytes;
  if (payload.length > roomBytes) throw refusal(device, `its options take ${payload.length} bytes, and ${roomBytes} fit: say less`);
}

function timesFault({ minIntervalMs, maxIntervalMs = MAX_INTERVAL_MS, lifetimeMs, reachableMs = 0, retransMs = 0 }: RouterAdvertisement) {
  if (!isWithin(maxIntervalMs, 4000, 1_800_000)) return 'maxIntervalMs is 4,000 to 1,800,000';
  if (minIntervalMs !== undefined && !isWithin(minIntervalMs, 3000, maxIntervalMs * 0.75)) {
    return 'minIntervalMs is 3,000 to three quarters of maxIntervalMs';
  }
  if (lifetimeMs !== undefined && lifetimeMs !== 0 && !isWithin(lifetimeMs, maxIntervalMs, 9_000_000)) {
    return 'lifetimeMs is 0, or maxIntervalMs to 9,000,000';
  }
  if (!isWithin(reachableMs, 0, 3_600_000)) return 'reachableMs is 0 to 3,600,000';
  return isWithin(retransMs, 0, 0xffffffff) ? null : 'retransMs is 0 to 4,294,967,295';
}

function parametersFault({ hopLimit = HOP_LIMIT, preference = 0, mtuBytes = 0 }: RouterAdvertisement, device: NetDevice): string | null {
  if (!Number.isInteger(hopLimit) || !isWithin(hopLimit, 0, 255)) return 'hopLimit is 0 to 255';
  if (!isPreference(preference)) return 'preference is -1, 0 or 1';
  if (mtuBytes !== 0 && !isWithin(mtuBytes, IPV6_MIN_MTU, device.mtuBytes)) return `mtuBytes is 0, or 1280 to ${device.mtuBytes}`;
  return null;
}

function listsFault({ prefixes = [], routes = [], nameServers = [], searchDomains = [] }: RouterAdvertisement): string | null {
  for (const { prefix, prefixLen, validMs = VALID_MS, preferredMs = Math.min(PREFERRED_MS, validMs) } of prefixes) {
    if (!isPrefixLen(prefixLen) || isLinkLocal(prefix[0]) || isMulticast(prefix[0]))
      return `${textOf(prefix, prefixLen)} is no prefix of hosts`;
    if (!(preferredMs >= 0 && validMs >= preferredMs)) return `${textOf(prefix, prefixLen)} would be preferred for longer than it is valid`;
  }
  for (const { prefix, prefixLen, preference = 0, lifetimeMs } of routes) {
    if (!isPrefixLen(prefixLen) || isMulticast(prefix[0])) return `${textOf(prefix, prefixLen)} is no prefix of a route`;
    if (!isPreference(preference) || !(lifetimeMs >= 0))
      return `the route to ${textOf(prefix, prefixLen)} has a preference of -1, 0 or 1, and a lifetime`;
  }
  const server = nameServers.find((address) => isMulticast(address[0]) || isUnspecified(...address) || isLoopback(...address));
  if (server !== undefined) return `${formatIpv6(...server)} is no server of names`;
  const name = searchDomains.find((each) => !isDomainName(each));
  return name === undefined ? null : `'${name}' is no domain name`;
}

/** Those of addresses that somebody gave; hosts make addresses of 64 bits only (RFC 4862 §5.5.3, RFC 4291 §2.5.1). */
function ownPrefixes(addresses: readonly InterfaceAddress[]): AdvertisedPrefix[] {
  const found: AdvertisedPrefix[] = [];
  for (const { address, prefixLen, flags } of addresses) {
    const isGiven = (flags & (ADDRESS_FLAG.PERMANENT | ADDRESS_FLAG.DAD_FAILED)) === ADDRESS_FLAG.PERMANENT;
    if (!isGiven || prefixLen === 128 || isLinkLocal(address[0]) || found.length === MAX_OWN_PREFIXES) continue;
    const prefix = prefixOf(address, prefixLen);
    const isKnown = found.some((each) => each.prefixLen === prefixLen && isSame(each.prefix, ...prefix));
    if (!isKnown) found.push({ prefix, prefixLen, autonomous: prefixLen === 64 });
  }
  return found;
}

function prefixOption(said: AdvertisedPrefix): PrefixInformation {
  const { prefix, prefixLen, onLink = true, autonomous = true, validMs = VALID_MS, preferredMs = Math.min(PREFERRED_MS, validMs) } = said;
  return {
    ...{ prefix: prefixOf(prefix, prefixLen), prefixLen, onLink, autonomous },
    ...{ validS: secondsOf(validMs), preferredS: secondsOf(preferredMs) },
  };
}

function secondsOf(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? FOREVER_S : Math.min(Math.ceil(ms / 1000), FOREVER_S - 1);
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function isPreference(value: number): boolean {
  return value === -1 || value === 0 || value === 1;
}

function isPrefixLen(prefixLen: number): boolean {
  return Number.isInteger(prefixLen) && isWithin(prefixLen, 0, 128);
}

function textOf(prefix: AddressWords, prefixLen: number): string {
  return `${formatIpv6(...prefix)}/${prefixLen}`;
}

function refusal(device: NetDevice, why: string): NetError {
  return new NetError('EINVAL', `${device.name} cannot advertise that: ${why}`, { syscall: 'radv' });
}

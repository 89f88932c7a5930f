import type { IcmpMessage } from '@softnet/wire';
import { ICMPV6_TYPE, viewOf } from '@softnet/wire';
import { linkAddressOptionBytes, ND_OPTION, ND_OPTION_HEADER_BYTES, ndOptionBytes, writeLinkAddressOption } from './neighbour-option.ts';
import type { NameServerOption, PrefixInformation, RouteInformation, SearchListOption } from './router-option.ts';
import {
  MTU_BYTES,
  nameServersBytes,
  PREFIX_BYTES,
  preferenceBits,
  preferenceOf,
  putMtu,
  putNameServers,
  putPrefix,
  putRoute,
  putSearchList,
  readMtu,
  readNameServers,
  readPrefix,
  readRoute,
  readSearchList,
  routeBytes,
  searchListBytes,
} from './router-option.ts';

/** A router advertisement as a plain value (RFC 4861 §4.2): rare enough to be read as one. */
export interface RouterMessage {
  /** 0: it says none. */
  readonly hopLimit: number;
  readonly managed: boolean;
  readonly otherConfig: boolean;
  /** -1 low, 0 medium (also for the reserved value: RFC 4191 §2.2), 1 high. */
  readonly preference: number;
  /** As a default router, seconds, 0 to 65,535; 0: it is none. */
  readonly lifetimeS: number;
  /** 0: it says none. */
  readonly reachableMs: number;
  readonly retransMs: number;
  /** Null: it says none. */
  readonly linkAddress: Uint8Array | null;
  /** 0: it says none. */
  readonly mtuBytes: number;
  readonly prefixes: readonly PrefixInformation[];
  readonly routes: readonly RouteInformation[];
  readonly nameServers: readonly NameServerOption[];
  readonly searchLists: readonly SearchListOption[];
}

/** Bytes of the fixed part behind the ICMPv6 header. */
const FIXED_BYTES = 8;
const MANAGED = 0x80;
const OTHER = 0x40;

/** As an ICMPv6 message, for `emitIcmpv6`. */
export function emitRouter(message: RouterMessage): IcmpMessage {
  const { hopLimit, managed, otherConfig, preference, lifetimeS, reachableMs, retransMs } = message;
  const flags = (managed ? MANAGED : 0) | (otherConfig ? OTHER : 0) | preferenceBits(lifetimeS === 0 ? 0 : preference);
  const payload = new Uint8Array(FIXED_BYTES + optionsBytes(message));
  const view = viewOf(payload);
  view.setUint32(0, reachableMs);
  view.setUint32(4, retransMs);
  putOptions(view, message);
  return { type: ICMPV6_TYPE.ROUTER_ADVERTISEMENT, code: 0, rest: (hopLimit << 24) | (flags << 16) | lifetimeS, payload };
}

function optionsBytes({ linkAddress, mtuBytes, prefixes, routes, nameServers, searchLists }: RouterMessage): number {
  let lenBytes = linkAddress === null ? 0 : linkAddressOptionBytes(linkAddress.length);
  if (mtuBytes !== 0) lenBytes += MTU_BYTES;
  lenBytes += prefixes.length * PREFIX_BYTES;
  for (const { prefixLen } of routes) lenBytes += routeBytes(prefixLen);
  for (const { addresses } of nameServers) lenBytes += nameServersBytes(addresses.length);
  for (const { names } of searchLists) lenBytes += searchListBytes(names);
  return lenBytes;
}

function putOptions(view: DataView, { linkAddress, mtuBytes, prefixes, routes, nameServers, searchLists }: RouterMessage): void {
  let at = FIXED_BYTES;
  if (linkAddress !== null) at = writeLinkAddressOption(view, at, ND_OPTION.SOURCE_LINK_ADDRESS, linkAddress, linkAddress.length);
  if (mtuBytes !== 0) at = putMtu(view, at, mtuBytes);
  for (const option of prefixes) at = putPrefix(view, at, option);
  for (const option of routes) at = putRoute(view, at, option);
  for (const option of nameServers) at = putNameServers(view, at, option);
  for (const option of searchLists) at = putSearchList(view, at, option);
}

/** Null: no router advertisement, cut off, or its options are malformed. Options that say nothing sensible by themselves are passed over. */
export function parseRouter({ type, rest, payload }: IcmpMessage, addressLen: number): RouterMessage | null {
  if (type !== ICMPV6_TYPE.ROUTER_ADVERTISEMENT || payload.length < FIXED_BYTES) return null;
  return readRouter(viewOf(payload), 0, payload.length, rest, addressLen);
}

/** The same, of a packet. @param at behind the ICMPv6 header, whose last word is `rest`. */
export function readRouter(view: DataView, at: number, endOffset: number, rest: number, addressLen: number): RouterMessage | null {
  const options = readOptions(view, at + FIXED_BYTES, endOffset, addressLen);
  if (options === null) return null;
  const flags = (rest >>> 16) & 0xff;
  return {
    hopLimit: rest >>> 24,
    managed: (flags & MANAGED) !== 0,
    otherConfig: (flags & OTHER) !== 0,
    preference: preferenceOf(flags) ?? 0,
    lifetimeS: rest & 0xffff,
    reachableMs: view.getUint32(at),
    retransMs: view.getUint32(at + 4),
    ...options,
  };
}

function readOptions(view: DataView, from: number, endOffset: number, addressLen: number) {
  let linkAddress: Uint8Array | null = null;
  let mtuBytes = 0;
  const prefixes: PrefixInformation[] = [];
  const routes: RouteInformation[] = [];
  const nameServers: NameServerOption[] = [];
  const searchLists: SearchListOption[] = [];
  for (let at = from, step = 0; at < endOffset; at += step) {
    step = ndOptionBytes(view, at, endOffset);
    if (step === 0) return null;
    const type = view.getUint8(at);
    if (type === ND_OPTION.SOURCE_LINK_ADDRESS) linkAddress = readLinkAddress(view, at, step, addressLen);
    else if (type === ND_OPTION.MTU) mtuBytes = readMtu(view, at, step);
    else if (type === ND_OPTION.PREFIX) keep(prefixes, readPrefix(view, at, step));
    else if (type === ND_OPTION.ROUTE) keep(routes, readRoute(view, at, step));
    else if (type === ND_OPTION.NAME_SERVERS) keep(nameServers, readNameServers(view, at, step));
    else if (type === ND_OPTION.SEARCH_LIST) keep(searchLists, readSearchList(view, at, step));
  }
  return { linkAddress, mtuBytes, prefixes, routes, nameServers, searchLists };
}

function readLinkAddress(view: DataView, at: number, lenBytes: number, addressLen: number): Uint8Array | null {
  if (addressLen === 0 || lenBytes !== linkAddressOptionBytes(addressLen)) return null;
  return Uint8Array.from({ length: addressLen }, (_, index) => view.getUint8(at + ND_OPTION_HEADER_BYTES + index));
}

function keep<T>(list: T[], option: T | null): void {
  if (option !== null) list.push(option);
}

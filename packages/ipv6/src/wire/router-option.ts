import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { putAddress, readAddress } from '@softnet/wire';
import { ND_OPTION } from './neighbour-option.ts';
import { emitSearchList, parseSearchList } from './search-list.ts';

/** A lifetime that never ends, on the wire. */
export const FOREVER_S = 0xffffffff;

/** RFC 4861 §4.6.2. Lifetimes in seconds, {@link FOREVER_S}: for ever. */
export interface PrefixInformation {
  readonly prefix: AddressWords;
  /** 0 to 128. */
  readonly prefixLen: number;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  readonly validS: number;
  readonly preferredS: number;
}

/** RFC 4191 §2.3. */
export interface RouteInformation {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  /** -1 low, 0 medium, 1 high. */
  readonly preference: number;
  readonly lifetimeS: number;
}

/** RFC 8106 §5.1. */
export interface NameServerOption {
  readonly lifetimeS: number;
  readonly addresses: readonly AddressWords[];
}

/** RFC 8106 §5.2. */
export interface SearchListOption {
  readonly lifetimeS: number;
  readonly names: readonly string[];
}

const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;
/** Of prefix information, and of an MTU option, in bytes. */
export const PREFIX_BYTES = 32;
export const MTU_BYTES = 8;
/** Before addresses and names. */
const DNS_HEADER_BYTES = 8;

/** The two bits of a preference (RFC 4191 §2.1), shifted to where they stand in a byte of flags. */
export function preferenceBits(preference: number): number {
  return (preference & 3) << 3;
}

/** -1, 0, 1; null for the reserved value. */
export function preferenceOf(flags: number): number | null {
  const bits = (flags >>> 3) & 3;
  return bits === 2 ? null : bits === 3 ? -1 : bits;
}

/** Null: of another length than it must have. */
export function readPrefix(view: DataView, at: number, lenBytes: number): PrefixInformation | null {
  const prefixLen = view.getUint8(at + 2);
  if (lenBytes !== PREFIX_BYTES || prefixLen > 128) return null;
  const flags = view.getUint8(at + 3);
  return {
    prefix: readAddress(view, at + 16, ADDRESS_FAMILY.INET6),
    prefixLen,
    onLink: (flags & ON_LINK) !== 0,
    autonomous: (flags & AUTONOMOUS) !== 0,
    validS: view.getUint32(at + 4),
    preferredS: view.getUint32(at + 8),
  };
}

/** Returns the offset behind it. */
export function putPrefix(view: DataView, at: number, option: PrefixInformation): number {
  putHeader(view, at, ND_OPTION.PREFIX, PREFIX_BYTES);
  view.setUint8(at + 2, option.prefixLen);
  view.setUint8(at + 3, (option.onLink ? ON_LINK : 0) | (option.autonomous ? AUTONOMOUS : 0));
  view.setUint32(at + 4, option.validS);
  view.setUint32(at + 8, option.preferredS);
  view.setUint32(at + 12, 0);
  putAddress(view, at + 16, ADDRESS_FAMILY.INET6, ...option.prefix);
  return at + PREFIX_BYTES;
}

/** Null: too short for its prefix, or with the reserved preference, which is to be ignored (RFC 4191 §2.3). */
export function readRoute(view: DataView, at: number, lenBytes: number): RouteInformation | null {
  const prefixLen = view.getUint8(at + 2);
  const preference = preferenceOf(view.getUint8(at + 3));
  if (preference === null || prefixLen > 128 || lenBytes > 24 || lenBytes < routeBytes(prefixLen)) return null;
  const word = (index: number): number => (8 + index * 4 < lenBytes ? view.getInt32(at + 8 + index * 4) : 0);
  return { prefix: [word(0), word(1), word(2), word(3)], prefixLen, preference, lifetimeS: view.getUint32(at + 4) };
}

export function putRoute(view: DataView, at: number, { prefix, prefixLen, preference, lifetimeS }: RouteInformation): number {
  const lenBytes = routeBytes(prefixLen);
  putHeader(view, at, ND_OPTION.ROUTE, lenBytes);
  view.setUint8(at + 2, prefixLen);
  view.setUint8(at + 3, preferenceBits(preference));
  view.setUint32(at + 4, lifetimeS);
  for (let index = 0; 8 + index * 4 < lenBytes; index++) view.setInt32(at + 8 + index * 4, prefix[index]!);
  return at + lenBytes;
}

/** Bytes of a route information option: as much of the prefix as there is. */
export function routeBytes(prefixLen: number): number {
  return prefixLen === 0 ? 8 : prefixLen <= 64 ? 16 : 24;
}

/** Bytes of a name server option, and of a search list. */
export function nameServersBytes(count: number): number {
  return DNS_HEADER_BYTES + count * 16;
}
export function searchListBytes(names: readonly string[]): number {
  return DNS_HEADER_BYTES + emitSearchList(names).length;
}

/** Null: not a whole number of addresses, or none. */
export function readNameServers(view: DataView, at: number, lenBytes: number): NameServerOption | null {
  const count = (lenBytes - DNS_HEADER_BYTES) / 16;
  if (!Number.isInteger(count) || count < 1) return null;
  const address = (_: unknown, index: number): AddressWords => readAddress(view, at + DNS_HEADER_BYTES + index * 16, ADDRESS_FAMILY.INET6);
  return { lifetimeS: view.getUint32(at + 4), addresses: Array.from({ length: count }, address) };
}

export function putNameServers(view: DataView, at: number, { lifetimeS, addresses }: NameServerOption): number {
  const lenBytes = nameServersBytes(addresses.length);
  putHeader(view, at, ND_OPTION.NAME_SERVERS, lenBytes);
  view.setUint16(at + 2, 0);
  view.setUint32(at + 4, lifetimeS);
  for (const [index, words] of addresses.entries()) {
    putAddress(view, at + DNS_HEADER_BYTES + index * 16, ADDRESS_FAMILY.INET6, ...words);
  }
  return at + lenBytes;
}

/** Null: no name in it, or a malformed one. */
export function readSearchList(view: DataView, at: number, lenBytes: number): SearchListOption | null {
  if (lenBytes <= DNS_HEADER_BYTES) return null;
  const names = parseSearchList(view, at + DNS_HEADER_BYTES, at + lenBytes);
  return names === null || names.length === 0 ? null : { lifetimeS: view.getUint32(at + 4), names };
}

export function putSearchList(view: DataView, at: number, { lifetimeS, names }: SearchListOption): number {
  const encoded = emitSearchList(names);
  putHeader(view, at, ND_OPTION.SEARCH_LIST, DNS_HEADER_BYTES + encoded.length);
  view.setUint16(at + 2, 0);
  view.setUint32(at + 4, lifetimeS);
  for (let i = 0; i < encoded.length; i++) view.setUint8(at + DNS_HEADER_BYTES + i, encoded[i]!);
  return at + DNS_HEADER_BYTES + encoded.length;
}

/** 0: of another length than it must have (RFC 4861 §4.6.4). */
export function readMtu(view: DataView, at: number, lenBytes: number): number {
  return lenBytes === 8 ? view.getUint32(at + 4) : 0;
}

export function putMtu(view: DataView, at: number, mtuBytes: number): number {
  putHeader(view, at, ND_OPTION.MTU, 8);
  view.setUint16(at + 2, 0);
  view.setUint32(at + 4, mtuBytes);
  return at + 8;
}

function putHeader(view: DataView, at: number, type: number, lenBytes: number): void {
  view.setUint8(at, type);
  view.setUint8(at + 1, lenBytes >>> 3);
}

import type { OptionLevel, SockCommon } from '@softnet/contract';
import { ERRNO, SOCK_FLAG } from '@softnet/contract';
import { compileOptions } from '../machine/option-block.ts';
import type { Ipv4SockOptions } from '../machine/sock-options.ts';
import { makeOptions, optionsOf, PATH_MTU, SOL_IP } from '../machine/sock-options.ts';
import type { GroupOptions } from './group-options.ts';

/** Names of options of SOL_IP, with Linux's numbers. */
export const IP_OPTION = Object.freeze({
  TOS: 1,
  TTL: 2,
  OPTIONS: 4,
  MTU_DISCOVER: 10,
  RECVERR: 11,
  MTU: 14,
  MULTICAST_TTL: 33,
  MULTICAST_LOOP: 34,
} as const);

/** Ranges of those that are kept. -1: as usual. */
const RANGES: Readonly<Record<number, readonly [min: number, max: number]>> = Object.freeze({
  [IP_OPTION.TOS]: [0, 255],
  [IP_OPTION.TTL]: [-1, 255],
  [IP_OPTION.MTU_DISCOVER]: [PATH_MTU.DONT, PATH_MTU.OMIT],
  [IP_OPTION.MULTICAST_TTL]: [-1, 255],
  [IP_OPTION.MULTICAST_LOOP]: [-0x80000000, 0x7fffffff],
});

/** IPv4's socket options: SOL_IP of Linux's ip(7), as far as there is something behind them. */
export class IpOptions implements OptionLevel {
  readonly level: number = SOL_IP;
  readonly #defaultTtl: () => number;
  readonly #defaultPolicy: () => number;
  readonly #pathMtu: (sock: SockCommon) => number;
  readonly #groups: GroupOptions;

  /**
   * @param defaultTtl what `net.ipv4.ip_default_ttl` says now. @param defaultPolicy for IP_MTU_DISCOVER.
   * @param pathMtu of a connected socket, as it is known now; or -errno.
   */
  constructor(defaultTtl: () => number, defaultPolicy: () => number, pathMtu: (sock: SockCommon) => number, groups: GroupOptions) {
    this.#groups = groups;
    this.#defaultTtl = defaultTtl;
    this.#defaultPolicy = defaultPolicy;
    this.#pathMtu = pathMtu;
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name === IP_OPTION.OPTIONS) return setHeaderOptions(sock, value);
    const ofGroups = this.#groups.set(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    const word = wordOf(value);
    if (word === null) return -ERRNO.EINVAL;
    if (name === IP_OPTION.RECVERR) {
      if (word === 0) sock.flags &= ~SOCK_FLAG.RECVERR;
      else sock.flags |= SOCK_FLAG.RECVERR;
      return 0;
    }
    const range = RANGES[name];
    if (range === undefined) return -ERRNO.ENOPROTOOPT;
    if (word < range[0] || word > range[1] || (name === IP_OPTION.TTL && word === 0)) return -ERRNO.EINVAL;
    const options = makeOptions(sock);
    // The options of an IPv6 socket may be that family's: its IPv4 flows go by the settings then.
    if (options === null) return -ERRNO.ENOPROTOOPT;
    keep(options, name, word);
    return 0;
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    const ofGroups = this.#groups.get(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    if (name === IP_OPTION.RECVERR) return put(value, (sock.flags & SOCK_FLAG.RECVERR) === 0 ? 0 : 1);
    if (name === IP_OPTION.MTU) {
      const mtuBytes = this.#pathMtu(sock);
      return mtuBytes < 0 ? mtuBytes : put(value, mtuBytes);
    }
    const options = optionsOf(sock);
    switch (name) {
      case IP_OPTION.OPTIONS:
        return putBytes(value, options?.headerAsSet ?? null);
      case IP_OPTION.TOS:
        return put(value, options?.tos ?? 0);
      case IP_OPTION.TTL:
        return put(value, options?.ttl || this.#defaultTtl());
      case IP_OPTION.MTU_DISCOVER:
        return put(value, options === null || options.mtuDiscover < 0 ? this.#defaultPolicy() : options.mtuDiscover);
      case IP_OPTION.MULTICAST_TTL:
        return put(value, options?.multicastTtl ?? 1);
      case IP_OPTION.MULTICAST_LOOP:
        return put(value, options === null || options.multicastLoop ? 1 : 0);
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  closed(sock: SockCommon): void {
    this.#groups.closed(sock);
  }
}

function keep(options: Ipv4SockOptions, name: number, word: number): void {
  if (name === IP_OPTION.TOS) options.tos = word;
  else if (name === IP_OPTION.TTL) options.ttl = Math.max(0, word);
  else if (name === IP_OPTION.MTU_DISCOVER) options.mtuDiscover = word;
  else if (name === IP_OPTION.MULTICAST_LOOP) options.multicastLoop = word !== 0;
  else options.multicastTtl = word < 0 ? 1 : word;
}

/** Options of the header, sent with each packet (RFC 1122 §4.1.3.2). None: those that were set before are no more. */
function setHeaderOptions(sock: SockCommon, value: Uint8Array): number {
  const block = value.length === 0 ? null : compileOptions(value);
  if (block === null && value.length > 0) return -ERRNO.EINVAL;
  const options = makeOptions(sock);
  if (options === null) return -ERRNO.ENOPROTOOPT;
  options.header = block;
  options.headerAsSet = block === null ? null : value.slice();
  return 0;
}

function putBytes(value: Uint8Array, bytes: Uint8Array | null): number {
  if (bytes === null) return 0;
  if (value.length < bytes.length) return -ERRNO.EINVAL;
  value.set(bytes);
  return bytes.length;
}

/** An int, little-endian, or a single byte, as Linux takes either. Null: neither. */
function wordOf(value: Uint8Array): number | null {
  if (value.length >= 4) return value[0]! | (value[1]! << 8) | (value[2]! << 16) | (value[3]! << 24);
  return value.length >= 1 ? value[0]! : null;
}

function put(value: Uint8Array, word: number): number {
  if (value.length === 0) return -ERRNO.EINVAL;
  if (value.length < 4) {
    value[0] = word & 0xff;
    return 1;
  }
  for (let i = 0; i < 4; i++) value[i] = (word >>> (8 * i)) & 0xff;
  return 4;
}

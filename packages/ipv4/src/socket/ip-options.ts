import type { ControlMessage, DeviceTraffic, Message, OptionLevel, PacketOptions, Port, Skb, SockCommon } from '@softnet/contract';
import { ERRNO, IP_OPTION, SOCK_FLAG, SOCK_TYPE, SockOptions } from '@softnet/contract';
import { intAt, optionInt, purgeErrors, putInt, putOptionInt, putWord, wordAt } from '@softnet/inet';
import { compileOptions } from '../machine/option-block.ts';
import type { Ipv4SockOptions } from '../machine/sock-options.ts';
import { makeOptions, optionsOf, PATH_MTU, SOL_IP } from '../machine/sock-options.ts';
import type { GroupOptions } from './group-options.ts';
import type { IpAncillary } from './ip-ancillary.ts';
import { ANCILLARY_BIT, tellLatest } from './ip-ancillary.ts';

/** Ranges of those that are kept. -1: as usual. */
const RANGES: Readonly<Record<number, readonly [min: number, max: number]>> = Object.freeze({
  [IP_OPTION.TOS]: [-0x80000000, 0x7fffffff],
  [IP_OPTION.TTL]: [-1, 255],
  [IP_OPTION.MTU_DISCOVER]: [PATH_MTU.DONT, PATH_MTU.OMIT],
  [IP_OPTION.MULTICAST_TTL]: [-1, 255],
  [IP_OPTION.MULTICAST_LOOP]: [-0x80000000, 0x7fffffff],
  [IP_OPTION.MINTTL]: [0, 255],
  [IP_OPTION.FREEBIND]: [-0x80000000, 0x7fffffff],
  [IP_OPTION.TRANSPARENT]: [-0x80000000, 0x7fffffff],
  [IP_OPTION.BIND_ADDRESS_NO_PORT]: [-0x80000000, 0x7fffffff],
  [IP_OPTION.RECVERR]: [-0x80000000, 0x7fffffff],
  [IP_OPTION.RECVERR_RFC4884]: [0, 1],
});

/** Of these Linux takes nothing at all for a zero: other options that are given no bytes are turned off. */
const WANTS_BYTES: ReadonlySet<number> = new Set([
  IP_OPTION.TTL,
  IP_OPTION.MINTTL,
  IP_OPTION.FREEBIND,
  IP_OPTION.TRANSPARENT,
  IP_OPTION.MULTICAST_TTL,
  IP_OPTION.MULTICAST_LOOP,
]);

/** What streams have no use for. */
const NOT_OF_STREAMS: ReadonlySet<number> = new Set([IP_OPTION.MULTICAST_TTL, IP_OPTION.RECVFRAGSIZE]);
/** A stream's ECN bits are its protocol's own (RFC 3168 §6.1). */
const ECN_MASK = 3;

/** What the layer says where a socket has said nothing. */
export interface IpUsual {
  /** What `net.ipv4.ip_default_ttl` says now. */
  readonly ttl: () => number;
  /** For IP_MTU_DISCOVER. */
  readonly mtuDiscover: () => number;
  /** Of a connected socket, as it is known now; or -errno. */
  readonly pathMtu: (sock: SockCommon) => number;
}

/** IPv4's socket options: SOL_IP of Linux's ip(7), as far as there is something behind them. Of an IPv6 socket: those of its IPv4 flows. */
export class IpOptions implements OptionLevel {
  readonly level: number = SOL_IP;
  readonly #usual: IpUsual;
  readonly #groups: GroupOptions;
  readonly #ancillary: IpAncillary;
  readonly #traffic: Port<DeviceTraffic>;

  constructor(usual: IpUsual, groups: GroupOptions, ancillary: IpAncillary, traffic: Port<DeviceTraffic>) {
    this.#usual = usual;
    this.#groups = groups;
    this.#ancillary = ancillary;
    this.#traffic = traffic;
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (name === IP_OPTION.OPTIONS) return setHeaderOptions(sock, value);
    if (name === IP_OPTION.UNICAST_IF) return this.#setUnicast(sock, value);
    if (name === IP_OPTION.LOCAL_PORT_RANGE) return setPortRange(sock, value);
    const isStream = sock.ops.type === SOCK_TYPE.STREAM;
    if (isStream && NOT_OF_STREAMS.has(name)) return -ERRNO.EINVAL;
    const ofGroups = this.#groups.set(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    const bit = ANCILLARY_BIT[name];
    const range = RANGES[name];
    if (bit === undefined && range === undefined) return -ERRNO.ENOPROTOOPT;
    const word = WANTS_BYTES.has(name) && value.length === 0 ? null : (optionInt(value) ?? 0);
    if (word === null) return -ERRNO.EINVAL;
    if (bit !== undefined) return want(sock, bit, word !== 0);
    if (word < range![0] || word > range![1] || (name === IP_OPTION.TTL && word === 0)) return -ERRNO.EINVAL;
    if (mark(sock, name, word !== 0)) return 0;
    const options = makeOptions(sock);
    if (name === IP_OPTION.TOS) options.tos = isStream ? (word & 0xff & ~ECN_MASK) | (options.tos & ECN_MASK) : word & 0xff;
    else keep(options, name, word);
    if (name === IP_OPTION.FREEBIND || name === IP_OPTION.TRANSPARENT) {
      sock.flags = options.freebind || options.transparent ? sock.flags | SOCK_FLAG.FREEBIND : sock.flags & ~SOCK_FLAG.FREEBIND;
    }
    return 0;
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    const ofGroups = this.#groups.get(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    const options = optionsOf(sock);
    if (name === IP_OPTION.OPTIONS) return putBytes(value, options?.headerAsSet ?? null);
    if (name === IP_OPTION.PKTOPTIONS) return sock.ops.type === SOCK_TYPE.STREAM ? tellLatest(sock, value) : -ERRNO.ENOPROTOOPT;
    if (name === IP_OPTION.LOCAL_PORT_RANGE) {
      if (value.length < 4) return -ERRNO.EINVAL;
      putInt(value, 0, sock.options?.portRange ?? 0);
      return 4;
    }
    if (name === IP_OPTION.UNICAST_IF) {
      if (value.length < 4) return -ERRNO.EINVAL;
      putWord(value, 0, sock.options?.unicastIfindex ?? 0);
      return 4;
    }
    const bit = ANCILLARY_BIT[name];
    const word = bit === undefined ? this.#word(sock, name, options) : Number(((options?.ancillary ?? 0) & bit) !== 0);
    return word < 0 ? word : putOptionInt(value, word);
  }

  closed(sock: SockCommon): void {
    this.#groups.closed(sock);
  }

  noted(sock: SockCommon, skb: Skb): void {
    this.#ancillary.noted(sock, skb);
  }

  received(sock: SockCommon, skb: Skb, message: Message): void {
    this.#ancillary.received(sock, skb, message);
  }

  sending(_sock: SockCommon, control: ControlMessage, packet: PacketOptions): number {
    return this.#ancillary.sending(control, packet);
  }

  /** The value, or -errno. */
  #word(sock: SockCommon, name: number, options: Ipv4SockOptions | null): number {
    switch (name) {
      case IP_OPTION.MTU:
        return this.#usual.pathMtu(sock);
      case IP_OPTION.RECVERR:
        return Number((sock.flags & SOCK_FLAG.RECVERR) !== 0);
      case IP_OPTION.BIND_ADDRESS_NO_PORT:
        return Number((sock.flags & SOCK_FLAG.BIND_NO_PORT) !== 0);
      case IP_OPTION.TOS:
        return options?.tos ?? 0;
      case IP_OPTION.TTL:
        return options?.ttl || this.#usual.ttl();
      case IP_OPTION.MTU_DISCOVER:
        return options === null || options.mtuDiscover < 0 ? this.#usual.mtuDiscover() : options.mtuDiscover;
      case IP_OPTION.MULTICAST_TTL:
        return options?.multicastTtl ?? 1;
      case IP_OPTION.MULTICAST_LOOP:
        return options === null || options.multicastLoop ? 1 : 0;
      case IP_OPTION.MINTTL:
        return options?.minTtl ?? 0;
      case IP_OPTION.FREEBIND:
        return Number(options?.freebind ?? false);
      case IP_OPTION.TRANSPARENT:
        return Number(options?.transparent ?? false);
      case IP_OPTION.RECVERR_RFC4884:
        return Number(options?.moreOfErrors ?? false);
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  /** An interface's number, in network order, as Linux has it. */
  #setUnicast(sock: SockCommon, value: Uint8Array): number {
    if (value.length !== 4) return -ERRNO.EINVAL;
    const ifindex = wordAt(value, 0);
    if (ifindex !== 0 && this.#traffic.current.byIndex(ifindex) === null) return -ERRNO.EADDRNOTAVAIL;
    if (ifindex !== 0 && sock.ifindex !== 0 && sock.ifindex !== ifindex) return -ERRNO.EINVAL;
    sock.options ??= new SockOptions();
    sock.options.unicastIfindex = ifindex;
    if (sock.dst !== null) sock.dst.generation = 0;
    return 0;
  }
}

/** An unsigned int: lowest port, and highest << 16; a 0 of either: as the setting has it. */
function setPortRange(sock: SockCommon, value: Uint8Array): number {
  if (value.length !== 4) return -ERRNO.EINVAL;
  const range = intAt(value, 0);
  const [low, high] = [range & 0xffff, range >>> 16];
  if (low !== 0 && high !== 0 && low > high) return -ERRNO.EINVAL;
  sock.options ??= new SockOptions();
  sock.options.portRange = range;
  return 0;
}

function want(sock: SockCommon, bit: number, on: boolean): number {
  if (!on && optionsOf(sock) === null) return 0;
  const options = makeOptions(sock);
  options.ancillary = on ? options.ancillary | bit : options.ancillary & ~bit;
  if (on) sock.flags |= SOCK_FLAG.ANCILLARY;
  return 0;
}

/** Those that are a bit of `sock.flags`. False: it is another. */
function mark(sock: SockCommon, name: number, on: boolean): boolean {
  const flag = name === IP_OPTION.RECVERR ? SOCK_FLAG.RECVERR : name === IP_OPTION.BIND_ADDRESS_NO_PORT ? SOCK_FLAG.BIND_NO_PORT : 0;
  sock.flags = on ? sock.flags | flag : sock.flags & ~flag;
  if (name === IP_OPTION.RECVERR && !on) purgeErrors(sock);
  return flag !== 0;
}

function keep(options: Ipv4SockOptions, name: number, word: number): void {
  if (name === IP_OPTION.TTL) options.ttl = Math.max(0, word);
  else if (name === IP_OPTION.MTU_DISCOVER) options.mtuDiscover = word;
  else if (name === IP_OPTION.MULTICAST_LOOP) options.multicastLoop = word !== 0;
  else if (name === IP_OPTION.MULTICAST_TTL) options.multicastTtl = word < 0 ? 1 : word;
  else if (name === IP_OPTION.MINTTL) options.minTtl = word;
  else if (name === IP_OPTION.RECVERR_RFC4884) options.moreOfErrors = word !== 0;
  else if (name === IP_OPTION.FREEBIND) options.freebind = word !== 0;
  else options.transparent = word !== 0;
}

/** Options of the header, sent with each packet (RFC 1122 §4.1.3.2). None: those that were set before are no more. */
function setHeaderOptions(sock: SockCommon, value: Uint8Array): number {
  const block = value.length === 0 ? null : compileOptions(value);
  if (block === null && value.length > 0) return -ERRNO.EINVAL;
  const options = makeOptions(sock);
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

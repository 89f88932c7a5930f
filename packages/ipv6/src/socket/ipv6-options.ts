import type { ControlMessage, DeviceTraffic, Message, OptionLevel, PacketOptions, Port, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IPV6_OPTION, SOCK_FLAG, SOCK_TYPE, SockOptions } from '@softnet/contract';
import { intAt, purgeErrors, putControlMessages, putInt, putWord, wordAt } from '@softnet/inet';
import { isWanted } from '../machine/flow-labels.ts';
import { MTU_INFO_BYTES, putMtuInfo } from '../machine/mtu-info.ts';
import { optionsHeader, SentHeaders } from '../machine/sent-headers.ts';
import { Ipv6SockOptions, MTU_DISCOVER, SOL_IPV6, sockOptions } from '../machine/sock-options.ts';
import type { GroupOptions } from './group-options.ts';
import { ANCILLARY_BIT, Ipv6Ancillary, tellTooBig } from './ipv6-ancillary.ts';

const INT_BYTES = 4;
const NAMES = IPV6_OPTION;

/** Which extension header each of these sets. */
const HEADER_OF: Readonly<Record<number, 'hopByHop' | 'beforeRouting' | 'destination'>> = Object.freeze({
  [NAMES.HOPOPTS]: 'hopByHop',
  [NAMES.RTHDRDSTOPTS]: 'beforeRouting',
  [NAMES.DSTOPTS]: 'destination',
});

/** Of these Linux takes less than an int for a zero. */
const TAKES_LESS: ReadonlySet<number> = new Set([NAMES.DONTFRAG, NAMES.AUTOFLOWLABEL, NAMES.RECVFRAGSIZE]);
/** Nothing to be set, whatever its value. */
const ONLY_READ: ReadonlySet<number> = new Set([NAMES.PATHMTU, NAMES.HOPLIMIT]);

/** What streams have no use for. */
const NOT_OF_STREAMS: ReadonlySet<number> = new Set([NAMES.MULTICAST_IF, NAMES.MULTICAST_HOPS]);
/** A stream's ECN bits are its protocol's own (RFC 3168 §6.1). */
const ECN_MASK = 3;

/** What the layer says where a socket has said nothing. */
export interface Ipv6Usual {
  /** `net.ipv6.auto_flowlabels`. */
  readonly autoLabels: { readonly value: number };
  /** Hop limit where no route and no router says another. */
  readonly hopLimit: () => number;
  /** Path MTU of a connected socket, as it is known now; or -errno. */
  readonly pathMtu: (sock: SockCommon) => number;
}

/** Those about groups, which this one asks first. */
type OptionsOfGroups = Pick<GroupOptions, 'set' | 'get' | 'closed'>;

/** SOL_IPV6 of sockets of that family (RFC 3493, RFC 3542). All values are ints. */
export class Ipv6Options implements OptionLevel {
  readonly level = SOL_IPV6;
  readonly #usual: Ipv6Usual;
  readonly #groups: OptionsOfGroups;
  readonly #traffic: Port<DeviceTraffic>;
  readonly #ancillary: Ipv6Ancillary;

  constructor(usual: Ipv6Usual, groups: OptionsOfGroups, traffic: Port<DeviceTraffic>) {
    this.#usual = usual;
    this.#groups = groups;
    this.#traffic = traffic;
    this.#ancillary = new Ipv6Ancillary(traffic);
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (sock.family !== ADDRESS_FAMILY.INET6) return -ERRNO.ENOPROTOOPT;
    const isStream = sock.ops.type === SOCK_TYPE.STREAM;
    if (isStream && NOT_OF_STREAMS.has(name)) return -ERRNO.ENOPROTOOPT;
    const ofGroups = this.#groups.set(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    if (HEADER_OF[name] !== undefined || name === NAMES.RTHDR) return setHeader(sock, name, value);
    if (ONLY_READ.has(name)) return -ERRNO.ENOPROTOOPT;
    if (value.length < INT_BYTES && !TAKES_LESS.has(name))
      return this.#read(sock, name) === -ERRNO.ENOPROTOOPT ? -ERRNO.ENOPROTOOPT : -ERRNO.EINVAL;
    const number = value.length < INT_BYTES ? 0 : intAt(value, 0);
    const bit = ANCILLARY_BIT[name];
    if (bit !== undefined) return want(sock, bit, number !== 0);
    switch (name) {
      case NAMES.UNICAST_HOPS:
        return inRange(number, -1, 255) ? this.#store(sock, 'unicastHops', number) : -ERRNO.EINVAL;
      case NAMES.MULTICAST_HOPS:
        return inRange(number, -1, 255) ? this.#store(sock, 'multicastHops', number === -1 ? 1 : number) : -ERRNO.EINVAL;
      case NAMES.MULTICAST_LOOP:
        if (!inRange(number, 0, 1)) return -ERRNO.EINVAL;
        optionsFor(sock).multicastLoop = number === 1;
        return 0;
      case NAMES.TCLASS:
        return inRange(number, -1, 255) ? setTrafficClass(sock, number === -1 ? 0 : number, isStream) : -ERRNO.EINVAL;
      case NAMES.MTU_DISCOVER:
        return inRange(number, MTU_DISCOVER.DONT, MTU_DISCOVER.OMIT) ? this.#store(sock, 'mtuDiscover', number) : -ERRNO.EINVAL;
      case NAMES.DONTFRAG:
        optionsFor(sock).dontFragment = number !== 0;
        return 0;
      case NAMES.AUTOFLOWLABEL:
        return this.#store(sock, 'autoFlowLabel', Number(number !== 0));
      case NAMES.RECVERR:
        if (number === 0) purgeErrors(sock);
        return flag(sock, SOCK_FLAG.RECVERR, number !== 0);
      case NAMES.RECVERR_RFC4884:
        return inRange(number, 0, 1) ? this.#store(sock, 'moreOfErrors', number === 1) : -ERRNO.EINVAL;
      case NAMES.FLOWINFO_SEND:
        return this.#store(sock, 'sendsFlowInfo', number !== 0);
      case NAMES.MINHOPCOUNT:
        return inRange(number, 0, 255) ? this.#store(sock, 'minHopCount', number) : -ERRNO.EINVAL;
      case NAMES.FREEBIND:
        return mayBeForeign(sock, 'freebind', number !== 0);
      case NAMES.TRANSPARENT:
        return mayBeForeign(sock, 'transparent', number !== 0);
      case NAMES.UNICAST_IF:
        return this.#setUnicast(sock, wordAt(value, 0));
      case NAMES.V6ONLY:
        // RFC 3493 §5.3: before bind.
        return sock.localPort === 0 ? flag(sock, SOCK_FLAG.V6ONLY, number !== 0) : -ERRNO.EINVAL;
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    if (sock.family !== ADDRESS_FAMILY.INET6) return -ERRNO.EOPNOTSUPP;
    const ofGroups = this.#groups.get(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    if (HEADER_OF[name] !== undefined || name === NAMES.RTHDR) return putHeader(sock, name, value);
    if (name === NAMES.PATHMTU) return putPathMtu(sock, value, this.#usual.pathMtu(sock));
    if (name === NAMES.PKTOPTIONS && sock.ops.type === SOCK_TYPE.STREAM)
      return putControlMessages(value, sockOptions(sock)?.latest?.control ?? null);
    const number = this.#read(sock, name);
    if (number < -1) return number;
    if (value.length < INT_BYTES) return -ERRNO.EINVAL;
    if (name === NAMES.UNICAST_IF) putWord(value, 0, number);
    else putInt(value, 0, number);
    return INT_BYTES;
  }

  closed(sock: SockCommon): void {
    this.#groups.closed(sock);
  }

  alone(sock: SockCommon, message: Message): boolean {
    return tellTooBig(sock, message);
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

  /** An interface's number. */
  #setUnicast(sock: SockCommon, ifindex: number): number {
    if (ifindex !== 0 && this.#traffic.current.byIndex(ifindex) === null) return -ERRNO.EADDRNOTAVAIL;
    if (ifindex !== 0 && sock.ifindex !== 0 && sock.ifindex !== ifindex) return -ERRNO.EINVAL;
    sock.options ??= new SockOptions();
    sock.options.unicastIfindex6 = ifindex;
    if (sock.dst !== null) sock.dst.generation = 0;
    return 0;
  }

  /** The value; below -1: -errno. */
  #read(sock: SockCommon, name: number): number {
    const options = sockOptions(sock) ?? USUAL;
    const bit = ANCILLARY_BIT[name];
    if (bit !== undefined) return Number((options.ancillary & bit) !== 0);
    switch (name) {
      case NAMES.UNICAST_HOPS:
        return options.unicastHops < 0 ? this.#usual.hopLimit() : options.unicastHops;
      case NAMES.MULTICAST_HOPS:
        return options.multicastHops;
      case NAMES.MULTICAST_LOOP:
        return Number(options.multicastLoop);
      case NAMES.TCLASS:
        return options.trafficClass;
      case NAMES.MTU_DISCOVER:
        return options.mtuDiscover;
      case NAMES.DONTFRAG:
        return Number(options.dontFragment);
      case NAMES.AUTOFLOWLABEL:
        return Number(isWanted(this.#usual.autoLabels.value, options));
      case NAMES.MTU:
        return this.#usual.pathMtu(sock);
      case NAMES.RECVERR:
        return Number((sock.flags & SOCK_FLAG.RECVERR) !== 0);
      case NAMES.RECVERR_RFC4884:
        return Number(options.moreOfErrors);
      case NAMES.FLOWINFO_SEND:
        return Number(options.sendsFlowInfo);
      case NAMES.MINHOPCOUNT:
        return options.minHopCount;
      case NAMES.FREEBIND:
        return Number(options.freebind);
      case NAMES.TRANSPARENT:
        return Number(options.transparent);
      case NAMES.UNICAST_IF:
        return sock.options?.unicastIfindex6 ?? 0;
      case NAMES.V6ONLY:
        return Number((sock.flags & SOCK_FLAG.V6ONLY) !== 0);
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  #store<K extends keyof Ipv6SockOptions>(sock: SockCommon, field: K, value: Ipv6SockOptions[K]): number {
    optionsFor(sock)[field] = value;
    return 0;
  }
}

const USUAL: Readonly<Ipv6SockOptions> = Object.freeze(new Ipv6SockOptions());

/** Those of the socket, made if need be. */
function optionsFor(sock: SockCommon): Ipv6SockOptions {
  const known = sockOptions(sock);
  if (known !== null) return known;
  sock.options ??= new SockOptions();
  const made = new Ipv6SockOptions();
  sock.options.layer = made;
  return made;
}

function flag(sock: SockCommon, bit: number, on: boolean): number {
  sock.flags = on ? sock.flags | bit : sock.flags & ~bit;
  return 0;
}

function setTrafficClass(sock: SockCommon, trafficClass: number, isStream: boolean): number {
  const options = optionsFor(sock);
  options.trafficClass = isStream ? (trafficClass & ~ECN_MASK) | (options.trafficClass & ECN_MASK) : trafficClass;
  return 0;
}

function inRange(number: number, min: number, max: number): boolean {
  return number >= min && number <= max;
}

function want(sock: SockCommon, bit: number, on: boolean): number {
  if (!on && sockOptions(sock) === null) return 0;
  const options = optionsFor(sock);
  options.ancillary = on ? options.ancillary | bit : options.ancillary & ~bit;
  if (!on) options.latest = null;
  return on ? flag(sock, SOCK_FLAG.ANCILLARY, true) : 0;
}

function mayBeForeign(sock: SockCommon, field: 'freebind' | 'transparent', on: boolean): number {
  const options = optionsFor(sock);
  options[field] = on;
  return flag(sock, SOCK_FLAG.FREEBIND, options.freebind || options.transparent);
}

/** Of each packet from now on; no bytes: none any more (RFC 3542 §6). Routing headers can only be taken back. */
function setHeader(sock: SockCommon, name: number, value: Uint8Array): number {
  const field = HEADER_OF[name];
  if (value.length === 0 && (field === undefined || (sockOptions(sock)?.headers ?? null) === null)) return 0;
  const header = value.length === 0 || (value.length & 7) !== 0 ? null : optionsHeader(value);
  if (field === undefined || (value.length > 0 && header === null)) return -ERRNO.EINVAL;
  const options = optionsFor(sock);
  // Packets that wait have the old ones.
  const headers = Object.assign(new SentHeaders(), options.headers);
  headers[field] = header;
  options.headers = headers.lenBytes === 0 && headers.beforeRouting === null ? null : headers;
  return 0;
}

function putHeader(sock: SockCommon, name: number, value: Uint8Array): number {
  const field = HEADER_OF[name];
  const headers = sockOptions(sock)?.headers ?? null;
  const header = field === undefined || headers === null ? null : headers[field];
  if (header === null) return 0;
  const part = header.subarray(0, value.length);
  value.set(part);
  return part.length;
}

/** RFC 3542 §11.4: of a connected socket, as it is known now. */
function putPathMtu(sock: SockCommon, value: Uint8Array, mtuBytes: number): number {
  if (value.length < MTU_INFO_BYTES) return -ERRNO.EINVAL;
  if (mtuBytes < 0) return mtuBytes;
  const { remote0, remote1, remote2, remote3, remotePort } = sock;
  putMtuInfo(value, { word0: remote0, word1: remote1, word2: remote2, word3: remote3, port: remotePort, ifindex: 0, mtuBytes });
  return MTU_INFO_BYTES;
}

import type { OptionLevel, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, SOCK_FLAG, SockOptions } from '@softnet/contract';
import { isWanted } from '../machine/flow-labels.ts';
import { Ipv6SockOptions, MTU_DISCOVER, SOL_IPV6, sockOptions } from '../machine/sock-options.ts';
import type { GroupOptions } from './group-options.ts';

/** Options of this level, with Linux's numbers (`IPV6_*`). Those that are missing answer ENOPROTOOPT. */
export const IPV6_OPTION_NAME = Object.freeze({
  UNICAST_HOPS: 16,
  MULTICAST_HOPS: 18,
  MULTICAST_LOOP: 19,
  MTU_DISCOVER: 23,
  MTU: 24,
  RECVERR: 25,
  V6ONLY: 26,
  DONTFRAG: 62,
  TCLASS: 67,
  AUTOFLOWLABEL: 70,
} as const);

const INT_BYTES = 4;
const NAMES = IPV6_OPTION_NAME;

/** Those about groups, which this one asks first. */
type OptionsOfGroups = Pick<GroupOptions, 'set' | 'get' | 'closed'>;

/** SOL_IPV6 of sockets of that family (RFC 3493, RFC 3542). All values are ints. */
export class Ipv6Options implements OptionLevel {
  readonly level = SOL_IPV6;
  readonly #autoLabels: { readonly value: number };
  readonly #groups: OptionsOfGroups;

  /** @param autoLabels `net.ipv6.auto_flowlabels`. */
  constructor(autoLabels: { readonly value: number }, groups: OptionsOfGroups) {
    this.#autoLabels = autoLabels;
    this.#groups = groups;
  }

  set(sock: SockCommon, name: number, value: Uint8Array): number {
    if (sock.family !== ADDRESS_FAMILY.INET6) return -ERRNO.ENOPROTOOPT;
    const ofGroups = this.#groups.set(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    if (value.length < INT_BYTES) return -ERRNO.EINVAL;
    const number = viewOf(value).getInt32(0, true);
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
        return inRange(number, -1, 255) ? this.#store(sock, 'trafficClass', number === -1 ? 0 : number) : -ERRNO.EINVAL;
      case NAMES.MTU_DISCOVER:
        return inRange(number, MTU_DISCOVER.DONT, MTU_DISCOVER.OMIT) ? this.#store(sock, 'mtuDiscover', number) : -ERRNO.EINVAL;
      case NAMES.DONTFRAG:
        optionsFor(sock).dontFragment = number !== 0;
        return 0;
      case NAMES.AUTOFLOWLABEL:
        return this.#store(sock, 'autoFlowLabel', Number(number !== 0));
      case NAMES.RECVERR:
        return flag(sock, SOCK_FLAG.RECVERR, number !== 0);
      case NAMES.V6ONLY:
        // RFC 3493 §5.3: before bind.
        return sock.localPort === 0 ? flag(sock, SOCK_FLAG.V6ONLY, number !== 0) : -ERRNO.EINVAL;
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  get(sock: SockCommon, name: number, value: Uint8Array): number {
    if (sock.family !== ADDRESS_FAMILY.INET6) return -ERRNO.ENOPROTOOPT;
    const ofGroups = this.#groups.get(sock, name, value);
    if (ofGroups !== null) return ofGroups;
    if (value.length < INT_BYTES) return -ERRNO.EINVAL;
    const number = this.#read(sock, name);
    if (number < -1) return number;
    viewOf(value).setInt32(0, number, true);
    return INT_BYTES;
  }

  closed(sock: SockCommon): void {
    this.#groups.closed(sock);
  }

  /** The value; below -1: -errno. */
  #read(sock: SockCommon, name: number): number {
    const options = sockOptions(sock) ?? USUAL;
    switch (name) {
      case NAMES.UNICAST_HOPS:
        return options.unicastHops;
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
        return Number(isWanted(this.#autoLabels.value, options));
      case NAMES.MTU:
        return sock.dst?.dst?.mtuBytes ?? -ERRNO.ENOTCONN;
      case NAMES.RECVERR:
        return Number((sock.flags & SOCK_FLAG.RECVERR) !== 0);
      case NAMES.V6ONLY:
        return Number((sock.flags & SOCK_FLAG.V6ONLY) !== 0);
      default:
        return -ERRNO.ENOPROTOOPT;
    }
  }

  #store(
    sock: SockCommon,
    field: 'unicastHops' | 'multicastHops' | 'trafficClass' | 'mtuDiscover' | 'autoFlowLabel',
    value: number,
  ): number {
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

function inRange(number: number, min: number, max: number): boolean {
  return number >= min && number <= max;
}

function viewOf(value: Uint8Array): DataView {
  return new DataView(value.buffer, value.byteOffset, value.byteLength);
}

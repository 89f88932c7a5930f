import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, SO, SOL } from '@softnet/contract';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';
import { checked, errnoError, errnoName } from '../errors/errno-error.ts';
import { checkNumber, checkString, nodeError } from '../errors/node-error.ts';
import { setMembership, setMulticastInterface, setSourceMembership } from './group-membership.ts';

/** What can be set on a datagram socket: with Node's names of the calls in errors. */
export class DgramOptions {
  readonly #host: NodeHost;
  readonly #endpoint: Endpoint;
  readonly #openBound: () => number;

  constructor(host: NodeHost, endpoint: Endpoint, openBound: () => number) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#openBound = openBound;
  }

  setV6Only(): void {
    this.#endpoint.setInt(SOL.IPV6, IPV6_OPTION.V6ONLY, 1);
  }

  setBroadcast(wanted: boolean): void {
    checked(this.#endpoint.setInt(SOL.SOCKET, SO.BROADCAST, Number(wanted)), 'setBroadcast');
  }

  /** @param check whether it runs, once the type is right. */
  setTtl(ttl: unknown, multicast: boolean, check: () => void): number {
    checkNumber(ttl, 'ttl');
    check();
    const syscall = multicast ? 'setMulticastTTL' : 'setTTL';
    const names = multicast
      ? ([IP_OPTION.MULTICAST_TTL, IPV6_OPTION.MULTICAST_HOPS] as const)
      : ([IP_OPTION.TTL, IPV6_OPTION.UNICAST_HOPS] as const);
    // Of single hosts 1 to 255, of groups -1 (1) to 255: what the kernel lets through; libuv refuses the rest itself.
    checked(ttl < (multicast ? 0 : 1) || ttl > 255 ? this.#invalid() : this.#set(names, ttl), syscall);
    return ttl;
  }

  setLoopback(wanted: boolean): void {
    checked(this.#set([IP_OPTION.MULTICAST_LOOP, IPV6_OPTION.MULTICAST_LOOP], Number(wanted)), 'setMulticastLoopback');
  }

  setInterface(via: unknown): void {
    checkString(via, 'interfaceAddress');
    checked(this.#endpoint.isOpen ? setMulticastInterface(this.#host, this.#endpoint, via) : -ERRNO.EBADF, 'setMulticastInterface');
  }

  membership(call: 'addMembership' | 'dropMembership', group: unknown, via: unknown): void {
    if (!group) throw missing('multicastAddress');
    checked(this.#openBound(), call);
    checked(setMembership(this.#host, this.#endpoint, call === 'addMembership', String(group), text(via)), call);
  }

  sourceMembership(
    call: 'addSourceSpecificMembership' | 'dropSourceSpecificMembership',
    source: unknown,
    group: unknown,
    via: unknown,
  ): void {
    checkString(source, 'sourceAddress');
    checkString(group, 'groupAddress');
    checked(this.#openBound(), call);
    const joins = call === 'addSourceSpecificMembership';
    checked(setSourceMembership(this.#host, this.#endpoint, joins, source, group, text(via)), call);
  }

  setBuffer(name: number, size: unknown): void {
    if (typeof size !== 'number' || size !== size >>> 0) {
      throw nodeError('ERR_SOCKET_BAD_BUFFER_SIZE', 'Buffer size must be a positive integer');
    }
    const failed = this.#endpoint.setInt(SOL.SOCKET, name, size);
    if (failed < 0) throw bufferError(failed, name);
  }

  getBuffer(name: number): number {
    const { failed, value } = this.#endpoint.getInt(SOL.SOCKET, name);
    if (failed < 0) throw bufferError(failed, name);
    return value;
  }

  #set([ipv4, ipv6]: readonly [number, number], value: number): number {
    if (!this.#endpoint.isOpen) return -ERRNO.EBADF;
    const isIpv4 = this.#endpoint.family === ADDRESS_FAMILY.INET;
    return this.#endpoint.setInt(isIpv4 ? SOL.IP : SOL.IPV6, isIpv4 ? ipv4 : ipv6, value);
  }

  #invalid(): number {
    return this.#endpoint.isOpen ? -ERRNO.EINVAL : -ERRNO.EBADF;
  }
}

function text(via: unknown): string | undefined {
  if (via === undefined || via === null) return undefined;
  checkString(via, 'interfaceAddress');
  return via;
}

function missing(name: string): Error {
  return nodeError('ERR_MISSING_ARGS', `The "${name}" argument must be specified`);
}

/** Node's SystemError. */
function bufferError(failed: number, name: number): Error {
  const syscall = name === SO.RCVBUF ? 'uv_recv_buffer_size' : 'uv_send_buffer_size';
  const code = errnoName(failed);
  const why = errnoError(failed, syscall).message.split(': ').at(-1);
  const error = new Error(`Could not get or set buffer size: ${syscall} returned ${code} (${why})`);
  error.name = 'SystemError';
  return Object.assign(error, { code: 'ERR_SOCKET_BUFFER_SIZE', errno: failed, syscall });
}

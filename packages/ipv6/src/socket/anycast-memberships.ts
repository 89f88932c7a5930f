import type { AddressWords, Frozen, ModuleContext, NetDevice, Objects, SockCommon } from '@softnet/contract';
import { ERRNO, Held, NetError } from '@softnet/contract';
import type { GroupValue } from '@softnet/inet';
import { formatIpv6 } from '@softnet/wire';
import type { Anycasts } from '../device/anycasts.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import type { Ipv6Links } from '../device/ipv6-links.ts';
import type { LinkListener } from '../device/link-listener.ts';
import { LINK_EVENT } from '../device/link-listener.ts';
import { commonPrefixLen, isMulticast, isSame } from '../machine/address-kind.ts';
import type { Surroundings } from '../machine/surroundings.ts';

/** Linux's numbers. */
export const IPV6_ANYCAST_OPTION = Object.freeze({ JOIN_ANYCAST: 27, LEAVE_ANYCAST: 28 } as const);

const { EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV, ENOENT } = ERRNO;
/** `ipv6_mreq`: an address and an interface. */
const MREQ_BYTES = 20;

/** An anycast address that a socket wants to be its host's (RFC 4291 §2.6). Derived from the socket. */
class AnycastMembership extends Held {
  readonly device: NetDevice;
  readonly address: AddressWords;

  constructor(device: NetDevice, address: AddressWords) {
    super();
    this.device = device;
    this.address = address;
  }
}

/** A membership as plain data, layout 1. */
interface FrozenAnycast {
  readonly ifindex: number;
  readonly address: AddressWords;
}

/** What anycast memberships of sockets work with. */
export interface AnycastHost {
  readonly around: Surroundings;
  readonly links: Ipv6Links;
  readonly anycasts: Anycasts;
  /** Of a socket. */
  readonly max: () => number;
}

/** `IPV6_JOIN_ANYCAST` and `IPV6_LEAVE_ANYCAST`, as Linux answers them: a host may take addresses of its own links' prefixes, a router any. */
export class AnycastMemberships implements LinkListener {
  readonly #host: AnycastHost;
  readonly #objects: Objects<AnycastMembership>;

  /** Declares the kind. */
  constructor(ctx: ModuleContext, host: AnycastHost) {
    this.#host = host;
    this.#objects = ctx.objects<AnycastMembership>('anycast', {
      // Nothing waits for it; as it parks, it moves with the addresses, wherever its socket goes by.
      drain: 'park',
      inherited: true,
      close: (membership) => this.#end(membership),
      ended: (membership) => this.#leave(membership),
      describe: ({ address, device }) => `${formatIpv6(...address)} on ${device.name}`,
      freeze,
      thaws: [1],
      thaw: ({ data }) => this.#thaw(data as unknown as FrozenAnycast),
      settle: (membership) => this.#enter(membership),
      left: () => {},
    });
  }

  /** 0 or -errno; null: it is no option about anycast. */
  set(sock: SockCommon, name: number, value: GroupValue): number | null {
    if (name !== IPV6_ANYCAST_OPTION.JOIN_ANYCAST && name !== IPV6_ANYCAST_OPTION.LEAVE_ANYCAST) return null;
    if (value.length < MREQ_BYTES) return -EINVAL;
    const [address, ifindex] = [value.address6(0), value.int(16)];
    return name === IPV6_ANYCAST_OPTION.JOIN_ANYCAST ? this.#join(sock, address, ifindex) : this.#drop(sock, address, ifindex);
  }

  closed(sock: SockCommon): void {
    for (const membership of this.#of(sock)) this.#end(membership);
  }

  /** IPv6 is on the device no more. */
  linkChanged({ device }: Ipv6Link, event: number): void {
    if (event !== LINK_EVENT.END) return;
    for (const membership of [...this.#objects]) if (membership.device === device) this.#end(membership);
  }

  /** Linux's `ipv6_sock_ac_join`; a socket that joins twice counts twice. */
  #join(sock: SockCommon, address: AddressWords, ifindex: number): number {
    const { around, links, max } = this.#host;
    if (isMulticast(address[0]) || links.find(...address, ifindex) !== null) return -EINVAL;
    const link = ifindex === 0 ? this.#linkTo(address) : links.of(ifindex);
    if (link === null) return ifindex === 0 ? -EADDRNOTAVAIL : -ENODEV;
    const isRouter = around.conf.value(link.device.ifindex, 'forwarding') !== 0;
    if (!isRouter && !isNear(link, address)) return -EADDRNOTAVAIL;
    if (this.#of(sock).length >= max()) return -ENOBUFS;
    const membership = new AnycastMembership(link.device, address);
    this.#objects.derive(membership, sock, 'ipv6.join-anycast');
    this.#enter(membership);
    return 0;
  }

  #drop(sock: SockCommon, address: AddressWords, ifindex: number): number {
    const membership = this.#of(sock).find(
      (each) => isSame(each.address, ...address) && (ifindex === 0 || each.device.ifindex === ifindex),
    );
    if (membership === undefined) return -ENOENT;
    this.#end(membership);
    return 0;
  }

  /** The link that has its prefix. */
  #linkTo(address: AddressWords): Ipv6Link | null {
    for (const link of this.#host.links.all) if (link.isUp && isNear(link, address)) return link;
    return null;
  }

  #of(sock: SockCommon): AnycastMembership[] {
    return [...this.#objects].filter(({ holdHolder }) => holdHolder === sock);
  }

  #enter({ device, address }: AnycastMembership): void {
    const { links, anycasts } = this.#host;
    anycasts.join(links.begin(device), address);
  }

  #end(membership: AnycastMembership): void {
    this.#objects.release(membership);
    this.#leave(membership);
  }

  #leave({ device, address }: AnycastMembership): void {
    const link = this.#host.links.of(device.ifindex);
    if (link !== null) this.#host.anycasts.leave(link, address);
  }

  #thaw({ ifindex, address }: FrozenAnycast): AnycastMembership {
    const device = this.#host.around.traffic.current.byIndex(ifindex);
    if (device === null) throw new NetError('ENODEV', `${formatIpv6(...address)} is on device ${ifindex}, which is not there`);
    return new AnycastMembership(device, address);
  }
}

/** Of a prefix of the link. */
function isNear({ addresses }: Ipv6Link, wanted: AddressWords): boolean {
  return addresses.some(({ address, prefixLen }) => commonPrefixLen(address, ...wanted) >= prefixLen);
}

function freeze({ device: { ifindex }, address }: AnycastMembership): Frozen {
  return { version: 1, data: { ifindex, address } };
}

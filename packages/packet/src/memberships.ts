import type { NetDevice, SockCommon } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import { intAt } from '@softnet/inet';
import type { PacketHost } from './packet-host.ts';
import { stateOf } from './packet-state.ts';

/** Linux's `PACKET_MR_*`. */
const SORT = Object.freeze({ MULTICAST: 0, PROMISC: 1, ALLMULTI: 2, UNICAST: 3 } as const);
/** `struct packet_mreq`: ifindex, sort, length, eight bytes of address. */
const REQUEST_BYTES = 16;
const MAX_ADDRESS_BYTES = 8;
/** Of one socket: Linux has no bound. */
const MAX_MEMBERSHIPS = 1024;

/** What a socket wants a device to listen to. */
export interface Membership {
  readonly ifindex: number;
  readonly sort: number;
  readonly address: Uint8Array;
  /** How often it was added. */
  users: number;
}

/** PACKET_ADD_MEMBERSHIP and PACKET_DROP_MEMBERSHIP: groups, all groups, all frames. They end with their socket. */
export class Memberships {
  readonly #host: PacketHost;

  constructor(host: PacketHost) {
    this.#host = host;
  }

  /** As in Linux, a sort that nobody knows is taken, and does nothing. 0, -EINVAL, -ENODEV; -ENOBUFS: it has as many as it may. */
  add(sock: SockCommon, value: Uint8Array): number {
    const asked = readRequest(value);
    if (typeof asked === 'number') return asked;
    const device = this.#host.traffic.current.byIndex(asked.ifindex);
    if (device === null) return -ERRNO.ENODEV;
    const isGroup = asked.sort === SORT.MULTICAST || asked.sort === SORT.UNICAST;
    if (asked.address.length > device.addressLen) return -ERRNO.EINVAL;
    if (isGroup && asked.address.length !== device.addressLen) return -ERRNO.EINVAL;
    const state = stateOf(sock);
    state.memberships ??= [];
    const found = state.memberships.find((each) => isSame(each, asked));
    if (found !== undefined) {
      found.users++;
      return 0;
    }
    if (state.memberships.length >= MAX_MEMBERSHIPS) return -ERRNO.ENOBUFS;
    state.memberships.push(asked);
    this.#tell(device, asked, true);
    return 0;
  }

  /** 0, also where there is none such; -EINVAL. */
  drop(sock: SockCommon, value: Uint8Array): number {
    const asked = readRequest(value);
    if (typeof asked === 'number') return asked;
    const list = stateOf(sock).memberships ?? [];
    const index = list.findIndex((each) => isSame(each, asked));
    if (index < 0 || --list[index]!.users > 0) return 0;
    this.#leave(list[index]!);
    list.splice(index, 1);
    return 0;
  }

  /** The socket is closed. */
  dropAll(sock: SockCommon): void {
    const state = stateOf(sock);
    for (const each of state.memberships ?? []) this.#leave(each);
    state.memberships = null;
  }

  /** The device is no more. */
  forget(sock: SockCommon, ifindex: number): void {
    const state = stateOf(sock);
    if (state.memberships !== null) state.memberships = state.memberships.filter((each) => each.ifindex !== ifindex);
  }

  #leave(membership: Membership): void {
    const device = this.#host.traffic.current.byIndex(membership.ifindex);
    if (device !== null) this.#tell(device, membership, false);
  }

  #tell(device: NetDevice, { sort, address }: Membership, wanted: boolean): void {
    const { groups, current } = this.#host;
    const caller = current.id;
    current.id = groups.owner;
    try {
      if (sort === SORT.PROMISC) groups.current.wantAllFrames(device, wanted);
      else if (sort === SORT.ALLMULTI) groups.current.wantAllGroups(device, wanted);
      else if (sort === SORT.MULTICAST || sort === SORT.UNICAST) {
        if (wanted) groups.current.add(device, address);
        else groups.current.remove(device, address);
      }
    } finally {
      current.id = caller;
    }
  }
}

/** -EINVAL: too short, or an address that is longer than its place. */
function readRequest(value: Uint8Array): Membership | number {
  if (value.length < REQUEST_BYTES) return -ERRNO.EINVAL;
  const sort = value[4]! | (value[5]! << 8);
  const lenBytes = value[6]! | (value[7]! << 8);
  if (lenBytes > MAX_ADDRESS_BYTES) return -ERRNO.EINVAL;
  return { ifindex: intAt(value, 0), sort, address: value.slice(8, 8 + lenBytes), users: 1 };
}

function isSame(a: Membership, b: Membership): boolean {
  const isSameAddress = a.address.length === b.address.length && a.address.every((byte, i) => byte === b.address[i]);
  return a.ifindex === b.ifindex && a.sort === b.sort && isSameAddress;
}

import type { AddressWords, Generation, InterfaceAddress, NetDevice, SkbStep } from '@softnet/contract';
import { ADDRESS_FAMILY, Dst, ROUTE_TYPE } from '@softnet/contract';
import { isSame, NODE_GROUPS, ROUTER_GROUPS } from '../machine/address-kind.ts';
import type { Link } from '../machine/surroundings.ts';

interface Membership {
  readonly group: AddressWords;
  /** How many want it. */
  users: number;
}

/** A prefix that a router said to be on the link (RFC 4861 §6.3.4). */
export interface OnLinkPrefix {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  /** Kernel ms; Infinity: for ever. */
  readonly untilMs: number;
}

/** Prefixes of a link of which it is remembered how many stable addresses were taken. */
const MAX_TAKEN = 128;

/** Where a link's own groups are joined and left. */
export interface OwnGroups {
  joinOwn(device: NetDevice, group: AddressWords): void;
  leaveOwn(device: NetDevice, group: AddressWords): void;
}

/** A device, as IPv6 uses it: its addresses, its groups, and the way to the link itself. Linux's `struct inet6_dev`. */
export class Ipv6Link implements Link {
  readonly device: NetDevice;
  readonly dst: Dst;
  readonly addresses: InterfaceAddress[] = [];
  /** Administratively up: routes of its addresses are in the tables. */
  isUp = false;
  /** It has a carrier, and a link-local address that may be used. */
  isReady = false;
  /** Replaced whole. */
  onLink: readonly OnLinkPrefix[] = [];
  /** What routers say of the link (RFC 4861 §6.3.2): written by `router/`. 0: none has said it. */
  hopLimit = 0;
  mtuBytes = 0;
  reachableMs = 0;
  retransMs = 0;
  /** RFC 7217's DAD_Counter, by prefix of 64 bits: kept while addresses come and go (§6). */
  readonly #taken = new Map<string, number>();
  /** It is in the groups of routers. */
  #isRouter = false;
  readonly #groups: OwnGroups;
  readonly #anycasts: Membership[] = [];

  /** @param prepare `NetworkLayer.prepare`. @param discard of packets that meet the dst before it is prepared. */
  constructor(device: NetDevice, generation: Generation, discard: SkbStep, prepare: (dst: Dst) => void, groups: OwnGroups) {
    this.#groups = groups;
    this.device = device;
    this.dst = new Dst(generation, discard);
    this.dst.family = ADDRESS_FAMILY.INET6;
    this.dst.type = ROUTE_TYPE.UNICAST;
    this.dst.device = device;
    this.dst.headroomBytes = device.headroomBytes;
    this.dst.tailroomBytes = device.tailroomBytes;
    this.dst.mtuBytes = device.mtuBytes;
    prepare(this.dst);
    // Nobody keeps it, so nobody waits for it.
    this.dst.uses = null;
  }

  /** How many stable addresses of the prefix others have. */
  takenOf([word0, word1]: AddressWords): number {
    return this.#taken.get(`${word0},${word1}`) ?? 0;
  }

  keepTaken([word0, word1]: AddressWords, count: number): void {
    const key = `${word0},${word1}`;
    if (this.#taken.size < MAX_TAKEN || this.#taken.has(key)) this.#taken.set(key, count);
  }

  isAnycast(word0: number, word1: number, word2: number, word3: number): boolean {
    for (let i = 0; i < this.#anycasts.length; i++) {
      if (isSame(this.#anycasts[i]!.group, word0, word1, word2, word3)) return true;
    }
    return false;
  }

  /** One more wants the anycast address. Returns whether it is the first. */
  joinAnycast(address: AddressWords): boolean {
    return enter(this.#anycasts, address);
  }

  /** One fewer does. Returns whether it was the last. */
  leaveAnycast(address: AddressWords): boolean {
    return exit(this.#anycasts, address);
  }

  /** For lists and tests. */
  get anycasts(): readonly AddressWords[] {
    return this.#anycasts.map(({ group }) => group);
  }

  /** One more wants packets to this group. */
  join(group: AddressWords): void {
    this.#groups.joinOwn(this.device, group);
  }

  /** One fewer does. */
  leave(group: AddressWords): void {
    this.#groups.leaveOwn(this.device, group);
  }

  /** RFC 4291 §2.8: all nodes are in these groups, routers also in those. */
  joinAsNode(): void {
    for (const group of NODE_GROUPS) this.join(group);
  }

  beRouter(on: boolean): void {
    if (this.#isRouter === on) return;
    this.#isRouter = on;
    for (const group of ROUTER_GROUPS) {
      if (on) this.join(group);
      else this.leave(group);
    }
  }
}

/** Returns whether it is the first who wants it. */
function enter(memberships: Membership[], group: AddressWords): boolean {
  const known = memberships.find((each) => isSame(each.group, ...group));
  if (known === undefined) memberships.push({ group, users: 1 });
  else known.users++;
  return known === undefined;
}

/** Returns whether it was the last. */
function exit(memberships: Membership[], group: AddressWords): boolean {
  const index = memberships.findIndex((each) => isSame(each.group, ...group));
  if (index < 0 || --memberships[index]!.users > 0) return false;
  memberships.splice(index, 1);
  return true;
}

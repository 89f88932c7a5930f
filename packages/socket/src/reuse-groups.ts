import type { SockCommon } from '@softnet/contract';
import { SOCK_FLAG } from '@softnet/contract';

/** Sockets that share one local end by SO_REUSEPORT. The first stands in the flow table for all of them. */
export class ReuseGroup {
  readonly members: SockCommon[];

  constructor(first: SockCommon) {
    this.members = [first];
  }

  get first(): SockCommon {
    return this.members[0]!;
  }

  /** The one that a flow of this hash falls to: always the same while the group is. Linux's `reciprocal_scale`. */
  member(hash: number): SockCommon {
    return this.members[Math.floor(((hash >>> 0) / 0x100000000) * this.members.length)]!;
  }
}

/** Who is in which group: found at once, however many they are. Linux's `struct sock_reuseport`. */
export class ReuseGroups {
  readonly #groups = new Map<SockCommon, ReuseGroup>();

  /** Null: it is in none. */
  of(sock: SockCommon): ReuseGroup | null {
    return this.#groups.size === 0 ? null : (this.#groups.get(sock) ?? null);
  }

  /** Joins the group of `other`, which may be alone so far. */
  join(sock: SockCommon, other: SockCommon): void {
    let group = this.#groups.get(other);
    if (group === undefined) {
      group = new ReuseGroup(other);
      this.#groups.set(other, group);
    }
    group.members.push(sock);
    this.#groups.set(sock, group);
  }

  /** Leaves its group, which is none any more with one member. */
  leave(sock: SockCommon, group: ReuseGroup): void {
    group.members.splice(group.members.indexOf(sock), 1);
    this.#groups.delete(sock);
    if (group.members.length === 1) this.#groups.delete(group.first);
  }
}

/** Do both want the same packets, and share them? Their hashes are equal. */
export function isSameGroup(one: SockCommon, other: SockCommon): boolean {
  const { REUSEPORT, V6ONLY } = SOCK_FLAG;
  return (
    (one.flags & other.flags & REUSEPORT) !== 0 &&
    ((one.flags ^ other.flags) & V6ONLY) === 0 &&
    one.family === other.family &&
    one.protocol === other.protocol &&
    one.ifindex === other.ifindex &&
    one.localPort === other.localPort &&
    one.local3 === other.local3 &&
    one.local2 === other.local2 &&
    one.local1 === other.local1 &&
    one.local0 === other.local0 &&
    one.remotePort === other.remotePort &&
    one.remote3 === other.remote3 &&
    one.remote2 === other.remote2 &&
    one.remote1 === other.remote1 &&
    one.remote0 === other.remote0
  );
}

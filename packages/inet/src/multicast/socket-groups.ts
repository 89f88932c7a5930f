import type { Flow, GroupMembership, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2, isGroup, SocketGroups, SockOptions } from '@softnet/contract';

/** What a socket has said of groups; made where it has said nothing yet. */
export function groupsOf(sock: SockCommon): SocketGroups {
  sock.options ??= new SockOptions();
  sock.options.groups ??= new SocketGroups();
  return sock.options.groups;
}

/** A membership has ended: its socket hears by it no more. Null: it was nobody's socket's. */
export function forgetMembership(sock: SockCommon | null, membership: GroupMembership): void {
  const groups = sock?.options?.groups ?? null;
  if (groups !== null) groups.joined = groups.joined.filter((each) => each !== membership);
}

/** Its layer was replaced: another object is the membership. */
export function membershipMoved(sock: SockCommon, before: object, now: object): void {
  const groups = sock.options?.groups ?? null;
  if (groups !== null) groups.joined = groups.joined.map((each) => (each === before ? (now as GroupMembership) : each));
}

/** By which interface what it sends to IPv6 groups leaves; 0: by its route (`IPV6_MULTICAST_IF`). */
export function groupInterface({ options }: SockCommon): number {
  return options === null || options.groups === null ? 0 : options.groups.ifindex6;
}

/** A flow to a group leaves as its socket has said (`IP_MULTICAST_IF`, `IPV6_MULTICAST_IF`), unless the socket is bound to something else. */
export function aimAtGroup(flow: Flow, sock: SockCommon): void {
  const groups = sock.options === null ? null : sock.options.groups;
  if (groups === null || !isGroup(flow.dst0, flow.dst1, flow.dst2, flow.dst3)) return;
  const isIpv4 = flow.family === ADDRESS_FAMILY.INET;
  if (flow.oif === 0) flow.oif = isIpv4 ? groups.ifindex : groups.ifindex6;
  if (!isIpv4 || groups.source === 0 || (flow.src0 | flow.src1 | flow.src2 | flow.src3) !== 0) return;
  flow.src2 = IPV4_WORD2;
  flow.src3 = groups.source;
}

import type { NextHopObject, ResilientGroup } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError } from '@softnet/contract';
import type { NextHopNode } from './next-hop-node.ts';

/** What a resilient group has where nothing was said. Linux's, `nexthop-resilient.rst`. */
const BUCKETS = 128;
const IDLE_MS = 120_000;
/** Timers run up to so many ms: what is left of int32 is for the difference of two. */
const MAX_MS = 0x3fffffff;

/** The object with its defaults, its numbers checked. @throws NetError EINVAL, EAFNOSUPPORT; ENOENT for a member that is not there. */
export function checkObject(object: NextHopObject, nodes: ReadonlyMap<number, NextHopNode>): NextHopObject {
  const { id, family, hop, blackhole, group, resilient } = object;
  if (!isIn(id, 1, 0xffffffff)) throw refuse(id, 'numbers go from 1 to 4294967295');
  if ((hop === undefined ? 0 : 1) + (blackhole === true ? 1 : 0) + (group === undefined ? 0 : 1) !== 1) {
    throw refuse(id, 'it is one way, a blackhole, or a group');
  }
  if (resilient !== undefined && group === undefined) throw refuse(id, 'only groups are resilient');
  if (group !== undefined) return checkGroup(object, nodes);
  if (family !== ADDRESS_FAMILY.INET && family !== ADDRESS_FAMILY.INET6) {
    throw new NetError('EAFNOSUPPORT', `next hop ${id} is of family ${family}: it is of IPv4 (2) or IPv6 (10)`, { syscall: 'nexthop' });
  }
  return object;
}

function checkGroup(object: NextHopObject, nodes: ReadonlyMap<number, NextHopNode>): NextHopObject {
  const { id, family, group = [], resilient, ...rest } = object;
  if (family !== 0) throw refuse(id, 'a group has no family but its members’');
  if (group.length === 0) throw refuse(id, 'a group has members');
  if (new Set(group.map((member) => member.id)).size < group.length) throw refuse(id, 'a member stands there twice');
  for (const member of group) {
    const node = nodes.get(member.id);
    if (node === undefined) throw new NetError('ENOENT', `there is no next hop ${member.id} for group ${id}`, { syscall: 'nexthop' });
    if (node.object.group !== undefined) throw refuse(id, `${member.id} is a group: groups have no groups`);
    if (node.object.blackhole && group.length > 1) throw refuse(id, `${member.id} is a blackhole: it stands alone`);
    if (!isIn(member.weight ?? 1, 1, 256)) throw refuse(id, `a member weighs 1 to 256, not ${member.weight}`);
  }
  const members = group.map((member) => ({ id: member.id, weight: member.weight ?? 1 }));
  return { ...rest, id, family, group: members, ...(resilient && { resilient: checkResilient(id, resilient) }) };
}

function checkResilient(id: number, { buckets = BUCKETS, idleMs = IDLE_MS, unbalancedMs = 0 }: ResilientGroup): Required<ResilientGroup> {
  if (!isIn(buckets, 1, 0xffff)) throw refuse(id, `a resilient group has 1 to 65535 buckets, not ${buckets}`);
  if (!isIn(idleMs, 0, MAX_MS) || !isIn(unbalancedMs, 0, MAX_MS)) throw refuse(id, `timers run 0 to ${MAX_MS} ms`);
  return { buckets, idleMs, unbalancedMs };
}

/** What `replace` may not do. @throws NetError EINVAL. */
export function checkChange({ object: before, infos, groups }: NextHopNode, after: NextHopObject, inet6: number): void {
  const { id } = after;
  if ((before.group === undefined) !== (after.group === undefined)) throw refuse(id, 'a group stays a group, a way a way');
  if ((before.resilient === undefined) !== (after.resilient === undefined)) throw refuse(id, 'a group stays resilient, or not');
  if (before.resilient?.buckets !== after.resilient?.buckets) throw refuse(id, 'how many buckets it has was said when it was made');
  const users = [...infos, ...[...groups].flatMap((group) => [...group.infos])];
  const used = after.group === undefined && after.family !== inet6 && users.some(({ family }) => family === inet6);
  if (used) throw refuse(id, 'IPv6 routes use it');
  if (after.blackhole && [...groups].some(({ members }) => members.length > 1)) throw refuse(id, 'it is one of several in a group');
}

export function refuse(id: number, why: string): NetError {
  return new NetError('EINVAL', `next hop ${id} cannot be so: ${why}`, { syscall: 'nexthop' });
}

function isIn(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

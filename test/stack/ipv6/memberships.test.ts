import { ADDRESS_FAMILY, ERRNO, MulticastGroups } from '@softnet/contract';
import type { Net, NetHost } from '@softnet/testkit';
import { HOST_STACK } from '@softnet/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hearers } from '../ipv4/hearers.ts';
import { twoLinks } from '../ipv4/two-links.ts';
import { bytes, G, get, groupReq, ints, join, mreq, set, sharePort, sockaddr, source } from './group-values.ts';
import { words } from './mld-link.ts';

const { INET6 } = ADDRESS_FAMILY;
const GROUP = 'ff05::1:3';
const PORT = 5000;
const [HOPS, LOOP] = [18, 19];

let net: Net;
let a: NetHost;
let b: NetHost;
let ifindex: number;

/** Two links between two hosts: eth0 and eth1, fd00::x and fd01::x. */
beforeEach(async () => {
  ({ net, a, b } = await twoLinks(HOST_STACK, (link, end) => `fd0${link}::${end}/64`));
  ifindex = b.device('eth0').ifindex;
});
afterEach(async () => {
  await net.dispose();
});

const open = (host: NetHost, address = '::', port = PORT) => {
  const user = sharePort(host.open({ family: INET6 }));
  user.bind(address, port);
  return user;
};
/** Who sends by its first link. */
const sending = (host: NetHost) => {
  const user = open(host, '::', 4000);
  expect(set(user, G.MULTICAST_IF, ints(host.device('eth0').ifindex))).toBe(0);
  return user;
};
type User = ReturnType<typeof open>;

const whoHears = (sender: User, users: readonly User[], group = GROUP): Promise<number[]> => hearers(net, sender, users, group, PORT);

describe('who hears', () => {
  test('nobody without a member; then each with the port, or with IPV6_MULTICAST_ALL off only members', async () => {
    const sender = sending(a);
    const users = [open(b), open(b), open(b), open(b, '::', 5001)];
    expect(await whoHears(sender, users)).toEqual([]);
    join(users[0]!, GROUP, ifindex);
    expect(await whoHears(sender, users)).toEqual([0, 1, 2]);
    expect([set(users[1]!, G.MULTICAST_ALL, ints(0)), get(users[1]!, G.MULTICAST_ALL, ints(9))]).toEqual([0, ints(0)]);
    expect(await whoHears(sender, users)).toEqual([0, 2]);
    expect(await whoHears(sender, users, 'ff05::2:3')).toEqual([]);
    users[0]!.close();
    expect(await whoHears(sender, users.slice(1))).toEqual([]);
  });

  test('on the device that was joined only, and by that which was chosen', async () => {
    const sender = sending(a);
    const user = open(b);
    join(user, GROUP, b.device('eth1').ifindex);
    expect(await whoHears(sender, [user])).toEqual([]);
    expect(set(sender, G.MULTICAST_IF, ints(a.device('eth1').ifindex))).toBe(0);
    expect(get(sender, G.MULTICAST_IF, ints(0))).toEqual(ints(a.device('eth1').ifindex));
    expect(await whoHears(sender, [user])).toEqual([0]);
  });

  test('groups whose last words are the same are others', async () => {
    const sender = sending(a);
    const users = [open(b), open(b)];
    for (const user of users) set(user, G.MULTICAST_ALL, ints(0));
    join(users[0]!, 'ff05::1:0:3', ifindex);
    join(users[1]!, 'ff05::2:0:3', ifindex);
    expect(await whoHears(sender, users, 'ff05::1:0:3')).toEqual([0]);
    expect(await whoHears(sender, users, 'ff05::2:0:3')).toEqual([1]);
    expect(await whoHears(sender, users, 'ff05::3:0:3')).toEqual([]);
  });

  test('by each socket’s own sources, though others want more; what nobody wants is dropped before', async () => {
    const sender = sending(a);
    const users = [open(b), open(b), open(b)];
    for (const user of users) set(user, G.MULTICAST_ALL, ints(0));
    expect(set(users[1]!, ...source(G.MCAST_JOIN_SOURCE_GROUP, GROUP, 'fd00::77', ifindex))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([]);
    expect(b.kernel.dropReasons().find(({ name }) => name === 'ipv6.unwanted-source')!.count).toBe(1);
    expect(set(users[0]!, ...source(G.MCAST_JOIN_SOURCE_GROUP, GROUP, 'fd00::1', ifindex))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([0]);
    join(users[2]!, GROUP, ifindex);
    expect(set(users[2]!, ...source(G.MCAST_BLOCK_SOURCE, GROUP, 'fd00::1', ifindex))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([0]);
    expect(set(users[2]!, ...source(G.MCAST_UNBLOCK_SOURCE, GROUP, 'fd00::1', ifindex))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([0, 2]);
  });

  test('sockets that are bound to the group, or to a device; not those bound to an address', async () => {
    const sender = sending(a);
    const users = [open(b, GROUP), open(b, 'ff05::2:3'), open(b, 'fd00::2'), open(b), open(b)];
    users[3]!.sock.ifindex = ifindex;
    users[4]!.sock.ifindex = b.device('eth1').ifindex;
    join(users[0]!, GROUP, ifindex);
    expect(await whoHears(sender, users)).toEqual([0, 3]);
  });

  test('its own host, unless IPV6_MULTICAST_LOOP is off; with hop limit 0 nobody else', async () => {
    const sender = sending(b);
    const [here, there] = [open(b), open(a)];
    join(here, GROUP, ifindex);
    join(there, GROUP, a.device('eth0').ifindex);
    expect(await whoHears(sender, [here, there])).toEqual([0, 1]);
    expect(set(sender, HOPS, ints(0))).toBe(0);
    expect(await whoHears(sender, [here, there])).toEqual([0]);
    expect(set(sender, HOPS, ints(1))).toBe(0);
    expect(set(sender, LOOP, ints(0))).toBe(0);
    expect(await whoHears(sender, [here, there])).toEqual([1]);
  });

  test('a group of the interface is heard on this host only', async () => {
    const sender = sending(b);
    const [here, there] = [open(b), open(a)];
    join(here, 'ff01::5', ifindex);
    join(there, 'ff01::5', a.device('eth0').ifindex);
    expect(await whoHears(sender, [here, there], 'ff01::5')).toEqual([0]);
  });

  test('datagrams in fragments come too, here and there', async () => {
    const sender = sending(b);
    const users = [open(b), open(a)];
    join(users[0]!, GROUP, ifindex);
    join(users[1]!, GROUP, a.device('eth0').ifindex);
    await net.run(sender.send(new Uint8Array(5000), GROUP, PORT));
    await net.pass(5);
    for (const user of users) expect(user.tryReceive()).toMatchObject({ data: { length: 5000 }, address: 'fd00::2' });
  });

  test('Neighbor Discovery of this host does not come back to it', async () => {
    // Of the same solicited-node group as one of its own.
    await expect(net.run(b.ping('fd00::99:0:2', { timeoutMs: 3000 }))).rejects.toThrow();
    expect(b.kernel.dropReasons().filter(({ name, count }) => name.startsWith('nd.') && count > 0)).toEqual([]);
  });
});

const E = ERRNO;
type Step = readonly [name: number, value: () => Uint8Array, answer: number];
const req = (group: string, device = ifindex) => groupReq(device, sockaddr(group));
const from = (address: string, group = GROUP) => groupReq(ifindex, sockaddr(group), sockaddr(address));
const filter = (mode: number, said: number, ...sources: string[]) =>
  bytes(groupReq(ifindex, sockaddr(GROUP)), ints(mode, said), ...sources.map((each) => sockaddr(each)));

// Linux's answers: net/ipv6/mcast.c and ipv6_sockglue.c, in words of man 7 ipv6 and RFC 3678.
describe('what options answer', () => {
  test.each<[string, readonly Step[]]>([
    [
      'join twice',
      [
        [G.JOIN_GROUP, () => mreq(GROUP, ifindex), 0],
        [G.JOIN_GROUP, () => mreq(GROUP, ifindex), -E.EADDRINUSE],
        [G.MCAST_JOIN_GROUP, () => req(GROUP), -E.EADDRINUSE],
      ],
    ],
    [
      'by the route, and left by whichever',
      [
        [G.JOIN_GROUP, () => mreq(GROUP), 0],
        [G.LEAVE_GROUP, () => mreq(GROUP), 0],
        [G.LEAVE_GROUP, () => mreq(GROUP), -E.EADDRNOTAVAIL],
      ],
    ],
    ['join of a host', [[G.JOIN_GROUP, () => mreq('fd00::9', ifindex), -E.EINVAL]]],
    ['join of an IPv4 group', [[G.JOIN_GROUP, () => mreq('::ffff:239.1.1.1', ifindex), -E.EINVAL]]],
    ['join on no device', [[G.JOIN_GROUP, () => mreq(GROUP, 99), -E.ENODEV]]],
    ['join, value too short', [[G.JOIN_GROUP, () => new Uint8Array(19), -E.EINVAL]]],
    ['no such interface', [[G.MULTICAST_IF, () => ints(99), -E.ENODEV]]],
    [
      'a source without a membership',
      [
        [G.MCAST_BLOCK_SOURCE, () => from('fd00::7'), -E.EINVAL],
        [G.MCAST_LEAVE_SOURCE_GROUP, () => from('fd00::7'), -E.EINVAL],
      ],
    ],
    [
      'a source twice, one that is not there, and the last',
      [
        [G.MCAST_JOIN_SOURCE_GROUP, () => from('fd00::7'), 0],
        [G.MCAST_JOIN_SOURCE_GROUP, () => from('fd00::7'), -E.EADDRNOTAVAIL],
        [G.MCAST_LEAVE_SOURCE_GROUP, () => from('fd00::8'), -E.EADDRNOTAVAIL],
        [G.MCAST_BLOCK_SOURCE, () => from('fd00::8'), -E.EINVAL],
        [G.MCAST_LEAVE_SOURCE_GROUP, () => from('fd00::7'), 0],
        [G.MCAST_LEAVE_GROUP, () => req(GROUP), -E.EADDRNOTAVAIL],
      ],
    ],
    [
      'too many sources (mld_max_msf)',
      [
        ...Array.from({ length: 64 }, (_, i): Step => [G.MCAST_JOIN_SOURCE_GROUP, () => from(`fd00::9:${i}`), 0]),
        [G.MCAST_JOIN_SOURCE_GROUP, () => from('fd00::7'), -E.ENOBUFS],
      ],
    ],
    [
      'values of another length, or family',
      [
        [G.MCAST_JOIN_GROUP, () => new Uint8Array(135), -E.EINVAL],
        [G.MCAST_JOIN_GROUP, () => groupReq(ifindex, sockaddr(GROUP, 2)), -E.EINVAL],
        [G.MCAST_BLOCK_SOURCE, () => new Uint8Array(263), -E.EINVAL],
        [G.MCAST_BLOCK_SOURCE, () => groupReq(ifindex, sockaddr(GROUP), sockaddr('fd00::7', 2)), -E.EADDRNOTAVAIL],
        [G.MCAST_MSFILTER, () => new Uint8Array(143), -E.EINVAL],
      ],
    ],
    [
      'a whole filter',
      [
        [G.MCAST_MSFILTER, () => filter(0, 1, 'fd00::7'), -E.EINVAL],
        [G.MCAST_JOIN_GROUP, () => req(GROUP), 0],
        [G.MCAST_MSFILTER, () => filter(2, 0), -E.EINVAL],
        [G.MCAST_MSFILTER, () => filter(0, 2, 'fd00::7'), -E.EINVAL],
        [G.MCAST_MSFILTER, () => filter(0, 65), -E.ENOBUFS],
        [G.MCAST_MSFILTER, () => filter(1, 0), 0],
        [G.MCAST_LEAVE_GROUP, () => req(GROUP), -E.EADDRNOTAVAIL],
      ],
    ],
  ])('%s', (_what, steps) => {
    const user = open(b);
    expect(steps.map(([name, value]) => set(user, name, value()))).toEqual(steps.map(([, , answer]) => answer));
  });

  test('MCAST_MSFILTER says what was set, as much as there is room for', () => {
    const user = open(b);
    join(user, GROUP, ifindex);
    expect(set(user, G.MCAST_MSFILTER, filter(1, 2, 'fd00::8', 'fd00::7'))).toBe(0);
    const asked = filter(0, 9, '::', '::', '::');
    expect(get(user, G.MCAST_MSFILTER, asked)).toEqual(filter(1, 2, 'fd00::7', 'fd00::8'));
    expect(get(user, G.MCAST_MSFILTER, filter(0, 0))).toEqual(filter(1, 2));
    expect(get(user, G.MCAST_MSFILTER, bytes(req('ff05::9'), ints(0, 0)))).toBe(-E.EADDRNOTAVAIL);
    expect(get(user, G.MCAST_MSFILTER, new Uint8Array(143))).toBe(-E.EINVAL);
  });

  test('a socket may be in mld_max_memberships groups', () => {
    b.kernel.sysctl.set('net.ipv6.mld_max_memberships', 2);
    const user = open(b);
    expect([1, 2, 3].map((n) => set(user, G.JOIN_GROUP, mreq(`ff05::${n}`, ifindex)))).toEqual([0, 0, -E.ENOBUFS]);
  });

  test('what is no IPv6 group is not joined', () => {
    const point = b.kernel.contributions(MulticastGroups).items.find(({ family }) => family === INET6)!;
    expect(() => point.join(b.device('eth0'), words('fd00::1'), { name: 'test' })).toThrow('EINVAL');
    expect(() => point.join(b.device('eth0'), words('::ffff:239.1.1.1'), { name: 'test' })).toThrow('EINVAL');
  });
});

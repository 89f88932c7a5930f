import { ADDRESS_FAMILY, Devices, ERRNO, LinkGroups, MulticastGroups } from '@softnet/contract';
import type { Net, NetHost } from '@softnet/testkit';
import { formatMac, ipv4Words } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addresses, bytes, G, get, groupReq, ints, join, mreqn, set, sharePort, sockaddr } from './group-values.ts';
import { hearers } from './hearers.ts';
import { IPV4_STACK, word } from './raw-link.ts';
import { twoLinks } from './two-links.ts';

const { INET } = ADDRESS_FAMILY;
const GROUP = '239.1.1.1';
const PORT = 5000;

let net: Net;
let a: NetHost;
let b: NetHost;
let ifindex: number;

/** Two links between two hosts: eth0 and eth1, 10.0.0.x and 10.0.1.x. */
beforeEach(async () => {
  ({ net, a, b } = await twoLinks(IPV4_STACK, (link, end) => `10.0.${link}.${end}/24`));
  for (const host of [a, b]) host.addRoute('224.0.0.0/4', { dev: 'eth0' });
  ifindex = b.device('eth0').ifindex;
});
afterEach(async () => {
  await net.dispose();
});

const open = (host: NetHost, address = '0.0.0.0', port = PORT) => {
  const user = sharePort(host.open({ family: INET }));
  user.bind(address, port);
  return user;
};
type User = ReturnType<typeof open>;

const whoHears = (sender: User, users: readonly User[], group = GROUP): Promise<number[]> => hearers(net, sender, users, group, PORT);

describe('who hears', () => {
  test('nobody without a member; then each with the port, by a clone, or with IP_MULTICAST_ALL off only members', async () => {
    const sender = open(a, '0.0.0.0', 4000);
    const users = [open(b), open(b), open(b), open(b, '0.0.0.0', 5001)];
    expect(await whoHears(sender, users)).toEqual([]);
    join(users[0]!, GROUP, ifindex);
    expect(await whoHears(sender, users)).toEqual([0, 1, 2]);
    expect(set(users[1]!, G.MULTICAST_ALL, ints(0))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([0, 2]);
    expect(await whoHears(sender, users, '239.1.1.2')).toEqual([]);
    users[0]!.close();
    expect(await whoHears(sender, users.slice(1))).toEqual([]);
  });

  test('on the device that was joined only', async () => {
    const sender = open(a, '0.0.0.0', 4000);
    const user = open(b);
    join(user, GROUP, b.device('eth1').ifindex);
    expect(await whoHears(sender, [user])).toEqual([]);
    expect(set(sender, G.MULTICAST_IF, mreqn('0.0.0.0', a.device('eth1').ifindex))).toBe(0);
    expect(await whoHears(sender, [user])).toEqual([0]);
  });

  test('a membership on one device says nothing of another', async () => {
    const sender = open(a, '0.0.0.0', 4000);
    const users = [open(b), open(b)];
    join(users[0]!, GROUP, b.device('eth1').ifindex);
    join(users[1]!, GROUP, ifindex);
    set(users[0]!, G.MULTICAST_ALL, ints(0));
    expect(await whoHears(sender, users)).toEqual([1]);
  });

  test('by each socket’s own sources, though others want more', async () => {
    const sender = open(a, '0.0.0.0', 4000);
    const users = [open(b), open(b), open(b)];
    expect(set(users[0]!, G.ADD_SOURCE_MEMBERSHIP, addresses(GROUP, '10.0.0.2', '10.0.0.1'))).toBe(0);
    expect(set(users[1]!, G.ADD_SOURCE_MEMBERSHIP, addresses(GROUP, '10.0.0.2', '10.0.0.77'))).toBe(0);
    for (const user of users) set(user, G.MULTICAST_ALL, ints(0));
    expect(await whoHears(sender, users)).toEqual([0]);
    join(users[2]!, GROUP, ifindex);
    expect(set(users[2]!, G.BLOCK_SOURCE, addresses(GROUP, '10.0.0.2', '10.0.0.1'))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([0]);
    expect(set(users[2]!, G.UNBLOCK_SOURCE, addresses(GROUP, '10.0.0.2', '10.0.0.1'))).toBe(0);
    expect(await whoHears(sender, users)).toEqual([0, 2]);
  });

  test('a source that nobody wants is dropped before it is anybody’s', async () => {
    const sender = open(a, '0.0.0.0', 4000);
    const user = open(b);
    expect(set(user, G.ADD_SOURCE_MEMBERSHIP, addresses(GROUP, '10.0.0.2', '10.0.0.77'))).toBe(0);
    await whoHears(sender, []);
    expect(b.kernel.dropReasons().find(({ name }) => name === 'ipv4.unwanted-source')!.count).toBe(1);
  });

  test('sockets that are bound to the group, or to a device; not those bound to an address', async () => {
    const sender = open(a, '0.0.0.0', 4000);
    const users = [open(b, GROUP), open(b, '239.1.1.2'), open(b, '10.0.0.2'), open(b), open(b)];
    users[3]!.sock.ifindex = ifindex;
    users[4]!.sock.ifindex = b.device('eth1').ifindex;
    join(users[0]!, GROUP, ifindex);
    expect(await whoHears(sender, users)).toEqual([0, 3]);
  });

  test('who is bound to the group sends from an address of the host', async () => {
    const user = open(b, GROUP);
    const other = open(a, '0.0.0.0', 7);
    await net.run(user.send(Uint8Array.of(1), '10.0.0.1', 7));
    expect((await net.run(other.receive())).address).toBe('10.0.0.2');
  });

  test('its own host, unless IP_MULTICAST_LOOP is off; with TTL 0 nobody else', async () => {
    const sender = open(b, '0.0.0.0', 4000);
    const here = open(b);
    const there = open(a);
    join(here, GROUP, ifindex);
    join(there, GROUP, a.device('eth0').ifindex);
    expect(await whoHears(sender, [here, there])).toEqual([0, 1]);
    expect(set(sender, 33, ints(0))).toBe(0);
    expect(await whoHears(sender, [here, there])).toEqual([0]);
    expect(set(sender, 33, ints(1))).toBe(0);
    expect(set(sender, 34, Uint8Array.of(0))).toBe(0);
    expect(get(sender, 34, new Uint8Array(4))).toEqual(ints(0));
    expect(await whoHears(sender, [here, there])).toEqual([1]);
  });

  test('datagrams in fragments come too, here and there', async () => {
    const sender = open(b, '0.0.0.0', 4000);
    const users = [open(b), open(a)];
    join(users[0]!, GROUP, ifindex);
    join(users[1]!, GROUP, a.device('eth0').ifindex);
    await net.run(sender.send(new Uint8Array(5000), GROUP, PORT));
    await net.pass(5);
    for (const user of users) expect(user.tryReceive()).toMatchObject({ data: { length: 5000 }, address: '10.0.0.2' });
  });
});

const E = ERRNO;
type Step = readonly [name: number, value: () => Uint8Array, answer: number];
const src = (...rest: string[]) => addresses(...rest);

// Linux's answers: net/ipv4/igmp.c and ip_sockglue.c, in words of man 7 ip.
describe('what options answer', () => {
  test.each<[string, readonly Step[]]>([
    [
      'join twice',
      [
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, ifindex), 0],
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, ifindex), -E.EADDRINUSE],
      ],
    ],
    [
      'join by address, and by route',
      [
        [G.ADD_MEMBERSHIP, () => src(GROUP, '10.0.0.2'), 0],
        [G.ADD_MEMBERSHIP, () => src('239.1.1.2', '0.0.0.0'), 0],
        [G.DROP_MEMBERSHIP, () => mreqn('239.1.1.2', ifindex), 0],
      ],
    ],
    ['join of a host', [[G.ADD_MEMBERSHIP, () => mreqn('10.0.0.9', ifindex), -E.EINVAL]]],
    [
      'join on no device',
      [
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, 99), -E.ENODEV],
        [G.ADD_MEMBERSHIP, () => src(GROUP, '10.9.9.9'), -E.ENODEV],
      ],
    ],
    ['join, value too short', [[G.ADD_MEMBERSHIP, () => new Uint8Array(7), -E.EINVAL]]],
    [
      'leave',
      [
        [G.DROP_MEMBERSHIP, () => mreqn(GROUP, ifindex), -E.EADDRNOTAVAIL],
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, ifindex), 0],
        [G.DROP_MEMBERSHIP, () => mreqn(GROUP, ifindex), 0],
        [G.DROP_MEMBERSHIP, () => mreqn(GROUP, ifindex), -E.EADDRNOTAVAIL],
      ],
    ],
    [
      'too many groups',
      [
        ...Array.from({ length: 20 }, (_, i): Step => [G.ADD_MEMBERSHIP, () => mreqn(`239.2.0.${i}`, ifindex), 0]),
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, ifindex), -E.ENOBUFS],
      ],
    ],
    [
      'a source without a membership',
      [
        [G.BLOCK_SOURCE, () => src(GROUP, '10.0.0.2', '10.0.0.7'), -E.EINVAL],
        [G.DROP_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), -E.EINVAL],
      ],
    ],
    [
      'a source twice, and one that is not there',
      [
        [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), 0],
        [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), -E.EADDRNOTAVAIL],
        [G.DROP_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.8'), -E.EADDRNOTAVAIL],
      ],
    ],
    [
      'a mode that is not the filter’s',
      [
        [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), 0],
        [G.BLOCK_SOURCE, () => src(GROUP, '10.0.0.2', '10.0.0.8'), -E.EINVAL],
      ],
    ],
    [
      'an empty filter takes any mode',
      [
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, ifindex), 0],
        [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), 0],
        [G.BLOCK_SOURCE, () => src(GROUP, '10.0.0.2', '10.0.0.8'), -E.EINVAL],
      ],
    ],
    [
      'without its last source it has left',
      [
        [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), 0],
        [G.DROP_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), 0],
        [G.DROP_MEMBERSHIP, () => mreqn(GROUP, ifindex), -E.EADDRNOTAVAIL],
      ],
    ],
    [
      'too many sources',
      [
        ...Array.from({ length: 10 }, (_, i): Step => [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', `10.7.0.${i}`), 0]),
        [G.ADD_SOURCE_MEMBERSHIP, () => src(GROUP, '10.0.0.2', '10.0.0.7'), -E.ENOBUFS],
      ],
    ],
    ['a source, value of another length', [[G.BLOCK_SOURCE, () => new Uint8Array(13), -E.EINVAL]]],
    [
      'a whole filter',
      [
        [G.MSFILTER, () => bytes(src(GROUP, '10.0.0.2'), ints(0, 1), src('10.0.0.7')), -E.EINVAL],
        [G.ADD_MEMBERSHIP, () => mreqn(GROUP, ifindex), 0],
        [G.MSFILTER, () => bytes(src(GROUP, '10.0.0.2'), ints(2, 0)), -E.EINVAL],
        [G.MSFILTER, () => bytes(src(GROUP, '10.0.0.2'), ints(0, 2), src('10.0.0.7')), -E.EINVAL],
        [G.MSFILTER, () => bytes(src(GROUP, '10.0.0.2'), ints(0, 11)), -E.ENOBUFS],
        [G.MSFILTER, () => bytes(src(GROUP, '10.0.0.2'), ints(1, 0)), 0],
        [G.DROP_MEMBERSHIP, () => mreqn(GROUP, ifindex), -E.EADDRNOTAVAIL],
      ],
    ],
    [
      'protocol-independent',
      [
        [G.MCAST_JOIN_GROUP, () => groupReq(ifindex, sockaddr(GROUP)), 0],
        [G.MCAST_JOIN_GROUP, () => groupReq(ifindex, sockaddr(GROUP)), -E.EADDRINUSE],
        [G.MCAST_BLOCK_SOURCE, () => groupReq(ifindex, sockaddr(GROUP), sockaddr('10.0.0.7')), 0],
        [G.MCAST_UNBLOCK_SOURCE, () => groupReq(ifindex, sockaddr(GROUP), sockaddr('10.0.0.7')), 0],
        [G.MCAST_LEAVE_GROUP, () => groupReq(ifindex, sockaddr(GROUP)), 0],
      ],
    ],
    [
      'protocol-independent, of sources',
      [
        [G.MCAST_JOIN_SOURCE_GROUP, () => groupReq(ifindex, sockaddr(GROUP), sockaddr('10.0.0.7')), 0],
        [G.MCAST_LEAVE_SOURCE_GROUP, () => groupReq(ifindex, sockaddr(GROUP), sockaddr('10.0.0.7')), 0],
      ],
    ],
    [
      'protocol-independent, another family',
      [
        [G.MCAST_JOIN_GROUP, () => groupReq(ifindex, sockaddr(GROUP, 10)), -E.EINVAL],
        [G.MCAST_JOIN_SOURCE_GROUP, () => groupReq(ifindex, sockaddr(GROUP, 10), sockaddr('10.0.0.7')), -E.EADDRNOTAVAIL],
      ],
    ],
    [
      'protocol-independent, too short',
      [
        [G.MCAST_JOIN_GROUP, () => new Uint8Array(135), -E.EINVAL],
        [G.MCAST_BLOCK_SOURCE, () => new Uint8Array(263), -E.EINVAL],
        [G.MCAST_MSFILTER, () => new Uint8Array(143), -E.EINVAL],
      ],
    ],
    [
      'an interface',
      [
        [G.MULTICAST_IF, () => src('10.9.9.9'), -E.EADDRNOTAVAIL],
        [G.MULTICAST_IF, () => mreqn('0.0.0.0', 99), -E.EADDRNOTAVAIL],
        [G.MULTICAST_IF, () => src('10.0.1.2'), 0],
        [G.MULTICAST_IF, () => src('0.0.0.0'), 0],
        [G.MULTICAST_IF, () => new Uint8Array(3), -E.EINVAL],
      ],
    ],
    [
      'IP_MULTICAST_ALL',
      [
        [G.MULTICAST_ALL, () => ints(2), -E.EINVAL],
        [G.MULTICAST_ALL, () => Uint8Array.of(0), 0],
        [G.MULTICAST_ALL, () => new Uint8Array(0), -E.EINVAL],
      ],
    ],
  ])('%s', (_, steps) => {
    const user = open(b);
    expect(steps.map(([name, value]) => set(user, name, value()))).toEqual(steps.map(([, , answer]) => answer));
    user.close();
  });

  test('what they tell', () => {
    const user = open(b);
    const ask = bytes(addresses(GROUP, '10.0.0.2'), ints(0, 8), new Uint8Array(32));
    expect(get(user, G.MSFILTER, ask)).toBe(-E.EADDRNOTAVAIL);
    join(user, GROUP, ifindex);
    set(user, G.MSFILTER, bytes(addresses(GROUP, '10.0.0.2'), ints(0, 2), addresses('10.0.0.8', '10.0.0.7')));
    expect(get(user, G.MSFILTER, ask)).toEqual(bytes(addresses(GROUP, '10.0.0.2'), ints(0, 2), addresses('10.0.0.7', '10.0.0.8')));
    const whole = bytes(groupReq(ifindex, sockaddr(GROUP)), ints(1, 8), new Uint8Array(128 * 8));
    expect(get(user, G.MCAST_MSFILTER, whole)).toEqual(
      bytes(groupReq(ifindex, sockaddr(GROUP)), ints(0, 2), sockaddr('10.0.0.7'), sockaddr('10.0.0.8')),
    );
    expect(get(user, G.MULTICAST_ALL, new Uint8Array(4))).toEqual(ints(1));
    set(user, G.MULTICAST_IF, addresses('10.0.1.2'));
    expect(get(user, G.MULTICAST_IF, new Uint8Array(4))).toEqual(addresses('10.0.1.2'));
  });
});

describe('what devices listen to', () => {
  const listens = (host: NetHost, device: string) =>
    host.kernel
      .port(LinkGroups)
      .current.of(host.device(device))
      .map((address) => formatMac(address))
      .sort();

  test('224.0.0.1 always; a group as long as somebody is in it', () => {
    const all = '01:00:5e:00:00:01';
    expect(listens(b, 'eth0')).toEqual([all]);
    const [one, two] = [open(b), open(b)];
    join(one, GROUP, ifindex);
    join(two, '239.129.1.1', ifindex);
    expect(listens(b, 'eth0')).toEqual([all, '01:00:5e:01:01:01']);
    one.close();
    expect(listens(b, 'eth0')).toEqual([all, '01:00:5e:01:01:01']);
    two.close();
    expect([listens(b, 'eth0'), listens(b, 'lo')]).toEqual([[all], []]);
  });
});

describe('members', () => {
  const group = ipv4Words(word(GROUP));
  const groups = (host: NetHost) => host.kernel.contributions(MulticastGroups).items[0]!;

  test('hold nothing up, and end with their module', async () => {
    const notices: string[] = [];
    const membership = groups(b).join(b.device('eth0'), group, { name: 'test', notice: ({ sort }) => notices.push(sort) });
    expect(membership.holdNext).not.toBeNull();
    expect(await net.run(b.kernel.unload('ipv4', { cascade: true }))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    expect([membership.holdNext === null, notices]).toEqual([true, ['leaving', 'closed']]);
  });

  test('go with their device; its socket may join again elsewhere', () => {
    const user = open(b);
    join(user, GROUP, ifindex);
    const membership = groups(b).join(b.device('eth0'), group, { name: 'test' });
    b.kernel.port(LinkGroups).current.wantAllGroups(b.device('eth1'), true);
    b.kernel.port(Devices).current.remove(b.device('eth0'));
    expect([membership.holdNext === null, user.sock.options!.groups!.joined.length]).toEqual([true, 0]);
    join(user, GROUP, b.device('eth1').ifindex);
    groups(b).leave(membership);
  });

  test.each([
    ['no group', 'EINVAL', () => groups(b).join(b.device('eth0'), ipv4Words(word('10.0.0.1')), { name: 'x' })],
    [
      'too many sources',
      'ENOBUFS',
      () => {
        const membership = groups(b).join(b.device('eth0'), group, { name: 'x' });
        groups(b).setFilter(
          membership,
          1,
          Array.from({ length: 11 }, (_, i) => ipv4Words(i + 1)),
        );
      },
    ],
  ])('are refused: %s', (_, code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

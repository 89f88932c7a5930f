import { ADDRESS_FAMILY, LinkGroups, MulticastGroups } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import { LeakGuard } from '@softnet/testkit';
import { addSums, checksumOf, emitUdp, formatMac, pseudoHeaderSum, sumBytes } from '@softnet/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { G, groupReq, join, set, sockaddr, source } from './group-values.ts';
import { MldLink, query, words } from './mld-link.ts';
import { RawPeer } from './raw-peer.ts';

const { INET6 } = ADDRESS_FAMILY;
const GROUP = 'ff05::1:3';
const MAC = '33:33:00:01:00:03';
/** Of the host's addresses: fe80::ff:fe00:1 and fd00::1. */
const OWN = ['ff02::1:ff00:1'];
const OWN_MACS = ['33:33:00:00:00:01', '33:33:ff:00:00:01'];

let link: MldLink;
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.peer.end();
});

const open = async (settings = {}) => {
  link = await MldLink.open(settings);
  return link;
};
const ifindex = (): number => link.peer.host.device('eth0').ifindex;
const member = (group = GROUP, port = 5000) => {
  const user = link.peer.host.open({ family: INET6 });
  user.bind('::', port);
  join(user, group, ifindex());
  return user;
};
const listens = (): string[] => {
  const { host } = link.peer;
  const all = host.kernel.port(LinkGroups).current.of(host.device('eth0'));
  return all.map((address) => formatMac(address)).sort();
};
/** A datagram of the peer's to the group; does the user get it? */
async function hears(user: ReturnType<typeof member>, src = 'fd00::9'): Promise<boolean> {
  const udp = { srcPort: 9, dstPort: user.localPort, payload: Uint8Array.of(1) };
  const sum = sumBytes(new DataView(emitUdp({ ...udp, checksum: 0 }).buffer), 0, 9);
  const checksum = checksumOf(addSums(sum, pseudoHeaderSum(...words(src), ...words(GROUP), 17, 9)));
  link.peer.packet({ src, dst: GROUP, payload: emitUdp({ ...udp, checksum }) });
  await link.peer.net.pass(1);
  return typeof user.tryReceive() !== 'number';
}

test('reports that are turned on later say all that was joined before; turned off, nothing is said, not even to queries', async () => {
  await open();
  const { sysctl } = link.peer.host.kernel;
  const name = 'net.ipv6.conf.eth0.mld_reports';
  sysctl.set(name, false);
  const user = member();
  expect(await link.said(3000)).toEqual([]);
  link.send(query('::'));
  expect(await link.said(2000)).toEqual([]);
  expect(await hears(user)).toBe(true);
  sysctl.set(name, true);
  expect([...new Set(await link.said(3000))].sort()).toEqual([`TO_EX ${OWN[0]}`, `TO_EX ${GROUP}`]);
  sysctl.set(name, true);
  expect(await link.said(3000)).toEqual([]);
  link.send(query('::'));
  expect((await link.said(2000)).sort()).toEqual([`IS_EX ${OWN[0]}`, `IS_EX ${GROUP}`]);
  user.close();
  expect(await link.said(3000)).toContain(`TO_IN ${GROUP}`);
});

describe('of the host itself', () => {
  test('solicited-node groups are reported, all nodes and groups of the interface never; routers are in three more', async () => {
    link = await MldLink.open();
    const { sysctl } = link.peer.host.kernel;
    link.send(query('::'));
    expect(await link.said(2000)).toEqual(OWN.map((group) => `IS_EX ${group}`));
    expect(listens()).toEqual(OWN_MACS);
    link.peer.host.addAddress('eth0', 'fd00::77:7777/64');
    expect(await link.said(2000)).toEqual(['TO_EX ff02::1:ff77:7777', 'TO_EX ff02::1:ff77:7777']);
    link.peer.host.removeAddress('eth0', 'fd00::77:7777/64');
    expect(await link.said(2000)).toEqual(['TO_IN ff02::1:ff77:7777', 'TO_IN ff02::1:ff77:7777']);
    sysctl.set('net.ipv6.conf.all.forwarding', true);
    const said = (await link.said(2000)).filter((each) => !each.includes('ff02::1:ff'));
    expect([...new Set(said)].sort()).toEqual(['TO_EX ff02::2', 'TO_EX ff05::2']);
    const { items } = link.peer.host.kernel.contributions(MulticastGroups);
    expect(items).toHaveLength(1);
  });

  test('RFC 3590 §4: while the link-local address is tentative from ::, and again once it is not', async () => {
    const peer = await RawPeer.boot({
      known: false,
      settings: { 'net.ipv6.conf.default.mld_reports': true, 'net.ipv6.conf.default.accept_dad': 1 },
    });
    link = Object.assign(Object.create(MldLink.prototype) as MldLink, { peer });
    await peer.net.pass(10_000);
    peer.received.length = 0;
    peer.host.down('eth0');
    await peer.net.pass(1);
    peer.host.up('eth0');
    const said = await link.said(10_000);
    const from = said.map((each) => (each.endsWith(' from ::') ? '::' : 'fe80'));
    expect(said.every((each) => each.startsWith('TO_EX ff02::1:ff'))).toBe(true);
    expect([from[0], from.at(-1), from.lastIndexOf('::') < from.indexOf('fe80')]).toEqual(['::', 'fe80', true]);
    expect(from.filter((each) => each === 'fe80').length).toBeGreaterThanOrEqual(2);
  });

  test('mld_reports off: nobody is told, and nobody who asks is answered', async () => {
    await open({ 'net.ipv6.conf.default.mld_reports': false });
    member().close();
    link.peer.host.addAddress('eth0', 'fd00::77:7777/64');
    link.send(query('::'));
    expect(await link.said(20_000)).toEqual([]);
  });
});

describe('of a program', () => {
  test('join, sources, leave: each change at once and as often as mld_qrv says; to all MLDv2 routers', async () => {
    await open({ 'net.ipv6.mld_qrv': 3 });
    const user = member();
    expect(await link.said(5000)).toEqual(Array(3).fill(`TO_EX ${GROUP}`));
    expect(set(user, ...source(G.MCAST_BLOCK_SOURCE, GROUP, 'fd00::77', ifindex()))).toBe(0);
    expect(await link.said(5000)).toEqual(Array(3).fill(`BLOCK ${GROUP} fd00::77`));
    expect(set(user, ...source(G.MCAST_UNBLOCK_SOURCE, GROUP, 'fd00::77', ifindex()))).toBe(0);
    expect(await link.said(5000)).toEqual(Array(3).fill(`ALLOW ${GROUP} fd00::77`));
    user.close();
    expect(await link.said(5000)).toEqual(Array(3).fill(`TO_IN ${GROUP}`));
  });

  test('a general query is answered within the time that it gives, by one report', async () => {
    await open();
    member();
    await link.said(5000);
    link.send(query('::', { maxResponseMs: 60_000 }));
    const soon = await link.said(1000);
    const later = await link.said(59_001);
    expect([soon, later.sort()]).toEqual([[], [...OWN.map((group) => `IS_EX ${group}`), `IS_EX ${GROUP}`]]);
  });

  test('the longest time to answer in, beyond 32 bits of µs', async () => {
    await open();
    link.send(query('::', { maxResponseMs: 8_387_584 }));
    expect(await link.said(1000)).toEqual([]);
    expect(await link.said(8_387_584)).toEqual(OWN.map((group) => `IS_EX ${group}`));
  });

  test('what is more than a report of the link holds goes in several (RFC 3810 §5.2.15)', async () => {
    await open();
    const user = link.peer.host.open({ family: INET6 });
    for (let i = 0; i < 200; i++) join(user, `ff05::2:${i.toString(16)}`, ifindex());
    await link.peer.answers(5000);
    link.send(query('::'));
    const packets = await link.peer.answers(2000);
    expect(packets).toHaveLength(3);
    expect(packets.flatMap((packet) => link.textsOf(packet))).toHaveLength(201);
    user.close();
  });

  test('a querier of version 1: reports to the group, done to routers, silence where another reports; version 2 again when it is gone', async () => {
    await open();
    const v1 = query('::', { version: 1, robustness: 0, intervalS: 0 });
    link.send(v1);
    await link.said(2000);
    const user = member();
    expect(await link.said(11_000)).toEqual(Array(2).fill(`REPORT ${GROUP} to ${GROUP}`));
    user.close();
    expect(await link.said(11_000)).toEqual([`DONE ${GROUP} to ff02::2`]);
    const again = member();
    await link.said(11_000);
    link.send(v1);
    link.send({ type: 131, group: words(GROUP) });
    expect(await link.said(2000)).toEqual(OWN.map((group) => `REPORT ${group} to ${group}`));
    again.close();
    expect(await link.said(11_000)).toEqual([]);
    // Robustness 2, 125 seconds between queries, and a response interval (RFC 3810 §9.12).
    await link.peer.net.pass(252_000);
    member();
    expect(await link.said(5000)).toEqual(Array(2).fill(`TO_EX ${GROUP}`));
  });

  test.each([
    [1, [`REPORT ${GROUP} to ${GROUP}`]],
    [2, [`TO_EX ${GROUP}`]],
  ])('force_mld_version %i', async (version, said) => {
    await open({ 'net.ipv6.conf.default.force_mld_version': version });
    link.send(query('::', { version: version === 1 ? 2 : 1, robustness: 0, intervalS: 0 }));
    await link.said(5000);
    member();
    expect([...new Set(await link.said(20_000))]).toEqual(said);
  });

  test('the times of changes are settings', async () => {
    await open({ 'net.ipv6.conf.default.mldv2_unsolicited_report_interval': 60_000, 'net.ipv6.mld_qrv': 2 });
    // What the host says of its own groups takes as long.
    await link.said(60_000);
    member();
    expect(await link.said(100)).toEqual([`TO_EX ${GROUP}`]);
    expect(await link.said(60_000)).toEqual([`TO_EX ${GROUP}`]);
  });

  test('a filter that many want: merged over sockets', async () => {
    await open();
    const users = [member(), member(GROUP, 5001)];
    await link.said(5000);
    for (const [i, user] of users.entries()) {
      for (const from of ['fd00::77', `fd00::8${i}`]) expect(set(user, ...source(G.MCAST_BLOCK_SOURCE, GROUP, from, ifindex()))).toBe(0);
    }
    expect([...new Set(await link.said(5000))]).toEqual([`BLOCK ${GROUP} fd00::77`]);
    users[0]!.close();
    expect([...new Set(await link.said(5000))]).toEqual([`BLOCK ${GROUP} fd00::81`]);
  });
});

describe('life', () => {
  test('by hand-over the membership is the next generation’s, its socket hears on, and leaves by it', async () => {
    await open();
    const user = member();
    expect(set(user, ...source(G.MCAST_BLOCK_SOURCE, GROUP, 'fd00::77', ifindex()))).toBe(0);
    await link.said(5000);
    const { net, host } = link.peer;
    const { mode, drained } = await net.run(host.kernel.replace('ipv6', Ipv6Module, { mode: 'handover' }));
    expect([mode, await net.run(drained)]).toMatchObject(['handover', { leaks: [], faults: [] }]);
    expect([await hears(user), await hears(user, 'fd00::77'), listens()]).toEqual([true, false, [MAC, ...OWN_MACS].sort()]);
    await link.said(5000);
    user.close();
    expect([await link.said(5000), listens()]).toEqual([Array(2).fill(`TO_IN ${GROUP}`), OWN_MACS]);
  });

  test('where the old generation drains, its sockets’ memberships are the next one’s', async () => {
    await open();
    const user = member();
    const { net, host } = link.peer;
    const ping = host.open({ name: 'ping', family: INET6, protocol: 58 });
    ping.connect('fd00::9', 0);
    await link.said(5000);
    const { drained } = await net.run(host.kernel.replace('ipv6', Ipv6Module, { mode: 'drain' }));
    expect((await link.said(5000)).filter((each) => !each.startsWith('TO_EX'))).toEqual([]);
    expect(set(user, ...source(G.MCAST_BLOCK_SOURCE, GROUP, 'fd00::77', ifindex()))).toBe(0);
    expect([await hears(user), await hears(user, 'fd00::77')]).toEqual([true, false]);
    expect([...new Set(await link.said(5000))]).toEqual([`BLOCK ${GROUP} fd00::77`]);
    link.send(query(GROUP));
    expect(await link.said(5000)).toEqual([`IS_EX ${GROUP} fd00::77`]);
    ping.close();
    expect(await net.run(drained)).toMatchObject({ leaks: [], faults: [] });
    expect([await hears(user), listens()]).toEqual([true, [MAC, ...OWN_MACS].sort()]);
    user.close();
    expect([listens(), [...new Set(await link.said(5000))]]).toEqual([OWN_MACS, [`TO_IN ${GROUP}`]]);
  });

  test('unloaded, it says that it has left, and nothing is left', async () => {
    await open();
    const guard = LeakGuard.watch();
    const user = member();
    const { net, host } = link.peer;
    host.kernel.contributions(MulticastGroups).items[0]!.join(host.device('eth0'), words('ff05::9'), { name: 'test' });
    await link.said(5000);
    const gone = host.kernel.unload('ipv6', { cascade: true });
    await net.pass(5);
    expect(host.kernel.contributions(MulticastGroups).items).toEqual([]);
    user.close();
    expect(await net.run(gone)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    const said = await link.said(5);
    expect([said.includes(`TO_IN ${GROUP}`), said.includes('TO_IN ff05::9'), listens()]).toEqual([true, true, []]);
    expect(await guard.end()).toEqual([]);
  });

  test('the device goes down and comes up: its groups are joined anew', async () => {
    await open();
    const user = member();
    await link.said(5000);
    const { host } = link.peer;
    host.down('eth0');
    await link.said(5000);
    host.up('eth0');
    expect(new Set(await link.said(5000))).toEqual(new Set([`TO_EX ${GROUP}`, ...OWN.map((group) => `TO_EX ${group}`)]));
    expect([listens(), await hears(user)]).toEqual([[MAC, ...OWN_MACS].sort(), true]);
    user.close();
  });

  test('a hundred times in turn: no membership lost, nothing left', async () => {
    await open();
    const { net, host } = link.peer;
    const user = member();
    for (let i = 0; i < 100; i++) {
      const { drained } = await net.run(host.kernel.replace('ipv6', Ipv6Module, { mode: 'handover' }));
      expect(await net.run(drained)).toMatchObject({ leaks: [], faults: [] });
    }
    expect([await hears(user), listens()]).toEqual([true, [MAC, ...OWN_MACS].sort()]);
    user.close();
  });
});

test('a flood of queries, reports and garbage: answers are few, memory stays as it is', async () => {
  await open();
  const user = member();
  await link.said(5000);
  const packets: number[] = [];
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 300; i++) {
      const sources = Array.from({ length: i % 80 }, (_, n) => words(`fd00::${round.toString(16)}:${n.toString(16)}`));
      if (i % 3 === 0) link.send(query(GROUP, { maxResponseMs: i % 7, sources }));
      else if (i % 3 === 1) link.send(query('::', { maxResponseMs: 1 }));
      else link.send({ type: 131, group: words(`ff05::${i.toString(16)}`) }, { dst: 'ff02::1' });
    }
    packets.push((await link.peer.answers(10)).length);
  }
  // Ten answers a second, at most.
  expect(packets.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(5);
  user.close();
  expect(set(user, G.MCAST_JOIN_GROUP, groupReq(ifindex(), sockaddr(GROUP)))).not.toBe(0);
});

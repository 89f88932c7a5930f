import { ADDRESS_FAMILY, LinkGroups, MulticastGroups } from '@softnet/contract';
import { IGMP_TYPE, Ipv4Module, parseIgmp } from '@softnet/ipv4';
import { NetdevModule } from '@softnet/netdev';
import { Cable, WireModule } from '@softnet/nic-driver';
import { LeakGuard } from '@softnet/testkit';
import { emitUdp, formatIpv4, formatMac, ipv4Words } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addresses, G, join, set } from './group-values.ts';
import { RawLink, word } from './raw-link.ts';

const { INET } = ADDRESS_FAMILY;
const GROUP = '239.1.1.1';
const MAC = '01:00:5e:01:01:01';
const RECORDS = ['', 'IS_IN', 'IS_EX', 'TO_IN', 'TO_EX', 'ALLOW', 'BLOCK'];

let link: RawLink;
beforeEach(async () => {
  link = await RawLink.open();
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

/** What the host has reported since the last time. */
function reported(): string[] {
  return link.peer.takeIp().flatMap(({ protocol, payload }) => {
    const message = parseIgmp(payload, 0, payload.length);
    if (protocol !== 2 || typeof message === 'string' || message.type !== IGMP_TYPE.REPORT_V3) return [`?${protocol}`];
    return message.records.map(({ type, group }) => `${RECORDS[type]} ${formatIpv4(group[3])}`);
  });
}

const member = (name = 'member', port = 5000) => {
  const user = link.host.open({ name, family: INET });
  user.bind('0.0.0.0', port);
  join(user, GROUP, link.host.device('eth0').ifindex);
  return user;
};
type User = ReturnType<typeof member>;

/** A datagram of the peer's to the group; does the user get it? */
async function hears(user: User): Promise<boolean> {
  const payload = emitUdp({ srcPort: 9, dstPort: user.localPort, checksum: 0, payload: Uint8Array.of(1) });
  link.peer.ip({ dst: GROUP, payload }, MAC);
  await link.net.pass(1);
  return typeof user.tryReceive() !== 'number';
}

const listens = () => {
  const { host } = link;
  const all = host.kernel.port(LinkGroups).current.of(host.device('eth0'));
  return all.map((address) => formatMac(address)).sort();
};

test('by hand-over the membership is the next generation’s, its socket hears on, and leaves by it', async () => {
  const user = member();
  expect(set(user, G.BLOCK_SOURCE, addresses(GROUP, '10.0.0.1', '10.0.0.77'))).toBe(0);
  await link.net.pass(2000);
  reported();
  const before = user.sock.options!.groups!.joined[0]!;
  const { mode, drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode: 'handover' }));
  expect([mode, await link.net.run(drained)]).toMatchObject(['handover', { leaks: [], faults: [] }]);
  const [after] = user.sock.options!.groups!.joined;
  expect([after === before, after!.holdNext === null, after!.sources.map(([, , , w]) => formatIpv4(w))]).toEqual([
    false,
    false,
    ['10.0.0.77'],
  ]);
  expect([await hears(user), listens()]).toEqual([true, ['01:00:5e:00:00:01', MAC]]);
  await link.net.pass(2000);
  reported();
  user.close();
  await link.net.pass(2000);
  expect([reported(), listens()]).toEqual([['TO_IN 239.1.1.1', 'TO_IN 239.1.1.1'], ['01:00:5e:00:00:01']]);
});

test('where the old generation drains, its sockets’ memberships are the next one’s, without a word on the link', async () => {
  const user = member();
  const groups = link.host.kernel.contributions(MulticastGroups).items[0]!;
  const [eth0, other] = [link.host.device('eth0'), ipv4Words(word('239.1.1.2'))];
  const notices: string[] = [];
  groups.join(eth0, other, { name: 'test', notice: ({ sort }) => notices.push(sort) });
  // Who goes by the old one.
  const ping = link.host.open({ name: 'ping', family: INET, protocol: 1 });
  ping.connect('10.0.0.9', 0);
  await link.net.pass(2000);
  reported();
  const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode: 'drain' }));
  await link.net.pass(2000);
  expect([...new Set(reported())]).toEqual(['TO_EX 239.1.1.1']);
  expect([await hears(user), notices]).toEqual([true, ['leaving']]);
  expect(set(user, G.BLOCK_SOURCE, addresses(GROUP, '10.0.0.1', '10.0.0.9'))).toBe(0);
  expect([await hears(user), listens()]).toEqual([false, ['01:00:5e:00:00:01', MAC, '01:00:5e:01:01:02']]);
  await link.net.pass(2000);
  reported();
  ping.close();
  expect(await link.net.run(drained)).toMatchObject({ leaks: [], faults: [] });
  await link.net.pass(5);
  expect([reported(), notices, listens()]).toEqual([['TO_IN 239.1.1.2'], ['leaving', 'closed'], ['01:00:5e:00:00:01', MAC]]);
  user.close();
  expect(listens()).toEqual(['01:00:5e:00:00:01']);
});

test('a socket that is closed while ipv4 goes says so on the link, and nothing is left', async () => {
  const guard = LeakGuard.watch();
  const user = member();
  await link.net.pass(2000);
  reported();
  const gone = link.host.kernel.unload('ipv4', { cascade: true });
  await link.net.pass(5);
  expect(await hears(user)).toBe(true);
  user.close();
  expect(await link.net.run(gone)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  await link.net.pass(5);
  expect([reported(), listens()]).toEqual([['TO_IN 239.1.1.1'], []]);
  expect(await guard.end()).toEqual([]);
});

test('a member that is no socket’s leaves when the layer goes; one that is aborted stays', async () => {
  const { kernel } = link.host;
  const groups = kernel.contributions(MulticastGroups).items[0]!;
  const membership = groups.join(link.host.device('eth0'), ipv4Words(word(GROUP)), { name: 'test' });
  const user = member();
  await link.net.pass(2000);
  reported();
  const unload = kernel.unload('ipv4', { cascade: true });
  await link.net.pass(5);
  expect(kernel.contributions(MulticastGroups).items).toEqual([]);
  await link.net.run(kernel.abort('ipv4'));
  await link.net.run(unload);
  expect([membership.holdNext === null, await hears(user), reported()]).toEqual([false, true, []]);
  user.close();
  await link.net.run(kernel.unload('ipv4', { cascade: true }));
  await link.net.pass(5);
  expect(reported()).toEqual(['TO_IN 239.1.1.1']);
});

test('the device goes down and comes up: its groups are joined anew', async () => {
  const user = member();
  await link.net.pass(2000);
  reported();
  link.host.down('eth0');
  await link.net.pass(2000);
  link.host.up('eth0');
  await link.net.pass(2000);
  expect([reported(), listens(), await hears(user)]).toEqual([['TO_EX 239.1.1.1', 'TO_EX 239.1.1.1'], ['01:00:5e:00:00:01', MAC], true]);
  user.close();
});

test.each([
  ['netdev', NetdevModule],
  ['wire', WireModule],
] as const)('%s is replaced: devices listen to what they did', async (name, source) => {
  const user = member();
  const { drained } = await link.net.run(link.host.kernel.replace(name, source));
  await link.net.run(drained);
  expect([listens(), await hears(user)]).toEqual([['01:00:5e:00:00:01', MAC], true]);
  user.close();
  expect(listens()).toEqual(['01:00:5e:00:00:01']);
});

test('a hundred times in turn: no membership lost, nothing left', async () => {
  const { kernel } = link.host;
  const user = member();
  for (let i = 0; i < 100; i++) {
    const { drained } = await link.net.run(kernel.replace('ipv4', Ipv4Module, { mode: 'handover' }));
    expect(await link.net.run(drained)).toMatchObject({ leaks: [], faults: [] });
  }
  expect([await hears(user), listens()]).toEqual([true, ['01:00:5e:00:00:01', MAC]]);
  user.close();
});

test('a card that filters hears the groups that are joined, also when its driver or netdev is another', async () => {
  const { net, host } = link;
  const far = await net.host('far');
  const cable = new Cable({ delayUs: 10 });
  await host.addDevice('wire', 'eth1', { cable, filters: true });
  await far.addDevice('wire', 'eth0', { cable });
  for (const [each, device, prefix] of [
    [host, 'eth1', '10.0.1.1/24'],
    [far, 'eth0', '10.0.1.2/24'],
  ] as const) {
    each.up(device);
    each.addAddress(device, prefix);
  }
  far.addRoute('224.0.0.0/4', { dev: 'eth0' });
  const sender = far.open({ family: INET });
  const user = host.open({ family: INET });
  user.bind('0.0.0.0', 6000);
  const heard = async (): Promise<boolean> => {
    await net.run(sender.send(Uint8Array.of(1), GROUP, 6000));
    await net.pass(5);
    return typeof user.tryReceive() !== 'number';
  };
  const filtered = () => host.kernel.dropReasons().find(({ name }) => name === 'wire.filtered')!.count;
  expect([await heard(), filtered()]).toEqual([false, 1]);
  join(user, GROUP, host.device('eth1').ifindex);
  expect(await heard()).toBe(true);
  for (const [name, source] of [
    ['netdev', NetdevModule],
    ['wire', WireModule],
  ] as const) {
    await net.run((await net.run(host.kernel.replace(name, source))).drained);
    expect([name, await heard()]).toEqual([name, true]);
  }
  user.close();
});

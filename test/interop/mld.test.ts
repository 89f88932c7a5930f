import { ADDRESS_FAMILY } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import type { DatagramUser } from '@softnet/testkit';
import { HOST_STACK, NetHost } from '@softnet/testkit';
import { formatMac } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytes, G, groupReq, ints, join, set, sockaddr, source } from '../stack/ipv6/group-values.ts';
import { bridgeGroup } from './linux/bridge-group.ts';
import { GroupListener, sendCommand } from './linux/group-listener.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { tsharkComplaints, tsharkFields } from './linux/tshark.ts';

const { INET6 } = ADDRESS_FAMILY;
const PORT = 5000;
const [LINUX, OURS] = ['fd77::1', 'fd77::2'];

describe.skipIf(skipAloud('MLD with Linux', netnsSkipReason()))('this machine’s Linux as member, sender and querier', () => {
  const device = `snmld${process.pid % 100_000}`;
  let linux: Netns;
  let host: NetHost;
  let ifindex: number;
  const chunks: Uint8Array[] = [];

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'mld' });
    for (const module of [...HOST_STACK, TapModule]) await kernel.load(module);
    host = new NetHost(kernel);
    linux = new Netns('mld');
    ifindex = (await host.addDevice('tap', device, { ifname: device })).ifindex;
    await linux.adopt(device);
    const write = (part: Uint8Array): void => void chunks.push(part.slice());
    kernel.port(Captures).current.start({ device: host.device(device), write, epochUs: Date.now() * 1000 }, { name: 'test' });
    const querier = 'mcast_querier 1 mcast_mld_version 2 mcast_query_interval 100 mcast_startup_query_interval 100';
    const { stderr } = await linux.exec(
      `ip addr flush dev ${device} && ip link add br0 type bridge ${querier} mcast_query_response_interval 30 mcast_last_member_interval 20 && ` +
        `ip link set ${device} master br0 && ip link set br0 addrgenmode none up && ip addr add fe80::1/64 dev br0 nodad && ip addr add ${LINUX}/64 dev br0 nodad`,
    );
    expect(stderr).toBe('');
    host.up(device);
    host.addAddress(device, `${OURS}/64`);
  });
  afterAll(async () => {
    await host?.kernel.shutdown();
    linux?.dispose();
  });

  const open = (): DatagramUser => {
    const user = host.open({ family: INET6 });
    user.sock.flags |= 1;
    user.bind('::', PORT);
    return user;
  };

  const known = (group: string): Promise<string | null> => bridgeGroup(linux, device, group);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test('the querier of a bridge knows who is in which group, for which sources, and when they leave', async () => {
    const user = open();
    join(user, 'ff05::1:1', ifindex);
    await expect.poll(() => known('ff05::1:1'), { timeout: 8000 }).toBe('exclude');
    for (const from of ['fd77::7', 'fd77::8']) expect(set(user, ...source(G.MCAST_JOIN_SOURCE_GROUP, 'ff05::1:2', from, ifindex))).toBe(0);
    await expect.poll(() => known('ff05::1:2'), { timeout: 2000 }).toBe('include fd77::7 fd77::8');
    const filter = bytes(groupReq(ifindex, sockaddr('ff05::1:1')), ints(0, 1), sockaddr('fd77::9'));
    expect(set(user, G.MCAST_MSFILTER, filter)).toBe(0);
    await expect.poll(() => known('ff05::1:1'), { timeout: 2000 }).toBe('exclude fd77::9');
    // General queries come each second, and are answered: it is still there after the querier's own time.
    const heard = (): number => host.kernel.counters().find(({ name }) => name === 'mld-in-msgs')!.value;
    const before = heard();
    await expect.poll(heard, { timeout: 5000 }).toBeGreaterThan(before);
    await sleep(1100);
    expect(await known('ff05::1:1')).toMatch(/^exclude/);
    user.close();
    await expect.poll(() => known('ff05::1:2'), { timeout: 4000 }).toBeNull();
  });

  test('it knows our solicited-node group', async () => {
    await expect.poll(() => known('ff02::1:ff00:2'), { timeout: 3000 }).toBe('exclude');
  });

  test('Linux joins, and hears softnet; by its sources alone where it has some', async () => {
    const [all, some] = await Promise.all([
      GroupListener.join(linux.name, 'ff05::1:3', String(PORT), '::%br0'),
      GroupListener.join(linux.name, 'ff35::1:3', String(PORT), '::%br0', OURS),
    ]);
    const user = host.open({ family: INET6 });
    expect(set(user, G.MULTICAST_IF, ints(ifindex))).toBe(0);
    await user.send(Buffer.from('one'), 'ff05::1:3', PORT);
    await user.send(Buffer.from('two'), 'ff35::1:3', PORT);
    await expect.poll(() => all.lines, { timeout: 2000 }).toContain(`one from ${OURS}`);
    await expect.poll(() => some.lines, { timeout: 2000 }).toContain(`two from ${OURS}`);
    user.close();
    await Promise.all([all.leave(), some.leave()]);
  });

  test('softnet joins, and hears Linux, but not whom it blocks', async () => {
    const [user, deaf] = [open(), open()];
    for (const each of [user, deaf]) join(each, 'ff05::1:4', ifindex);
    expect(set(deaf, ...source(G.MCAST_BLOCK_SOURCE, 'ff05::1:4', LINUX, ifindex))).toBe(0);
    await expect.poll(() => known('ff05::1:4'), { timeout: 2000 }).toBe('exclude');
    await linux.exec(sendCommand('ff05::1:4', PORT, '::%br0', 'hello'));
    const { data, address } = await user.receive();
    expect([Buffer.from(data).toString(), address, typeof deaf.tryReceive()]).toEqual(['hello', LINUX, 'number']);
    for (const each of [user, deaf]) each.close();
  });

  test('a querier of version 1 is spoken to as such: report and done', async () => {
    await linux.exec('ip link set br0 type bridge mcast_mld_version 1 mcast_querier 0 && ip link set br0 type bridge mcast_querier 1');
    await sleep(1200);
    const user = open();
    join(user, 'ff05::1:5', ifindex);
    // Of that version it knows no filters.
    const knows = async (): Promise<boolean> => (await linux.exec('bridge mdb show dev br0')).stdout.includes('ff05::1:5');
    await expect.poll(knows, { timeout: 2000 }).toBe(true);
    user.close();
    await sleep(100);
    const dones = await tsharkFields(Buffer.concat(chunks), 'icmpv6.type == 132', [
      'ipv6.dst',
      'icmpv6.mld.multicast_address',
      'ipv6.hlim',
    ]);
    if (dones !== null) expect(dones).toEqual([['ff02::2', 'ff05::1:5', '1']]);
  });

  test('tshark reads all of it without a complaint, and sees joins, filters and leaves', async ({ skip }) => {
    const capture = Buffer.concat(chunks);
    const reading = await tsharkComplaints(capture);
    if (reading === null) return skip('tshark is not installed');
    expect(reading.complaints).toEqual([]);
    const record = 'icmpv6.mldr.mar';
    const fields = [
      `${record}.record_type`,
      `${record}.multicast_address`,
      `${record}.source_address`,
      'ipv6.dst',
      'ipv6.hlim',
      'ipv6.opt.router_alert',
      'icmpv6.checksum.status',
    ];
    const reports = (await tsharkFields(capture, `icmpv6.type == 143 && eth.src == ${formatMac(host.device(device).address)}`, fields))!;
    expect(new Set(reports.map(([, , , ...rest]) => rest.join()))).toEqual(new Set(['ff02::16,1,0,1']));
    const records = new Set(reports.flatMap(([types, groups]) => types!.split(',').map((type, i) => `${type} ${groups!.split(',')[i]}`)));
    // TO_EX, ALLOW, BLOCK, TO_IN, and what is answered: IS_EX, IS_IN.
    for (const each of ['4 ff05::1:1', '5 ff05::1:2', '6 ff05::1:1', '3 ff05::1:1', '2 ff05::1:1', '1 ff05::1:2']) {
      expect([...records]).toContain(each);
    }
    expect([...records].filter((each) => each.endsWith(' ff02::1') || each.includes(' ff01:'))).toEqual([]);
    const queries = (await tsharkFields(capture, 'icmpv6.type == 130', ['ipv6.plen']))!;
    // Of versions 1 and 2, each behind 8 bytes of options.
    for (const each of ['32', '36']) expect(queries.map(([lenBytes]) => lenBytes)).toContain(each);
  });
});

import { ADDRESS_FAMILY } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import type { DatagramUser } from '@softnet/testkit';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addresses, bytes, G, ints, join, mreqn, set } from '../stack/ipv4/group-values.ts';
import { bridgeGroup } from './linux/bridge-group.ts';
import { GroupListener, sendCommand } from './linux/group-listener.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { tsharkComplaints, tsharkFields } from './linux/tshark.ts';

const { INET } = ADDRESS_FAMILY;
const PORT = 5000;
/** For a machine that is busy. */
const PATIENCE_MS = 10_000;
const [LINUX, OURS] = ['10.77.0.1', '10.77.0.2'];

describe.skipIf(skipAloud('IGMP with Linux', netnsSkipReason()))('this machine’s Linux as member, sender and querier', () => {
  const device = `snigmp${process.pid % 100_000}`;
  let linux: Netns;
  let host: NetHost;
  let ifindex: number;
  const chunks: Uint8Array[] = [];

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'igmp', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule]) await kernel.load(source);
    host = new NetHost(kernel);
    linux = new Netns('igmp');
    ifindex = (await host.addDevice('tap', device, { ifname: device })).ifindex;
    await linux.adopt(device);
    host.up(device);
    host.addAddress(device, `${OURS}/24`);
    host.addRoute('224.0.0.0/4', { dev: device });
    const write = (part: Uint8Array): void => void chunks.push(part.slice());
    kernel.port(Captures).current.start({ device: host.device(device), write, epochUs: Date.now() * 1000 }, { name: 'test' });
    const querier = 'mcast_querier 1 mcast_igmp_version 3 mcast_query_interval 100 mcast_startup_query_interval 100';
    const { stderr } = await linux.exec(
      `ip addr flush dev ${device} && ip link add br0 type bridge ${querier} mcast_query_response_interval 30 mcast_last_member_interval 20 && ` +
        `ip link set ${device} master br0 && ip addr add ${LINUX}/24 dev br0 && ip link set br0 up`,
    );
    expect(stderr).toBe('');
  });
  afterAll(async () => {
    await host?.kernel.shutdown();
    linux?.dispose();
  });

  const open = (): DatagramUser => {
    const user = host.open({ family: INET });
    user.sock.flags |= 1;
    user.bind('0.0.0.0', PORT);
    return user;
  };

  const known = (group: string): Promise<string | null> => bridgeGroup(linux, device, group);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test('the querier of a bridge knows who is in which group, for which sources, and when they leave', async () => {
    const user = open();
    join(user, '239.1.1.1', ifindex);
    await expect.poll(() => known('239.1.1.1'), { timeout: PATIENCE_MS }).toBe('exclude');
    expect(set(user, G.ADD_SOURCE_MEMBERSHIP, addresses('239.1.1.2', OURS, '10.77.0.7'))).toBe(0);
    expect(set(user, G.ADD_SOURCE_MEMBERSHIP, addresses('239.1.1.2', OURS, '10.77.0.8'))).toBe(0);
    await expect.poll(() => known('239.1.1.2'), { timeout: PATIENCE_MS }).toBe('include 10.77.0.7 10.77.0.8');
    expect(set(user, G.MSFILTER, bytes(addresses('239.1.1.1', OURS), ints(0, 1), addresses('10.77.0.9')))).toBe(0);
    await expect.poll(() => known('239.1.1.1'), { timeout: PATIENCE_MS }).toBe('exclude 10.77.0.9');
    // General queries come each second, and are answered: it is still there after the querier's own time.
    await sleep(1100);
    expect(await known('239.1.1.1')).toMatch(/^exclude/);
    user.close();
    await expect.poll(() => known('239.1.1.2'), { timeout: PATIENCE_MS }).toBeNull();
  });

  test('Linux joins, and hears softnet; by its sources alone where it has some', async () => {
    const [all, some] = await Promise.all([
      GroupListener.join(linux.name, '239.1.1.3', String(PORT), LINUX),
      GroupListener.join(linux.name, '232.1.1.3', String(PORT), LINUX, OURS),
    ]);
    const user = host.open({ family: INET });
    await user.send(Buffer.from('one'), '239.1.1.3', PORT);
    await user.send(Buffer.from('two'), '232.1.1.3', PORT);
    await expect.poll(() => all.lines, { timeout: PATIENCE_MS }).toContain(`one from ${OURS}`);
    await expect.poll(() => some.lines, { timeout: PATIENCE_MS }).toContain(`two from ${OURS}`);
    user.close();
    await Promise.all([all.leave(), some.leave()]);
  });

  test('softnet joins, and hears Linux, but not whom it blocks', async () => {
    const [user, deaf] = [open(), open()];
    join(user, '239.1.1.4', ifindex);
    expect(set(deaf, G.ADD_MEMBERSHIP, mreqn('239.1.1.4', ifindex))).toBe(0);
    expect(set(deaf, G.BLOCK_SOURCE, addresses('239.1.1.4', OURS, LINUX))).toBe(0);
    await expect.poll(() => known('239.1.1.4'), { timeout: PATIENCE_MS }).toBe('exclude');
    await linux.exec(sendCommand('239.1.1.4', PORT, LINUX, 'hello'));
    const { data, address } = await user.receive();
    expect([Buffer.from(data).toString(), address, typeof deaf.tryReceive()]).toEqual(['hello', LINUX, 'number']);
    for (const each of [user, deaf]) each.close();
  });

  test('a querier of version 2 is spoken to as such: report and leave', async () => {
    await linux.exec('ip link set br0 type bridge mcast_igmp_version 2 mcast_querier 0 && ip link set br0 type bridge mcast_querier 1');
    await sleep(1200);
    const user = open();
    join(user, '239.1.1.5', ifindex);
    // Of that version it knows no filters.
    const knows = async (): Promise<boolean> => (await linux.exec('bridge mdb show dev br0')).stdout.includes('239.1.1.5');
    await expect.poll(knows, { timeout: PATIENCE_MS }).toBe(true);
    user.close();
    await sleep(100);
    const leaves = await tsharkFields(Buffer.concat(chunks), 'igmp.type == 0x17', ['ip.src', 'ip.dst', 'igmp.maddr', 'ip.ttl']);
    if (leaves !== null) expect(leaves).toEqual([[OURS, '224.0.0.2', '239.1.1.5', '1']]);
  });

  test('tshark reads all of it without a complaint, and sees joins, filters and leaves', async ({ skip }) => {
    const capture = Buffer.concat(chunks);
    const reading = await tsharkComplaints(capture);
    if (reading === null) return skip('tshark is not installed');
    expect(reading.complaints).toEqual([]);
    const fields = ['igmp.record_type', 'igmp.maddr', 'igmp.saddr', 'ip.dst', 'ip.ttl', 'ip.opt.ra', 'igmp.checksum.status'];
    const reports = (await tsharkFields(capture, `igmp.type == 0x22 && ip.src == ${OURS}`, fields))!;
    expect(new Set(reports.map(([, , , ...rest]) => rest.join()))).toEqual(new Set(['224.0.0.22,1,0,1']));
    const records = new Set(reports.flatMap(([types, groups]) => types!.split(',').map((type, i) => `${type} ${groups!.split(',')[i]}`)));
    // TO_EX, ALLOW, BLOCK, TO_IN, and what is answered: IS_EX, IS_IN.
    for (const record of ['4 239.1.1.1', '5 239.1.1.2', '6 239.1.1.1', '3 239.1.1.1', '2 239.1.1.1', '1 239.1.1.2']) {
      expect([...records]).toContain(record);
    }
    expect(new Set(reports.flatMap(([, , sources]) => sources!.split(',')))).toEqual(new Set(['', '10.77.0.7', '10.77.0.8', '10.77.0.9']));
    const queries = (await tsharkFields(capture, 'igmp.type == 0x11', ['igmp.version']))!;
    expect(new Set(queries.map(([version]) => version))).toEqual(new Set(['3', '2']));
  });
});

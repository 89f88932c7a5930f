import { ADDRESS_FAMILY, Devices, NeighbourTable } from '@softnet/contract';
import { QUIET_HOST } from '@softnet/testkit';
import { parseMac } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { TapHost, words } from './linux/tap-host.ts';
import { tsharkComplaints, tsharkFields } from './linux/tshark.ts';
import { until } from './linux/until.ts';

const { INET6 } = ADDRESS_FAMILY;
const NOWHERE = '02:77:00:00:00:99';
/** Shorter than they are by themselves, on both sides: what is INCOMPLETE or PROBE is so for a second at most, DELAY for one. */
const TIMES = Object.freeze({ retrans_time_ms: 330, delay_first_probe_time: 1 });
/** On average. Linux counts one as stale only where it was not used for that delay; so the two would ask one another for ever, were it shorter. */
const REACHABLE_MS = Object.freeze({ softnet: 500, linux: 2200 });

/** Each test has addresses of its own, so that all can run at once. */
const theirAddress = (number: number): string => `fd77::1:${number}`;
const ourAddress = (number: number): string => `fd77::2:${number}`;

/** softnet and Linux meet on eth0, which is fd77::, and on eth1, fd78::. On eth0's link Linux has a second link address, that of mv0. */
describe.skipIf(skipAloud('neighbours of IPv6 with Linux', netnsSkipReason()))('neighbours of IPv6, with this machine’s Linux', () => {
  let softnet: TapHost;
  let linux: Netns;

  beforeAll(async () => {
    softnet = await TapHost.boot('neighbours', { settings: QUIET_HOST });
    linux = new Netns('nd');
    const quiet = ['accept_dad', 'router_solicitations'].map((name) => `net.ipv6.conf.default.${name}=0`);
    await run(`sysctl -qw ${quiet.join(' ')} net.ipv6.conf.all.forwarding=1`);
    for (const device of ['eth0', 'eth1']) {
      await softnet.plug(device, linux);
      for (const [name, value] of Object.entries(TIMES)) {
        softnet.kernel.sysctl.set(`net.ipv6.neigh.${device}.${name}`, value);
        await run(`sysctl -qw net.ipv6.neigh.${device}.${name}=${value}`);
      }
      softnet.kernel.sysctl.set(`net.ipv6.neigh.${device}.base_reachable_time_ms`, REACHABLE_MS.softnet);
      await run(`sysctl -qw net.ipv6.neigh.${device}.base_reachable_time_ms=${REACHABLE_MS.linux}; ip link set ${device} up`);
      softnet.up(device);
    }
    await run('ip link add mv0 link eth0 type macvlan mode bridge && ip link set mv0 up');
    await run('ip addr add fd77::1/64 dev eth0; ip addr add fd78::1/64 dev eth1');
    softnet.addAddress('eth0', 'fd77::2/64');
    softnet.addAddress('eth1', 'fd78::2/64');
  });
  afterAll(async () => {
    await softnet?.kernel.shutdown();
    linux?.dispose();
  });

  async function run(command: string): Promise<string> {
    const { stdout, stderr } = await linux.exec(command);
    if (stderr !== '') throw new Error(`${command}: ${stderr}`);
    return stdout;
  }

  const ours = (address: string) => (): string => softnet.neighbour(address);
  /** Linux's: 'REACHABLE 02:...', with 'router' behind where it says so. */
  const theirs =
    (address: string, device = 'eth0') =>
    async (): Promise<string> => {
      const text = (await run(`ip -6 neigh show ${address} dev ${device}`)).trim();
      return text === '' ? 'none' : text.replace(/^\S+ (?:lladdr (\S+) )?(?:(router|proxy) )?(\w+)$/, '$3 $1').trim();
    };
  const theirMac = async (device: string): Promise<string> => (await run(`cat /sys/class/net/${device}/address`)).trim();
  const give = (number: number): Promise<string> => run(`ip addr add ${theirAddress(number)}/64 dev eth0 nodad`);
  const take = (number: number): Promise<string> => run(`ip addr del ${theirAddress(number)}/64 dev eth0`);
  const giveUs = (number: number): void => softnet.addAddress('eth0', `${ourAddress(number)}/64`);
  const takeUs = (number: number): void => softnet.removeAddress('eth0', `${ourAddress(number)}/64`);
  const ping = (number: number, timeoutMs?: number): Promise<void> => softnet.pingFrom(ourAddress(number), theirAddress(number), timeoutMs);
  /** Linux pings us. What it prints. */
  const pinged = async (number: number): Promise<string> =>
    (await linux.exec(`ping -n -c 1 -W 3 -I ${theirAddress(number)} ${ourAddress(number)}`)).stdout;

  test.concurrent('softnet of Linux: asked for, reachable, stale, used, asked again, reachable', async () => {
    const neighbour = ours(theirAddress(1));
    giveUs(1);
    const answer = ping(1);
    expect(await until(neighbour, /INCOMPLETE/)).toBe('INCOMPLETE');
    await give(1);
    await answer;
    const mac = await theirMac('eth0');
    expect(neighbour()).toBe(`REACHABLE ${mac}`);
    await until(neighbour, /^STALE/);
    await ping(1);
    expect(neighbour()).toBe(`DELAY ${mac}`);
    await until(neighbour, /^REACHABLE/);
  });

  test.concurrent('Linux of softnet: asked for, reachable, stale, used, asked again, reachable', async () => {
    const neighbour = theirs(ourAddress(2));
    await give(2);
    const answer = pinged(2);
    await until(neighbour, /^INCOMPLETE$/);
    giveUs(2);
    expect(await answer).toContain(' 0% packet loss');
    await until(neighbour, new RegExp(`^STALE ${softnet.mac('eth0')}$`));
    expect(await pinged(2)).toContain(' 0% packet loss');
    await until(neighbour, /^DELAY/);
    await until(neighbour, /^REACHABLE/);
  });

  test.concurrent('Linux vanishes, and comes back: probed, failed, asked for anew', async () => {
    const neighbour = ours(theirAddress(3));
    giveUs(3);
    await give(3);
    await ping(3);
    await take(3);
    await until(neighbour, /^STALE/);
    const lost = ping(3, 5000).catch(({ code }: { code: string }) => code);
    await until(neighbour, /^DELAY/);
    await until(neighbour, /^PROBE/);
    await until(neighbour, /^FAILED$/);
    await expect(ping(3)).rejects.toThrow('EHOSTUNREACH');
    await give(3);
    await ping(3);
    // On a busy machine the time of being reachable may be over by now, and it is asked again.
    await until(neighbour, /^REACHABLE/);
    expect(await lost).toMatch(/EHOSTUNREACH|ETIMEDOUT/);
  });

  test.concurrent('softnet vanishes, and comes back: probed, failed, asked for anew', async () => {
    const neighbour = theirs(ourAddress(4));
    giveUs(4);
    await give(4);
    expect(await pinged(4)).toContain(' 0% packet loss');
    takeUs(4);
    await run(`ip neigh change ${ourAddress(4)} lladdr ${softnet.mac('eth0')} dev eth0 nud stale`);
    const lost = pinged(4);
    await until(neighbour, /^DELAY/);
    await until(neighbour, /^PROBE/);
    await until(neighbour, /^FAILED/);
    expect(await lost).toContain('100% packet loss');
    expect(await pinged(4)).toContain('Destination unreachable: Address unreachable');
    giveUs(4);
    expect(await pinged(4)).toContain(' 0% packet loss');
    expect(await neighbour()).toMatch(/^REACHABLE/);
  });

  test.concurrent('who never was there has failed after three questions, on both sides', async () => {
    giveUs(5);
    await give(5);
    const said = linux.exec(`ping -n -c 1 -W 5 -I ${theirAddress(5)} fd77::2:5555`);
    await expect(softnet.pingFrom(ourAddress(5), 'fd77::1:5555')).rejects.toThrow('EHOSTUNREACH');
    expect((await said).stdout).toContain('Destination unreachable: Address unreachable');
    expect([softnet.neighbour('fd77::1:5555'), await theirs('fd77::2:5555')()]).toEqual(['FAILED', 'FAILED']);
  });

  test.concurrent('Linux has another link address, and says so, or not', async () => {
    const neighbour = ours(theirAddress(6));
    giveUs(6);
    await run(`ip addr add ${theirAddress(6)}/128 dev mv0 nodad`);
    await ping(6);
    // It tells all: an unsolicited advertisement.
    await run('sysctl -qw net.ipv6.conf.mv0.ndisc_notify=1; ip link set mv0 address 02:77:00:00:00:61');
    await until(neighbour, /02:77:00:00:00:61/);
    expect(neighbour()).toBe('STALE 02:77:00:00:00:61');
    await ping(6);
    await run('sysctl -qw net.ipv6.conf.mv0.ndisc_notify=0; ip link set mv0 address 02:77:00:00:00:62');
    await expect(ping(6, 300)).rejects.toThrow('ETIMEDOUT');
    await until(neighbour, /^PROBE 02:77:00:00:00:61$/);
    await until(neighbour, /^FAILED$/);
    await ping(6);
    expect(neighbour()).toBe('REACHABLE 02:77:00:00:00:62');
  });

  test.concurrent('softnet has another link address, and says so, or not', async () => {
    const neighbour = theirs('fd78::2', 'eth1');
    const { sysctl } = softnet.kernel;
    const setMac = (mac: string): void => softnet.kernel.port(Devices).current.setAddress(softnet.device('eth1'), parseMac(mac)!);
    const asked = async (): Promise<string> => (await linux.exec('ping -n -c 1 -W 1 fd78::2')).stdout;
    expect(await asked()).toContain(' 0% packet loss');
    sysctl.set('net.ipv6.conf.eth1.ndisc_notify', 1);
    setMac('02:77:00:00:00:71');
    expect(await until(neighbour, /02:77:00:00:00:71/)).toMatch(/^STALE/);
    expect(await asked()).toContain(' 0% packet loss');
    sysctl.set('net.ipv6.conf.eth1.ndisc_notify', 0);
    setMac('02:77:00:00:00:72');
    expect(await asked()).toContain('100% packet loss');
    await until(neighbour, /^PROBE 02:77:00:00:00:71/);
    await until(neighbour, /^FAILED/);
    expect(await asked()).toContain(' 0% packet loss');
    expect(await neighbour()).toBe('REACHABLE 02:77:00:00:00:72');
  });

  test.concurrent('each answers for others, where it is told to', async () => {
    await run('sysctl -qw net.ipv6.conf.eth0.proxy_ndp=1 net.ipv6.neigh.eth0.proxy_delay=0; ip neigh add proxy fd77::1:8888 dev eth0');
    giveUs(8);
    await softnet.pingFrom(ourAddress(8), 'fd77::1:8888', 200).catch(() => undefined);
    expect(softnet.neighbour('fd77::1:8888')).toMatch(new RegExp(` ${await theirMac('eth0')}$`));
    for (const name of ['forwarding', 'proxy_ndp']) softnet.kernel.sysctl.set(`net.ipv6.conf.eth0.${name}`, 1);
    softnet.kernel.sysctl.set('net.ipv6.neigh.default.proxy_delay', 0);
    softnet.addProxy('eth0', 'fd77::2:8888');
    await linux.exec('ping -n -c 1 -W 1 fd77::2:8888');
    await until(theirs('fd77::2:8888'), new RegExp(` ${softnet.mac('eth0')}$`));
  });

  test.concurrent('set by hand, to nowhere and back', async () => {
    const { current: table } = softnet.kernel.port(NeighbourTable);
    const [device, address] = [softnet.device('eth0'), words(theirAddress(9))];
    giveUs(9);
    await give(9);
    table.set(device, INET6, address, parseMac(NOWHERE)!);
    await expect(ping(9, 200)).rejects.toThrow('ETIMEDOUT');
    table.remove(device, INET6, address);
    await ping(9);
    await run(`ip neigh replace ${ourAddress(9)} lladdr ${NOWHERE} dev eth0 nud permanent`);
    await expect(ping(9, 200)).rejects.toThrow('ETIMEDOUT');
    await run(`ip neigh del ${ourAddress(9)} dev eth0`);
    expect(await pinged(9)).toContain(' 0% packet loss');
  });

  test('tshark finds no fault in what was said, and sees who was asked how', async ({ skip }) => {
    const { capture } = softnet;
    const reading = await tsharkComplaints(capture);
    if (reading === null) return skip('tshark is not installed');
    expect(reading).toEqual({ packets: expect.any(Number), complaints: [] });
    // What softnet drops is in the capture twice, the second time with the reason as a comment.
    const all = await tsharkFields(capture, 'icmpv6.type == 135 && !frame.comment', [
      'icmpv6.nd.ns.target_address',
      'ipv6.dst',
      'ipv6.hlim',
    ]);
    // But for those that Linux, which is a router too, quotes: it would have had them sent elsewhere.
    const fields = all!.filter(([, to]) => !to!.includes(','));
    const asked = (address: string): string[] => {
      const all = fields.filter(([target]) => target === address).map(([, to]) => (to === address ? 'one' : to!));
      return [...new Set(all)];
    };
    for (const [address, last] of [
      [theirAddress(1), '1'],
      [ourAddress(2), '2'],
      [theirAddress(3), '3'],
      [ourAddress(4), '4'],
    ] as const) {
      const group = `ff02::1:ff0${address.split(':')[2]}:${last}`;
      expect(new Set(asked(address)), address).toEqual(new Set([group, 'one']));
    }
    for (const address of ['fd77::1:5555', 'fd77::2:5555']) {
      expect(fields.filter(([target]) => target === address).length, address).toBe(3);
      expect(asked(address)).toEqual([`ff02::1:ff0${address.split(':')[2]}:5555`]);
    }
    expect(new Set(fields.map(([, , hopLimit]) => hopLimit))).toEqual(new Set(['255']));
  });
});

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ADDRESS_FLAG, Devices, NetworkLayer } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { formatMac, parseIpv4, parseMac } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { tsharkComplaints } from './linux/tshark.ts';

const INET = 2;
const PROBE = fileURLToPath(new URL('linux/arp-probe.py', import.meta.url));
const OTHER_MAC = '02:77:00:00:00:51';

/**
 * softnet has eth0 at 10.77.0.2, on a link with Linux at 10.77.0.1, and eth1 at 10.77.5.1, behind which is Linux at 10.77.5.9. The first Linux
 * believes that the second is on its link.
 */
describe.skipIf(skipAloud('addresses with Linux', netnsSkipReason()))('addresses, with this machine’s Linux', () => {
  const tag = `sna${process.pid % 100_000}`;
  const chunks: Uint8Array[] = [];
  let host: NetHost;
  let linux: Netns;
  let behind: Netns;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'addresses', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule]) await kernel.load(source);
    host = new NetHost(kernel);
    linux = new Netns('addr-a');
    behind = new Netns('addr-b');
    for (const [device, to] of [
      ['eth0', linux],
      ['eth1', behind],
    ] as const) {
      await host.addDevice('tap', device, { ifname: `${tag}${device}`, vnetHeader: false });
      execFileSync('ip', ['link', 'set', `${tag}${device}`, 'netns', to.name, 'name', 'eth0']);
    }
    const quiet = 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1';
    await linux.exec(`${quiet}; ip addr add 10.77.0.1/24 dev eth0; ip link set eth0 up; ip route add 10.77.5.0/24 dev eth0`);
    await behind.exec(`${quiet}; ip addr add 10.77.5.9/24 dev eth0; ip link set eth0 up; ip route add default via 10.77.5.1`);
    host.up('eth0');
    host.up('eth1');
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    kernel.port(Captures).current.start({ device: host.device('eth0'), write, epochUs: Date.now() * 1000 }, { name: 'test' });
    host.addAddress('eth0', '10.77.0.2/24');
    host.addAddress('eth1', '10.77.5.1/24');
    kernel.sysctl.set('net.ipv4.conf.eth0.acd', 2);
    // One that nobody has: it takes four to seven seconds until that is known.
    host.addAddress('eth0', '10.77.0.50/24');
  }, 20_000);
  afterAll(async () => {
    await host?.kernel.shutdown();
    linux?.dispose();
    behind?.dispose();
  });

  const flagsOf = (address: string): number => {
    const layer = host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET)!;
    return [...layer.addresses].find((entry) => entry.address[3] === parseIpv4(address))!.flags;
  };
  const pings = async (from: Netns, address: string): Promise<number> => (await from.exec(`ping -c 1 -W 10 ${address}`)).code;
  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + 9000; !(await holds()); ) {
      if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const neighbour = async (address: string): Promise<string> => (await linux.exec(`ip neigh show ${address} dev eth0`)).stdout;

  test('one that Linux has is probed for, and not taken', async () => {
    host.addAddress('eth0', '10.77.0.1/24');
    expect(flagsOf('10.77.0.1') & ADDRESS_FLAG.TENTATIVE).not.toBe(0);
    await until('the conflict', () => (flagsOf('10.77.0.1') & ADDRESS_FLAG.DAD_FAILED) !== 0);
    expect(await pings(linux, '10.77.0.2')).toBe(0);
    host.removeAddress('eth0', '10.77.0.1/24');
  });

  test('the second of a subnet is answered for', async () => {
    for (const last of [3, 4]) host.addAddress('eth0', `10.77.0.${last}/24`, { flags: ADDRESS_FLAG.NODAD });
    expect(flagsOf('10.77.0.4') & ADDRESS_FLAG.SECONDARY).not.toBe(0);
    for (const last of [3, 4]) expect(await pings(linux, `10.77.0.${last}`)).toBe(0);
  });

  test('whoever probes for ours is answered, for another not', async ({ skip }) => {
    const program = `python3 ${PROBE}`;
    if ((await linux.exec('python3 -c pass')).code !== 0) return skip('python3 is not installed: nobody probes for our address');
    expect((await linux.exec(`${program} eth0 10.77.0.2 2`)).stdout.trim()).toBe(formatMac(host.device('eth0').address));
    expect((await linux.exec(`${program} eth0 10.77.0.99 0.2`)).stdout.trim()).toMatch(/^(nobody)?$/);
  });

  test('a host behind us is reached by proxy ARP', async () => {
    host.kernel.sysctl.set('net.ipv4.ip_forward', true);
    host.kernel.sysctl.set('net.ipv4.conf.eth0.proxy_arp', 1);
    host.kernel.sysctl.set('net.ipv4.neigh.default.proxy_delay', 5);
    await linux.exec('ip neigh flush all');
    expect(await pings(linux, '10.77.5.9')).toBe(0);
    expect(await neighbour('10.77.5.9')).toContain(formatMac(host.device('eth0').address));
  });

  test('one that nobody has is ours after all, and Linux hears of it', async () => {
    await until('the claim', () => (flagsOf('10.77.0.50') & ADDRESS_FLAG.TENTATIVE) === 0);
    expect(await pings(linux, '10.77.0.50')).toBe(0);
  });

  test('Linux is told of another link address (arp_notify)', async () => {
    host.kernel.sysctl.set('net.ipv4.conf.eth0.arp_notify', 1);
    expect(await pings(linux, '10.77.0.2')).toBe(0);
    host.kernel.port(Devices).current.setAddress(host.device('eth0'), parseMac(OTHER_MAC)!);
    await until('the new neighbour', async () => (await neighbour('10.77.0.2')).includes(OTHER_MAC));
    expect(await pings(linux, '10.77.0.2')).toBe(0);
  });

  test('tshark finds nothing wrong with what was said', async ({ skip }) => {
    const reading = await tsharkComplaints(Buffer.concat(chunks));
    if (reading === null) return skip('tshark is not installed: nobody has read the capture');
    expect(reading.packets).toBeGreaterThan(30);
    // The conflict that there was, it has seen too.
    expect(reading.complaints.filter((line) => !/duplicate use of 10\.77\.0\.\d+ detected/.test(line))).toEqual([]);
  });
});

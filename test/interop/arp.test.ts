import { ADDRESS_FAMILY, NEIGHBOUR_STATE, Neighbours, NeighbourTable, SOCK_FLAG } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import type { Capture } from '@softnet/nic-driver';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { formatIpv4, formatMac, ipv4Words, parseIpv4, parseMac } from '@softnet/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { tsharkFields } from './linux/tshark.ts';

const { INET } = ADDRESS_FAMILY;
const OURS = '10.77.0.2';
const THEIRS = '10.77.0.1';
const OTHER_MAC = '02:77:00:00:00:99';

/** Shorter than they are by themselves, on both sides. */
const TIMES = Object.freeze({ retrans_time_ms: 200, delay_first_probe_time: 1 });

describe.skipIf(skipAloud('ARP with Linux through TAP', netnsSkipReason()))('ARP with this machine’s Linux, through TAP', () => {
  const device = `snarp${process.pid % 100_000}`;
  let chunks: Uint8Array[] = [];
  let capture: Capture | undefined;
  let host: NetHost;
  let linux: Netns;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'arp', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule, UdpEchoModule]) await kernel.load(source);
    host = new NetHost(kernel);
    linux = new Netns('arp');
    await host.addDevice('tap', device, { ifname: device });
    await linux.adopt(device);
    host.up(device);
    host.addAddress(device, `${OURS}/24`);
    for (const [name, value] of Object.entries(TIMES)) {
      kernel.sysctl.set(`net.ipv4.neigh.${device}.${name}`, value);
      await linux.exec(`sysctl -qw net.ipv4.neigh.${device}.${name}=${value}`);
    }
    kernel.sysctl.set(`net.ipv4.neigh.${device}.base_reachable_time_ms`, 400);
  });
  afterAll(async () => {
    await host?.kernel.shutdown();
    linux?.dispose();
  });
  beforeEach(async () => {
    await linux.exec(`ip neigh flush all; ip neigh del ${OURS} dev ${device}`);
    const { current: table } = host.kernel.port(NeighbourTable);
    for (const { address3 } of host.kernel.port(Neighbours).current.entries(INET)) {
      if (formatIpv4(address3).startsWith('10.77.0.')) table.remove(host.device(device), INET, ipv4Words(address3));
    }
    listen();
  });

  /** Captures anew. */
  function listen(): void {
    capture?.close();
    chunks = [];
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    const spec = { device: host.device(device), write, epochUs: Date.now() * 1000 };
    capture = host.kernel.port(Captures).current.start(spec, { name: 'test' });
  }

  /** softnet's entry: 'REACHABLE 02:...'. */
  function ours(address: string): string {
    const found = host.kernel
      .port(Neighbours)
      .current.entries(INET)
      .find(({ address3 }) => address3 === parseIpv4(address));
    if (found === undefined) return 'none';
    const state = Object.entries(NEIGHBOUR_STATE).find(([, number]) => number === found.state)![0];
    return found.linkAddress.some((byte) => byte !== 0) ? `${state} ${formatMac(found.linkAddress)}` : state;
  }

  /** Linux's. */
  async function theirs(address: string): Promise<string> {
    const { stdout } = await linux.exec(`ip neigh show ${address} dev ${device}`);
    return stdout.trim().replace(/^\S+ (?:lladdr (\S+) )?(\w+)$/, (_, mac, state) => (mac === undefined ? state : `${state} ${mac}`));
  }

  const theirMac = async (): Promise<string> => (await linux.exec(`cat /sys/class/net/${device}/address`)).stdout.trim();
  const ourMac = (): string => formatMac(host.device(device).address);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const answers = (address: string): Promise<boolean> => linux.exec(`ping -c 1 -W 10 ${address}`).then(({ code }) => code === 0);

  async function until(what: () => string | Promise<string>, is: RegExp, ms = 3000): Promise<string> {
    for (let waited = 0; ; waited += 20) {
      const said = await what();
      if (is.test(said)) return said;
      if (waited > ms) throw new Error(`it is '${said}' after ${ms} ms, not ${is}`);
      await pause(20);
    }
  }

  /** Requests in the capture: 'ours to all for 10.77.0.1', 'theirs to one for 10.77.0.2'. */
  async function requests(): Promise<string[] | null> {
    const fields = await tsharkFields(Buffer.concat(chunks), 'arp.opcode == 1', ['eth.src', 'eth.dst', 'arp.dst.proto_ipv4']);
    return (
      fields?.map(([from, to, target]) => {
        const all = to === 'ff:ff:ff:ff:ff:ff' ? 'all' : 'one';
        return `${from === ourMac() ? 'ours' : 'theirs'} to ${all} for ${target}`;
      }) ?? null
    );
  }

  test('each asks for the other, and both know one another then', async ({ skip }) => {
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    expect(ours(THEIRS)).toBe(`REACHABLE ${await theirMac()}`);
    expect(await theirs(OURS)).toMatch(new RegExp(`^(REACHABLE|STALE|DELAY) ${ourMac()}$`));
    const first = await requests();
    if (first === null) return skip('tshark is not installed');
    expect(first[0]).toBe(`ours to all for ${THEIRS}`);
    host.kernel.port(NeighbourTable).current.remove(host.device(device), INET, ipv4Words(parseIpv4(THEIRS)!));
    await linux.exec(`ip neigh del ${OURS} dev ${device}`);
    listen();
    expect(await answers(OURS)).toBe(true);
    const second = await requests();
    expect(second).toContain(`theirs to all for ${OURS}`);
    // Who asks is known, so that the answer need not ask.
    expect(second).not.toContain(`ours to all for ${THEIRS}`);
    expect(ours(THEIRS)).not.toBe('none');
  });

  test('who does not answer has failed: both sides are told', async () => {
    const user = host.open();
    user.connect('10.77.0.98', 7);
    user.sock.flags |= SOCK_FLAG.RECVERR;
    await user.send(Uint8Array.of(1));
    await expect(user.receive()).rejects.toThrow('EHOSTUNREACH');
    user.close();
    await expect(host.ping('10.77.0.97', { timeoutMs: 10_000 })).rejects.toThrow('EHOSTUNREACH');
    expect([ours('10.77.0.98'), ours('10.77.0.97')]).toEqual(['FAILED', 'FAILED']);
    const asked = (await requests())?.filter((each) => each === 'ours to all for 10.77.0.98');
    if (asked !== undefined) expect(asked).toHaveLength(3);
    const { stdout } = await linux.exec('ping -c 1 -W 10 10.77.0.96');
    expect(stdout).toContain('Destination Host Unreachable');
  });

  test('stale, used, asked again by unicast, reachable again: softnet of Linux, and Linux of softnet', async ({ skip }) => {
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    // Nothing confirms a ping.
    await until(() => ours(THEIRS), /^STALE/);
    await linux.exec(`ip neigh replace ${OURS} lladdr ${ourMac()} dev ${device} nud stale`);
    listen();
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    expect(ours(THEIRS)).toMatch(/^DELAY/);
    await until(() => theirs(OURS), /^DELAY/);
    await until(() => ours(THEIRS), /^REACHABLE/);
    await until(() => theirs(OURS), /^REACHABLE/);
    const seen = await requests();
    if (seen === null) return skip('tshark is not installed');
    // More than once, where this machine is busy.
    expect([...new Set(seen)].sort()).toEqual([`ours to one for ${THEIRS}`, `theirs to one for ${OURS}`]);
  });

  test('Linux goes away: probed by unicast, then it has failed; comes back, and is found', async () => {
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    await until(() => ours(THEIRS), /^STALE/);
    await linux.exec(`ip link set ${device} arp off`);
    await host.ping(THEIRS, { timeoutMs: 500 }).catch(() => undefined);
    await until(() => ours(THEIRS), /^PROBE/);
    await until(() => ours(THEIRS), /^FAILED$/);
    await linux.exec(`ip link set ${device} arp on`);
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    expect(ours(THEIRS)).toMatch(/^REACHABLE/);
  });

  test('Linux has another link address: its gratuitous ARP is heard, and traffic goes on', async () => {
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    const before = await theirMac();
    await linux.exec(`sysctl -qw net.ipv4.conf.${device}.arp_notify=1; ip link set ${device} address ${OTHER_MAC}`);
    await until(() => ours(THEIRS), new RegExp(OTHER_MAC));
    expect(ours(THEIRS)).toBe(`STALE ${OTHER_MAC}`);
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    await linux.exec(`sysctl -qw net.ipv4.conf.${device}.arp_notify=0; ip link set ${device} address ${before}`);
    expect(await answers(OURS)).toBe(true);
  });

  test('set by hand, to nowhere and back', async () => {
    const { current: table } = host.kernel.port(NeighbourTable);
    const address = ipv4Words(parseIpv4(THEIRS)!);
    table.set(host.device(device), INET, address, parseMac(OTHER_MAC)!);
    await expect(host.ping(THEIRS, { timeoutMs: 200 })).rejects.toThrow('ETIMEDOUT');
    table.remove(host.device(device), INET, address);
    await host.ping(THEIRS, { timeoutMs: 10_000 });
    await linux.exec(`ip neigh replace ${OURS} lladdr ${OTHER_MAC} dev ${device} nud permanent`);
    await expect(host.ping(THEIRS, { timeoutMs: 200 })).rejects.toThrow('ETIMEDOUT');
    await linux.exec(`ip neigh del ${OURS} dev ${device}`);
    expect(await answers(OURS)).toBe(true);
  });

  test('what waits comes in order; of too many the youngest', async () => {
    const end = await linux.serve(7007);
    const { sysctl } = host.kernel;
    const user = host.open();
    user.connect(THEIRS, 7007);
    try {
      for (const [limit, from] of [
        [101, 0],
        [5, 15],
      ] as const) {
        sysctl.set(`net.ipv4.neigh.${device}.unres_qlen`, limit);
        if (ours(THEIRS) !== 'none') {
          host.kernel.port(NeighbourTable).current.remove(host.device(device), INET, ipv4Words(parseIpv4(THEIRS)!));
        }
        await Promise.all(Array.from({ length: 20 }, (_, number) => user.send(Uint8Array.of(number))));
        const came: number[] = [];
        for (let number = from; number < 20; number++) came.push((await user.receive()).data[0]!);
        expect(came).toEqual(Array.from({ length: 20 - from }, (_, at) => from + at));
      }
    } finally {
      sysctl.set(`net.ipv4.neigh.${device}.unres_qlen`, 101);
      user.close();
      end();
    }
  });

  test('Linux answers for another: his link address is Linux’s', async () => {
    await linux.exec(
      `sysctl -qw net.ipv4.ip_forward=1 net.ipv4.neigh.${device}.proxy_delay=0; ip route add 10.77.0.60 dev lo; ip neigh add proxy 10.77.0.60 dev ${device}`,
    );
    const mac = await theirMac();
    const unanswered = host.ping('10.77.0.60', { timeoutMs: 300 }).catch(() => undefined);
    await until(() => ours('10.77.0.60'), new RegExp(`^REACHABLE ${mac}$`));
    await unanswered;
    await linux.exec(`sysctl -qw net.ipv4.ip_forward=0; ip neigh del proxy 10.77.0.60 dev ${device}`);
  });

  test('softnet answers for another, where it is told to', async () => {
    const { current: table } = host.kernel.port(NeighbourTable);
    const address = ipv4Words(parseIpv4('10.77.0.61')!);
    host.kernel.sysctl.set('net.ipv4.ip_forward', true);
    host.kernel.sysctl.set('net.ipv4.neigh.default.proxy_delay', 0);
    table.addProxy(host.device(device), INET, address);
    host.addRoute('10.77.0.61/32', { dev: 'lo' });
    await linux.exec('ping -c 1 -W 1 10.77.0.61');
    await until(() => theirs('10.77.0.61'), new RegExp(` ${ourMac()}$`));
    host.removeRoute('10.77.0.61/32', { dev: 'lo' });
    table.removeProxy(host.device(device), INET, address);
    host.kernel.sysctl.set('net.ipv4.ip_forward', false);
  });
});

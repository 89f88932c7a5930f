import { execFileSync } from 'node:child_process';
import { Devices, ROUTE_TYPE, Route, RouteTables } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import type { DatagramUser } from '@softnet/testkit';
import { HOST_STACK, NetHost, QUIET_HOST, Tracer } from '@softnet/testkit';
import { parseIpv4 } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { tsharkComplaints } from './linux/tshark.ts';

const INET = 2;
/** Where the router of Linux has a route that says nothing. */
const BLACKHOLE = '198.51.100.129';
const QUIET =
  'sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0';

/**
 * softnet has eth0 at 10.91.0.2 and eth1 at 10.92.0.1. On eth0's link are two namespaces of Linux: a router at 10.91.0.1, which has a link of 1,000
 * bytes to a server at 10.91.1.2, and a host at 10.91.0.3, which is 10.91.9.1 too. Behind eth1 is 10.92.0.2.
 */
describe.skipIf(skipAloud('ICMP with Linux', netnsSkipReason()))('ICMP, with this machine’s Linux on both sides', () => {
  const tag = `sni${process.pid % 100_000}`;
  const chunks: Uint8Array[] = [];
  let host: NetHost;
  let router: Netns;
  let neighbour: Netns;
  let server: Netns;
  let behind: Netns;
  let ends: (() => void)[] = [];

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'icmp', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule]) await kernel.load(source);
    host = new NetHost(kernel);
    [router, neighbour, server, behind] = ['r', 'n', 's', 'b'].map((name) => new Netns(`icmp-${name}`)) as [Netns, Netns, Netns, Netns];
    for (const [device, to] of [
      ['eth0', router],
      ['eth1', behind],
    ] as const) {
      // With checksums written: Linux quotes what it was left to finish as it came, and tshark warns of that.
      await host.addDevice('tap', device, { ifname: `${tag}${device}`, vnetHeader: false });
      execFileSync('ip', ['link', 'set', `${tag}${device}`, 'netns', to.name]);
    }
    await layOut();
    for (const [device, prefix] of [
      ['eth0', '10.91.0.2/24'],
      ['eth1', '10.92.0.1/24'],
    ] as const) {
      host.up(device);
      host.addAddress(device, prefix);
    }
    host.addRoute('default', { via: '10.91.0.1' });
    ends = [await server.serve(7007)];
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    kernel.port(Captures).current.start({ device: host.device('eth0'), write, epochUs: Date.now() * 1000 }, { name: 'test' });
  }, 20_000);
  afterAll(async () => {
    for (const end of ends) end();
    await host?.kernel.shutdown();
    for (const each of [router, neighbour, server, behind]) each?.dispose();
  });

  async function layOut(): Promise<void> {
    const scripts: [Netns, string][] = [
      [
        router,
        `${QUIET}; ip link add br0 type bridge forward_delay 0; ip link set ${tag}eth0 master br0 up; ip link set br0 up; ip addr add 10.91.0.1/24 dev br0
        ip link add vn type veth peer name eth0 netns ${neighbour.name}; ip link set vn master br0 up
        ip link add vs mtu 1000 type veth peer name eth0 mtu 1000 netns ${server.name}; ip link set vs up; ip addr add 10.91.1.1/24 dev vs
        ip addr add 10.91.8.1/32 dev lo; ip route add 10.91.9.0/24 via 10.91.0.3; ip route add 10.92.0.0/24 via 10.91.0.2; ip route add 203.0.113.0/24 via 10.91.0.2
        ip route add unreachable 198.51.100.0/26; ip route add prohibit 198.51.100.64/26; ip route add blackhole 198.51.100.128/26
        sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.br0.send_redirects=1 net.ipv4.icmp_ratelimit=0`,
      ],
      [
        neighbour,
        `${QUIET}; ip link set eth0 up; ip addr add 10.91.0.3/24 dev eth0; ip addr add 10.91.9.1/32 dev lo; ip route add 10.91.8.0/24 via 10.91.0.2
        sysctl -qw net.ipv4.conf.all.accept_redirects=1 net.ipv4.conf.eth0.accept_redirects=1`,
      ],
      [server, `${QUIET}; ip link set eth0 up; ip addr add 10.91.1.2/24 dev eth0; ip route add default via 10.91.1.1`],
      [behind, `${QUIET}; ip link set ${tag}eth1 up; ip addr add 10.92.0.2/24 dev ${tag}eth1; ip route add default via 10.92.0.1`],
    ];
    for (const [where, script] of scripts) {
      const { stderr } = await where.exec(script);
      if (stderr !== '') throw new Error(stderr);
    }
  }

  const set = (name: string, value: number | boolean): void => host.kernel.sysctl.set(`net.ipv4.${name}`, value);
  const option = (user: DatagramUser, name: number, value: number): number =>
    user.sock.ops.calls!.setOption(user.sock, 0, name, Uint8Array.of(value, 0, 0, 0));
  /** For what is to come; and for what is not. */
  const [PATIENCE_MS, MOMENT_MS] = [10_000, 150] as const;
  const late = <T>(value: T, ms: number = MOMENT_MS): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));
  const pinged = async (from: Netns, words: string): Promise<string> => (await from.exec(`ping -n -W 5 ${words}`)).stdout;

  test('softnet learns that its path is narrow from Linux: what is too long is refused, what fits arrives', async () => {
    const user = host.open({ family: INET });
    option(user, 10, 2);
    user.connect('10.91.1.2', 7007);
    await user.send(new Uint8Array(1400));
    await expect(user.receive()).rejects.toMatchObject({ code: 'EMSGSIZE' });
    expect(user.trySend(new Uint8Array(973))).toBe(-90);
    const mtu = new Uint8Array(4);
    user.sock.ops.calls!.getOption(user.sock, 0, 14, mtu);
    expect(mtu[0]! | (mtu[1]! << 8)).toBe(1000);
    await user.send(new Uint8Array(972));
    expect((await user.receive()).data.length).toBe(972);
    user.close();
  });

  test('what Linux says of where a packet cannot go reaches sockets with its errno', async () => {
    const told: Record<string, string | null> = {};
    for (const address of ['192.0.2.1', '198.51.100.1', '198.51.100.65', BLACKHOLE, '10.91.1.2']) {
      const user = host.open({ family: INET });
      option(user, 11, 1);
      user.connect(address, 4711);
      await user.send(Uint8Array.of(1));
      const answer = user.receive().then(
        () => 'an answer',
        (error: { code: string }) => error.code,
      );
      told[address] = await Promise.race([answer, late(null, address === BLACKHOLE ? MOMENT_MS : PATIENCE_MS)]);
      user.close();
    }
    expect(told).toEqual({
      '192.0.2.1': 'ENETUNREACH',
      '198.51.100.1': 'EHOSTUNREACH',
      '198.51.100.65': 'EHOSTUNREACH',
      [BLACKHOLE]: null,
      '10.91.1.2': 'ECONNREFUSED',
    });
  });

  test('softnet traces a route through Linux', async () => {
    for (const echo of [false, true]) {
      const tracer = new Tracer(host.kernel, { family: INET, echo });
      const hops = [1, 2].map((hop) => () => tracer.probe('10.91.1.2', hop, 1000));
      const answers = [];
      for (const hop of hops) answers.push(await hop());
      expect(answers.map((answer) => answer?.address)).toEqual(['10.91.0.1', '10.91.1.2']);
      tracer.close();
    }
  });

  test('softnet follows a redirect of Linux', async () => {
    const user = host.open({ family: INET });
    user.connect('10.91.9.1', 9);
    option(user, 2, 1);
    // With a single hop to live, nothing passes the router.
    await user.send(Uint8Array.of(1));
    const answer = user.receive().catch((error: { code: string }) => error.code);
    expect(await Promise.race([answer, late('nothing')])).toBe('nothing');
    option(user, 2, 64);
    await user.send(Uint8Array.of(1));
    const redirected = () =>
      host.kernel
        .port(Route)
        .current.exceptions(INET)
        .filter(({ gateway }) => gateway !== null);
    await expect.poll(() => redirected().length, { timeout: PATIENCE_MS }).toBe(1);
    // This packet arrived all the same, by the long way.
    expect(await answer).toBe('ECONNREFUSED');
    const known = redirected();
    expect(known).toMatchObject([
      { destination: [0, 0, 0xffff, parseIpv4('10.91.9.1')], gateway: { address: [0, 0, 0xffff, parseIpv4('10.91.0.3')] } },
    ]);
    option(user, 2, 1);
    await user.send(Uint8Array.of(1));
    await expect(user.receive()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    user.close();
  });

  test('Linux follows a redirect of softnet', async () => {
    set('ip_forward', true);
    host.addRoute('10.91.8.0/24', { via: '10.91.0.1' });
    const text = await pinged(neighbour, '-c 3 -i 0.2 10.91.8.1');
    expect(text).toMatch(/3 received/);
    expect(text).toMatch(/From 10\.91\.0\.2.*Redirect Host.*10\.91\.0\.1/);
    expect((await neighbour.exec('ip route get 10.91.8.1')).stdout).toMatch(/via 10\.91\.0\.1 .*\n.*redirected/);
  });

  test('Linux hears of softnet that a packet has died, and traces a route through it', async () => {
    set('ip_forward', true);
    expect(await pinged(router, '-c 1 -t 1 10.92.0.2')).toMatch(/From 10\.91\.0\.2 icmp_seq=1 Time to live exceeded/);
    const { code, stdout } = await router.exec('traceroute -n -q 1 -w 3 10.92.0.2');
    if (code === 127) console.warn('skipped: traceroute of Linux: it is not installed');
    else expect(stdout).toMatch(/ 1 {2}10\.91\.0\.2 .*\n 2 {2}10\.92\.0\.2 /);
  });

  test('Linux hears of softnet where packets cannot go, and its sockets get the errno', async () => {
    set('ip_forward', true);
    host.removeRoute('default', { via: '10.91.0.1' });
    const table = host.kernel.port(RouteTables).current;
    for (const [last, type] of [
      [0, ROUTE_TYPE.UNREACHABLE],
      [64, ROUTE_TYPE.PROHIBIT],
      [128, ROUTE_TYPE.BLACKHOLE],
    ] as const) {
      table.add({
        family: INET,
        prefix: [0, 0, 0xffff, (parseIpv4('203.0.113.0')! + last) | 0],
        prefixLen: 26,
        type,
        source: 4,
        nextHops: [],
      });
    }
    set('icmp_ratelimit', 0);
    const said = await Promise.all([1, 65, 129, 193].map((last) => pinged(router, `-c 1 203.0.113.${last}`)));
    expect(said.map((text) => /From 10\.91\.0\.2 icmp_seq=1 (.*)/.exec(text)?.[1])).toEqual([
      'Destination Host Unreachable',
      'Packet filtered',
      undefined,
      'Destination Net Unreachable',
    ]);
    expect(await router.exchange('203.0.113.65', 9, [10])).toEqual([expect.stringMatching(/EHOSTUNREACH/)]);
    expect(await router.exchange('10.92.0.1', 4711, [10])).toEqual([expect.stringMatching(/ECONNREFUSED/)]);
  });

  test('Linux learns from softnet that a path is narrow', async () => {
    set('ip_forward', true);
    host.kernel.port(Devices).current.setMtu(host.device('eth1'), 1000);
    expect(await pinged(router, '-c 1 -M do -s 1300 10.92.0.2')).toMatch(
      /From 10\.91\.0\.2 icmp_seq=1 Frag needed and DF set \(mtu = 1000\)/,
    );
    expect((await router.exec('ip route get 10.92.0.2')).stdout).toMatch(/mtu 1000/);
    expect(await pinged(router, '-c 1 -M do -s 972 10.92.0.2')).toMatch(/1 received/);
  });

  test('a capture of all this is read by tshark without a complaint', async ({ skip }) => {
    const complaints = await tsharkComplaints(Buffer.concat(chunks));
    if (complaints === null) return skip('tshark is not installed');
    expect(complaints).toEqual({ packets: expect.any(Number), complaints: [] });
    expect(complaints.packets).toBeGreaterThan(50);
  });
});

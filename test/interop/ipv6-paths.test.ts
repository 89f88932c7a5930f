import { ADDRESS_FAMILY, ROUTE_TYPE, RouteTables } from '@softnet/contract';
import type { DatagramUser } from '@softnet/testkit';
import { Pinger, pattern, QUIET_HOST, Tracer } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { TapHost, words } from './linux/tap-host.ts';
import { tsharkComplaints, tsharkFields } from './linux/tshark.ts';
import { pause } from './linux/until.ts';

const { INET6 } = ADDRESS_FAMILY;
const SOL_IPV6 = 41;
/** Options of it, by Linux's numbers; and IPV6_PMTUDISC_DO. */
const [UNICAST_HOPS, MTU_DISCOVER, MTU, RECVERR] = [16, 23, 24, 25] as const;
const ALWAYS = 2;
const NARROW_BYTES = 1300;
/** Of UDP within it: less 40 and 8. */
const FITS_BYTES = 1252;
/** Around every edge: one frame, two, three, and all that a datagram can carry. */
const SIZES = Object.freeze([0, 1, 1251, 1252, 1253, 1451, 1452, 1453, 2903, 2904, 2905, 9000, 65_526, 65_527]);
const [SOFTNET, ROUTER, SERVER, BEHIND] = ['fd91::2', 'fd91::1', 'fd92::2', 'fd93::2'];
const ECHO_PORT = 7;
const QUIET = 'sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 net.ipv6.icmp.ratelimit=0';

/**
 * softnet has eth0 at fd91::2, and is a router to eth1, fd93::, whose link is of 1,300 bytes; Linux is there at fd93::2. At fd91::1 is a router of Linux, which
 * has a link of 1,300 bytes to a server, fd92::2.
 */
describe.skipIf(skipAloud('paths of IPv6 with Linux', netnsSkipReason()))('paths of IPv6, with this machine’s Linux on both sides', () => {
  let softnet: TapHost;
  let [router, server, behind]: Netns[] = [];
  let end = (): void => {};

  beforeAll(async () => {
    softnet = await TapHost.boot('paths', { settings: { ...QUIET_HOST, 'net.ipv6.icmp.ratelimit': 0 }, modules: [UdpEchoModule] });
    [router, server, behind] = ['path-r', 'path-s', 'path-b'].map((name) => new Netns(name));
    for (const linux of [router!, server!, behind!]) await run(linux, QUIET);
    await softnet.plug('eth0', router!);
    await softnet.plug('eth1', behind!, 'eth0');
    await layOut();
    softnet.kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
    for (const [device, prefix] of Object.entries({ lo: '::1/128', eth0: `${SOFTNET}/64`, eth1: 'fd93::1/64' })) {
      softnet.up(device);
      if (device !== 'lo') softnet.addAddress(device, prefix);
    }
    softnet.setMtu('eth1', NARROW_BYTES);
    for (const prefix of ['fd92::/64', '2001:db8:1::/48', '2001:db8:2::/48', '2001:db8:3::/48', '2001:db8:4::/48']) {
      softnet.addRoute(prefix, { via: ROUTER! });
    }
    end = await server!.serve(7007);
  }, 20_000);
  afterAll(async () => {
    end();
    await softnet?.kernel.shutdown();
    for (const each of [router, server, behind]) each?.dispose();
  });

  async function layOut(): Promise<void> {
    await run(
      router!,
      `ip link set eth0 up; ip addr add ${ROUTER}/64 dev eth0
      ip link add vs mtu ${NARROW_BYTES} type veth peer name eth0 mtu ${NARROW_BYTES} netns ${server!.name}; ip link set vs up; ip addr add fd92::1/64 dev vs
      ip route add fd93::/64 via ${SOFTNET}; ip route add 2001:db8:a::/48 via ${SOFTNET}
      ip route add unreachable 2001:db8:1::/48; ip route add prohibit 2001:db8:2::/48; ip route add blackhole 2001:db8:3::/48
      sysctl -qw net.ipv6.conf.all.forwarding=1`,
    );
    await run(server!, `ip link set eth0 up; ip addr add ${SERVER}/64 dev eth0; ip route add default via fd92::1`);
    await run(behind!, `ip link set eth0 mtu ${NARROW_BYTES} up; ip addr add ${BEHIND}/64 dev eth0; ip route add default via fd93::1`);
  }

  async function run(linux: Netns, command: string): Promise<string> {
    const { stdout, stderr } = await linux.exec(command);
    if (stderr !== '') throw new Error(`${command}: ${stderr}`);
    return stdout;
  }

  const pinged = async (linux: Netns, words: string): Promise<string> => (await linux.exec(`ping -n -c 1 -W 5 ${words}`)).stdout;

  /** What comes back for a byte: an errno, or null where nothing does. */
  async function told(address: string, set: (user: DatagramUser) => void = () => {}): Promise<string | null> {
    const user = softnet.open();
    user.setOption(SOL_IPV6, RECVERR, 1);
    set(user);
    user.connect(address, 4711);
    await user.send(Uint8Array.of(1));
    const answer = user.receive().then(
      () => 'an answer',
      (error: { code: string }) => error.code,
    );
    const result = await Promise.race([answer, pause(address.startsWith('2001:db8:3:') ? 300 : 5000).then(() => null)]);
    user.close();
    return result;
  }

  test.concurrent('softnet learns from Linux that its path is narrow: what is too long is refused, or cut', async () => {
    const user = softnet.open();
    user.setOption(SOL_IPV6, MTU_DISCOVER, ALWAYS);
    user.connect(SERVER!, 7007);
    await user.send(new Uint8Array(1400));
    await expect(user.receive()).rejects.toMatchObject({ code: 'EMSGSIZE' });
    expect(user.trySend(new Uint8Array(FITS_BYTES + 1))).toBe(-90);
    const mtu = new Uint8Array(4);
    expect(user.sock.ops.calls!.getOption(user.sock, SOL_IPV6, MTU, mtu)).toBeGreaterThanOrEqual(0);
    expect(mtu[0]! | (mtu[1]! << 8)).toBe(NARROW_BYTES);
    await user.send(new Uint8Array(FITS_BYTES));
    expect((await user.receive()).data.length).toBe(FITS_BYTES);
    user.close();
    expect(await softnet.ping(SERVER!, { lenBytes: 20_000, timeoutMs: 5000 })).toMatchObject({ lenBytes: 20_000 });
  });

  test.concurrent('Linux learns from softnet that its path is narrow: what is too long is refused, or cut', async () => {
    expect(await pinged(router!, `-M do -s 1400 ${BEHIND}`)).toMatch(/From fd91::2 icmp_seq=1 Packet too big: mtu=1300/);
    expect(await run(router!, `ip -6 route get ${BEHIND}`)).toMatch(/mtu 1300/);
    expect(await pinged(router!, `-M do -s ${FITS_BYTES} ${BEHIND}`)).toMatch(/ 0% packet loss/);
    expect(await pinged(router!, `-s 20000 ${BEHIND}`)).toMatch(/ 0% packet loss/);
  });

  test.concurrent('fragments both ways, up to the last byte that a datagram can carry', async () => {
    expect(await router!.exchange(SOFTNET!, ECHO_PORT, SIZES)).toEqual([]);
    for (const lenBytes of [1452, 1453, 65_507, 65_527]) {
      expect(await softnet.ping(ROUTER!, { lenBytes, timeoutMs: 5000 })).toMatchObject({ lenBytes });
    }
    expect(await pinged(router!, `-s 65507 ${SOFTNET}`)).toMatch(/ 0% packet loss/);
    const user = softnet.open();
    user.connect(SERVER!, 7007);
    for (const size of SIZES) {
      await user.send(pattern(size, 0, size));
      expect(Buffer.compare((await user.receive()).data, pattern(size, 0, size)), `${size} bytes`).toBe(0);
    }
    user.close();
  });

  test.concurrent('what Linux says of where a packet cannot go reaches sockets with its errno', async () => {
    const addresses = ['2001:db8:1::1', '2001:db8:2::1', '2001:db8:3::1', '2001:db8:4::1', SERVER!];
    expect(await Promise.all(addresses.map((address) => told(address)))).toEqual([
      'ENETUNREACH',
      'EACCES',
      null,
      'ENETUNREACH',
      'ECONNREFUSED',
    ]);
    expect(await told('fd92::9')).toBe('EHOSTUNREACH');
    expect(await told(SERVER!, (user) => user.setOption(SOL_IPV6, UNICAST_HOPS, 1))).toBe('EHOSTUNREACH');
  });

  test.concurrent('Linux hears of softnet where packets cannot go, and its sockets get the errno', async () => {
    const table = softnet.kernel.port(RouteTables).current;
    for (const [net, type] of [ROUTE_TYPE.UNREACHABLE, ROUTE_TYPE.PROHIBIT, ROUTE_TYPE.BLACKHOLE].entries()) {
      table.add({ family: INET6, prefix: words(`2001:db8:a:${net}::`), prefixLen: 64, type, source: 4, nextHops: [] });
    }
    const said = await Promise.all([0, 1, 2, 3].map((net) => pinged(router!, `-W ${net === 2 ? 1 : 5} 2001:db8:a:${net}::1`)));
    expect(said.map((text) => /From fd91::2 icmp_seq=1 (.*)/.exec(text)?.[1])).toEqual([
      'Destination unreachable: No route',
      'Destination unreachable: Administratively prohibited',
      undefined,
      'Destination unreachable: No route',
    ]);
    expect(await pinged(router!, 'fd93::9')).toMatch(/From fd91::2 icmp_seq=1 Destination unreachable: Address unreachable/);
    // That there is no route is no error to a socket that did not ask for them.
    const codes = await Promise.all(['2001:db8:a:1::1', SOFTNET!].map((address) => router!.exchange(address, 4711, [10])));
    expect(codes).toEqual([['10: EACCES'], ['10: ECONNREFUSED']]);
  });

  test.concurrent('each traces a route through the other', async () => {
    for (const echo of [false, true]) {
      const tracer = new Tracer(softnet.kernel, { family: INET6, echo });
      const answers = [await tracer.probe(SERVER!, 1, 3000), await tracer.probe(SERVER!, 2, 3000)];
      expect(answers.map((answer) => answer?.address)).toEqual([ROUTER, SERVER]);
      tracer.close();
    }
    expect(await pinged(router!, `-t 1 ${BEHIND}`)).toMatch(/From fd91::2 icmp_seq=1 Time exceeded: Hop limit/);
    const { code, stdout } = await router!.exec(`traceroute -6 -n -q 1 -w 3 ${BEHIND}`);
    if (code === 127) console.warn('skipped: traceroute of Linux: it is not installed');
    else expect(stdout).toMatch(/ 1 {2}fd91::2 .*\n 2 {2}fd93::2 /);
  });

  test.concurrent('a ping that may not be cut is told how narrow the path is', async () => {
    const pinger = new Pinger(softnet.kernel, INET6, { mtuDiscover: ALWAYS });
    await expect(pinger.ping(BEHIND!, { lenBytes: 1400 })).rejects.toThrow('EMSGSIZE');
    await pinger.ping(BEHIND!, { lenBytes: FITS_BYTES });
    pinger.close();
  });

  test('tshark finds no fault, and one flow label for each flow, other flows others', async ({ skip }) => {
    const reading = await tsharkComplaints(softnet.capture);
    if (reading === null) return skip('tshark is not installed');
    expect(reading).toEqual({ packets: expect.any(Number), complaints: [] });
    expect(reading.packets).toBeGreaterThan(500);
    const fields = ['ipv6.src', 'ipv6.dst', 'udp.srcport', 'udp.dstport', 'ipv6.flow'];
    const flows = new Map<string, Set<string>>();
    for (const [src, dst, from, to, label] of (await tsharkFields(softnet.capture, 'udp && !icmpv6', fields))!) {
      const flow = [src, dst, from, to].join(' ');
      flows.set(flow, (flows.get(flow) ?? new Set()).add(label!));
    }
    for (const [flow, labels] of flows) expect([flow, labels.size, labels.has('0x000000')]).toEqual([flow, 1, false]);
    const ours = [...flows].filter(([flow]) => flow.startsWith(`${SOFTNET} `));
    expect(new Set(ours.flatMap(([, labels]) => [...labels])).size).toBe(ours.length);
    expect(ours.length).toBeGreaterThan(8);
  });
});

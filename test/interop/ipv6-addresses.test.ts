import type { RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FLAG, RouterAdvertisements } from '@softnet/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { radvd } from './linux/radvd.ts';
import { TapHost, words } from './linux/tap-host.ts';
import { tsharkComplaints } from './linux/tshark.ts';
import { until } from './linux/until.ts';

const SECRET = 'fd00::5ec:e7';
/** Behind the router of Linux, and behind softnet as a router. */
const [BEHIND_LINUX, BEHIND_SOFTNET] = ['fd99::1', 'fd98::1'];
const QUICK = Object.freeze({ accept_dad: 0, router_solicitation_delay: 0, use_tempaddr: 2 });

/** softnet is a host on eth0, a router on eth1, and shares eth2 with a Linux that wants the same addresses. */
describe.skipIf(skipAloud('autoconfiguration with Linux', netnsSkipReason()))('autoconfiguration, with this machine’s Linux', () => {
  let softnet: TapHost;
  let [router, host, rival]: Netns[] = [];

  beforeAll(async () => {
    const settings = Object.entries(QUICK).map(([name, value]): [string, number] => [`net.ipv6.conf.default.${name}`, value]);
    softnet = await TapHost.boot('addresses', { settings: Object.fromEntries(settings) });
    [router, host, rival] = ['slaac-r', 'slaac-h', 'dad'].map((name) => new Netns(name));
    softnet.kernel.sysctl.set('net.ipv6.conf.default.stable_secret', SECRET);
    for (const [device, linux] of Object.entries({ eth0: router!, eth1: host!, eth2: rival! })) {
      await run(
        linux,
        `sysctl -qw ${settings.map(([name, value]) => `${name}=${value}`).join(' ')} net.ipv6.conf.default.stable_secret=${SECRET}`,
      );
      await softnet.plug(device, linux, 'eth0');
    }
  });
  afterAll(async () => {
    await softnet?.kernel.shutdown();
    for (const each of [router, host, rival]) each?.dispose();
  });

  async function run(linux: Netns, command: string): Promise<string> {
    const { stdout, stderr } = await linux.exec(command);
    if (stderr !== '') throw new Error(`${command}: ${stderr}`);
    return stdout;
  }

  test.concurrent('softnet behind radvd: an address of each kind, deprecated, another prefix, no router', async ({ skip }) => {
    const missing = (await router!.exec('command -v radvd')).code === 0 ? null : 'radvd is not installed';
    if (skipAloud('radvd', missing)) return skip(missing!);
    const conf = (lifetimeS: number, ...prefixes: string[]): string =>
      `interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime ${lifetimeS}; ${prefixes.join(' ')} };`;
    await run(router!, 'sysctl -qw net.ipv6.conf.all.forwarding=1; ip link set eth0 up; ip addr add fd67:1::1/64 dev eth0');
    await run(router!, `ip addr add fd67:2::1/64 dev eth0; ip addr add ${BEHIND_LINUX}/128 dev lo`);
    const first = 'prefix fd67:1::/64 { AdvPreferredLifetime 1800; AdvValidLifetime 3600; };';
    const daemon = await radvd(router!, conf(1800, first));
    const lines = (): string => softnet.addressLines('eth0');
    try {
      softnet.up('eth0');
      const both = await until(lines, /^(?=.*^fd67:1:[^\n]* TEMPORARY)(?=.*^fd67:1:[^\n]* STABLE_PRIVACY)/ms);
      await until(() => softnet.toldRoutes(), /^default via fe80::/m);
      for (const line of both.split('\n').filter((each) => each.startsWith('fd67:'))) {
        await softnet.pingFrom(line.split(' ')[0]!, BEHIND_LINUX);
      }
      daemon.reload(conf(1800, first.replace('1800', '0'), 'prefix fd67:2::/64 { };'));
      const later = await until(lines, /^(?=.*^fd67:1:[^\n]* DEPRECATED)(?=.*^fd67:2:)/ms);
      for (const line of later.split('\n').filter((each) => each.startsWith('fd67:1:'))) expect(line).toContain('DEPRECATED');
      await softnet.ping(BEHIND_LINUX, { timeoutMs: 5000 });
      daemon.reload(conf(0, 'prefix fd67:2::/64 { };'));
      await until(() => softnet.toldRoutes(), /^(?!.*default)/s);
      await expect(softnet.ping(BEHIND_LINUX)).rejects.toThrow('ENETUNREACH');
    } finally {
      await daemon.end();
    }
  });

  test.concurrent('Linux behind softnet: an address of each kind, deprecated, another prefix, no router', async () => {
    const { kernel } = softnet;
    for (const device of ['lo', 'eth1']) softnet.up(device);
    kernel.sysctl.set('net.ipv6.conf.eth1.forwarding', 1);
    softnet.addAddress('lo', `${BEHIND_SOFTNET}/128`);
    for (const prefix of ['fd68:1::1/64', 'fd68:2::1/64']) softnet.addAddress('eth1', prefix);
    const say = async (said: RouterAdvertisement): Promise<void> => {
      kernel.port(RouterAdvertisements).current.set(softnet.device('eth1'), said);
      // It need not wait for the next one: who asks is answered.
      await host!.exec('rdisc6 -1 -w 1000 eth0');
    };
    const first = { prefix: words('fd68:1::'), prefixLen: 64 };
    const lines = (): Promise<string> => run(host!, 'ip -6 addr show dev eth0 scope global');
    await run(host!, 'ip link set eth0 up');
    await say({ prefixes: [first] });
    const both = await until(lines, /^(?=.*fd68:1:\S+ scope global temporary)(?=.*fd68:1:\S+ scope global [^\n]*stable-privacy)/s);
    await until(() => run(host!, 'ip -6 route show default'), /proto ra/);
    for (const [, address] of both.matchAll(/inet6 (fd68:\S+)\/64/g)) {
      expect(await run(host!, `ping -n -c 1 -W 5 -I ${address} ${BEHIND_SOFTNET}`)).toContain(' 0% packet loss');
    }
    await say({
      prefixes: [
        { ...first, preferredMs: 0 },
        { prefix: words('fd68:2::'), prefixLen: 64 },
      ],
    });
    await until(lines, /^(?=.*fd68:1:[^\n]* deprecated)(?=.*fd68:2:)/s);
    expect(await run(host!, `ping -n -c 1 -W 5 ${BEHIND_SOFTNET}`)).toContain(' 0% packet loss');
    await say({ lifetimeMs: 0 });
    await until(() => run(host!, 'ip -6 route show default'), /^$/);
  });

  test.concurrent('who has an address keeps it; of two who look for duplicates at once, the first to ask hears the second, and gives way', async () => {
    softnet.kernel.sysctl.set('net.ipv6.conf.eth2.accept_dad', 1);
    // Three questions: on a machine so busy that this process stands still for a second, an answer to a single one comes too late.
    softnet.kernel.sysctl.set('net.ipv6.conf.eth2.dad_transmits', 3);
    await run(
      rival!,
      'sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=3; ip link set eth0 up; ip addr add fd69::1/64 dev eth0 nodad',
    );
    softnet.up('eth2');
    softnet.addAddress('eth2', 'fd69::2/64', { flags: ADDRESS_FLAG.NODAD });
    const ours = (): string => softnet.addressLines('eth2');
    const theirs = (): Promise<string> => run(rival!, 'ip -6 addr show dev eth0');
    softnet.addAddress('eth2', 'fd69::1/64');
    await run(rival!, 'ip addr add fd69::2/64 dev eth0; ip addr add fd69::4/64 dev eth0');
    softnet.addAddress('eth2', 'fd69::4/64');
    await until(ours, /^fd69::1 [^\n]*DAD_FAILED/m);
    for (const last of [2, 4]) await until(theirs, new RegExp(`fd69::${last}/64 [^\n]*dadfailed`));
    await until(ours, /^fd69::4 PERMANENT$/m);
    // Who had them has them still: to softnet, whose wish has failed, Linux is a neighbour as before. Linux itself first has to forget what it wanted.
    await softnet.pingFrom('fd69::2', 'fd69::1');
    softnet.removeAddress('eth2', 'fd69::1/64');
    await run(rival!, 'ip addr del fd69::2/64 dev eth0');
    await softnet.pingFrom('fd69::2', 'fd69::1');
    expect(await run(rival!, 'ping -n -c 1 -W 5 fd69::2')).toContain(' 0% packet loss');
  });

  test('tshark finds no fault in what was said', async ({ skip }) => {
    const reading = await tsharkComplaints(softnet.capture);
    if (reading === null) return skip('tshark is not installed');
    expect(reading).toEqual({ packets: expect.any(Number), complaints: [] });
    expect(reading.packets).toBeGreaterThan(60);
  });
});

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import type { Radvd } from './linux/radvd.ts';
import { radvd } from './linux/radvd.ts';
import { TapHost } from './linux/tap-host.ts';
import { tsharkComplaints } from './linux/tshark.ts';
import { until } from './linux/until.ts';

/** Behind each router; who has it at the moment is who is asked. */
const BEHIND = 'fd97::1';
const SETTINGS = Object.freeze({
  ...{ accept_dad: 0, router_solicitation_delay: 0 },
});

/** softnet is a host on a link with two routers of Linux: one that is preferred, and another. */
describe.skipIf(skipAloud('two routers of Linux', netnsSkipReason()))('two routers on a link, of this machine’s Linux', () => {
  let softnet: TapHost;
  let [better, other]: Netns[] = [];
  const daemons: Radvd[] = [];

  beforeAll(async () => {
    const settings = Object.entries(SETTINGS).map(([name, value]): [string, number] => [`net.ipv6.conf.default.${name}`, value]);
    const short = { 'net.ipv6.neigh.default.base_reachable_time_ms': 1000, 'net.ipv6.neigh.default.delay_first_probe_time': 1 };
    softnet = await TapHost.boot('router-change', { settings: { ...Object.fromEntries(settings), ...short } });
    [better, other] = ['better', 'other'].map((name) => new Netns(name));
    await softnet.plug('eth0', better!, 'tap0');
    execFileSync('ip', ['-n', better!.name, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'br0', 'netns', other!.name]);
    const shared = 'sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0';
    await better!.exec(`${shared}; ip link add br0 type bridge; ip link set tap0 master br0 up; ip link set veth0 master br0 up`);
    await better!.exec('ip link set br0 up; ip addr add fd96::a/64 dev br0 nodad');
    await other!.exec(`${shared}; ip link set br0 up; ip addr add fd96::b/64 dev br0 nodad`);
  });
  afterAll(async () => {
    for (const daemon of daemons) await daemon.end();
    await softnet?.kernel.shutdown();
    for (const each of [better, other]) each?.dispose();
  });

  const conf = (preference: string): string =>
    `interface br0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 1800; AdvDefaultPreference ${preference}; prefix fd96::/64 { }; };`;
  const owns = async (router: Netns, owner: boolean): Promise<void> => {
    await router.exec(`ip addr ${owner ? 'add' : 'del'} ${BEHIND}/128 dev lo`);
  };

  test('the better one is used; the other when it says farewell, or falls silent; and the better again', { timeout: 60_000 }, async ({
    skip,
  }) => {
    const missing = (await better!.exec('command -v radvd')).code === 0 ? null : 'radvd is not installed';
    if (skipAloud('radvd', missing)) return skip(missing!);
    const first = await radvd(better!, conf('high'));
    const second = await radvd(other!, conf('low'));
    daemons.push(first, second);
    softnet.up('eth0');
    await until(() => softnet.toldRoutes(), /pref 1[\s\S]*pref -1|pref -1[\s\S]*pref 1/);
    // Only the better one leads there.
    await owns(better!, true);
    await softnet.ping(BEHIND, { timeoutMs: 5000 });
    // Farewell: now only the other does.
    await first.end();
    await until(() => softnet.toldRoutes(), /^(?![\s\S]*pref 1)[\s\S]*pref -1/);
    await owns(better!, false);
    await owns(other!, true);
    await softnet.ping(BEHIND, { timeoutMs: 5000 });
    // Back again.
    daemons.push(await radvd(better!, conf('high')));
    await until(() => softnet.toldRoutes(), /pref 1/);
    await owns(other!, false);
    await owns(better!, true);
    await softnet.ping(BEHIND, { timeoutMs: 5000 });
    // Silent: its address on the link is nobody's, so NUD finds out, and the other takes over.
    await owns(better!, false);
    await owns(other!, true);
    await better!.exec('ip link set br0 type bridge mcast_snooping 0; ip -6 addr flush dev br0');
    await until(
      () =>
        softnet
          .ping(BEHIND, { timeoutMs: 900 })
          .then(() => 'there')
          .catch(String),
      /there/,
      30_000,
    );
  });

  test('tshark finds no fault with it', async ({ skip }) => {
    const reading = await tsharkComplaints(softnet.capture);
    if (reading === null) return skip('tshark is not installed');
    expect(reading.complaints).toEqual([]);
  });
});

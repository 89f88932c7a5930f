import { execFileSync } from 'node:child_process';
import type { AdvertisedPrefix, RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FAMILY, NetworkLayer, Route, RouterAdvertisements } from '@softnet/contract';
import { KernelTime } from '@softnet/testkit';
import { formatIpv6 } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { radvd } from './linux/radvd.ts';
import { TapHost, words } from './linux/tap-host.ts';
import { tsharkComplaints } from './linux/tshark.ts';
import { until } from './linux/until.ts';

/** Each is behind one router only, which says of the other that there is no way: what answers tells which router is used. */
const [BEHIND_HIGH, BEHIND_LOW] = ['fd97::a', 'fd97::b'];
/** Behind softnet as a router. */
const BEHIND_SOFTNET = 'fd93::1';
const TWO_HOURS_S = 7200;
const SETTINGS = Object.freeze({ accept_dad: 0, router_solicitation_delay: 0 });

/** softnet is a host on eth0 and eth3, and two routers of one link on eth1 and eth2. */
describe.skipIf(skipAloud('routers that change with Linux', netnsSkipReason()))(
  'routers and prefixes that change, with this machine’s Linux',
  () => {
    let softnet: TapHost;
    const namespaces: Netns[] = [];

    beforeAll(async () => {
      const settings = Object.entries(SETTINGS).map(([name, value]): [string, number] => [`net.ipv6.conf.default.${name}`, value]);
      softnet = await TapHost.boot('changes', {
        settings: { ...Object.fromEntries(settings), 'net.ipv6.neigh.default.delay_first_probe_time': 1 },
      });
    });
    afterAll(async () => {
      await softnet?.kernel.shutdown();
      for (const each of namespaces) each.dispose();
    });

    /** With the settings above, and these, of `net.ipv6`. */
    async function namespace(name: string, ...settings: string[]): Promise<Netns> {
      const made = new Netns(name);
      namespaces.push(made);
      const all = [...Object.entries(SETTINGS).map(([key, value]) => `conf.default.${key}=${value}`), ...settings];
      await run(made, `sysctl -qw ${all.map((each) => `net.ipv6.${each}`).join(' ')}`);
      return made;
    }

    /** One that joins softnet's device and the eth0 of each of these on a bridge, br0, whose ports are 'p0', 'p1' and so on. */
    async function link(device: string, ...on: Netns[]): Promise<Netns> {
      const middle = await namespace(`mid-${device}`, 'conf.all.disable_ipv6=1', 'conf.default.disable_ipv6=1');
      await softnet.plug(device, middle);
      await run(middle, `ip link add br0 type bridge mcast_snooping 0; ip link set br0 up; ip link set ${device} master br0 up`);
      for (const [index, each] of on.entries()) {
        execFileSync('ip', ['-n', middle.name, 'link', 'add', `p${index}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', each.name]);
        await run(middle, `ip link set p${index} master br0 up`);
        // Checksums are written: what Linux was left to finish, tshark would warn of.
        await run(each, 'ethtool -K eth0 tx off >/dev/null; ip link set eth0 up');
      }
      return middle;
    }

    async function run(linux: Netns, command: string): Promise<string> {
      const { stdout, stderr } = await linux.exec(command);
      if (stderr !== '') throw new Error(`${command}: ${stderr}`);
      return stdout;
    }

    /** 'answers', or why not. */
    const ask = (address: string): Promise<string> =>
      softnet.ping(address, { timeoutMs: 200 }).then(
        () => 'answers',
        (error: unknown) => String(error),
      );

    test.concurrent('of two routers of Linux, softnet uses the better as long as it is there, and answers', async ({ skip }) => {
      const forwarding = ['conf.all.forwarding=1', 'icmp.ratelimit=0'];
      const [high, low] = [await namespace('high', ...forwarding), await namespace('low', ...forwarding)];
      const missing = (await high.exec('command -v radvd')).code === 0 ? null : 'radvd is not installed';
      if (skipAloud('radvd', missing)) return skip(missing!);
      const middle = await link('eth0', high, low);
      await run(high, `ip addr add fd96::a/64 dev eth0; ip addr add ${BEHIND_HIGH}/128 dev lo`);
      await run(low, `ip addr add fd96::b/64 dev eth0; ip addr add ${BEHIND_LOW}/128 dev lo`);
      const conf = (preference: string): string =>
        `interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 1800; AdvDefaultPreference ${preference};
        AdvReachableTime 500; AdvRetransTimer 100; prefix fd96::/64 { }; };`;
      const daemons = [await radvd(low, conf('low')), await radvd(high, conf('high'))];
      try {
        softnet.up('eth0');
        await until(() => softnet.toldRoutes(), /^(?=.*^default [^\n]* pref 1$)(?=.*^default [^\n]* pref -1$)/ms);
        await until(() => ask(BEHIND_HIGH), /answers/);
        expect(await ask(BEHIND_LOW)).toContain('ENETUNREACH');
        // Farewell.
        await daemons[1]!.end();
        await until(() => ask(BEHIND_LOW), /answers/);
        expect(softnet.toldRoutes().match(/^default .*$/gm)).toEqual([expect.stringMatching(/ pref -1$/)]);
        daemons[1] = await radvd(high, conf('high'));
        await until(() => ask(BEHIND_HIGH), /answers/);
        // Not a word: neighbour unreachability detection finds out.
        await run(middle, 'ip link set p0 down');
        await until(() => ask(BEHIND_LOW), /answers/, 6000);
        expect(softnet.toldRoutes().match(/^default /gm)).toHaveLength(2);
        await run(middle, 'ip link set p0 up');
        daemons[1]!.reload(conf('high'));
        await until(() => ask(BEHIND_HIGH), /answers/);
      } finally {
        for (const each of daemons) await each.end();
      }
    });

    test.concurrent('softnet and Linux keep an address of a withdrawn prefix for two hours, deprecated, and none whose time runs out', async ({
      skip,
    }) => {
      const [router, peer] = [await namespace('prefix-r', 'conf.all.forwarding=1'), await namespace('prefix-h')];
      const missing = (await router.exec('command -v radvd')).code === 0 ? null : 'radvd is not installed';
      if (skipAloud('radvd', missing)) return skip(missing!);
      await link('eth3', router, peer);
      const prefix = (number: number, preferredS: number, validS: number): string =>
        `prefix fd92:${number}::/64 { AdvPreferredLifetime ${preferredS}; AdvValidLifetime ${validS}; };`;
      const conf = (...prefixes: string[]): string =>
        `interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 0; ${prefixes.join(' ')} };`;
      // Of a prefix that stays.
      await run(router, 'ip addr add fd92:9::1/64 dev eth0');
      const daemon = await radvd(router, conf(prefix(1, 14_400, 36_000), prefix(2, 1800, 3600), prefix(3, 2, 3), prefix(9, 1800, 3600)));
      const sides = [
        (): string => ourLives(softnet, 'eth3'),
        async () => livesOf(await run(peer, 'ip -j -6 addr show dev eth0 scope global')),
      ];
      const onLink = (): string => {
        const entries = softnet.kernel.port(Route).current.entries(ADDRESS_FAMILY.INET6);
        const ours = entries.filter(
          ({ nextHops, prefixLen }) => prefixLen === 64 && nextHops[0]!.ifindex === softnet.device('eth3').ifindex,
        );
        return ours.map(({ prefix, prefixLen }) => `${formatIpv6(...prefix)}/${prefixLen}`).join('\n');
      };
      try {
        softnet.up('eth3');
        for (const side of sides) await until(side, /^fd92:1 .*^fd92:2 .*^fd92:3 .*^fd92:9 /ms);
        await softnet.ping('fd92:9::1', { timeoutMs: 5000 });
        daemon.reload(conf(prefix(1, 0, 0), prefix(2, 0, 0), prefix(9, 1800, 3600)));
        for (const side of sides) {
          // Ten hours become two; what had less than two keeps what it had.
          const lives = await until(side, /^fd92:1 deprecated .*^fd92:2 deprecated .*^fd92:9 /ms);
          const [, first, second] = /^fd92:1 deprecated (\d+)$.*^fd92:2 deprecated (\d+)$/ms.exec(lives)!;
          expect(Number(first)).toBeGreaterThan(TWO_HOURS_S - 10);
          expect(Number(first)).toBeLessThanOrEqual(TWO_HOURS_S);
          expect(Number(second)).toBeGreaterThan(3600 - 10);
          expect(Number(second)).toBeLessThanOrEqual(3600);
        }
        for (const side of sides) await until(side, /^fd92:1 deprecated \d+\nfd92:2 deprecated \d+\nfd92:9 preferred \d+$/);
        // A withdrawn prefix is on the link no longer, at once: the two hours are the address's (RFC 4861 §6.3.4).
        // Linux clears away what has run out every 30 s, and shows it until then.
        const theirs = await run(peer, 'ip -6 route show dev eth0');
        for (const said of [onLink(), theirs.replace(/^.* expires (-|0sec).*$/gm, '')])
          expect(said.match(/^fd92:\S+/gm)).toEqual(['fd92:9::/64']);
        await softnet.ping('fd92:9::1', { timeoutMs: 5000 });
      } finally {
        await daemon.end();
      }
    });

    test.concurrent('of two routers of softnet, Linux uses the better as long as it is there; another prefix takes the place of the first', async () => {
      const { kernel } = softnet;
      const host = await namespace('change-h');
      const middle = await link('eth1', host);
      await softnet.plug('eth2', middle);
      await run(middle, 'ip link set eth2 master br0 up');
      for (const device of ['lo', 'eth1', 'eth2']) softnet.up(device);
      for (const device of ['eth1', 'eth2']) kernel.sysctl.set(`net.ipv6.conf.${device}.forwarding`, 1);
      softnet.addAddress('lo', `${BEHIND_SOFTNET}/128`);
      for (const prefix of ['fd94:1::1/64', 'fd94:2::1/64']) softnet.addAddress('eth1', prefix);
      const first = { prefix: words('fd94:1::'), prefixLen: 64 };
      const second = { prefix: words('fd94:2::'), prefixLen: 64 };
      const say = async (device: string, said: RouterAdvertisement | null): Promise<void> => {
        kernel.port(RouterAdvertisements).current.set(softnet.device(device), said);
        // It need not wait for the next one: who asks is answered.
        await host.exec('rdisc6 -1 -w 1000 eth0');
      };
      const both = async (...prefixes: AdvertisedPrefix[]): Promise<void> => {
        await say('eth2', { preference: -1, prefixes });
        await say('eth1', { preference: 1, prefixes });
      };
      const ways = (): Promise<string> => run(host, 'ip -6 route show default');
      const way = (): Promise<string> => run(host, `ip -6 route get ${BEHIND_SOFTNET}`);
      const pings = async (): Promise<void> => {
        expect(await run(host, `ping -n -c 1 -W 5 ${BEHIND_SOFTNET}`)).toContain(' 0% packet loss');
      };
      const by = (device: string, prefix: number): RegExp => new RegExp(`via ${linkLocal(device)} .* src fd94:${prefix}:`);
      await both(first);
      await until(ways, /^(?=.*pref high)(?=.*pref low)/s);
      await until(way, by('eth1', 1));
      await pings();
      await say('eth1', null);
      await until(way, by('eth2', 1));
      await pings();
      await both({ ...first, preferredMs: 0, validMs: 0 }, second);
      await until(way, by('eth1', 2));
      await pings();
      const lives = livesOf(await run(host, 'ip -j -6 addr show dev eth0 scope global'));
      const [, leftS] = /^fd94:1 deprecated (\d+)\nfd94:2 preferred \d+$/.exec(lives) ?? [];
      expect(Number(leftS)).toBeGreaterThan(TWO_HOURS_S - 10);
      expect(Number(leftS)).toBeLessThanOrEqual(TWO_HOURS_S);
    });

    const linkLocal = (device: string): string => /^fe80:\S+/m.exec(softnet.addressLines(device))![0];

    test('tshark finds no fault in what was said', async ({ skip }) => {
      const reading = await tsharkComplaints(softnet.capture);
      if (reading === null) return skip('tshark is not installed');
      expect(reading).toEqual({ packets: expect.any(Number), complaints: [] });
      expect(reading.packets).toBeGreaterThan(60);
    });
  },
);

/** Addresses of prefixes and their remaining lives, one a line, in order: 'fd92:1 deprecated 7198'. */
function ourLives(softnet: TapHost, device: string): string {
  const layer = softnet.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === ADDRESS_FAMILY.INET6)!;
  const nowMs = softnet.kernel.port(KernelTime).current.nowUs / 1000;
  const own = [...layer.addresses].filter((each) => each.device.name === device && each.address[0] >>> 25 === 0xfc >>> 1);
  return lines(
    own.map(({ address, preferredUntilMs, validUntilMs }) => [
      formatIpv6(...address),
      preferredUntilMs - nowMs,
      (validUntilMs - nowMs) / 1000,
    ]),
  );
}

/** The same of what `ip -j addr` has said. */
function livesOf(json: string): string {
  const shown = JSON.parse(json) as { addr_info?: { local?: string; preferred_life_time: number; valid_life_time: number }[] }[];
  // Of what it was not asked for, it shows an empty object.
  const own = shown.flatMap(({ addr_info = [] }) =>
    addr_info.flatMap(({ local, ...lives }) => (local === undefined ? [] : { local, ...lives })),
  );
  return lines(own.map(({ local, preferred_life_time, valid_life_time }) => [local, preferred_life_time, valid_life_time]));
}

function lines(lives: readonly (readonly [address: string, preferred: number, validS: number])[]): string {
  const each = lives.map(([address, preferred, validS]) => {
    const prefix = address.split(':').slice(0, 2).join(':');
    return `${prefix} ${preferred > 0 ? 'preferred' : 'deprecated'} ${Math.floor(validS)}`;
  });
  return each.sort().join('\n');
}

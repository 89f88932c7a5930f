import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FAMILY, NameServers, NeighbourTable, NetworkLayer, Route, RouterAdvertisements } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import type { Capture } from '@softnet/nic-driver';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost } from '@softnet/testkit';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { tsharkComplaints, tsharkFields } from './linux/tshark.ts';

const { INET6 } = ADDRESS_FAMILY;
/** Addresses at once, and routers asked for at once, on both sides. */
const HASTE = Object.freeze({ accept_dad: 0, router_solicitation_delay: 0 });
/** On the way there: behind a router that is not there, whom redirects name. */
const BEYOND = 'fd98::1';
const OTHER_ROUTER = 'fe80::77';

describe.skipIf(skipAloud('routers of IPv6 with Linux', netnsSkipReason()))('routers of IPv6, with this machine’s Linux', () => {
  const device = `srtr${process.pid % 100_000}`;
  let chunks: Uint8Array[];
  let capture: Capture;
  let host: NetHost;
  let linux: Netns;

  beforeEach(async () => {
    const settings = Object.fromEntries(Object.entries(HASTE).map(([name, value]) => [`net.ipv6.conf.default.${name}`, value]));
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'routers', settings });
    for (const source of [...HOST_STACK, TapModule]) await kernel.load(source);
    host = new NetHost(kernel);
    linux = new Netns('rtr');
    await host.addDevice('tap', device, { ifname: device });
    chunks = [];
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    capture = kernel.port(Captures).current.start({ device: host.device(device), write, epochUs: Date.now() * 1000 }, { name: 'test' });
  });
  afterEach(async () => {
    await host?.kernel.shutdown();
    linux?.dispose();
  });

  /** Its end of the TAP, which this process has open. */
  async function linuxUp(settings: Readonly<Record<string, number>>): Promise<void> {
    execFileSync('ip', ['link', 'set', device, 'netns', linux.name]);
    for (const [name, value] of Object.entries({ ...HASTE, ...settings }))
      await linux.exec(`sysctl -qw net.ipv6.conf.${device}.${name}=${value}`);
    await linux.exec(`ip link set ${device} up`);
  }

  async function until(what: () => string | Promise<string>, is: RegExp, ms = 8000): Promise<string> {
    for (let waited = 0; ; waited += 50) {
      const said = await what();
      if (is.test(said)) return said;
      if (waited > ms) throw new Error(`it is '${said}' after ${ms} ms, not ${is}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const told = async (command: string): Promise<string> => (await linux.exec(command)).stdout;

  /** Nothing of what passed is malformed. */
  async function check(): Promise<Buffer> {
    capture.close();
    const bytes = Buffer.concat(chunks);
    const reading = await tsharkComplaints(bytes);
    if (reading !== null) expect(reading.complaints).toEqual([]);
    return bytes;
  }

  test('Linux configures itself by what softnet says, believes its redirects, and lets it go', async () => {
    const { kernel } = host;
    kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
    host.up('lo');
    host.addAddress('lo', 'fd99::1/128');
    host.up(device);
    host.addAddress(device, 'fd66::1/64');
    host.addRoute(`${BEYOND}/128`, { via: OTHER_ROUTER, dev: device });
    kernel.port(NeighbourTable).current.set(host.device(device), INET6, parseIpv6(OTHER_ROUTER)!, Uint8Array.of(2, 0x77, 0, 0, 0, 0x77));
    const said: RouterAdvertisement = {
      ...{ preference: 1, hopLimit: 33, reachableMs: 20_000, retransMs: 900 },
      routes: [{ prefix: parseIpv6('2001:db8:7::')!, prefixLen: 48, preference: -1, lifetimeMs: 600_000 }],
      nameServers: [parseIpv6('fd66::53')!],
      searchDomains: ['example.org'],
    };
    const advertise = (each: RouterAdvertisement | null): void => kernel.port(RouterAdvertisements).current.set(host.device(device), each);
    advertise(said);
    await linuxUp({ accept_ra_rt_info_max_plen: 64, accept_redirects: 1 });
    const router = formatIpv6(...addresses().find(([word0]) => word0 >>> 16 === 0xfe80)!);
    const routes = await until(() => told(`ip -6 route show dev ${device}`), /(?=.*^default)(?=.*^2001:db8:7::)/ms);
    expect(routes).toMatch(new RegExp(`default via ${router} proto ra metric \\d+ expires \\d+sec hoplimit 33 pref high`));
    expect(routes).toMatch(new RegExp(`2001:db8:7::/48 via ${router} proto ra .*pref low`));
    await until(() => told(`ip -6 addr show dev ${device} scope global`), /inet6 fd66::[0-9a-f:]+\/64 scope global dynamic/);
    expect((await linux.exec('ping -c 1 -W 3 fd99::1')).code).toBe(0);
    await linux.exec(`ping -c 2 -i 0.2 -W 1 ${BEYOND}`);
    expect(await told(`ip -6 route get ${BEYOND}`)).toContain(`via ${OTHER_ROUTER}`);
    // Linux believes no redirect where a router has said an MTU: it comes last.
    advertise({ ...said, mtuBytes: 1400 });
    const names = [`conf.${device}.mtu`, `neigh.${device}.base_reachable_time_ms`, `neigh.${device}.retrans_time_ms`];
    await until(() => told(`sysctl -n ${names.map((name) => `net.ipv6.${name}`).join(' ')}`), /^1400\s+20000\s+900\s*$/);
    const asked = await linux.exec(`rdisc6 -1 -w 3000 ${device}`);
    if (asked.code === 127) console.warn('skipped: rdisc6, which is not installed');
    else expect(asked.stdout).toMatch(/Recursive DNS server\s*: fd66::53.*DNS search list\s*: example\.org/s);
    advertise(null);
    await until(() => told('ip -6 route show default'), /^$/);
    const fields = await tsharkFields(await check(), 'icmpv6.type == 137', ['icmpv6.rd.na.destination_address']);
    if (fields !== null) expect(new Set(fields.flat())).toEqual(new Set([BEYOND]));
  });

  test('softnet configures itself by what radvd says, believes Linux’s redirects, and lets it go', async ({ skip }) => {
    if (skipAloud('radvd', (await linux.exec('command -v radvd')).code === 0 ? null : 'radvd is not installed')) return skip('no radvd');
    host.kernel.sysctl.set(`net.ipv6.conf.${device}.accept_ra_rt_info_max_plen`, 64);
    await linuxUp({ forwarding: 1 });
    await linux.exec('sysctl -qw net.ipv6.conf.all.forwarding=1');
    await linux.exec('ip addr add fd99::1/128 dev lo; ip link set lo up');
    await linux.exec(`ip addr add fd67::1/64 dev ${device} nodad; ip neigh add ${OTHER_ROUTER} lladdr 02:77:00:00:00:77 dev ${device}`);
    await linux.exec(`ip -6 route add ${BEYOND}/128 via ${OTHER_ROUTER} dev ${device}`);
    const end = await radvd(
      `interface ${device} { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultPreference low; AdvCurHopLimit 44; AdvLinkMTU 1300;
        AdvReachableTime 20000; AdvRetransTimer 900; prefix fd67::/64 { }; route 2001:db8:8::/48 { AdvRoutePreference high; };
        RDNSS fd67::53 { }; DNSSL example.net { }; };`,
    );
    try {
      host.up(device);
      await until(routes, /default by fe80::[0-9a-f:]+ pref -1/);
      expect(routes()).toMatch(/2001:db8:8::\/48 by fe80::[0-9a-f:]+ pref 1/);
      await until(
        () =>
          addresses()
            .map((words) => formatIpv6(...words))
            .join(),
        /fd67::/,
      );
      const { items } = host.kernel.contributions(NameServers);
      expect(items.flatMap(({ servers }) => servers.map(({ address }) => formatIpv6(...address)))).toEqual(['fd67::53']);
      expect(items.flatMap(({ searchDomains }) => searchDomains.map(({ name }) => name))).toEqual(['example.net']);
      await host.ping('fd99::1', { timeoutMs: 5000 });
      await host.ping(BEYOND, { timeoutMs: 500 }).catch(() => {});
      const learnt = (): string =>
        host.kernel
          .port(Route)
          .current.exceptions(INET6)
          .map(({ destination, gateway }) => `${formatIpv6(...destination)} by ${gateway === null ? '' : formatIpv6(...gateway.address)}`)
          .join();
      await until(learnt, new RegExp(`${BEYOND} by ${OTHER_ROUTER}`));
    } finally {
      await end();
    }
    // radvd says farewell.
    await until(routes, /^(?!.*default)/);
    await check();
  });

  /** Runs in Linux's namespace, in the foreground. */
  async function radvd(conf: string): Promise<() => Promise<void>> {
    const folder = mkdtempSync(join(tmpdir(), 'softnet-radvd-'));
    writeFileSync(join(folder, 'radvd.conf'), conf);
    const args = ['netns', 'exec', linux.name, 'radvd', '-n', '-m', 'stderr', '-C', join(folder, 'radvd.conf'), '-p', join(folder, 'pid')];
    const child = spawn('ip', args, { stdio: 'ignore' });
    const over = new Promise<void>((resolve) => child.on('exit', () => resolve()));
    return async () => {
      child.kill('SIGTERM');
      await over;
      rmSync(folder, { recursive: true, force: true });
    };
  }

  function addresses(): (readonly [number, number, number, number])[] {
    const layer = host.kernel.contributions(NetworkLayer).items.find(({ family }) => family === INET6)!;
    return [...layer.addresses].filter((each) => each.device.name === device).map(({ address }) => address);
  }

  function routes(): string {
    const entries = host.kernel
      .port(Route)
      .current.entries(INET6)
      .filter(({ source }) => source === 9);
    return entries
      .map(({ prefix, prefixLen, nextHops, preference = 0 }) => {
        const to = prefixLen === 0 ? 'default' : `${formatIpv6(...prefix)}/${prefixLen}`;
        return `${to} by ${formatIpv6(...(nextHops[0]!.gateway?.address ?? [0, 0, 0, 0]))} pref ${preference}`;
      })
      .join();
  }
});

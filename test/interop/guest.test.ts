import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import { CubicModule, RenoModule } from '@softnet/congestion';
import { ADDRESS_FAMILY, NeighbourTable, RouterAdvertisements } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { QemuModule } from '@softnet/nic-driver/node';
import { createNode } from '@softnet/node';
import { TcpModule } from '@softnet/tcp';
import { HOST_STACK, NetHost, Pinger, QUIET_HOST } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { parseIpv6 } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Meeting } from './linux/exercises.ts';
import { exercises, PREFIXES } from './linux/exercises.ts';
import { Guest, guestSkipReason } from './linux/guest.ts';
import { iperf3Server } from './linux/iperf3.ts';
import { skipAloud } from './linux/linux-side.ts';
import { until } from './linux/until.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The guest, or why there is none here: what it is made of may have to be fetched first. */
const datagrams = { ours: 15_000 + (process.pid % 10_000), theirs: 25_000 + (process.pid % 7000) };
const nics = [`udp:${datagrams.theirs}:${datagrams.ours}`];
const booted = guestSkipReason() ?? (await Guest.boot('udp', nics).catch((error: Error) => `it does not boot: ${error.message}`));
const isSkipped = skipAloud('a Linux guest', typeof booted === 'string' ? booted : null);
const linux = booted as Guest;
afterAll(async () => {
  if (!isSkipped) await linux.dispose();
});

describe.skipIf(isSkipped)('a Linux guest, through its stream socket', () => {
  let meeting: Meeting;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule, RenoModule, CubicModule, TcpModule]) await kernel.load(source);
    const host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { path: linux.socketPath });
    host.up('eth0');
    for (const prefix of PREFIXES) host.addAddress('eth0', prefix);
    meeting = { linux, host, device: 'eth0' };
  });
  afterAll(async () => {
    await meeting?.host.kernel.shutdown();
  });

  exercises(() => meeting);

  test('the guest asks our http server, both families, and iperf3 has its stream both ways', async () => {
    const node = createNode(meeting.host.kernel);
    const page = 'softnet'.repeat(30_000);
    for (const prefix of PREFIXES) {
      const address = prefix.split('/')[0]!;
      const server = node.serve(
        http.createServer((_request, response) => response.end(page)),
        ...[8080, address],
      );
      await once(server, 'listening');
      const url = `http://${address.includes(':') ? `[${address}]` : address}:8080/`;
      expect((await linux.exec(`wget -q -O - '${url}' | sha256sum`)).stdout.slice(0, 64)).toBe(sha256(page));
      server.close();
      for (const reverse of ['', '-R']) {
        let said: Promise<{ code: number; stdout: string }> | null = null;
        const { bytes } = await iperf3Server(node, address, 5201, () => {
          said = linux.exec(`iperf3 -c ${address} -n 500K -l 50K ${reverse}`);
        });
        expect([(await said!).code, bytes]).toEqual([0, 512_000]);
      }
    }
  });
});

describe.skipIf(isSkipped)('a Linux guest, through UDP: a datagram is a frame', () => {
  const addresses = [
    ['10.78.0.1', '10.78.0.2', 24],
    ['fd78::1', 'fd78::2', 64],
  ] as const;
  let host: NetHost;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule]) await kernel.load(source);
    host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { local: { port: datagrams.ours }, remote: { port: datagrams.theirs } });
    host.up('eth0');
    await linux.exec('sysctl -qw net.ipv6.conf.eth1.accept_dad=0 net.ipv6.conf.eth1.router_solicitations=0; ip link set eth1 up');
    for (const [theirs, ours, bits] of addresses) {
      await linux.exec(`ip addr add ${theirs}/${bits} dev eth1 ${theirs.includes(':') ? 'nodad' : ''}`);
      host.addAddress('eth0', `${ours}/${bits}`);
    }
  });
  afterAll(() => host?.kernel.shutdown());

  test.each(addresses)('pings both ways, and datagrams of all sizes, with %s', async (theirs, ours) => {
    for (const lenBytes of [0, 56, 1472, 1473, 20_000]) {
      const { code, stdout } = await linux.exec(`ping -c 1 -W 5 -s ${lenBytes} ${ours}`);
      expect([code, lenBytes], stdout).toEqual([0, lenBytes]);
      expect(await host.ping(theirs, { lenBytes, timeoutMs: 5000 })).toMatchObject({ lenBytes });
    }
    expect(await linux.exchange(ours, 7, [0, 1, 1452, 1473, 9000, 65_507])).toEqual([]);
  });
});

/** Behind eth1 is a namespace of the guest, b, on a link of 1,300 bytes; so is one behind the guest, c. */
describe.skipIf(isSkipped)('a Linux guest and IPv6: softnet is a router first, then a host', () => {
  const [PREFIX, BEHIND_SOFTNET, BEHIND_GUEST] = ['fd79::', 'fd7a::2', 'fd7b::2'];
  const NARROW_BYTES = 1300;
  let host: NetHost;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule]) await kernel.load(source);
    host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { path: linux.socketPath });
    await host.addDevice('qemu', 'eth1', { local: { port: datagrams.ours }, remote: { port: datagrams.theirs } });
    host.setMtu('eth1', NARROW_BYTES);
    for (const device of ['lo', 'eth0', 'eth1']) host.up(device);
    const quiet = 'sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0';
    await run(`ip addr flush dev eth0 scope global; ip neigh flush all; ip netns add b; ip link set eth1 netns b; ip netns add c
      ip netns exec b sh -c '${quiet}; ip link set eth1 mtu ${NARROW_BYTES} up; ip addr add ${BEHIND_SOFTNET}/64 dev eth1; ip route add default via fd7a::1'
      ip link add vc mtu ${NARROW_BYTES} type veth peer name eth0 mtu ${NARROW_BYTES} netns c; ip link set vc up; ip addr add fd7b::1/64 dev vc nodad
      ip netns exec c sh -c '${quiet}; ip link set eth0 up; ip addr add ${BEHIND_GUEST}/64 dev eth0 nodad; ip route add default via fd7b::1'`);
  });
  afterAll(() => host?.kernel.shutdown());

  async function run(command: string): Promise<string> {
    const { stdout, stderr } = await linux.exec(command);
    if (stderr !== '') throw new Error(`${command}: ${stderr}`);
    return stdout;
  }

  test('the guest configures itself by what softnet says, reaches who is behind it, and learns that the path is narrow', async () => {
    const { kernel } = host;
    kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
    host.addAddress('eth0', `${PREFIX}1/64`);
    host.addAddress('eth1', 'fd7a::1/64');
    const prefixes = [{ prefix: parseIpv6(PREFIX!)!, prefixLen: 64 }];
    kernel.port(RouterAdvertisements).current.set(host.device('eth0'), { prefixes });
    await linux.exec('rdisc6 -1 -w 3000 eth0');
    await until(() => run('ip -6 addr show dev eth0 scope global'), /inet6 fd79::[0-9a-f:]+\/64/);
    await until(() => run('ip -6 route show default'), /via fe80::\S+ dev eth0 proto ra/);
    const ping = async (words: string): Promise<string> => (await linux.exec(`ping -n -c 1 -W 5 ${words} ${BEHIND_SOFTNET}`)).stdout;
    expect(await ping('-M do -s 1400')).toMatch(/From fd79::1 icmp_seq=1 Packet too big: mtu=1300/);
    expect(await ping('-M do -s 1252')).toMatch(/ 0% packet loss/);
    expect(await ping('-s 9000')).toMatch(/ 0% packet loss/);
    expect(await run('ip -6 neigh show dev eth0')).toMatch(/router (REACHABLE|DELAY|STALE|PROBE)/);
    expect(await linux.exchange(`${PREFIX}1`, 7, [0, 1452, 1453, 65_527])).toEqual([]);
    // Its farewell.
    kernel.port(RouterAdvertisements).current.set(host.device('eth0'), null);
    await until(() => run('ip -6 route show default'), /^$/);
  });

  test('softnet reaches who is behind the guest, learns that the path is narrow, and finds out that its router is gone', async () => {
    await run('sysctl -qw net.ipv6.conf.all.forwarding=1; ip addr add fd79::9/64 dev eth0 nodad');
    host.addRoute('fd7b::/64', { via: 'fd79::9' });
    const pinger = new Pinger(host.kernel, ADDRESS_FAMILY.INET6, { mtuDiscover: 2, from: `${PREFIX}1` });
    await expect(pinger.ping(BEHIND_GUEST!, { lenBytes: 1400, timeoutMs: 5000 })).rejects.toThrow('EMSGSIZE');
    await pinger.ping(BEHIND_GUEST!, { lenBytes: 1252, timeoutMs: 5000 });
    pinger.close();
    expect(await host.ping(BEHIND_GUEST!, { lenBytes: 9000, timeoutMs: 5000 })).toMatchObject({ lenBytes: 9000 });
    await run('ip link set eth0 down');
    host.kernel.port(NeighbourTable).current.remove(host.device('eth0'), ADDRESS_FAMILY.INET6, parseIpv6('fd79::9')!);
    await expect(host.ping(BEHIND_GUEST!, { timeoutMs: 8000 })).rejects.toThrow('EHOSTUNREACH');
  });
});

import { createHash } from 'node:crypto';
import { SOCK_TYPE, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { readTcpInfo, socketAddress } from '@softnet/posix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { missingPrograms } from './linux/programs.ts';
import { FAMILIES, TcpLink } from './linux/tcp-link.ts';
import { tsharkFields } from './linux/tshark.ts';
import { until } from './linux/until.ts';

const NARROW_BYTES = 1300;
/** Of options, then of segments: less the headers of IP and TCP, and timestamps. */
const MSS = { 2: 1248, 10: 1228 } as const;
const NUMBERS = 150_000;
const SAID = Buffer.from(Array.from({ length: NUMBERS }, (_, at) => `${at + 1}\n`).join(''));
const QUIET =
  'sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1';
const SERVER = { 2: '10.83.0.2', 10: 'fd83::2' } as const;

/** softnet, a router, 1,300 bytes, a router, a server. Both ends' own links take 1,500: neither knows before it is told. */
describe.skipIf(skipAloud('narrow paths of TCP', netnsSkipReason() ?? missingPrograms('nc')))(
  'TCP on a path that is narrow in the middle',
  () => {
    let link: TcpLink;
    let [middle, server]: Netns[] = [];

    beforeAll(async () => {
      link = await TcpLink.make('paths');
      [middle, server] = [new Netns('tcp-mid'), new Netns('tcp-srv')];
      const narrow = `mtu ${NARROW_BYTES}`;
      await run(
        link.linux,
        `${QUIET}; ip link add narrow ${narrow} type veth peer name narrow ${narrow} netns ${middle.name}; ip link set narrow up
      ip addr add 10.82.0.1/24 dev narrow; ip addr add fd82::1/64 dev narrow nodad; ip route add 10.83.0.0/24 via 10.82.0.2; ip route add fd83::/64 via fd82::2`,
      );
      await run(
        middle,
        `${QUIET}; ip link set narrow up; ip addr add 10.82.0.2/24 dev narrow; ip addr add fd82::2/64 dev narrow nodad
      ip link add wide type veth peer name wide netns ${server.name}; ip link set wide up; ip addr add 10.83.0.1/24 dev wide; ip addr add fd83::1/64 dev wide nodad
      ip route add default via 10.82.0.1; ip -6 route add default via fd82::1`,
      );
      await run(
        server,
        `${QUIET}; ip link set wide up; ip addr add 10.83.0.2/24 dev wide; ip addr add fd83::2/64 dev wide nodad
      ip route add default via 10.83.0.1; ip -6 route add default via fd83::1`,
      );
      link.softnet.addRoute('10.83.0.0/24', { via: link.theirs(2) });
      link.softnet.addRoute('fd83::/64', { via: link.theirs(10) });
      const reached = FAMILIES.map((family) => `ping -c1 -W1 ${link.ours(family)} > /dev/null`).join(' && ');
      await until(async () => `${(await server!.exec(reached)).code}`, /^0$/, 30_000);
    });
    afterAll(async () => {
      await link?.dispose();
      for (const each of [middle, server]) each?.dispose();
    });

    async function run(linux: Netns, command: string): Promise<void> {
      const { stderr } = await linux.exec(command);
      if (stderr !== '') throw new Error(stderr);
    }

    test.concurrent.for(FAMILIES)('a megabyte each way at once: both learn of it (family %i; RFC 1191, 8201)', async (family) => {
      const [port, host] = [link.port(), SERVER[family]];
      const said = server!.exec(`seq ${NUMBERS} | timeout 50 nc -l -N ${host} ${port} | sha256sum`);
      await until(async () => (await server!.exec(`ss -Hltn sport = :${port}`)).stdout, /LISTEN/, 30_000);
      const { posix } = link;
      const fd = posix.socket(family, SOCK_TYPE.STREAM);
      expect(await posix.connect(fd, socketAddress(host, port)!)).toBe(0);
      const [hash, place] = [createHash('sha256'), new Uint8Array(65_536)];
      const heard = (async () => {
        let lenBytes = 0;
        for (;;) {
          const count = await posix.recv(fd, place);
          if (count <= 0) return [count, lenBytes];
          lenBytes += count;
          hash.update(place.subarray(0, count));
        }
      })();
      expect(await posix.send(fd, SAID)).toBe(SAID.length);
      expect(await heard).toEqual([0, SAID.length]);
      const bytes = new Uint8Array(232);
      posix.getsockopt(fd, SOL.TCP, TCP_SOCKET_OPTION.INFO, bytes);
      const { tcpi_pmtu, tcpi_snd_mss } = readTcpInfo(bytes);
      expect([tcpi_pmtu, tcpi_snd_mss]).toEqual([NARROW_BYTES, MSS[family]]);
      // Not before: nc ends with the first end that it hears.
      posix.shutdown(fd, 1);
      const whole = createHash('sha256').update(SAID).digest('hex');
      expect([hash.digest('hex'), (await said).stdout.slice(0, 64)]).toEqual([whole, whole]);
      posix.close(fd);
    });

    test('each was told so by an ICMP, and tshark has no complaint', async ({ skip }) => {
      const told = await tsharkFields(link.softnet.capture, 'icmp.type == 3 || icmpv6.type == 2', ['icmp.mtu', 'icmpv6.mtu']);
      if (told === null) return skip('tshark is not installed');
      expect(new Set(told.map((each) => each.join('')))).toEqual(new Set([`${NARROW_BYTES}`]));
      const faults = '_ws.malformed || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad"';
      expect(await tsharkFields(link.softnet.capture, `(${faults}) && !icmp && !icmpv6`, ['_ws.col.Info'])).toEqual([]);
    });
  },
);

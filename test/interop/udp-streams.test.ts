import { execFileSync } from 'node:child_process';
import type { NetDevice } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_FEATURE, ERRNO, IPV6_OPTION, SO, SOCK_TYPE, SOL, UDP_OPTION } from '@softnet/contract';
import type { MessageHeader } from '@softnet/posix';
import { emptyAddress, intValue, Posix, readControl, readInt, socketAddress } from '@softnet/posix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { TapHost } from './linux/tap-host.ts';
import { tsharkFields } from './linux/tshark.ts';
import type { Heard } from './linux/udp-peer.ts';
import { numbered, udpPeer, udpPeerSkipReason } from './linux/udp-peer.ts';
import { until } from './linux/until.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const WAIT_MS = 5000;
const WINDOW = 8;
const BUFFER_BYTES = 8 << 20;
/** Two links: frames are finished on the first; on the second either side leaves sums and cuts to the other. */
const LINKS = ['plain', 'offload'] as const;
type Link = (typeof LINKS)[number];
const FAMILIES = [INET, INET6] as const;
const MATRIX = LINKS.flatMap((link) => FAMILIES.map((family) => [link, family] as const));
/** Around every edge, up to all that a datagram can be. */
const SIZES = [4, 0, 1, 1471, 1472, 1473, 1451, 1452, 1453, 65_507, 9000, 2905, 7, 65_507, 65_506, 32_768];
const STREAM = Array.from({ length: 100 }, (_, index) => SIZES[index % SIZES.length]! || index % 3);
const [BURST_BYTES, SEGMENT_BYTES] = [20_005, 1000] as const;

const addressOf = (side: 'linux' | 'softnet', link: Link, family: number): string => {
  const [host, net] = [side === 'linux' ? 1 : 2, LINKS.indexOf(link)];
  return family === INET ? `10.79.${net + 1}.${host}` : `fd79:${net + 1}::${host}`;
};

/** Numbered datagrams, as `iperf3 -u` has them; that itself first wants a TCP connection. */
describe.skipIf(skipAloud('streams of UDP with Linux', netnsSkipReason() ?? udpPeerSkipReason()))(
  'streams of UDP, with this machine’s Linux',
  () => {
    let softnet: TapHost;
    let linux: Netns;
    let posix: Posix;
    let device: NetDevice;
    let nextPort = 7200;

    beforeAll(async () => {
      softnet = await TapHost.boot('udp streams', {
        settings: { 'net.ipv6.conf.default.accept_dad': 0, 'net.ipv6.conf.default.router_solicitations': 0 },
      });
      linux = new Netns('udps');
      await softnet.plug('plain', linux);
      const ifname = `snu${process.pid % 100_000}`;
      device = await softnet.addDevice('tap', 'offload', { ifname });
      execFileSync('ip', ['link', 'set', ifname, 'netns', linux.name, 'name', 'offload']);
      for (const link of LINKS) {
        await linux.exec(`sysctl -qw net.ipv6.conf.${link}.accept_dad=0 net.ipv6.conf.${link}.router_solicitations=0`);
        for (const [family, lenBits] of [
          [INET, 24],
          [INET6, 64],
        ] as const) {
          await linux.exec(`ip addr add ${addressOf('linux', link, family)}/${lenBits} dev ${link} ${family === INET6 ? 'nodad' : ''}`);
          softnet.addAddress(link, `${addressOf('softnet', link, family)}/${lenBits}`);
        }
        await linux.exec(`ip link set ${link} up`);
        softnet.up(link);
      }
      posix = new Posix(softnet.kernel, { name: 'udp streams' });
      const pings = MATRIX.map(([link, family]) => `ping -c1 -W1 ${addressOf('softnet', link, family)} > /dev/null`);
      await until(async () => `${(await linux.exec(pings.join(' && '))).code}`, /^0$/);
    });
    afterAll(async () => {
      posix?.exit();
      await softnet?.kernel.shutdown();
      linux?.dispose();
    });

    /** A socket that has room, and of IPv6 takes no IPv4. */
    function open(family: number, options: Readonly<Record<number, number>> = {}): number {
      const fd = posix.socket(family, SOCK_TYPE.DGRAM);
      if (family === INET6) posix.setsockopt(fd, SOL.IPV6, IPV6_OPTION.V6ONLY, intValue(1));
      posix.setsockopt(fd, SOL.SOCKET, SO.RCVBUFFORCE, intValue(BUFFER_BYTES));
      for (const [name, value] of Object.entries(options)) expect(posix.setsockopt(fd, SOL.UDP, Number(name), intValue(value))).toBe(0);
      return fd;
    }

    function bound(link: Link, family: number, options: Readonly<Record<number, number>> = {}): readonly [fd: number, port: number] {
      const [fd, port] = [open(family, options), nextPort++];
      expect(posix.bind(fd, socketAddress(addressOf('softnet', link, family), port)!)).toBe(0);
      return [fd, port];
    }

    /** Linux listens; then `act` is called with a socket that is connected to it. */
    async function linuxHears(
      ...[link, family, count, theirs, act, ours = {}]: [
        Link,
        number,
        number,
        readonly string[],
        (fd: number) => unknown,
        Record<number, number>?,
      ]
    ): Promise<Heard> {
      const [address, port] = [addressOf('linux', link, family), nextPort++];
      const fd = open(family, ours);
      let failed: unknown;
      const heard = await udpPeer<Heard>(linux, ['hear', address, port, count, ...theirs], () => {
        posix.connect(fd, socketAddress(address, port)!);
        Promise.resolve(act(fd)).catch((error) => {
          failed = error;
        });
      });
      posix.close(fd);
      if (failed !== undefined) throw failed;
      return heard;
    }

    async function sendStream(fd: number): Promise<void> {
      const place = new Uint8Array(4);
      let heard = -1;
      for (const [index, size] of STREAM.entries()) {
        expect(await posix.send(fd, numbered(index, size))).toBe(size);
        while (index - heard >= WINDOW) {
          expect(await posix.recv(fd, place, 0, AbortSignal.timeout(WAIT_MS))).toBe(4);
          heard = new DataView(place.buffer).getUint32(0);
        }
      }
    }

    test.concurrent.for(MATRIX)('ours to Linux over %s, family %i: each came once, in order, whole', async ([link, family]) => {
      const heard = await linuxHears(link, family, STREAM.length, [], sendStream);
      expect(heard).toEqual({ lengths: STREAM, wrong: [], sizes: [] });
    });

    test.concurrent.for(MATRIX)('Linux’s to us over %s, family %i: each came once, in order, whole', async ([link, family]) => {
      const [fd, port] = bound(link, family);
      const said = udpPeer(linux, ['say', addressOf('softnet', link, family), port, STREAM.join()]);
      const [place, from] = [new Uint8Array(65_536), emptyAddress()];
      for (const [index, size] of STREAM.entries()) {
        expect(await posix.recvfrom(fd, place, 0, from, AbortSignal.timeout(WAIT_MS))).toBe(size);
        expect(Buffer.compare(place.subarray(0, size), numbered(index, size)), `number ${index}`).toBe(0);
        posix.sendto(fd, Uint8Array.of(0, 0, 0, index), 0, from);
      }
      expect(await said).toEqual({ heard: STREAM.length - 1 });
      posix.close(fd);
    });

    test.concurrent.for(MATRIX)(
      'a burst of ours over %s, family %i: Linux takes it as it comes, and datagram by datagram',
      async ([link, family]) => {
        const data = numbered(0, BURST_BYTES);
        const send = (fd: number): void => expect(posix.send(fd, data)).toBe(BURST_BYTES);
        const bursts = { [UDP_OPTION.SEGMENT]: SEGMENT_BYTES };
        const cut = await linuxHears(link, family, 21, [], send, bursts);
        expect(cut.lengths).toEqual([...new Array(20).fill(SEGMENT_BYTES), 5]);
        const whole = link === 'offload' && (device.features & DEVICE_FEATURE.GSO_UDP) !== 0;
        if (!whole) return;
        const merged = await linuxHears(link, family, 1, [`${UDP_OPTION.GRO}=1`], send, bursts);
        expect(merged).toEqual({ lengths: [BURST_BYTES], wrong: [], sizes: [SEGMENT_BYTES] });
      },
    );

    test.concurrent.for(MATRIX)('a burst of Linux over %s, family %i: we take it merged, and are told the size', async ([link, family]) => {
      const [fd, port] = bound(link, family, { [UDP_OPTION.GRO]: 1 });
      await udpPeer(linux, ['throw', addressOf('softnet', link, family), port, BURST_BYTES, `${UDP_OPTION.SEGMENT}=${SEGMENT_BYTES}`]);
      const parts: Uint8Array[] = [];
      const header: MessageHeader = { name: emptyAddress(), iov: [new Uint8Array(65_536)], control: new Uint8Array(100) };
      for (let left = BURST_BYTES; left > 0; left -= parts.at(-1)!.length) {
        const count = await posix.recvmsg(fd, header, 0, AbortSignal.timeout(WAIT_MS));
        expect(count).toBeGreaterThan(0);
        parts.push(header.iov[0]!.slice(0, count));
        const told = readControl(header.control!.subarray(0, header.controlBytes))!.find(({ level }) => level === SOL.UDP);
        expect(told === undefined ? SEGMENT_BYTES : readInt(told.data)).toBe(SEGMENT_BYTES);
        expect(told !== undefined || count <= SEGMENT_BYTES).toBe(true);
      }
      expect(Buffer.compare(Buffer.concat(parts), numbered(0, BURST_BYTES))).toBe(0);
      if (link === 'offload' && (device.features & DEVICE_FEATURE.GSO_UDP) !== 0) expect(parts.length).toBeLessThan(21);
      posix.close(fd);
    });

    test.concurrent('without a checksum over IPv6 (RFC 6935): who asks has it, others drop it, both ways', async () => {
      const [asks, takes] = [`${UDP_OPTION.NO_CHECK6_TX}=1`, `${UDP_OPTION.NO_CHECK6_RX}=1`];
      const send = (fd: number): unknown => posix.send(fd, numbered(0, 9));
      const unsummed = { [UDP_OPTION.NO_CHECK6_TX]: 1 };
      const dropped = (): number => softnet.kernel.dropReasons().find(({ name }) => name === 'udp.no-checksum')!.count;
      // The second one is summed: what Linux hears first says what became of the one without.
      const twice = (fd: number): void => {
        send(fd);
        posix.setsockopt(fd, SOL.UDP, UDP_OPTION.NO_CHECK6_TX, intValue(0));
        posix.send(fd, numbered(0, 5));
      };
      const [taken, refused] = await Promise.all([
        linuxHears('plain', INET6, 1, [takes], send, unsummed),
        linuxHears('plain', INET6, 1, [], twice, unsummed),
      ]);
      expect([taken.lengths, refused.lengths]).toEqual([[9], [5]]);
      for (const [options, comes] of [
        [{ [UDP_OPTION.NO_CHECK6_RX]: 1 }, 9],
        [{}, -ERRNO.EAGAIN],
      ] as const) {
        const [fd, port] = bound('plain', INET6, options);
        const before = dropped();
        await udpPeer(linux, ['throw', addressOf('softnet', 'plain', INET6), port, 9, asks]);
        if (comes > 0) expect(await posix.recv(fd, new Uint8Array(20), 0, AbortSignal.timeout(WAIT_MS))).toBe(comes);
        else await until(() => `${dropped() - before}`, /^1$/);
        expect(posix.recv(fd, new Uint8Array(20), 0x40)).toBe(-ERRNO.EAGAIN);
        posix.close(fd);
      }
    });

    test.concurrent('without a checksum over IPv4 (SO_NO_CHECK), both ways: each has it', async () => {
      const heard = await linuxHears('plain', INET, 1, [], (fd) => {
        posix.setsockopt(fd, SOL.SOCKET, SO.NO_CHECK, intValue(1));
        return posix.send(fd, numbered(0, 11));
      });
      expect(heard.lengths).toEqual([11]);
      const [fd, port] = bound('plain', INET);
      await udpPeer(linux, ['throw', addressOf('softnet', 'plain', INET), port, 13, 'check=0']);
      expect(await posix.recv(fd, new Uint8Array(20), 0, AbortSignal.timeout(WAIT_MS))).toBe(13);
      posix.close(fd);
    });

    test.concurrent.for(FAMILIES)('Linux’s error queue says that we refuse (family %i)', async (family) => {
      const offender = addressOf('softnet', 'plain', family);
      const [origin, type, code] = family === INET ? [2, 3, 3] : [3, 1, 4];
      expect(await udpPeer(linux, ['error', offender, 4711])).toEqual({
        errno: ERRNO.ECONNREFUSED,
        data: 'lost',
        origin,
        type,
        code,
        offender,
      });
    });

    test('on the wire the sums that were left out are zero, and no others', async ({ skip }) => {
      // A dropped one stands in the capture once more, with its reason.
      const zero = await tsharkFields(softnet.capture, 'udp.checksum == 0 && !frame.comment', ['udp.length']);
      if (zero === null) return skip('tshark is not installed');
      expect(
        zero
          .flat()
          .map((text) => Number(text) - 8)
          .toSorted((one, other) => one - other),
      ).toEqual([9, 9, 9, 9, 11, 13]);
    });
  },
);

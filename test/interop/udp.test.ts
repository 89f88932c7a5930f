import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, MESSAGE_FLAG, SOCK_TYPE, SOL } from '@softnet/contract';
import type { MessageHeader } from '@softnet/posix';
import {
  addressText,
  emptyAddress,
  intValue,
  Posix,
  readControl,
  readExtendedError,
  readSockaddr,
  socketAddress,
  writeControl,
} from '@softnet/posix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, ask, DNS_TYPE, longText, questionOf } from './linux/dns.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { TapHost } from './linux/tap-host.ts';
import { tsharkComplaints } from './linux/tshark.ts';
import { until } from './linux/until.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { DGRAM } = SOCK_TYPE;
/** What an echo, and a name server, listen on. */
const [ECHO, DNS] = [7000, 5300];
const OWN = ['10.77.0.2', 'fd77::2'] as const;
const FURTHER = ['10.77.0.3', 'fd77::3'] as const;
const FAMILIES = [
  [INET, OWN[0], FURTHER[0], '10.77.0.1'],
  [INET6, OWN[1], FURTHER[1], 'fd77::1'],
] as const;

describe.skipIf(skipAloud('UDP with Linux', netnsSkipReason()))('UDP, with programs on this machine’s Linux', () => {
  let softnet: TapHost;
  let linux: Netns;
  let posix: Posix;

  beforeAll(async () => {
    softnet = await TapHost.boot('udp', {
      settings: { 'net.ipv6.conf.default.accept_dad': 0, 'net.ipv6.conf.default.router_solicitations': 0 },
    });
    linux = new Netns('udp');
    await softnet.plug('eth0', linux);
    await linux.exec('sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.router_solicitations=0');
    await linux.exec('ip addr add 10.77.0.1/24 dev eth0; ip addr add fd77::1/64 dev eth0 nodad; ip link set eth0 up');
    for (const address of [`${OWN[0]}/24`, `${FURTHER[0]}/24`, `${OWN[1]}/64`, `${FURTHER[1]}/64`]) softnet.addAddress('eth0', address);
    softnet.up('eth0');
    posix = new Posix(softnet.kernel, { name: 'udp test' });
    for (const [family] of FAMILIES) {
      void echo(bound(family, ECHO), family);
      void nameServer(bound(family, DNS));
    }
    await until(async () => (await linux.exec(`ping -c1 -W1 ${OWN[0]} && ping -c1 -W1 ${OWN[1]}`)).stdout, /1 received[\s\S]*1 received/);
  });
  afterAll(async () => {
    posix?.exit();
    await softnet?.kernel.shutdown();
    linux?.dispose();
  });

  function bound(family: number, port: number): number {
    const fd = posix.socket(family, DGRAM);
    if (family === INET6) posix.setsockopt(fd, SOL.IPV6, IPV6_OPTION.V6ONLY, intValue(1));
    expect(posix.bind(fd, socketAddress(family === INET ? '0.0.0.0' : '::', port)!)).toBe(0);
    return fd;
  }

  /** Answers from the address that was spoken to (PKTINFO), until its socket is closed. */
  async function echo(fd: number, family: number): Promise<void> {
    const [level, wish] = family === INET ? [SOL.IP, IP_OPTION.PKTINFO] : [SOL.IPV6, IPV6_OPTION.RECVPKTINFO];
    posix.setsockopt(fd, level, wish, intValue(1));
    const header: MessageHeader = { name: emptyAddress(), iov: [new Uint8Array(65_535)], control: new Uint8Array(100) };
    for (let count = await posix.recvmsg(fd, header); count >= 0; count = await posix.recvmsg(fd, header)) {
      const [info] = readControl(header.control!.subarray(0, header.controlBytes))!;
      await posix.sendmsg(fd, { name: header.name, iov: [header.iov[0]!.subarray(0, count)], control: writeControl([info!]) });
    }
  }

  async function nameServer(fd: number): Promise<void> {
    const [place, from] = [new Uint8Array(1500), emptyAddress()];
    for (let count = await posix.recvfrom(fd, place, 0, from); count >= 0; count = await posix.recvfrom(fd, place, 0, from)) {
      const message = place.slice(0, count);
      const { type } = questionOf(message);
      const data = type === DNS_TYPE.A ? Uint8Array.of(192, 0, 2, 7) : longText(3000);
      await posix.sendto(fd, answer(message, data), 0, from);
    }
  }

  async function needs(program: string, skip: (why: string) => void): Promise<boolean> {
    const missing = (await linux.exec(`command -v ${program}`)).code !== 0;
    if (missing && skipAloud(program, `${program} is not installed`)) skip(`${program} is not installed`);
    return !missing;
  }

  test.concurrent.for(FAMILIES)('nc speaks to our echo, at whichever of its addresses (family %i)', async ([, own, further], { skip }) => {
    if (!(await needs('nc', skip))) return;
    for (const address of [own, further]) {
      const { stdout } = await linux.exec(`echo 'to ${address}' | timeout 5 nc -u -w 1 -W 1 ${address} ${ECHO}`);
      expect(stdout).toBe(`to ${address}\n`);
    }
  });

  test.concurrent.for(FAMILIES)('our datagrams reach nc, and its answer us (family %i)', async ([family, , , linuxAddress], { skip }) => {
    if (!(await needs('nc', skip))) return;
    const port = 7100 + family;
    const heard = linux.exec(`echo answer | timeout 8 nc -u -l -W 1 ${family === INET6 ? '-6' : '-4'} ${linuxAddress} ${port}`);
    await until(async () => (await linux.exec('ss -uln')).stdout, new RegExp(`:${port}\\b`));
    const fd = posix.socket(family, DGRAM);
    expect(posix.connect(fd, socketAddress(linuxAddress, port)!)).toBe(0);
    expect(posix.send(fd, Buffer.from('question\n'))).toBe(9);
    const place = new Uint8Array(100);
    expect(await posix.recv(fd, place, 0, AbortSignal.timeout(8000))).toBe(7);
    expect([Buffer.from(place.subarray(0, 7)).toString(), (await heard).stdout]).toEqual(['answer\n', 'question\n']);
    posix.close(fd);
  });

  test.concurrent.for(FAMILIES)(
    'dig asks our name server: a short answer, and one that comes in fragments (family %i)',
    async ([, own], { skip }) => {
      if (!(await needs('dig', skip))) return;
      const dig = async (what: string): Promise<string> =>
        (await linux.exec(`dig +tries=2 +time=3 +short @${own} -p ${DNS} ${what}`)).stdout;
      expect(await dig('host.softnet.test A')).toBe('192.0.2.7\n');
      expect((await dig('+bufsize=4096 +ignore long.softnet.test TXT')).replaceAll(/[^x]/g, '')).toHaveLength(3000);
    },
  );

  test.concurrent('we ask dnsmasq, by both families', async ({ skip }) => {
    if (!(await needs('dnsmasq', skip))) return;
    const options = '--keep-in-foreground --no-resolv --no-hosts --bind-interfaces --interface=eth0 --pid-file= --user=root';
    const server = linux.exec(`timeout 8 dnsmasq ${options} --port=5400 --address=/softnet.test/192.0.2.9`);
    await until(async () => (await linux.exec('ss -uln')).stdout, /:5400\b/);
    for (const [family, , , linuxAddress] of FAMILIES) {
      const fd = posix.socket(family, DGRAM);
      posix.connect(fd, socketAddress(linuxAddress, 5400)!);
      posix.send(fd, ask(0x1234, 'host.softnet.test', DNS_TYPE.A));
      const place = new Uint8Array(512);
      const count = await posix.recv(fd, place, 0, AbortSignal.timeout(5000));
      expect([...place.subarray(0, 2), ...place.subarray(count - 4, count)]).toEqual([0x12, 0x34, 192, 0, 2, 9]);
      posix.close(fd);
    }
    await linux.exec('pkill -x dnsmasq');
    await server;
  });

  test.concurrent.for(FAMILIES)(
    'Linux refuses what nobody listens for: by the next call, and by the error queue with who says so (family %i)',
    async ([family, , , linuxAddress]) => {
      const [level, name] = family === INET ? [SOL.IP, IP_OPTION.RECVERR] : [SOL.IPV6, IPV6_OPTION.RECVERR];
      const fd = posix.socket(family, DGRAM);
      posix.setsockopt(fd, level, name, intValue(1));
      posix.connect(fd, socketAddress(linuxAddress, 9)!);
      posix.send(fd, Buffer.from('lost'));
      expect(await posix.recv(fd, new Uint8Array(9), 0, AbortSignal.timeout(5000))).toBe(-ERRNO.ECONNREFUSED);
      const header: MessageHeader = { name: emptyAddress(), iov: [new Uint8Array(9)], control: new Uint8Array(200) };
      expect(posix.recvmsg(fd, header, MESSAGE_FLAG.ERRQUEUE)).toBe(4);
      const error = readControl(header.control!.subarray(0, header.controlBytes))!.find(({ type }) => type === name)!;
      const { errno, offender } = readExtendedError(error.data);
      expect([errno, addressText(readSockaddr(offender)!)]).toEqual([ERRNO.ECONNREFUSED, linuxAddress]);
      posix.close(fd);
    },
  );

  test('tshark finds no fault with any of it', async ({ skip }) => {
    const complaints = await tsharkComplaints(softnet.capture);
    if (complaints === null) return skip('tshark is not installed');
    expect(complaints.complaints).toEqual([]);
  });
});

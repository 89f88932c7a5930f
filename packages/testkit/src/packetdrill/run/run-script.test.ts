import { expect, test } from 'vitest';
import { runScript } from './run-script.ts';
import { describeVerdict } from './verdict.ts';

const OPEN = '0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 bind(3, ..., ...) = 0\n+0 connect(3, ..., ...) = 0\n';

test.each<[string, string, number, string]>([
  ['a packet that is missing', `${OPEN}+0.1 > udp (10)`, 4, 'no packet was sent by 0.104000 s'],
  ['a packet that is early', `${OPEN}+0 write(3, ..., 10) = 10\n+0.1 > udp (10)`, 5, 'it was sent 0.100000 s early'],
  ['a packet that is late', `${OPEN}0.1 write(3, ..., 10) = 10\n0.05 > udp (10)`, 5, 'it was sent 0.050000 s late'],
  ['another packet', `${OPEN}+0 write(3, ..., 10) = 10\n+0 > udp (11)`, 5, 'a packet differs: its length is 10, not 11'],
  [
    'a packet more',
    `${OPEN}+0 write(3, ..., 10) = 10\n+0 write(3, ..., 10) = 10\n+0 > udp (10)`,
    6,
    '1 packets were sent that no line expects',
  ],
  ['another answer', `${OPEN}+0 write(3, ..., 10) = 11`, 4, 'write answered 10, not 11'],
  ['another errno', '0 read(7, ..., 10) = -1 EAGAIN (x)', 1, 'read answered -1 EBADF, not -1 EAGAIN'],
  ['a call that blocks', `${OPEN}+0 read(3, ..., 10) = 10`, 4, 'the call blocks'],
  ['a call that never returns', `${OPEN}0.1...0.2 read(3, ..., 10) = 10`, 4, 'the call has not returned by 0.204000 s'],
  ['a call that returns early', `${OPEN}0.1...0.4 read(3, ..., 10) = 10\n0.2 < udp (10)`, 4, '0.200000 s early'],
  ['a line whose time is over', `${OPEN}0.2 write(3, ..., 1) = 1\n+0 > udp (1)\n0.1 write(3, ..., 1) = 1`, 6, 'it is due at 0.100000 s'],
  ['an unknown call', '0 frobnicate(3) = 0', 1, "there is no call 'frobnicate'"],
  ['an unknown constant', '0 socket(AF_MARS, 1, 2) = 3', 1, "there is no constant 'AF_MARS'"],
  ['an unknown command', '0 `rm -rf x`', 1, "there is no command 'rm'"],
  ['an unknown setting', '0 `sysctl -w net.ipv4.nothing=1`', 1, 'net.ipv4.nothing'],
  ['an unknown discipline', '0 `tc qdisc replace dev tun0 root fq`', 1, "'tc qdisc replace dev tun0 root fq' is not known"],
  ['an unknown feature', '0 `ethtool -K tun0 warp on`', 1, "'warp' is not known"],
  ['an assertion', '0 %{ assert 1 == 2 }%', 1, 'assert 1 == 2'],
  ['a syntax error', '0 socket(', 1, 'expected a value'],
])('%s fails', async (_name, text, line, sentence) => {
  const verdict = await runScript('a.pkt', text);
  expect(verdict.passed).toBe(false);
  expect(verdict.sentence).toContain(sentence);
  if (!sentence.startsWith('assert')) expect(verdict.line).toBe(line);
});

test('both packets are shown, with line and time', async () => {
  const verdict = await runScript('a.pkt', `${OPEN}+0.5 write(3, ..., 10) = 10\n+0 > [tos 0x8] udp (11)`);
  expect(describeVerdict(verdict)).toBe(
    [
      'a.pkt:5: failed at 0.500000 s: a packet differs: the type of service is 0, not 8; its length is 10, not 11',
      '  script: +0 > [tos 0x8] udp (11)',
      '  actual: 0.500000 s > 8080 > 8080 udp (10)',
    ].join('\n'),
  );
});

test('within the tolerance, ranges and at any time', async () => {
  const send = `${OPEN}+0.1 write(3, ..., 10) = 10\n`;
  for (const line of ['0.103 > udp (10)', '0.05~0.2 > udp (10)', '* > udp (10)', '+0~+0.5 > udp (10)']) {
    expect(describeVerdict(await runScript('a.pkt', send + line))).toBe('a.pkt: passed');
  }
  expect((await runScript('a.pkt', `--tolerance_usecs=1000\n${send}0.103 > udp (10)`)).passed).toBe(false);
  expect((await runScript('a.pkt', `${send}0.103 > udp (10)`, { overrides: { tolerance_usecs: '1000' } })).passed).toBe(false);
  expect((await runScript('a.pkt', `${send}0.05~0.06 > udp (10)`)).sentence).toContain('late');
});

test('a script ends at limits of both times', async () => {
  const text = `${OPEN}10000 < udp (10)`;
  expect((await runScript('a.pkt', text, { limits: { virtualUs: 60_000_000 } })).sentence).toBe(
    'it has not ended after 60 s of virtual time',
  );
  expect((await runScript('a.pkt', text, { limits: { realMs: -1 } })).sentence).toContain('of real time');
});

test('hours of virtual time take no time, and packets are written down', async () => {
  const chunks: Uint8Array[] = [];
  const verdict = await runScript('a.pkt', `${OPEN}3500 < udp (10)\n+0 read(3, ..., 100) = 10`, {
    pcap: (bytes) => chunks.push(bytes),
    verbose: true,
  });
  expect(verdict).toMatchObject({ passed: true, timeUs: 3_500_000_000 });
  expect(verdict.log.at(-1)).toBe('3500.000000 s +0 read(3, ..., 100) = 10');
  expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(100);
});

test('options that are wrong, and files that settings are read from', async () => {
  expect((await runScript('a.pkt', '--speed_of_light=1\n')).sentence).toContain('there is no option --speed_of_light');
  expect((await runScript('a.pkt', '--ip_version=ipx\n')).sentence).toContain('--ip_version takes');
  expect((await runScript('a.pkt', '--mtu=9\n')).sentence).toContain('--mtu takes 68 to 65535');
  expect((await runScript('a.pkt', '--local_ip=fd00::1\n')).sentence).toContain('--local_ip takes an IPv4 address');
  const readFile = (path: string) => (path === './defaults.sh' ? '#!/bin/bash\nsysctl -q net.ipv4.ip_default_ttl=7\n' : undefined);
  const text = `--local_ip=10.9.0.1 --netmask_ip=255.255.255.0 --remote_ip=10.9.9.9\n\`./defaults.sh\`\n${OPEN}+0 write(3, ..., 1) = 1\n+0 > [ttl 7] udp (1)`;
  expect(describeVerdict(await runScript('a.pkt', text, { readFile }))).toBe('a.pkt: passed');
  expect((await runScript('a.pkt', '`./other.sh`\n', { readFile })).sentence).toBe("there is no file './other.sh'");
});

test('what the suites call by name: usual settings, and settings that are put back', async () => {
  const text = `\`./defaults.sh
../common/set_sysctls.py /proc/sys/net/ipv4/ip_default_ttl=9
[ "$(sysctl -n net.ipv4.ip_default_ttl)" = 9 ] && [ $(cat /proc/sys/net/ipv4/ip_default_ttl) -eq 9 ]\`
0 \`/tmp/sysctl_restore_$PPID.sh; if [ $(sysctl -n net.ipv4.ip_default_ttl) -ne 64 ]; then exit 1; fi\`
0 \`[ "$(sysctl net.ipv4.tcp_rmem)" = "net.ipv4.tcp_rmem = 4096	540000	15728640" ]\``;
  expect(describeVerdict(await runScript('a.pkt', text))).toBe('a.pkt: passed');
});

test('stamps in control messages count from the beginning of the script', async () => {
  const stamp = (sec: number, nsec: number) =>
    `+0 setsockopt(3, SOL_SOCKET, SO_TIMESTAMPNS, [1], 4) = 0
1.25 < udp (10)
+0.1 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0, msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPNS, cmsg_data={tv_sec=${sec}, tv_nsec=${nsec}}}]}, 0) = 10`;
  expect(describeVerdict(await runScript('a.pkt', OPEN + stamp(1, 250_000_000)))).toBe('a.pkt: passed');
  expect((await runScript('a.pkt', OPEN + stamp(1, 260_000_000))).sentence).toContain('it is 1.25 s of the script, not 1.26 s');
});

test('pipes and files: what a socket gives and takes', async () => {
  const text = `${OPEN}+0 < udp (10)
+0 pipe([5, 6]) = 0
+0 splice(3, NULL, 6, NULL, 100, 0) = 10
+0 splice(5, NULL, 3, NULL, 100, 0) = 10
+0 > udp (10)
+0 splice(5, NULL, 6, NULL, 100, 0) = -1 EINVAL (Invalid argument)
+0 open("file", O_RDONLY) = 7
+0 sendfile(3, 7, [5], 20) = 20
+0 > udp (20)
+0 close(7) = 0
+0 sendfile(3, 7, [0], 20) = -1 EBADF (Bad file descriptor)`;
  expect(describeVerdict(await runScript('a.pkt', text))).toBe('a.pkt: passed');
});

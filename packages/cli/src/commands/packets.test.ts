import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

describe('ping', () => {
  test('shows each answer, and a summary', async () => {
    const { type } = await testSession({ ms: 0 });
    const text = await type('ping -c 3 -i 100 10.0.1.1');
    expect(text).toMatch(/^PING 10\.0\.1\.1 \(10\.0\.1\.1\) 56\(84\) bytes of data\.\n/);
    expect(text.match(/^64 bytes from 10\.0\.1\.1: icmp_seq=[123] time=[\d.]+ ms$/gm)).toHaveLength(3);
    expect(text).toMatch(
      /\n\n--- 10\.0\.1\.1 ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time 2\d\dms\nrtt min\/avg\/max\/mdev = [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms\n$/,
    );
  });

  test('of IPv6, in fragments, and of a link-local address', async () => {
    const { type } = await testSession({ ms: 2000 });
    expect(await type('ping -c 1 -s 4000 fd00:1::1')).toMatch(/^PING fd00:1::1\(fd00:1::1\) 4000 data bytes\n4008 bytes from fd00:1::1: /);
    const address = /inet6 (fe80::[\da-f:]+)/.exec(await type('ip addr show eth0'))![1];
    expect(await type(`ping -c 1 ${address}%eth0`)).toMatch(/^64 bytes from fe80::/m);
    expect(await type(`ping -c 1 ${address}`)).toMatch(
      /^softnet: EINVAL: fe80::[\da-f:]+ is on every link: say on which, fe80::[\da-f:]+%DEVICE; there are: lo, eth0/,
    );
  });

  test('nobody there: says so of each, and that nothing came', async () => {
    const { type } = await testSession({ ms: 0 });
    const text = await type('ping -c 2 -i 50 10.0.1.99');
    expect(text).toMatch(/^(?:From 10\.0\.1\.\d+ icmp_seq=1 Destination Host Unreachable|no answer yet for icmp_seq=1)$/m);
    expect(text).toMatch(/^2 packets transmitted, 0 received, (?:\+\d errors, )?100% packet loss, time \d+ms$/m);
    expect(text).not.toMatch(/rtt/);
  });

  test('the last one waits until it is known that nobody is there, where nobody has answered', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('ping -c 1 10.0.1.99')).toMatch(/^From 10\.0\.1\.2 icmp_seq=1 Destination Host Unreachable$/m);
    expect(await type('ping -c 1 -W 500 10.0.1.98')).toMatch(/^no answer yet for icmp_seq=1\n[\s\S]* time 500ms$/m);
  });

  test('-m and -I are what rules ask for', async () => {
    const { type } = await testSession({ ms: 0 });
    await type('ip rule add fwmark 5 prohibit');
    await type('ip addr add 10.0.1.7/24 dev eth0');
    await type('ip rule add from 10.0.1.7 blackhole');
    expect(await type('ping -c 1 10.0.1.1')).toMatch(/^64 bytes/m);
    expect(await type('ping -c 1 -m 5 10.0.1.1')).toMatch(/^icmp_seq=1 Permission denied/m);
    expect(await type('ping -c 1 -I 10.0.1.7 10.0.1.1')).toMatch(/^icmp_seq=1 Invalid argument: a blackhole/m);
    expect(await type('ping -c 1 -I eth0 10.0.1.1')).toMatch(/^64 bytes/m);
    expect(await type('ping -c 1 -I eth9 10.0.1.1')).toMatch(/^softnet: ENODEV: there is no device 'eth9'/);
    expect(await type('ping -c 1 -I 192.0.2.9 10.0.1.1')).toMatch(/^softnet: EADDRNOTAVAIL/);
  });

  test('who says that a request has died, or is too long', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('ping -c 1 -t 1 10.0.2.2')).toMatch(/^From 10\.0\.1\.1 icmp_seq=1 Time to live exceeded$/m);
    expect(await type('ping -c 1 -t 1 fd00:2::2')).toMatch(/^From fd00:1::1 icmp_seq=1 Time exceeded: Hop limit$/m);
    expect(await type('ping -c 1 -M do -s 1473 10.0.1.1')).toMatch(/^ping: local error: message too long, mtu=1500$/m);
    expect(await type('ping -c 1 -M do -s 1472 10.0.1.1')).toMatch(/^1480 bytes from 10\.0\.1\.1: icmp_seq=1 /m);
    expect(await type('ping -c 1 -M maybe 10.0.1.1')).toMatch(/-M takes dont, want, do, probe, got 'maybe'/);
  });

  test('Ctrl-C ends it and shows the summary', async () => {
    const { session, scene, pass, printed } = await testSession({ ms: 0 });
    const done = session.execute('ping 10.0.1.1');
    await pass(2500);
    expect(session.interrupt()).toBe(true);
    expect(await scene.net.run(done)).toBe(true);
    expect(printed()).toMatch(/^3 packets transmitted, 3 received, 0% packet loss, time 25\d\dms$/m);
    expect(scene.kernels[0]!.holders('ipv4').some(({ owner }) => owner === 'ping')).toBe(false);
  });

  test('lets go when its layer leaves', async () => {
    const { session, scene, pass, printed } = await testSession({ ms: 0 });
    const { kernel } = scene.hosts[0]!;
    await scene.net.run(session.execute('rmmod --cascade traffic'));
    const done = session.execute('ping 10.0.1.1');
    await pass(500);
    const unload = kernel.unload('ipv4', { cascade: true });
    expect(await scene.net.run(done)).toBe(true);
    expect(printed()).toMatch(/ping lets go\n\n--- 10\.0\.1\.1 ping statistics ---/);
    expect((await scene.net.run(unload)).outcome).toBe('gone');
  });
});

describe('traceroute', () => {
  test('shows the routers on the way, by datagrams and by echoes, of both families', async () => {
    const { type } = await testSession({ ms: 0 });
    const lines = (first: string, second: string): RegExp =>
      new RegExp(`^ 1  ${first}  [\\d.]+ ms  [\\d.]+ ms  [\\d.]+ ms\\n 2  ${second}  [\\d.]+ ms  [\\d.]+ ms  [\\d.]+ ms\\n$`, 'm');
    const text = await type('traceroute 10.0.2.2');
    expect(text).toMatch(/^traceroute to 10\.0\.2\.2 \(10\.0\.2\.2\), 30 hops max, 60 byte packets\n/);
    expect(text).toMatch(lines('10.0.1.1', '10.0.2.2'));
    expect(await type('traceroute -I 10.0.2.2')).toMatch(lines('10.0.1.1', '10.0.2.2'));
    expect(await type('traceroute fd00:2::2')).toMatch(lines('fd00:1::1', 'fd00:2::2'));
    expect(await type('traceroute -I fd00:2::2')).toMatch(lines('fd00:1::1', 'fd00:2::2'));
  });

  test('what is not to be reached, and nobody', async () => {
    const { type } = await testSession({ ms: 0 });
    expect(await type('traceroute -q 1 192.0.2.1')).toMatch(/^ 1 {2}10\.0\.1\.1 {2}[\d.]+ ms !N\n$/m);
    expect(await type('traceroute -q 2 -m 2 -w 100 10.0.2.99')).toMatch(/^ 2 \* \*\n$|^ 2 .*!H/m);
  });
});

describe('udp', () => {
  test('shows the answer; a port that nobody has; nobody at all', async () => {
    const { type } = await testSession({ ms: 2000 });
    expect(await type('udp 10.0.1.2 7 hello "two  blanks"')).toMatch(/^10\.0\.1\.2 port 7, 17 bytes, [\d.]+ ms: hello two {2}blanks\n$/);
    expect(await type('udp fd00:1::2 7 hi')).toMatch(/^fd00:1::2 port 7, 2 bytes, [\d.]+ ms: hi\n$/);
    expect(await type('udp 10.0.1.2 9 hi')).toBe('softnet: ECONNREFUSED: 10.0.1.2 says that nobody there has port 9\n');
    expect(await type('udp 10.0.1.99 7 hi')).toMatch(
      /^softnet: (?:ETIMEDOUT: 10\.0\.1\.99 port 7 did not answer within 1000 ms|EHOSTUNREACH: .*)\n$/,
    );
  });

  test('lets go of its socket', async () => {
    const { type, scene } = await testSession({ ms: 0 });
    await type('udp 10.0.1.99 7 hi');
    expect(scene.kernels[0]!.holders('udp').some(({ owner }) => owner === 'udp')).toBe(false);
  });
});

describe('capture', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'softnet-capture-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('writes a pcapng file, says what runs, and how many packets there were', async () => {
    const { type } = await testSession({ ms: 0 });
    const file = join(folder, 'eth0.pcapng');
    expect(await type('capture')).toBe('nothing is captured in a\n');
    expect(await type(`capture eth0 ${file}`)).toBe(`capturing eth0 into ${file}; 'capture stop' ends it\n`);
    await type('ping -c 2 -i 10 10.0.1.1');
    expect(await type('capture')).toMatch(/^capturing: \d+ packets of eth0 in /);
    expect(await type('capture stop')).toMatch(/^captured \d+ packets of eth0 in /);
    const bytes = readFileSync(file);
    expect(bytes.readUInt32BE(0)).toBe(0x0a0d0d0a);
    expect(bytes.length % 4).toBe(0);
    expect(await type('capture stop')).toMatch(/^softnet: ENOENT: nothing is captured in a/);
  });

  test('holds pcap, and lets go when it leaves; the file is whole', async () => {
    const { type } = await testSession({ ms: 0 });
    const file = join(folder, 'any.pcapng');
    await type(`capture --snaplen 96 --no-drops any ${file}`);
    await type('ping -c 1 10.0.1.1');
    expect(await type('holders pcap')).toMatch(/capture .*any\.pcapng/);
    const text = await type('rmmod pcap');
    expect(text).toMatch(/^the capture has ended: [1-9]\d* packets of any in /m);
    expect(text).toMatch(/^pcap#1 is unloaded$/m);
    expect(readFileSync(file).length).toBeGreaterThan(200);
    expect(await type('capture')).toBe('nothing is captured in a\n');
  });
});

test('what these do not understand is one sentence', async () => {
  const { type } = await testSession({ ms: 0 });
  for (const [line, expected] of [
    ['ping', /^softnet: missing required argument 'address'/],
    ['ping softnet.example', /^softnet: 'softnet\.example' is no address/],
    ['ping -i 0.2 10.0.1.1', /^softnet: -i counts milliseconds here: 0\.2 s is -i 200$/m],
    ['ping -i 0 10.0.1.1', /^softnet: -i \(in ms\) takes a whole number from 1 to/],
    ['ping -c 0 10.0.1.1', /^softnet: -c takes a whole number from 1 to/],
    ['ping -s 65508 10.0.1.1', /^softnet: -s takes a whole number from 0 to 65507, got '65508'/],
    ['ping fe80::1%eth9', /^softnet: ENODEV/],
    ['udp 10.0.1.1 7', /^softnet: missing required argument 'text'/],
    ['udp 10.0.1.1 seven x', /^softnet: a port is 1 to 65535, got 'seven'/],
    ['capture eth0', /^softnet: a file is missing/],
    ['capture --ring 8', /^softnet: a device and a file are missing/],
    ['capture eth9 /tmp/x', /^softnet: ENODEV/],
    ['capture eth0 /nowhere/x.pcapng', /^softnet: ENOENT: \/nowhere\/x\.pcapng cannot be written/],
    ['capture --snaplen 0 eth0 /tmp/x', /^softnet: --snaplen takes/],
  ] as const) {
    const text = await type(line);
    expect(text, line).toMatch(expected);
    expect(text.trimEnd().split('\n'), line).toHaveLength(1);
  }
});

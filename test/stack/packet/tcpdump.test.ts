import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SO, SOCK_TYPE, SOL } from '@softnet/contract';
import { parseFilter } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packetHosts } from './packet-hosts.ts';

const { RAW } = SOCK_TYPE;
const run = promisify(execFile);

function isInstalled(): boolean {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    console.warn('skipped: filters of sockets beside those of tcpdump: tcpdump is not installed');
    return false;
  }
}

const FILTERS = [
  'ip',
  'arp',
  'ip6 and udp',
  'tcp port 80 or udp port 53',
  'src net 10.0.0.0/30',
  'dst host 10.0.0.2 and not icmp',
  'icmp[0] == 8',
  'tcp[13] & 2 != 0',
  'ip[6:2] & 0x1fff != 0',
  'len > 56',
  'less 50',
  'ether broadcast',
  'ether multicast and not ether broadcast',
  'ether src 02:00:00:00:00:01',
  'ip proto 47',
  'portrange 1000-5000',
  'udp[8:4] = 0x01020304',
  'ip[8] < 5 or ip6[7] < 5',
  'ip and (ip[2:2] - ((ip[0] & 0xf) << 2)) > 15',
  'ip6 proto 58 or ip6 host fd00::1',
  'not (ip or ip6)',
  'ether[len - 1] = 0 or ether[60] * 3 % 5 = 1',
];

const ofByte = fc.nat(255);
const mac = fc.constantFrom([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [1, 0, 0x5e, 0, 0, 7], [255, 255, 255, 255, 255, 255]);
const port = fc.constantFrom([0, 53], [0, 80], [4, 210], [19, 136], [200, 1]);
const upper = fc.tuple(port, port, fc.array(ofByte, { minLength: 0, maxLength: 60 })).map(([from, to, rest]) => [...from, ...to, ...rest]);
const datagram = fc.tuple(port, port).map(([from, to]) => [...from, ...to, 0, 16, 0, 0, 1, 2, 3, 4, 9, 9, 9, 9]);
const segment = fc
  .tuple(port, port, ofByte)
  .map(([from, to, flags]) => [...from, ...to, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0, 9, 0, 0, 0, 0]);
const ping = fc.constantFrom([8, 0, 1, 2, 0, 0, 0, 0], [0, 0, 1, 2, 0, 0, 0, 0]);
/** Protocol and payload, which need not be of one another. */
const content = fc.oneof(
  fc.tuple(fc.constantFrom(1, 6, 17, 47, 58), fc.oneof(upper, fc.array(ofByte, { maxLength: 30 }))),
  fc.tuple(fc.constant(6), segment),
  fc.tuple(fc.constant(17), datagram),
  fc.tuple(fc.constant(1), ping),
);
const ipv4 = fc
  .tuple(content, fc.constantFrom(0, 0, 0x2000, 0x0010), fc.nat(9), fc.nat(6), fc.nat(6), fc.constantFrom(5, 5, 6))
  .map(([[number, data], fragment, ttl, from, to, words]) => {
    const lenBytes = 4 * words + data.length;
    const head = [0x40 | words, 0, lenBytes >>> 8, lenBytes & 0xff, 0, 1, fragment >>> 8, fragment & 0xff, ttl, number, 0, 0];
    return [0x08, 0x00, ...head, 10, 0, 0, from, 10, 0, 0, to, ...Array(4 * words - 20).fill(1), ...data];
  });
const ipv6 = fc.tuple(content, fc.nat(9), fc.nat(3), fc.nat(3)).map(([[number, data], hops, from, to]) => {
  const address = (last: number): number[] => [0xfd, ...Array(14).fill(0), last];
  return [0x86, 0xdd, 0x60, 0, 0, 0, 0, data.length, number, hops, ...address(from), ...address(to), ...data];
});
const other = fc
  .tuple(fc.constantFrom([8, 6], [0x88, 0xb5]), fc.array(ofByte, { minLength: 28, maxLength: 60 }))
  .map((parts) => parts.flat());
const frame = fc.tuple(mac, mac, fc.oneof(ipv4, ipv4, ipv6, other)).map((parts) => Uint8Array.from(parts.flat()));

/** As a pcap file; packet i is of second i + 1. */
function asFile(frames: readonly Uint8Array[]): Buffer {
  const words = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
    return bytes;
  };
  const parts = [words(0xa1b2c3d4, 0x00040002, 0, 0, 65_535, 1)];
  for (const [i, bytes] of frames.entries()) parts.push(words(i + 1, 0, bytes.length, bytes.length), Buffer.from(bytes));
  return Buffer.concat(parts);
}

describe.skipIf(!isInstalled())('beside tcpdump', () => {
  test('a socket with the program that tcpdump prints for a filter is given the frames that tcpdump itself chooses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'softnet-socket-filter-'));
    const net = await packetHosts();
    try {
      const byText = new Map(fc.sample(frame, { seed: 11, numRuns: 250 }).map((bytes) => [String(bytes), bytes] as const));
      const texts = [...byText.keys()];
      const file = join(folder, 'frames.pcap');
      writeFileSync(file, asFile([...byText.values()]));
      const tcpdump = async (...args: string[]): Promise<string> => (await run('tcpdump', ['-n', '-r', file, ...args])).stdout;
      const lookers = await Promise.all(
        FILTERS.map(async (text) => {
          const looker = net.far(RAW);
          expect([text, looker.set(SO.ATTACH_FILTER, parseFilter(await tcpdump('-ddd', text)), SOL.SOCKET)]).toEqual([text, 0]);
          const chosen = [...(await tcpdump('-tt', '-q', text)).matchAll(/^(\d+)\.000000 /gm)].map(([, second]) => Number(second) - 1);
          return { text, looker, chosen, ours: [] as number[] };
        }),
      );
      const sender = net.near(RAW, 0);
      sender.bind(net.nearEth);
      for (const bytes of byText.values()) {
        expect(sender.send(bytes)).toBe(bytes.length);
        await net.settle();
        for (const { looker, ours } of lookers) ours.push(...looker.all().map((seen) => texts.indexOf(String(seen.bytes))));
      }
      for (const { text, chosen, ours } of lookers) {
        expect([text, ours]).toEqual([text, chosen]);
        expect([text, chosen.length > 0 && chosen.length < texts.length]).toEqual([text, true]);
      }
      for (const user of [sender, ...lookers.map(({ looker }) => looker)]) user.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(await net.end()).toEqual([]);
  });
});

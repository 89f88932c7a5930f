import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LINKTYPE } from '../pcapng-blocks.ts';
import { PcapngWriter } from '../pcapng-writer.ts';
import { frameOf, sampleFilters, samplePackets, textOf } from '../testing/sample-packets.ts';
import { CompiledFilter } from './compiled-filter.ts';
import { PacketFacts } from './packet-facts.ts';

function isInstalled(): boolean {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    console.warn('skipped: filters beside those of tcpdump: tcpdump is not installed');
    return false;
  }
}

/** Packets by the numbers of their seconds. */
function asFile(frames: readonly Uint8Array[]): Uint8Array {
  let file = new Uint8Array(0);
  const writer = new PcapngWriter((bytes) => {
    file = new Uint8Array(bytes);
  }, 'test');
  writer.describeInterface(LINKTYPE.ETHERNET, 'eth0', 262_144);
  for (const [i, frame] of frames.entries()) {
    const at = writer.beginPacket(0, (i + 1) * 1_000_000, frame.length, frame.length, 0);
    for (const [j, byte] of frame.entries()) writer.view.setUint8(at + j, byte);
    writer.endPacket(0, null);
  }
  writer.flush();
  return file;
}

describe.skipIf(!isInstalled())('beside tcpdump', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'softnet-filter-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const tcpdump = (file: string, filter: string): Promise<number[]> =>
    new Promise((resolve, reject) => {
      execFile('tcpdump', ['-n', '-tt', '-q', '-r', file, filter], (error, stdout, stderr) => {
        if (stderr.includes('expression rejects all packets')) return resolve([]);
        if (error !== null) return reject(new Error(`${filter}: ${stderr}`));
        resolve([...stdout.matchAll(/^(\d+)\.000000 /gm)].map(([, second]) => Number(second) - 1));
      });
    });

  /** Where it is told apart: tcpdump looks behind a tag only after `vlan`, and at IPv6's protocol only where it stands first. */
  const plain = samplePackets().map((packet) => ({ ...packet, vlans: [], extended: packet.extended && packet.network === 'ip' }));
  const frames = fc.sample(plain, { seed: 7, numRuns: 300 }).map(frameOf);

  test('filters of all shapes choose the same packets', async () => {
    const file = join(folder, 'plain.pcapng');
    writeFileSync(file, asFile(frames));
    const facts = new PacketFacts();
    let chosen = 0;
    const compare = async (text: string): Promise<void> => {
      const filter = new CompiledFilter(text);
      const ours = frames.flatMap((frame, i) => {
        facts.readFrame(viewOf(frame), 0, frame.length, 0);
        facts.lenBytes = frame.length;
        return filter.matches(facts) ? [i] : [];
      });
      expect([text, ours]).toEqual([text, await tcpdump(file, text)]);
      chosen += ours.length;
    };
    const texts = [
      'udp or tcp and port 53',
      'udp and tcp or arp',
      'not udp and not tcp or port 80',
      'udp dst port 53',
      'src 10.0.0.1',
      'ip src net 10.0.0.0/8',
    ];
    for (const text of texts) await compare(text);
    for (const tree of fc.sample(sampleFilters(false), { seed: 11, numRuns: 60 })) await compare(textOf(tree));
    expect(chosen).toBeGreaterThan(1000);
  });

  test('tags', async () => {
    const file = join(folder, 'tagged.pcapng');
    const tagged = fc.sample(samplePackets(), { seed: 3, numRuns: 100 }).map(frameOf);
    writeFileSync(file, asFile(tagged));
    const facts = new PacketFacts();
    for (const text of ['vlan', 'vlan 5', 'not vlan', 'vlan 9 and ether src 02:00:00:00:00:01']) {
      const filter = new CompiledFilter(text);
      const ours = tagged.flatMap((frame, i) => {
        facts.readFrame(viewOf(frame), 0, frame.length, 0);
        return filter.matches(facts) ? [i] : [];
      });
      expect([text, ours]).toEqual([text, await tcpdump(file, text)]);
      expect(ours.length).toBeGreaterThan(5);
    }
  });
});

import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceTraffic, SkbPool } from '@softnet/contract';
import { put } from '@softnet/skb';
import { Net } from '@softnet/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestSession } from '../session/test-session.ts';
import { testSession } from '../session/test-session.ts';
import type { CaptureFileOptions } from './capture-file.ts';
import { CaptureFile } from './capture-file.ts';
import { numberedPath } from './numbered-path.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-capture-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hasTshark = spawnSync('tshark', ['--version']).error === undefined;

function tshark(file: string, ...args: readonly string[]): string[] {
  return execFileSync('tshark', ['-n', '-r', file, ...args], { encoding: 'utf8', stdio: 'pipe' })
    .split('\n')
    .filter((line) => line !== '');
}

async function until(what: string, is: () => boolean): Promise<void> {
  for (let waitedMs = 0; !is(); waitedMs += 20) {
    if (waitedMs > 15_000) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('numbers stand before the extension', () => {
  expect(['/a.b/eth0.pcapng', '/a.b/eth0', './.x', 'x.y.z'].map((path) => numberedPath(path, 3))).toEqual([
    '/a.b/eth0.3.pcapng',
    '/a.b/eth0.3',
    './.x.3',
    'x.y.3.z',
  ]);
});

describe('capture', () => {
  test('of what a filter says', async ({ skip }) => {
    const { type } = await testSession({ ms: 0 });
    const file = join(folder, 'x.pcapng');
    expect(await type(`capture eth0 ${file} icmp and host 10.0.1.1`)).toBe(
      `capturing eth0 (icmp and host 10.0.1.1) into ${file}; 'capture stop' ends it\n`,
    );
    await type('ping -c 2 -i 10 10.0.1.1');
    await type('ping -c 2 -i 10 fd00:1::1');
    expect(await type('capture stop')).toMatch(/^captured 4 packets of eth0/);
    expect(await type(`capture eth0 ${file} icmp an host 10.0.1.1`)).toBe(
      "softnet: EINVAL: filter: at character 6: expected and, or, or the end, found 'an'\n",
    );
    if (!hasTshark) return skip('tshark is not installed');
    expect(tshark(file).filter((line) => line.includes('10.0.1.1')).length).toBe(4);
  });

  test('in a ring: the last packets, when they are asked for, and at the end', async () => {
    const { type } = await testSession({ ms: 0 });
    const file = join(folder, 'ring.pcapng');
    expect(await type('capture dump')).toMatch(/^softnet: ENOENT: no ring is kept in a/);
    expect(await type(`capture --ring 1 eth0 ${file} icmp`)).toBe(`capturing eth0 (icmp) in memory; 'capture dump' writes it to ${file}\n`);
    await type('ping -c 2 -i 10 10.0.1.1');
    expect(readdirSync(folder)).toEqual([]);
    expect(await type('capture dump')).toMatch(/^wrote the last \d+ packets of eth0 to /);
    const size = statSync(file).size;
    await type('ping -c 2 -i 10 10.0.1.1');
    expect(await type('capture stop')).toMatch(/^captured (\d+) packets of eth0 in .*, of which the last \1 are kept\n$/);
    expect(statSync(file).size).toBeGreaterThan(size);
  });

  test('what does not go together is refused', async () => {
    const { type } = await testSession({ ms: 0 });
    for (const [line, sentence] of [
      ['capture --files 3 eth0 x', '--files goes with --rotate'],
      ['capture --rotate 1 --ring 1 eth0 x', '--rotate or --ring: one of them'],
      ['capture --ring 1 eth0 "|cat"', '--rotate and --ring want a file'],
      ['capture --ring 1 eth0 /nowhere/x', 'ENOENT: /nowhere/x cannot be written: give a file in a folder'],
      ['capture eth0 -', "standard output is this terminal's"],
      ['capture eth0 "| "', 'a program is missing'],
    ] as const) {
      expect(await type(line)).toContain(sentence);
    }
  });
});

describe('live', () => {
  /** Reads a capture as it comes. */
  function reader(source: string): { child: ChildProcess; lines: string[] } {
    const child = spawn('tshark', ['-n', '-l', '-i', source], { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines: string[] = [];
    child.stdout!.on('data', (text: Buffer) =>
      lines.push(
        ...String(text)
          .split('\n')
          .filter((line) => line !== ''),
      ),
    );
    return { child, lines };
  }

  /** Begins a capture once somebody reads. */
  async function begin({ type }: TestSession, line: string): Promise<void> {
    for (let said = await type(line); !said.startsWith('capturing'); said = await type(line)) {
      expect(said).toMatch(/^softnet: ENXIO: .* cannot be written: nobody reads this pipe: begin with 'wireshark -k -i /);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test.skipIf(!hasTshark)('through a named pipe: tshark shows packets while the capture runs; when it goes, the capture ends', async () => {
    const session = await testSession({ ms: 0 });
    const pipe = join(folder, 'live');
    execFileSync('mkfifo', [pipe]);
    const { child, lines } = reader(pipe);
    await begin(session, `capture eth0 ${pipe} icmp and host 10.0.1.1`);
    await session.type('ping -c 3 -i 10 10.0.1.1');
    await until('tshark has shown them', () => lines.filter((line) => line.includes('10.0.1.1')).length === 6);
    expect(await session.type('capture')).toMatch(/^capturing: 6 packets of eth0 in /);
    child.kill();
    await until('it is gone', () => child.exitCode !== null || child.signalCode !== null);
    await session.type('ping -c 3 -i 10 10.0.1.1');
    await until('the capture has ended', () => session.session.captures.of(session.session.kernel).length === 0);
    expect(session.scene.kernels[0]!.holders('pcap')).toEqual([]);
  });

  test('into a program; one that ends, ends the capture, and one that is not there says so', async () => {
    const session = await testSession({ ms: 0 });
    const file = join(folder, 'x.pcapng');
    await session.type(`capture eth0 "| cat > ${file}" icmp and host 10.0.1.1`);
    await session.type('ping -c 2 -i 10 10.0.1.1');
    expect(await session.type('capture stop')).toMatch(/^captured 4 packets/);
    await until('cat has written it', () => readFileSync(file).length > 400);
    expect(readFileSync(file).readUInt32BE(0)).toBe(0x0a0d0d0a);
    const said = await session.type('capture eth0 "| no-such-program 2>/dev/null" icmp');
    await until('it has ended', () => session.session.captures.of(session.session.kernel).length === 0);
    expect(`${said}${session.printed()}`).toMatch(/the capture has ended: 0 packets of eth0 in \| no-such-program .*; ended by: /);
  });
});

test('what was captured is replayed: ip link add r0 type replay file FILE', async () => {
  const { type } = await testSession({ ms: 0 });
  const file = join(folder, 'x.pcapng');
  await type(`capture --no-drops eth0 ${file} icmp and host 10.0.1.1`);
  await type('ping -c 3 -i 10 10.0.1.1');
  await type('capture stop');
  expect(await type('modprobe replay')).toMatch(/^replay#1 .* is live/);
  expect(await type(`ip link add r0 type replay file ${file} speed max outbound true`)).toBe('');
  await type('ip link set r0 up');
  await type('ping -c 1 10.0.1.1');
  expect(await type('ip -s link show r0')).toMatch(/RX:.*\n\s+\d+\s+6\s/);
  expect(await type('ip link add r1 type replay file /no/such')).toMatch(/^softnet: ENOENT: \/no\/such cannot be read: give a file/);
  expect(await type(`ip link add r1 type replay file ${import.meta.filename}`)).toMatch(
    /^softnet: EINVAL: replay: this is no capture: it begins with/,
  );
});

/** Frames by lo, without anybody who takes them. */
describe('many frames', () => {
  async function flood(options: Partial<CaptureFileOptions>) {
    const net = new Net();
    const { kernel } = await net.host('k');
    const lo = kernel.port(DeviceTraffic).current.byName('lo')!;
    const ended: CaptureFile[] = [];
    const all = {
      filter: '',
      snapLenBytes: undefined,
      drops: false,
      rotateBytes: 0,
      files: 0,
      ringBytes: 0,
      ended: (file: CaptureFile) => void ended.push(file),
    };
    const file = new CaptureFile(kernel, { ...all, device: lo, path: join(folder, 'x.pcapng'), ...options });
    const send = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const skb = kernel.port(SkbPool).current.alloc(64, 1400)!;
        put(skb, 1400);
        lo.link.write(skb, lo, 0x88b5, lo.address, null);
        kernel.port(DeviceTraffic).current.transmit(lo, skb);
        if (i % 100 === 99) await net.pass(1);
      }
      await net.pass(1);
    };
    return { net, file, send, ended };
  }

  test('in files that follow one another, the oldest overwritten; each is whole', async ({ skip }) => {
    const { net, file, send } = await flood({ rotateBytes: 100_000, files: 2 });
    await send(1000);
    file.stop();
    expect(file.sentence).toMatch(/^1000 packets of lo in .*x\.1\.pcapng and (?:[3-9]|1\d) more files$/);
    expect(readdirSync(folder).sort()).toEqual(['x.1.pcapng', 'x.2.pcapng']);
    await net.dispose();
    if (!hasTshark) return skip('tshark is not installed');
    const counts = readdirSync(folder).map((name) => tshark(join(folder, name)).length);
    expect(Math.max(...counts)).toBeGreaterThan(60);
  });

  test('a reader that does not read holds nothing up: what it misses is counted', async () => {
    const pipe = join(folder, 'slow');
    execFileSync('mkfifo', [pipe]);
    // Open to read and to write: there is a reader, which does not read.
    const reader = openSync(pipe, constants.O_RDWR);
    const { net, file, send } = await flood({ path: pipe });
    await send(6000);
    expect(file.sentence).toMatch(/^[1-9]\d+ packets of lo in .*; [1-9]\d+ more packets missed, as its reader is slow$/);
    closeSync(reader);
    await new Promise((resolve) => setTimeout(resolve, 50));
    file.stop();
    await net.dispose();
  });
});

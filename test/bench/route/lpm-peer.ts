import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFile } from '../device/tap-rig.ts';
import type { PrefixList } from './internet-prefixes.ts';

/** What the C program has measured. */
export interface PeerFigures {
  readonly loadSeconds: number;
  /** Millions a second. */
  readonly random: number;
  readonly skewed: number;
  readonly updatesPerSecond: number;
  readonly bytes: number;
}

/** Why DPDK cannot be measured here, and what to do about it. */
export function lpmPeerLack(): string | undefined {
  try {
    execFileSync('sh', ['-c', 'command -v gcc && pkg-config --exists libdpdk'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'apt-get install gcc libc6-dev pkg-config libdpdk-dev';
  }
}

/** Runs `lpm-peer.c` with these prefixes and addresses. */
export function measureLpmPeer(list: PrefixList, random: Int32Array, skewed: Int32Array): PeerFigures {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-lpm-'));
  try {
    const [program, file] = [join(folder, 'lpm-peer'), join(folder, 'table')];
    const flags = execFileSync('pkg-config', ['--cflags', 'libdpdk'], { encoding: 'utf8' }).trim().split(/\s+/);
    execFileSync('gcc', ['-O3', ...flags, '-o', program, repositoryFile('test/bench/route/lpm-peer.c'), '-lrte_eal', '-lrte_fib']);
    const head = Int32Array.of(list.count, random.length / list.stride);
    const parts = [head, list.words, Int32Array.from(list.lens), Int32Array.from(list.hops), random, skewed];
    writeFileSync(file, Buffer.concat(parts.map((part) => Buffer.from(part.buffer))));
    const text = execFileSync(program, [list.stride === 1 ? '4' : '6', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const [loadSeconds, randomRate, skewedRate, updatesPerSecond, bytes] = text.trim().split('\n').at(-1)!.split(' ').map(Number);
    return { loadSeconds: loadSeconds!, random: randomRate!, skewed: skewedRate!, updatesPerSecond: updatesPerSecond!, bytes: bytes! };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

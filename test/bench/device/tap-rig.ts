import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuMs } from '../span.ts';
import type { Figures } from '../work.ts';

/** Warm-up, and what is measured. */
const WARM_MS = 300;
const SPAN_MS = 700;

/** A file of this repository, wherever this code was bundled to. */
export function repositoryFile(path: string): string {
  const here = fileURLToPath(import.meta.url);
  return join(here.slice(0, here.lastIndexOf('/test/')), path);
}

/** Why no TAP can be measured here, and what to do about it. @param programs that are wanted too, and the Debian package of each. */
export function tapLack(programs: Readonly<Record<string, string>>): string | undefined {
  if (process.platform !== 'linux') return 'TAP is Linux’s';
  if (process.getuid?.() !== 0) return 'it makes interfaces in a network namespace: run it as root';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return 'there is no /dev/net/tun: modprobe tun, or, in a container, --device /dev/net/tun --cap-add NET_ADMIN';
  }
  const missing = Object.entries({ ip: 'iproute2', ...programs }).filter(([program]) => !isThere(program));
  return missing.length === 0 ? undefined : `apt-get install ${missing.map(([, name]) => name).join(' ')}`;
}

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A network namespace with one interface of a tap, and the C program of `tap-peer.c`. */
export class TapRig {
  readonly ifname = 'tap0';
  readonly #namespace = `softnet-bench-${process.pid}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'softnet-bench-'));
  readonly #program = join(this.#folder, 'tap-peer');
  readonly #children: ChildProcess[] = [];

  constructor() {
    execFileSync('gcc', ['-O2', '-o', this.#program, repositoryFile('test/bench/device/tap-peer.c')]);
    this.#run('ip', 'netns', 'add', this.#namespace);
  }

  /** The interface was made in the namespace of this process, as this name. */
  take(name: string): void {
    this.#run('ip', 'link', 'set', name, 'netns', this.#namespace, 'name', this.ifname);
    this.up();
  }

  /** Nothing is sent there but what we send. */
  up(): void {
    this.#inside('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${this.ifname}/disable_ipv6`);
    this.#inside('ip', 'link', 'set', this.ifname, 'up');
  }

  /** Frames come as fast as they can be sent, until `close`. */
  flood(lenBytes: number): void {
    this.#start(['flood', this.ifname, String(lenBytes)], 'ignore');
  }

  /** The C program measures itself: reads while it is flooded, or writes. */
  async measurePeer(way: 'read' | 'write', lenBytes: number): Promise<Figures> {
    const child = this.#start([way, this.ifname, String(SPAN_MS), ...(way === 'write' ? [String(lenBytes)] : [])], 'pipe');
    const lines: string[] = [];
    let told: () => void = () => {};
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line !== ''));
      told();
    });
    const heard = (count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        told = () => (lines.length >= count ? resolve() : undefined);
        child.on('exit', () => (lines.length >= count ? resolve() : reject(new Error('tap-peer has failed'))));
        told();
      });
    await heard(1);
    this.up();
    if (way === 'read') this.flood(lenBytes);
    await new Promise((resolve) => setTimeout(resolve, WARM_MS));
    child.stdin!.write('go\n');
    await heard(2);
    const [frames, cpuUs, spanUs] = lines[1]!.split(' ').map(Number) as [number, number, number];
    return figuresOf(frames, cpuUs, spanUs);
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#run('ip', 'netns', 'del', this.#namespace);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(words: readonly string[], io: 'pipe' | 'ignore'): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#namespace, this.#program, ...words], { stdio: [io, io, 'ignore'] });
    this.#children.push(child);
    return child;
  }

  #inside(...words: readonly string[]): void {
    this.#run('ip', 'netns', 'exec', this.#namespace, ...words);
  }

  #run(program: string, ...words: readonly string[]): void {
    execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** Of what this process does, by a count that grows: warmed up first. */
export async function measureHere(count: () => number, work: (untilMs: number) => Promise<void>): Promise<Figures> {
  await work(performance.now() + WARM_MS);
  globalThis.gc?.();
  const [from, fromCpuMs, fromMs] = [count(), cpuMs(), performance.now()];
  await work(fromMs + SPAN_MS);
  return figuresOf(count() - from, (cpuMs() - fromCpuMs) * 1000, (performance.now() - fromMs) * 1000);
}

/** Lets the event loop work until then. */
export function wait(untilMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, untilMs - performance.now()));
}

function figuresOf(frames: number, cpuUs: number, spanUs: number): Figures {
  if (frames === 0) throw new Error('no frame came through');
  return { 'frames/s': (frames * 1e6) / spanUs, 'µs CPU': cpuUs / frames };
}

/** A broadcast of local experimental ethertype (IEEE 802), in which nobody is interested. */
export function benchFrame(lenBytes: number): Uint8Array {
  const frame = new Uint8Array(lenBytes).fill(0x5a);
  frame.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x99, 0x88, 0xb5]);
  return frame;
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFile } from '../device/tap-rig.ts';
import type { Figures } from '../work.ts';
import type { ForwardLoad } from './forward.ts';

const SPAN_MS = 700;

/** Why the host's kernel cannot forward here, and what to do about it. */
export function linuxForwardLack(): string | undefined {
  if (process.platform !== 'linux') return 'the peer is Linux’s kernel';
  if (process.getuid?.() !== 0) return 'it makes network namespaces: run it as root';
  for (const [program, name] of [
    ['gcc', 'gcc libc6-dev'],
    ['ip', 'iproute2'],
  ] as const) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    } catch {
      return `apt-get install ${name}`;
    }
  }
  const name = `softnet-try-${process.pid}`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
    execFileSync('ip', ['-n', name, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no veth in a namespace here: ${(error as Error).message.split('\n')[0]}`;
  } finally {
    execFileSync('sh', ['-c', `ip netns del ${name} 2>/dev/null || true`]);
  }
}

/** The host's kernel forwards between two veth pairs; nanoseconds of CPU for each packet that arrives. */
export async function measureLinuxForward({ frameBytes, flows, routes }: ForwardLoad): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-forward-'));
  const [ends, router] = [`softnet-ends-${process.pid}`, `softnet-router-${process.pid}`];
  const run = (...args: string[]): string => execFileSync(args[0]!, args.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const program = join(folder, 'forward-peer');
    run('gcc', '-O2', '-o', program, repositoryFile('test/bench/route/forward-peer.c'));
    for (const name of [ends, router]) run('ip', 'netns', 'add', name);
    for (const side of ['s', 'd'])
      run(
        'ip',
        '-n',
        ends,
        'link',
        'add',
        `${side}0`,
        'type',
        'veth',
        'peer',
        'name',
        side === 's' ? 'r0' : 'r1',
        'netns',
        router,
        ...addressOf(side),
      );
    writeFileSync(join(folder, 'routes'), batchOf(routes));
    run('ip', '-n', router, '-batch', join(folder, 'routes'));
    run('ip', 'netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    for (const side of ['s', 'd']) run('ip', '-n', ends, 'link', 'set', `${side}0`, 'up');
    const said = run('taskset', '-c', '0', 'ip', 'netns', 'exec', ends, program, ...[frameBytes, flows, routes, SPAN_MS].map(String));
    const { packets, cpuUs } = JSON.parse(said) as { packets: number; cpuUs: number };
    if (packets < 1000) throw new Error(`the host's kernel has forwarded ${packets} packets only`);
    return { ns: (cpuUs * 1000) / packets };
  } finally {
    for (const name of [ends, router]) execFileSync('sh', ['-c', `ip netns del ${name} 2>/dev/null || true`]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The router's ends have addresses that the sender knows. */
function addressOf(side: string): string[] {
  return ['address', side === 's' ? '02:00:00:00:00:01' : '02:00:00:00:00:03'];
}

/** Lines for `ip -batch`, in the router. */
function batchOf(routes: number): string {
  const lines = [
    ...['link set r0 up', 'link set r1 up', 'addr add 10.0.1.1/24 dev r0', 'addr add 10.0.2.1/24 dev r1'],
    'neigh add 10.0.2.2 lladdr 02:00:00:00:00:02 dev r1',
  ];
  for (let i = 0; i < routes; i++) lines.push(`route add ${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24 via 10.0.2.2 dev r1`);
  return `${lines.join('\n')}\n`;
}

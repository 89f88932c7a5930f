import { execFile, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LinuxSide } from './linux-side.ts';

const DATAGRAMS = fileURLToPath(new URL('datagrams.mjs', import.meta.url));

/** Why there can be no namespace with a TAP here; null: there can. */
export function netnsSkipReason(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'making a network namespace and a TAP needs root';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    execFileSync('ip', ['netns', 'add', `softnet-try-${process.pid}`], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', `softnet-try-${process.pid}`], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `no TAP in a namespace here: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** A network namespace of this machine's kernel, made for one test. */
export class Netns implements LinuxSide {
  readonly name: string;
  readonly addresses = ['10.77.0.1', 'fd77::1'] as const;

  constructor(name: string) {
    this.name = `softnet-${name}-${process.pid}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    execFileSync('ip', ['-n', this.name, 'link', 'set', 'lo', 'up']);
  }

  /** Takes a TAP that this process has open, and gives it its addresses. */
  async adopt(ifname: string): Promise<void> {
    execFileSync('ip', ['link', 'set', ifname, 'netns', this.name]);
    // No router solicitations, and addresses that can be used at once.
    await this.exec(`sysctl -qw net.ipv6.conf.${ifname}.accept_dad=0 net.ipv6.conf.${ifname}.router_solicitations=0`);
    const [ipv4, ipv6] = this.addresses;
    await this.exec(`ip addr add ${ipv4}/24 dev ${ifname}; ip addr add ${ipv6}/64 dev ${ifname} nodad; ip link set ${ifname} up`);
  }

  exec(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile('ip', ['netns', 'exec', this.name, 'sh', '-c', command], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
    });
  }

  serve(port: number): Promise<() => void> {
    const args = ['netns', 'exec', this.name, process.execPath, DATAGRAMS, 'serve', String(port)];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.stdout.once('data', () => resolve(() => child.kill()));
    });
  }

  async exchange(address: string, port: number, sizes: readonly number[]): Promise<readonly string[]> {
    const { stdout, stderr } = await this.exec(`${process.execPath} ${DATAGRAMS} client ${address} ${port} ${sizes.join()}`);
    if (stderr !== '') throw new Error(stderr);
    return (JSON.parse(stdout) as { wrong: string[] }).wrong;
  }

  dispose(): void {
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

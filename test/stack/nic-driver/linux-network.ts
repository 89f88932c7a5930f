import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

/** Why no network namespace with a TAP can be made here; null: it can. */
export function whyNoLinuxNetwork(): string | null {
  if (process.platform !== 'linux') return `this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'this is not root';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return '/dev/net/tun cannot be used';
  }
  const name = `snt${process.pid}`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `a network namespace cannot be made: ${String(error)}`;
  }
}

/** A network namespace of its own, gone with all that is in it at `close`. */
export class LinuxNetwork {
  static #made = 0;
  readonly name: string;
  /** In names of interfaces, so that two runs do not meet. */
  readonly tag: string;

  constructor() {
    this.tag = `${process.pid}${'abcdefghijklmnopqrstuvwxyz'[LinuxNetwork.#made++ % 26]}`;
    this.name = `softnet${this.tag}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    this.ip('link', 'set', 'lo', 'up');
  }

  /** `ip -n NAME ...`; returns what it prints. */
  ip(...words: readonly string[]): string {
    return execFileSync('ip', ['-n', this.name, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Runs a program in it. */
  run(program: string, ...words: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, program, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Takes interfaces in that were made outside; Linux sends nothing there of its own accord. */
  take(...interfaces: readonly string[]): void {
    for (const name of interfaces) {
      execFileSync('ip', ['link', 'set', name, 'netns', this.name]);
      this.quiet(name);
    }
  }

  /** No IPv6, so no router solicitations and the like. */
  quiet(name: string): void {
    this.run('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${name}/disable_ipv6`);
  }

  /** A bridge with these ports, all up. */
  bridge(name: string, ...ports: readonly string[]): void {
    this.ip('link', 'add', name, 'type', 'bridge', 'forward_delay', '0');
    this.quiet(name);
    for (const port of ports) this.ip('link', 'set', port, 'master', name, 'up');
    this.ip('link', 'set', name, 'up');
  }

  close(): void {
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

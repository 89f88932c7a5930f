import { execFileSync } from 'node:child_process';

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

  /** Takes an interface in that was made outside, up, with addresses that can be used at once. It heeds no routers. */
  adopt(name: string, ...addresses: readonly string[]): void {
    execFileSync('ip', ['link', 'set', name, 'netns', this.name]);
    for (const setting of ['accept_dad', 'accept_ra', 'router_solicitations']) this.set(`net/ipv6/conf/${name}/${setting}`, 0);
    for (const address of addresses) this.ip('addr', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
    this.ip('link', 'set', name, 'up');
  }

  /** No IPv6, so no router solicitations and the like. */
  quiet(name: string): void {
    this.set(`net/ipv6/conf/${name}/disable_ipv6`, 1);
  }

  /** A setting of Linux's: 'net/ipv4/ip_forward'. */
  set(path: string, value: number): void {
    this.run('sh', '-c', `echo ${value} > /proc/sys/${path}`);
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

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ScriptConfig } from '@softnet/testkit';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('tun-host.py', import.meta.url));

/** Addresses that can be used at once, and no word of the kernel's own. */
const SETTINGS = [
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.tun0.accept_dad=0',
  'net.ipv6.conf.tun0.router_solicitations=0',
  'net.ipv6.conf.tun0.autoconf=0',
  'net.ipv6.conf.tun0.addr_gen_mode=1',
  'net.ipv6.conf.tun0.mldv2_unsolicited_report_interval=1000000',
];

/** A network namespace of this machine's Linux with a TUN device, and a process in it that makes calls for us. */
export class LinuxHost {
  readonly #name: string;
  readonly #folder: string;
  readonly #requests: number;
  readonly #answers: number;
  readonly #buffer = Buffer.alloc(1 << 18);
  #rest = '';

  private constructor(name: string, folder: string, [requests, answers]: readonly [string, string]) {
    this.#name = name;
    this.#folder = folder;
    this.#requests = openSync(requests, 'w');
    this.#answers = openSync(answers, 'r');
  }

  /** @param config of the script: its addresses and MTU. */
  static async boot(name: string, config: ScriptConfig): Promise<LinuxHost> {
    await run('ip', ['netns', 'add', name]);
    const folder = mkdtempSync(join(tmpdir(), 'packetdrill-linux-'));
    const fifos = [join(folder, 'requests'), join(folder, 'answers')] as const;
    await run('mkfifo', [...fifos]);
    const args = ['netns', 'exec', name, 'python3', PROGRAM, ...fifos, setupOf(config)];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    // It says when it is ready; others run meanwhile.
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`the process in ${name} has ended with ${child.exitCode}`);
    return new LinuxHost(name, folder, fifos);
  }

  /** Makes a call there and waits for its answer. */
  ask(name: string, ...args: unknown[]): unknown {
    writeSync(this.#requests, `${JSON.stringify([name, ...args])}\n`);
    while (!this.#rest.includes('\n')) {
      const count = readSync(this.#answers, this.#buffer);
      if (count === 0) throw new Error(`the process in ${this.#name} has ended`);
      this.#rest += this.#buffer.toString('latin1', 0, count);
    }
    const end = this.#rest.indexOf('\n');
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return JSON.parse(line);
  }

  async dispose(): Promise<void> {
    try {
      writeSync(this.#requests, '["quit"]\n');
    } catch {
      // It has ended by itself.
    }
    closeSync(this.#requests);
    closeSync(this.#answers);
    rmSync(this.#folder, { recursive: true });
    await run('ip', ['netns', 'del', this.#name]);
  }
}

function setupOf({ wireVersion, localIp, prefixLen, mtuBytes }: ScriptConfig): string {
  const [ip, nodad] = wireVersion === 6 ? ['ip -6', ' nodad'] : ['ip', ''];
  return [
    'ip link set lo up',
    `sysctl -qw ${SETTINGS.join(' ')}`,
    `ip link set tun0 mtu ${mtuBytes} up`,
    `${ip} addr add ${localIp}/${prefixLen} dev tun0${nodad}`,
    `${ip} route add default dev tun0`,
  ].join(' && ');
}

import { execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, read, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ScriptConfig } from '@softnet/testkit/packetdrill';
import type { LinuxMachine } from './linux-machine.ts';

const run = promisify(execFile);
const readLater = promisify(read);

/** Addresses that can be used at once, and no word of the kernel's own. */
const SETTINGS = [
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.tun0.accept_dad=0',
  'net.ipv6.conf.tun0.router_solicitations=0',
  'net.ipv6.conf.tun0.autoconf=0',
  'net.ipv6.conf.tun0.addr_gen_mode=1',
  'net.ipv6.conf.tun0.mldv2_unsolicited_report_interval=1000000',
];

/** A network namespace of a Linux with a TUN device, and a process in it that makes calls for us. */
export class LinuxHost {
  readonly #machine: LinuxMachine;
  readonly #name: string;
  readonly #folder: string;
  readonly #requests: number;
  readonly #answers: number;
  readonly #buffer = Buffer.alloc(1 << 18);
  #rest = '';

  private constructor(machine: LinuxMachine, name: string) {
    this.#machine = machine;
    this.#name = name;
    this.#folder = mkdtempSync(join(tmpdir(), 'packetdrill-linux-'));
    [this.#requests, this.#answers] = this.#start();
  }

  /** @param config of the script: its addresses and MTU. */
  static async boot(machine: LinuxMachine, name: string, config: ScriptConfig): Promise<LinuxHost> {
    await run(...machine.command(`ip netns add ${name}`));
    const host = new LinuxHost(machine, name);
    // It says when it is ready; others run meanwhile.
    writeSync(host.#requests, `${JSON.stringify(setupOf(config))}\n`);
    const { bytesRead } = await readLater(host.#answers, host.#buffer, 0, host.#buffer.length, null);
    if (bytesRead === 0) throw new Error(`the process in ${name} has ended`);
    return host;
  }

  /** Its input and output are FIFOs, from which one can read at once: calls of scripts are answered at once. */
  #start(): [requests: number, answers: number] {
    const paths = ['requests', 'answers'].map((each) => join(this.#folder, each)) as [string, string];
    execFileSync('mkfifo', paths);
    // Opened for both first, or else one waits for the other.
    const held = paths.map((path) => openSync(path, 'r+'));
    const [input, output] = [openSync(paths[0], 'r'), openSync(paths[1], 'w')];
    const ours = [openSync(paths[0], 'w'), openSync(paths[1], 'r')] as [number, number];
    const { program, toleranceUs } = this.#machine;
    const [file, args] = this.#machine.command(`ip netns exec ${this.#name} python3 ${program} ${toleranceUs}`);
    spawn(file, args, { stdio: [input, output, 'inherit'] });
    for (const fd of [...held, input, output]) closeSync(fd);
    return ours;
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
    await run(...this.#machine.command(`ip netns del ${this.#name}`));
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

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LinuxSide } from './linux-side.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RIG = resolve(ROOT, process.env.SOFTNET_LINUX_PEER ?? '../shared/linux-peer', 'peer.mjs');
const SOURCE = fileURLToPath(new URL('datagrams.c', import.meta.url));

/** As much of the rig as is used here. */
interface Peer {
  exec(command: string, options?: { input?: string | Buffer; timeout?: number }): Promise<{ code: number; stdout: string; stderr: string }>;
  spawn(command: string, options: { onStdout: (data: Buffer) => void }): { kill(): void };
  status(): Promise<{ nics: readonly { socket: string }[] }>;
  stop(): Promise<void>;
}

/** Why no guest can be booted here, as far as that can be seen before one is; null: it can. */
export function guestSkipReason(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the rig runs on Linux on x86-64';
  if (!existsSync(RIG)) return 'linux-peer is not at ../shared/linux-peer: say where by SOFTNET_LINUX_PEER';
  for (const tool of ['gcc', 'dpkg-deb']) {
    try {
      execFileSync(tool, ['--version'], { stdio: 'pipe' });
    } catch {
      return `the rig needs ${tool}`;
    }
  }
  return null;
}

/** A Linux of its own in QEMU, whose NIC is a socket. */
export class Guest implements LinuxSide {
  readonly name = 'a Linux guest';
  readonly addresses = ['10.77.0.1', 'fd77::1'] as const;
  /** Where QEMU listens with its NIC. */
  readonly socketPath: string;
  readonly #peer: Peer;

  private constructor(peer: Peer, socketPath: string) {
    this.#peer = peer;
    this.socketPath = socketPath;
  }

  /** Boots one; it ends with this process at the latest. @param furtherNics behind the one with the socket, as the rig takes them. */
  static async boot(name: string, furtherNics: readonly string[] = []): Promise<Guest> {
    const { startPeer } = (await import(pathToFileURL(RIG).href)) as { startPeer(options: object): Promise<Peer> };
    const peer = await startPeer({ name: `softnet-${name}-${process.pid}`, withPid: process.pid, nics: ['stream', ...furtherNics] });
    const { nics } = await peer.status();
    const guest = new Guest(peer, nics[0]!.socket);
    const [ipv4, ipv6] = guest.addresses;
    await guest.exec('sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.router_solicitations=0');
    await guest.exec(`ip addr add ${ipv4}/24 dev eth0; ip addr add ${ipv6}/64 dev eth0 nodad; ip link set eth0 up`);
    await guest.#install();
    return guest;
  }

  exec(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.#peer.exec(command, { timeout: 60_000 });
  }

  serve(port: number): Promise<() => void> {
    return new Promise((done) => {
      const server = this.#peer.spawn(`/tmp/datagrams serve ${port}`, { onStdout: () => done(() => server.kill()) });
    });
  }

  async exchange(address: string, port: number, sizes: readonly number[]): Promise<readonly string[]> {
    const { stdout, stderr } = await this.exec(`/tmp/datagrams client ${address} ${port} ${sizes.join()}`);
    if (stderr !== '') throw new Error(stderr);
    return (JSON.parse(stdout) as { wrong: string[] }).wrong;
  }

  async dispose(): Promise<void> {
    await this.#peer.stop();
  }

  async #install(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'softnet-guest-'));
    try {
      execFileSync('gcc', ['-O2', '-static', '-o', join(folder, 'datagrams'), SOURCE]);
      const input = readFileSync(join(folder, 'datagrams'));
      await this.#peer.exec('cat > /tmp/datagrams && chmod +x /tmp/datagrams', { input });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

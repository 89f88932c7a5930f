import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('unix-peer.py', import.meta.url));

/** Why there can be no such peer here; null: there can. */
export function pythonSkipReason(): string | null {
  return spawnSync('python3', ['-c', 'import socket; socket.AF_UNIX']).status === 0 ? null : 'python3 is not there';
}

/** A process at a unix datagram socket that sends back what comes: not ours, and not connected, as QEMU. */
export class UnixPeer {
  readonly #process: ChildProcess;
  /** Several lines may come at once: an iterator keeps them. */
  readonly #lines: AsyncIterator<string>;

  private constructor(mine: string, theirs: string) {
    this.#process = spawn('python3', [PROGRAM, mine, theirs], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  static async start(mine: string, theirs: string): Promise<UnixPeer> {
    const peer = new UnixPeer(mine, theirs);
    await peer.#lines.next();
    return peer;
  }

  /** `hold`, `go`, `send LENGTH [BYTE]`, `stranger`. Returns what it says of it. */
  async tell(command: string): Promise<string[]> {
    const said: string[] = [];
    this.#process.stdin!.write(`${command}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true || value === 'done') return said;
      said.push(value);
    }
  }

  /** Dies as it stands: its file stays. */
  async kill(): Promise<void> {
    const over = once(this.#process, 'exit');
    if (this.#process.exitCode === null && this.#process.signalCode === null && this.#process.kill('SIGKILL')) await over;
  }
}

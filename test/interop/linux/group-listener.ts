import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const GROUPS = fileURLToPath(new URL('groups.mjs', import.meta.url));

/** A Linux program that is in a group. */
export class GroupListener {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param args group, port, interface, and perhaps a source. */
  static join(netns: string, ...args: string[]): Promise<GroupListener> {
    const child = spawn('ip', ['netns', 'exec', netns, process.execPath, GROUPS, 'listen', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const listener = new GroupListener(child);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.stdout.on('data', (data) => {
        listener.lines.push(
          ...String(data)
            .split('\n')
            .filter((line) => line !== ''),
        );
        if (listener.lines[0] === 'ready') resolve(listener);
      });
    });
  }

  /** It leaves, and ends. */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.on('exit', () => resolve());
      this.#child.stdin!.end();
    });
  }
}

/** What sends one datagram, as a command. */
export function sendCommand(group: string, port: number, address: string, text: string): string {
  return `${process.execPath} ${GROUPS} send ${group} ${port} ${address} ${text}`;
}

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Netns } from './netns.ts';
import { pause } from './until.ts';

/** Linux's daemon of router advertisements, in a namespace. */
export interface Radvd {
  /** Says something else from now on, at once. */
  reload(conf: string): void;
  /** With a farewell. Idempotent. */
  end(): Promise<void>;
}

/** Runs it in the foreground. @param conf as in radvd.conf. */
export async function radvd(linux: Netns, conf: string): Promise<Radvd> {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-radvd-'));
  const file = join(folder, 'radvd.conf');
  writeFileSync(file, conf);
  const args = ['netns', 'exec', linux.name, 'radvd', '-n', '-m', 'stderr', '-C', file, '-p', join(folder, 'pid')];
  const child = spawn('ip', args, { stdio: 'ignore' });
  const over = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  // Until it listens to signals.
  await Promise.race([over, pause(100)]);
  if (child.exitCode !== null) throw new Error(`radvd ended with ${child.exitCode}: ${conf}`);
  return {
    reload: (next) => {
      writeFileSync(file, next);
      child.kill('SIGHUP');
    },
    end: async () => {
      child.kill('SIGTERM');
      await over;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

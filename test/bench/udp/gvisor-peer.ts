import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFile } from '../device/tap-rig.ts';

/** Where Debian has the sources of Go packages; from before modules, and so it is built. */
const GOPATH = '/usr/share/gocode';

/** Why gVisor's stack cannot be measured here, and what to do about it. */
export function gvisorLack(): string | undefined {
  const isThere = existsSync(join(GOPATH, 'src/gvisor.dev/gvisor/pkg/tcpip/stack')) && hasGo();
  return isThere ? undefined : 'apt-get install golang-go golang-gvisor-gvisor-dev';
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What `gvisor-peer.go` of that suite says: nanoseconds of CPU for one of whatever its arguments name, between two of its stacks. */
export function gvisorNs(suite: 'udp' | 'tcp', ...args: readonly (string | number)[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-gvisor-'));
  try {
    const program = join(folder, 'gvisor-peer');
    const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' };
    execFileSync('go', ['build', '-o', program, repositoryFile(`test/bench/${suite}/gvisor-peer.go`)], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return Number(execFileSync(program, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

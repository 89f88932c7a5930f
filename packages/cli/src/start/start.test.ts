import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { packageFolder } from '../package-folder.ts';

const command = join(packageFolder, 'bin', 'softnet.mjs');
const built = existsSync(join(packageFolder, 'dist', 'index.js'));
/** Gives a program a terminal of its own (Debian: util-linux). */
const pseudoTerminal = 'script';
const hasScript = process.platform === 'linux' && spawnSync(pseudoTerminal, ['--version']).status === 0;
if (!built) console.warn("skipped: tests of the built command; build it first ('node scripts/ensure.mjs')");
if (!hasScript) console.warn("skipped: tests at a terminal; they need the command 'script' (Debian: util-linux)");

describe.skipIf(!built)('softnet start without a terminal', () => {
  test('prints the report and exits 0', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'start'], { encoding: 'utf8', timeout: 60_000 });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^udp#1: stage 2, draining; waiting for \d+ sockets of udp#1: owner /m);
    expect(stdout).toMatch(/^softnet: EPROTONOSUPPORT: .*udp is leaving/m);
    expect(stdout).not.toMatch(/FAILED/);
    expect(stdout).toMatch(/^\d+ promises kept, 0 broken, in \d+\.\d s \(seed 1\)$/m);
    expect(status).toBe(0);
  }, 60_000);

  test('at a TAP that it may not make: one sentence, exit code 1', ({ skip }) => {
    const words = [command, 'start', '--tap', 'softnet-none'];
    const root = process.getuid?.() === 0;
    const { status, stdout, stderr, error } = spawnSync(process.execPath, words, {
      ...{ encoding: 'utf8', timeout: 60_000 },
      ...(root ? { uid: 65_534, gid: 65_534 } : {}),
    });
    // Of root's own Node, 'nobody' may not run.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'EACCES') return skip(`${process.execPath} is for root alone`);
    // As in a checkout below a folder that only root may enter.
    if (root && stderr.includes('MODULE_NOT_FOUND')) return skip('nobody else may read this checkout');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^softnet: E(?:PERM|ACCES|NOENT|NOSYS|NODEV|NXIO): .*\n$/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  }, 60_000);

  test.each([
    ['at a device: serves until it is told to end, in order', []],
    ['the same with --capture -: what is said goes to standard error, and packets to standard output', ['--capture', '-']],
  ])(
    '%s',
    async (_title, captures) => {
      const folder = mkdtempSync(join(tmpdir(), 'softnet-start-'));
      const guests: Socket[] = [];
      const server = createServer((socket) => guests.push(socket.on('data', () => undefined).on('error', () => undefined)));
      await new Promise<void>((resolve) => server.listen(join(folder, 'nic.sock'), resolve));
      try {
        const words = ['start', '--qemu', join(folder, 'nic.sock'), '--address', '192.0.2.2/24', ...captures];
        const child = spawn(process.execPath, [command, ...words]);
        const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
        let said = '';
        let written = Buffer.alloc(0);
        const [text, packets] = captures.length === 0 ? [child.stdout, child.stderr] : [child.stderr, child.stdout];
        text.on('data', (bytes: Buffer) => {
          said += bytes.toString();
        });
        packets.on('data', (bytes: Buffer) => {
          written = Buffer.concat([written, bytes]);
        });
        await expect.poll(() => said, { timeout: 15_000 }).toMatch(/^softnet is 192\.0\.2\.2 in the guest .*\nserving; /);
        // A frame for nobody, behind its length.
        guests[0]!.write(Buffer.concat([Buffer.from([0, 0, 0, 60]), Buffer.alloc(60, 0xff)]));
        if (captures.length > 0) await expect.poll(() => written.includes(Buffer.alloc(60, 0xff)), { timeout: 15_000 }).toBe(true);
        child.kill('SIGTERM');
        expect(await exit).toBe(0);
        expect(said).toMatch(/^kernel softnet: open: /m);
        expect(said).toMatch(/^kernel softnet: unloaded .*qemu#1/m);
        if (captures.length === 0) return expect(written.length).toBe(0);
        expect(said).toMatch(/^the capture has ended: \d+ packets?.* of any in -$/m);
        let blocks = 0;
        for (let at = 0; at < written.length; at += written.readUInt32LE(at + 4)) blocks++;
        expect([written.readUInt32BE(0), blocks > 2]).toEqual([0x0a0d0d0a, true]);
      } finally {
        server.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    60_000,
  );

  test('says so when a reader leaves early, by its exit code or not at all', () => {
    const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${command}" start | head -n 1`], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stderr).toBe('');
  }, 60_000);
});

/** A person at a terminal: types, and waits for what is on the screen. */
class Person {
  readonly #child = spawn(pseudoTerminal, ['-qec', `"${process.execPath}" "${command}" start`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
  });
  readonly exit = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
  screen = '';

  constructor() {
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.screen += stripVTControlCharacters(bytes.toString());
    });
  }

  type(keys: string): void {
    this.screen = '';
    this.#child.stdin.write(keys);
  }

  async sees(what: RegExp): Promise<void> {
    await expect.poll(() => this.screen, { timeout: 15_000, interval: 20 }).toMatch(what);
  }
}

describe.skipIf(!built || !hasScript)('softnet start at a terminal', () => {
  test('takes commands, completes names, calls an unload off at Ctrl-C, shuts down at the next', async () => {
    const person = new Person();
    await person.sees(/a> /);
    // Keys that come all at once are pasted, not typed: a tab is a tab then.
    person.type('lsm');
    await person.sees(/lsm/);
    person.type('\t');
    await person.sees(/od /);
    person.type('\r');
    await person.sees(/udp#1 +1\.0\.0 +live/);
    await person.sees(/a> $/);
    person.type('sysctl traffic.linger_ms=60000\r');
    await person.sees(/a> $/);
    person.type('rmmod udp\r');
    await person.sees(/udp#1: stage 2, draining/);
    person.type('\x03');
    await person.sees(/udp#1 is live again \(interrupted\)/);
    await person.sees(/a> $/);
    person.type('top\r');
    await person.sees(/PER SECOND[\s\S]*any key/);
    person.type('x');
    await person.sees(/a> $/);
    person.type('use b\r');
    await person.sees(/b> $/);
    person.type('\x03');
    await person.sees(/kernel b: unloaded /);
    expect(await person.exit).toBe(0);
  }, 60_000);

  test('leaves at once at the second Ctrl-C, and in order at quit and Ctrl-D', async () => {
    const [hasty, polite, done] = [new Person(), new Person(), new Person()];
    for (const person of [hasty, polite, done]) await person.sees(/a> $/);
    hasty.type('\x03\x03');
    expect(await hasty.exit).toBe(130);
    polite.type('quit\r');
    await polite.sees(/kernel a: unloaded /);
    expect(await polite.exit).toBe(0);
    done.type('\x04');
    await done.sees(/kernel a: unloaded /);
    expect(await done.exit).toBe(0);
  }, 60_000);
});

import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Terminal } from '../main.ts';
import { bootNetwork } from './network-scene.ts';
import { runPrompt } from './prompt.ts';

/** A person at a terminal that is only streams: types, and waits for what is on the screen. */
class Typist {
  readonly code: Promise<number>;
  screen = '';
  readonly #stdin = new PassThrough();

  constructor(code: (terminal: Terminal) => Promise<number>, { columns = 100, rows = 30 } = {}) {
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
    stdout.on('data', (bytes: Buffer) => {
      this.screen += stripVTControlCharacters(bytes.toString());
    });
    const stdin = Object.assign(this.#stdin, { isTTY: true });
    this.code = code({ stdin, stdout, stderr: stdout, env: {} } as unknown as Terminal);
  }

  type(keys: string): void {
    this.screen = '';
    this.#stdin.write(keys);
  }

  async sees(what: RegExp): Promise<void> {
    await expect.poll(() => this.screen, { timeout: 10_000, interval: 5 }).toMatch(what);
  }
}

async function sitDown(size: { columns?: number; rows?: number } = {}): Promise<Typist> {
  const scene = await bootNetwork({ clock: 'real', seed: 1, debug: false });
  const typist = new Typist((terminal) => runPrompt(scene, terminal, false), size);
  await typist.sees(/a> $/);
  return typist;
}

describe('Ctrl-C at the prompt', () => {
  test('clears a line that is half typed, and asks again; at an empty one it shuts down in order', async () => {
    const typist = await sitDown();
    typist.type('quit now, rm');
    await typist.sees(/rm$/);
    typist.type('\x1b[D\x1b[D\x03');
    await typist.sees(/a> $/);
    expect(typist.screen).not.toMatch(/shutting down/);
    typist.type('use b\r');
    await typist.sees(/commands go to kernel b now[\s\S]*b> $/);
    typist.type('\x03');
    await typist.sees(/shutting down/);
    expect(await typist.code).toBe(0);
  });
});

test('Ctrl-C ends a ping, and shows its summary; captures are ended at the end', async () => {
  const typist = await sitDown();
  typist.type('ping -i 20 10.0.1.1\r');
  await typist.sees(/icmp_seq=3/);
  typist.type('\x03');
  await typist.sees(/packets transmitted[\s\S]*a> $/);
  expect(typist.screen).not.toMatch(/shutting down/);
  typist.type('capture lo /dev/null\r');
  await typist.sees(/a> $/);
  typist.type('quit\r');
  await typist.sees(/captured 0 packets of lo/);
  expect(await typist.code).toBe(0);
});

test('a wide terminal is used: what fits is one line', async () => {
  const typist = await sitDown({ columns: 200 });
  await typist.sees(/a> $/);
  typist.type('rmmod netdev\r');
  await typist.sees(/\n[\s\S]*a> $/);
  expect(typist.screen.length).toBeGreaterThan(110);
  expect(typist.screen).toMatch(/^softnet: EBUSY: .*\(here: rmmod --cascade netdev\)\r?$/m);
  typist.type('quit\r');
  expect(await typist.code).toBe(0);
});

describe('a narrow and low terminal', () => {
  test('no line is wider than it: tables lose columns, sentences are wrapped at words', async () => {
    const columns = 40;
    const typist = await sitDown({ columns, rows: 12 });
    for (const line of [
      'lsmod',
      'holders',
      'stat',
      'sysctl',
      'log',
      'help',
      'help rmmod',
      'rmmod',
      'rmmod netdev',
      'ip addr',
      'ip route',
      'ping -c 1 10.0.1.2',
      'help ip',
      'modprobe nonsense',
    ]) {
      typist.type(`${line}\r`);
      await typist.sees(/\n[\s\S]*a> $/);
      const lines = typist.screen.split(/\r?\n|\r/).filter((each) => !each.startsWith('a> '));
      expect(lines.length, typist.screen).toBeGreaterThan(1);
      for (const each of lines) expect(each.length, `${line}: ${each}`).toBeLessThanOrEqual(columns);
    }
    typist.type('top\r');
    await typist.sees(/any key/);
    const screen = typist.screen.slice(typist.screen.indexOf('kernel a')).split('\n');
    expect(screen.length).toBeLessThan(12);
    expect(typist.screen).toMatch(/^\.\.\. \d+ more$/m);
    for (const each of screen) expect(each.length).toBeLessThanOrEqual(columns);
    typist.type('x');
    await typist.sees(/a> $/);
    typist.type('quit\r');
    expect(await typist.code).toBe(0);
  });
});

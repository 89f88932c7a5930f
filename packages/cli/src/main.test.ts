import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Terminal } from './main.ts';
import { main } from './main.ts';
import { packageVersion } from './package-folder.ts';

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const sink = (take: (text: string) => void): NodeJS.WriteStream => {
    const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
      take(chunk.toString());
      done();
    };
    return new Writable({ write }) as unknown as NodeJS.WriteStream;
  };
  const terminal: Terminal = {
    stdin: {} as NodeJS.ReadStream,
    stdout: sink((text) => {
      out += text;
    }),
    stderr: sink((text) => {
      err += text;
    }),
    env: {},
  };
  return { code: await main(words, terminal), out, err };
}

describe('the command line', () => {
  test('--version and --help', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: `${packageVersion()}\n`, err: '' });
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toMatch(/^Usage: softnet [\s\S]*start[\s\S]*new-module/);
    expect((await run('new-module', '--help')).out).toMatch(/--dir <dir>/);
  });

  test.each([
    [[], /^softnet: a command is missing: 'softnet --help' says what there is\n$/],
    [['frob'], /^softnet: unknown command 'frob'/],
    [['strat'], /^softnet: unknown command 'strat' \(Did you mean start\?\)/],
    [['start', '--frob'], /^softnet: unknown option '--frob'/],
    [['start', 'now'], /^softnet: too many arguments/],
    [['start', '--seed', 'x'], /^softnet: --seed takes a whole number, got 'x'/],
    [['new-module'], /^softnet: missing required argument 'name'/],
    [['new-module', 'Foo'], /^softnet: 'Foo' is no name for a module/],
  ])('%j is one sentence, and exit code 2', async (words, sentence) => {
    const { code, out, err } = await run(...words);
    expect(err).toMatch(sentence);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from './main.ts';
import { packageFolder } from './package-folder.ts';
import { testSession } from './session/test-session.ts';
import { splitWords } from './text/words.ts';

const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8');

function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language).map(([, , text]) => text!);
}

/** A line of the README as a pattern: `...` stands for anything, and how wide a column is does not matter. */
function pattern(line: string): RegExp {
  const parts = line.split('...').map((part) =>
    part
      .trim()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/ +/g, ' +'),
  );
  return new RegExp(`^ *${parts.join('.*')}`);
}

describe('the README', () => {
  test.each(blocks('softnet').map((block) => [block.split('\n', 1)[0], block] as const))('%s', async (_first, block) => {
    const { type, session, pass } = await testSession({ ms: 3000 });
    let printed: string[] = [];
    for (const line of block.trimEnd().split('\n')) {
      const command = /^([arb])> (.*)$/.exec(line);
      if (command !== null) {
        expect(session.kernel.name).toBe(command[1]);
        await pass(300);
        printed = (await type(command[2]!)).split('\n');
      } else if (line !== '...') {
        const at = printed.findIndex((each) => pattern(line).test(each));
        expect(at, `'${line}' is not in what is left:\n${printed.join('\n')}`).toBeGreaterThanOrEqual(0);
        printed = printed.slice(at + 1);
      }
    }
  });

  test('the command lines', async () => {
    const lines = blocks('sh').flatMap((block) => block.trimEnd().split('\n'));
    expect(lines.length).toBeGreaterThan(4);
    const before = process.cwd();
    for (const line of lines) {
      const [name, ...words] = splitWords(line.replace(/[|#].*/, ''));
      expect(name).toBe('softnet');
      // What it boots has tests of its own: start/.
      if (words[0] === 'start') continue;
      const folder = mkdtempSync(join(tmpdir(), 'softnet-readme-'));
      process.chdir(folder);
      try {
        const sink = { write: () => true } as unknown as NodeJS.WriteStream;
        expect(await main(words, { stdin: {} as NodeJS.ReadStream, stdout: sink, stderr: sink, env: {} }), line).toBe(0);
      } finally {
        process.chdir(before);
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });
});

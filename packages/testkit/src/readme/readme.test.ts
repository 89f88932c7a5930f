import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('every example of the README is one of the files that are run as tests', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/<!-- the same as (\S+) -->\n```ts\n([\s\S]*?)```/g)];
  expect(examples).toHaveLength(readme.match(/```ts/g)!.length);
  for (const [, file, text] of examples) expect(readFileSync(join(root, file!), 'utf8')).toBe(text);
});

test('the example for node:test passes under node --test', { timeout: 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'softnet-readme-'));
  try {
    const outfile = join(dir, 'example.test.cjs');
    await build({
      entryPoints: [join(root, 'fixtures/readme/node-test-example.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      conditions: ['@softnet/source'],
      external: ['esbuild'],
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
      logLevel: 'silent',
    });
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, ['--expose-gc', '--test', '--test-reporter=tap', outfile], {
      encoding: 'utf8',
      env,
    });
    expect(stdout).toMatch(/# pass 2\d/);
    expect(status).toBe(0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

// Packs each package as it would be published (pnpm applies publishConfig) and has publint look at the tarball.
// Declarations must be there: run `npm run typecheck` first.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { withoutNpx } from './without-npx.mjs';

function pack(into) {
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
  const args = ['--yes', packageManager, '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', into];
  const result = spawnSync('npx', args, { env: withoutNpx(process.env), encoding: 'utf8', shell: process.platform === 'win32' });
  if (result.status !== 0) throw new Error(`pnpm pack failed:\n${result.stdout}\n${result.stderr}`);
}

async function lint(file) {
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(readFileSync(file)).buffer }, strict: true });
  for (const message of messages) console.error(`${pkg.name}: ${message.type}: ${formatMessage(message, pkg, { color: false })}`);
  // A suggestion is shown, and is no failure.
  return messages.some((message) => message.type !== 'suggestion') ? 1 : 0;
}

const dir = mkdtempSync(join(tmpdir(), 'softnet-pack-'));
try {
  pack(dir);
  const tarballs = readdirSync(dir);
  let failed = 0;
  for (const tarball of tarballs) failed += await lint(join(dir, tarball));
  console.log(`publint: ${tarballs.length} packages, ${failed} refused`);
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

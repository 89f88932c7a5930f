// Makes a fresh clone ready: installs and builds, each only when its stamp says that something changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutNpx } from './without-npx.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const stampDir = 'node_modules/.softnet';
const lockDir = `${stampDir}/lock`;
const lockPatienceMs = 180_000;
const startedAt = performance.now();

function stop(message) {
  console.error(`ensure: ${message}`);
  process.exit(1);
}

function workspaces() {
  const packages = readdirSync('packages').map((name) => `packages/${name}`);
  return [...packages, 'test'].filter((dir) => existsSync(`${dir}/package.json`));
}

function filesBelow(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true })
    .map((file) => join(dir, file))
    .filter((file) => statSync(file).isFile())
    .sort();
}

function digest(files) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\0`);
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function installInputs() {
  return ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...workspaces().map((dir) => `${dir}/package.json`)];
}

function buildInputs() {
  const dirs = [...workspaces().map((dir) => `${dir}/src`), 'test/bench'];
  const sources = dirs.flatMap(filesBelow).filter((file) => !file.endsWith('.test.ts'));
  return ['pnpm-lock.yaml', 'tsup.config.ts', 'tsconfig.base.json', ...sources];
}

function outputs() {
  const dirs = workspaces().filter((dir) => existsSync(`${dir}/src/index.ts`));
  return [...dirs.map((dir) => `${dir}/dist/index.js`), ...(existsSync('test/bench/main.ts') ? ['test/dist/bench.js'] : [])];
}

const installed = () => existsSync('node_modules/.modules.yaml') && stampIs('install', digest(installInputs()));
const built = () => outputs().every((file) => existsSync(file)) && stampIs('build', digest(buildInputs()));

function stampIs(name, value) {
  const file = `${stampDir}/${name}`;
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

function writeStamp(name, value) {
  mkdirSync(stampDir, { recursive: true });
  writeFileSync(`${stampDir}/${name}`, value);
}

/** Runs a command quietly; shows what it said only when it failed. */
function run(command, args, advice) {
  const result = spawnSync(command, args, {
    env: withoutNpx(process.env),
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 1 << 26,
  });
  if (result.status === 0) return;
  const said = [result.stdout, result.stderr, result.error?.message].filter(Boolean).join('\n').trimEnd();
  if (said) console.error(said);
  unlock();
  stop(advice);
}

function install() {
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
  const advice =
    `"npx ${packageManager} install" failed (see above). It needs the network the first time. ` +
    `If a package.json changed on purpose, run "npx ${packageManager} install --no-frozen-lockfile" and commit pnpm-lock.yaml.`;
  const stamp = digest(installInputs());
  run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], advice);
  linkCommand();
  writeStamp('install', stamp);
}

/** `npx softnet` works at the root, although the root depends on no package of the workspace. */
function linkCommand() {
  const link = 'node_modules/.bin/softnet';
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  try {
    symlinkSync('../../packages/cli/bin/softnet.mjs', link);
  } catch (error) {
    console.warn(`ensure: no link ${link} (${error.code}); use "node packages/cli/bin/softnet.mjs" in place of "npx softnet"`);
  }
}

function build() {
  const stamp = digest(buildInputs());
  const startedAtMs = Date.now();
  run(process.execPath, ['node_modules/tsup/dist/cli-default.js'], 'the build (tsup) failed: the first error above is the one to mend.');
  removeStale(startedAtMs);
  writeStamp('build', stamp);
}

/** JavaScript of an earlier build (a renamed entry, a chunk with another hash); declarations belong to tsc. */
function removeStale(beforeMs) {
  const old = workspaces()
    .flatMap((dir) => filesBelow(`${dir}/dist`))
    .filter((file) => /\.js(\.map)?$/.test(file) && statSync(file).mtimeMs < beforeMs - 1000);
  for (const file of old) rmSync(file);
}

/** Two at once (a test run and a start, say) must not install over one another: the second waits for the first. */
function lock() {
  mkdirSync(stampDir, { recursive: true });
  const giveUpAt = Date.now() + lockPatienceMs;
  while (!tryLock()) {
    if (Date.now() > giveUpAt) stop(`another ensure has held ${lockDir} for ${lockPatienceMs / 1000} s; if none is running, remove it.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function tryLock() {
  try {
    mkdirSync(lockDir);
    writeFileSync(`${lockDir}/pid`, String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (ownerIsGone()) unlock();
    return false;
  }
}

function ownerIsGone() {
  try {
    const pid = Number(readFileSync(`${lockDir}/pid`, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function unlock() {
  rmSync(lockDir, { recursive: true, force: true });
}

function main() {
  if (!existsSync('pnpm-lock.yaml')) stop('pnpm-lock.yaml is missing; restore it from git.');
  if (installed() && built()) return report('nothing to do');
  lock();
  const did = [];
  if (!installed()) did.push('installed') && install();
  if (!built()) did.push('built') && build();
  unlock();
  report(did.join(' and ') || 'nothing to do');
}

function report(what) {
  console.log(`ensure: ${what} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}

main();

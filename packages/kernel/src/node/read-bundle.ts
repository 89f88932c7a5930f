import { realpathSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { NetError } from '@softnet/contract';
import type { Bundle } from '../api.ts';
import { describeValue } from '../load/describe-value.ts';
import { ESM_ADVICE, looksLikeEsm } from '../load/parse-error.ts';
import { findBundleFile } from './find-bundle-file.ts';
import { nodeCompile } from './node-compile.ts';
import { findPackageJson } from './package-json.ts';
import { attempt, readText } from './read-text.ts';

/** Where to look for a bundle. */
export interface ReadBundleOptions {
  /** Folder from which relative paths and names of packages are resolved. Default: the current one. */
  readonly from?: string;
}

/**
 * Reads a plugin's bundle, for `kernel.load`.
 *
 * @param pathOrPackage a CommonJS file (`./dist/echo.cjs`), a folder with a package.json, or the name of a package that is
 * installed where `from` stands (`@me/echo`). Of a package, the file that its package.json names in `softnet.bundle` is
 * taken, else what `require` would take of it (`exports`, `main`).
 * @throws NetError ENOENT with what was tried; EINVAL for an ES module, another kind of file, a bad package.json; or what the
 * file system says (EACCES…).
 */
export function readBundle(pathOrPackage: string, { from = process.cwd() }: ReadBundleOptions = {}): Bundle {
  if (typeof pathOrPackage !== 'string' || pathOrPackage === '' || pathOrPackage.includes('\0')) {
    const found = describeValue(pathOrPackage);
    throw new NetError('EINVAL', `a plugin must be given as a path or as the name of a package, but is ${found}. Give './dist/NAME.cjs'.`);
  }
  const found = findBundleFile(pathOrPackage, resolve(from));
  const filename = attempt(`plugin file ${found} must be readable`, 'Give a file that this process may read.', () => realpathSync(found));
  const extension = extname(filename);
  if (!['.cjs', '.js', '.mjs'].includes(extension)) {
    const advice = /^\.[cm]?tsx?$/.test(extension)
      ? 'Build it (tsup: format cjs), and give what was built.'
      : 'Give the file that your build wrote.';
    throw new NetError('EINVAL', `plugin ${filename} must be a CommonJS file (.cjs or .js), but is a '${extension}' file. ${advice}`);
  }
  const code = readText(filename);
  const reason = findEsmReason(filename, extension, code);
  if (reason !== undefined) {
    throw new NetError('EINVAL', `plugin ${filename} must be one CommonJS file, but ${reason}. ${ESM_ADVICE}`);
  }
  return { code, filename };
}

/** What makes the file an ES module, by Node's rules; undefined where nothing does. */
function findEsmReason(filename: string, extension: string, code: string): string | undefined {
  if (extension === '.mjs') {
    return 'its name ends in .mjs';
  }
  const packageJson = extension === '.js' ? findPackageJson(filename) : undefined;
  if (packageJson?.json.type === 'module') {
    return `${packageJson.path} says "type": "module", with which a CommonJS file is named .cjs`;
  }
  return looksLikeEsm(code) && !parses(code, filename) ? 'it has import or export statements' : undefined;
}

function parses(code: string, filename: string): boolean {
  try {
    nodeCompile(code, filename, []);
    return true;
  } catch {
    return false;
  }
}

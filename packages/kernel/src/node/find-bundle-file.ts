import { createRequire } from 'node:module';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NetError } from '@softnet/contract';
import { describeThrown, describeValue } from '../load/describe-value.ts';
import { isRecord } from '../load/token-check.ts';
import { readPackageJson } from './package-json.ts';
import { attempt, isFile, isFolder } from './read-text.ts';

/** The file that a path or a package name stands for. `from`: an absolute folder. Errors as {@link readBundle} says. */
export function findBundleFile(pathOrPackage: string, from: string): string {
  const path = toPath(pathOrPackage, from);
  const found = path === undefined ? findInPackage(pathOrPackage, from) : findAtPath(path);
  if (found !== undefined) {
    return found;
  }
  const tried = path === undefined ? [...packageFolders(pathOrPackage, from), resolve(from, pathOrPackage)] : [path];
  const advice = 'Is it built, or installed? Give a path (./dist/NAME.cjs) or the name of an installed package.';
  throw new NetError(
    'ENOENT',
    `plugin ${describeValue(pathOrPackage)} must be a file, a folder or a package, but there is none; tried ${tried.join(', ')}. ${advice}`,
  );
}

/** The absolute path, where it is written as a path and not as a package's name. */
function toPath(pathOrPackage: string, from: string): string | undefined {
  if (pathOrPackage.startsWith('file:')) {
    const expected = `plugin ${describeValue(pathOrPackage)} must be the URL of a file`;
    try {
      return fileURLToPath(pathOrPackage);
    } catch (error) {
      throw new NetError('EINVAL', `${expected}, but: ${describeThrown(error)}. Give file:///… or a path.`, { cause: error });
    }
  }
  return isAbsolute(pathOrPackage) || /^\.{1,2}(?:[/\\]|$)/.test(pathOrPackage) ? resolve(from, pathOrPackage) : undefined;
}

function findAtPath(path: string): string | undefined {
  if (isFile(path)) {
    return path;
  }
  return isFolder(path) ? fileOfFolder(path) : undefined;
}

/** An installed package; or else `dist/echo.cjs`, a path that somebody wrote without `./`. */
function findInPackage(specifier: string, from: string): string | undefined {
  const { name, subpath } = splitSpecifier(specifier);
  const folder = packageFolders(name, from).find(isFolder);
  if (folder === undefined) {
    return findAtPath(resolve(from, specifier));
  }
  return subpath === '' ? fileOfFolder(folder) : resolveRequired(specifier, from, `package ${folder}`);
}

function splitSpecifier(specifier: string): { readonly name: string; readonly subpath: string } {
  const parts = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  return { name: parts.slice(0, length).join('/'), subpath: parts.slice(length).join('/') };
}

function packageFolders(specifier: string, from: string): string[] {
  const { name } = splitSpecifier(specifier);
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  return paths.map((path) => join(path, name));
}

/** What a folder with a package.json offers. */
function fileOfFolder(folder: string): string {
  const json = readPackageJson(folder);
  if (json === undefined) {
    throw new NetError('ENOENT', `plugin folder ${folder} must have a package.json, but has none. Give the bundle's file itself.`);
  }
  if (json.softnet !== undefined) {
    return fileOfField(folder, json.softnet);
  }
  // By its own name `exports` is heeded, with the conditions of require; by its path only `main` would be.
  const byName = json.exports !== undefined && typeof json.name === 'string';
  return resolveRequired(byName ? (json.name as string) : folder, folder, `package ${folder}`);
}

function fileOfField(folder: string, field: unknown): string {
  const bundle = isRecord(field) ? field.bundle : undefined;
  const subject = `softnet.bundle in ${join(folder, 'package.json')}`;
  if (typeof bundle !== 'string' || bundle === '') {
    throw new NetError(
      'EINVAL',
      `${subject} must be the path of a CommonJS file, but is ${describeValue(bundle)}. Write "./dist/NAME.cjs".`,
    );
  }
  const file = resolve(folder, bundle);
  const inside = relative(folder, file);
  if (inside.startsWith('..') || isAbsolute(inside)) {
    throw new NetError('EINVAL', `${subject} must stay inside the package, but is '${bundle}'. Write "./dist/NAME.cjs".`);
  }
  if (!isFile(file)) {
    throw new NetError(
      'ENOENT',
      `${subject} must be a file, but ${file} is none. Build the plugin first (npm run build), or correct the path.`,
    );
  }
  return file;
}

/** What `require` would take. */
function resolveRequired(specifier: string, from: string, subject: string): string {
  const require = createRequire(join(from, 'package.json'));
  try {
    return require.resolve(specifier);
  } catch (error) {
    const code = isRecord(error) ? error.code : undefined;
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
      const advice = 'Build it as CommonJS (tsup: format cjs), and name the file in "softnet": { "bundle": … } of its package.json.';
      throw new NetError(
        'EINVAL',
        `${subject} must have a CommonJS file for ${describeValue(specifier)}, but its exports have none. ${advice}`,
        {
          cause: error,
        },
      );
    }
    const advice = 'Build it first (npm run build), or correct "main", "exports" or "softnet": { "bundle": … } in its package.json.';
    const expected = `${subject} must have the file that its package.json names`;
    if (code === 'MODULE_NOT_FOUND') {
      throw new NetError('ENOENT', `${expected}, but it is missing: ${describeThrown(error)}. ${advice}`, { cause: error });
    }
    return attempt(expected, advice, () => {
      throw error;
    });
  }
}

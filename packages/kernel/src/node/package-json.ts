import { basename, dirname, join } from 'node:path';
import { NetError } from '@softnet/contract';
import { describeThrown, describeValue } from '../load/describe-value.ts';
import { isRecord } from '../load/token-check.ts';
import { isFile, readText } from './read-text.ts';

/** What a package.json says, unchecked. */
export type PackageJson = Readonly<Record<string, unknown>>;

/**
 * The package.json of a folder, read afresh (Node keeps its own copies for ever); undefined where there is none.
 * @throws NetError EINVAL where it is no JSON object.
 */
export function readPackageJson(folder: string): PackageJson | undefined {
  const path = join(folder, 'package.json');
  if (!isFile(path)) {
    return undefined;
  }
  const json = parseJson(path, readText(path));
  if (!isRecord(json) || Array.isArray(json)) {
    throw new NetError('EINVAL', `${path} must be a JSON object, but is ${describeValue(json)}. Mend it.`);
  }
  return json;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NetError('EINVAL', `${path} must be JSON, but does not parse: ${describeThrown(error)}. Mend it.`, { cause: error });
  }
}

/** The package.json that decides what a `.js` file is: the nearest one above, within the same package. */
export function findPackageJson(file: string): { readonly path: string; readonly json: PackageJson } | undefined {
  for (let folder = dirname(file); basename(folder) !== 'node_modules'; folder = dirname(folder)) {
    const json = readPackageJson(folder);
    if (json !== undefined) {
      return { path: join(folder, 'package.json'), json };
    }
    if (folder === dirname(folder)) {
      break;
    }
  }
  return undefined;
}

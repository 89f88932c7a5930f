import type { Stats } from 'node:fs';
import { readFileSync, statSync } from 'node:fs';
import type { Errno } from '@softnet/contract';
import { ERRNO, NetError } from '@softnet/contract';
import { describeThrown } from '../load/describe-value.ts';

/** True where a file stands; whatever keeps it from being looked at counts as its absence. */
export function isFile(path: string): boolean {
  return look(path)?.isFile() ?? false;
}

/** As {@link isFile}, for folders. */
export function isFolder(path: string): boolean {
  return look(path)?.isDirectory() ?? false;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * The text of a file, without a byte order mark.
 * @throws NetError with the errno of the file system; EINVAL where it is not UTF-8.
 */
export function readText(path: string): string {
  const bytes = attempt(`plugin file ${path} must be readable`, 'Give a file that this process may read.', () => readFileSync(path));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new NetError('EINVAL', `plugin file ${path} must be text in UTF-8, but is not. Give the CommonJS file that your build wrote.`, {
      cause: error,
    });
  }
}

/** Runs a call to the file system, and turns its error into the NetError of the same code. */
export function attempt<R>(expected: string, advice: string, call: () => R): R {
  try {
    return call();
  } catch (error) {
    const code = (error as { readonly code?: unknown } | null)?.code;
    const errno: Errno = typeof code === 'string' && Object.hasOwn(ERRNO, code) ? (code as Errno) : 'EIO';
    throw new NetError(errno, `${expected}, but: ${describeThrown(error)}. ${advice}`, { cause: error });
  }
}

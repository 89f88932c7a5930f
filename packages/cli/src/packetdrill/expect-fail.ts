import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** Paths of scripts that are to fail, one a line, from the list's own folder; behind '#' stands why. @throws UsageError */
export function readExpectFail(path: string): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`--expect-fail: ${path} cannot be read`);
  }
  const names = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return new Set(names.filter((name) => name !== '').map((name) => resolve(dirname(path), name)));
}

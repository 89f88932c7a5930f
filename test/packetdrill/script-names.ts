import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All scripts below a folder, by their paths from it. */
export function scriptNames(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pkt'))
    .sort();
}

/** Those that a list beside them has: `expect-fail.txt`, those that fail; `differs-on-linux.txt`, those that a real Linux does not hold to. */
export function listedNames(folder: string, list: string): ReadonlySet<string> {
  const lines = readFileSync(join(folder, list), 'utf8').split('\n');
  return new Set(lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== ''));
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All scripts below a folder, by their paths from it. */
export function scriptNames(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pkt'))
    .sort();
}

/** Those that are listed as failing. */
export function failingNames(folder: string): ReadonlySet<string> {
  const lines = readFileSync(join(folder, 'expect-fail.txt'), 'utf8').split('\n');
  return new Set(lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== ''));
}

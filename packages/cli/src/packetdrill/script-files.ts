import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** The scripts that are meant: files as they are, of folders all that end in .pkt. @throws UsageError */
export function scriptFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) throw new UsageError(`${path}: there is no such file`);
    if (!stat.isDirectory()) return [path];
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt'));
    if (names.length === 0) throw new UsageError(`${path}: there is no script in it (*.pkt)`);
    return names.sort().map((name) => join(path, name));
  });
}

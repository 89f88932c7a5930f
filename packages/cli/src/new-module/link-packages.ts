import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A package that this command can reach. */
export interface FoundPackage {
  /** Where it really stands. */
  readonly folder: string;
  readonly version: string;
  /** Its commands, with the files that they are. */
  readonly bin: Readonly<Record<string, string>>;
}

/** A package beside this command, by Node's rules; undefined where there is none. */
export function findPackage(name: string): FoundPackage | undefined {
  const folders = (createRequire(import.meta.url).resolve.paths(name) ?? []).map((path) => join(path, name));
  const found = folders.find((folder) => existsSync(join(folder, 'package.json')));
  if (found === undefined) return undefined;
  const folder = realpathSync(found);
  const { version, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly bin?: string | Readonly<Record<string, string>>;
  };
  return { folder, version, bin: typeof bin === 'string' ? { [name]: bin } : bin };
}

/**
 * Links packages and their commands into the node_modules of a folder, from where this command has them: until they are
 * published, no registry has them; afterwards `npm install` puts the real ones in place of the links.
 */
export function linkPackages(folder: string, names: readonly string[]): { linked: string[]; missing: string[] } {
  const linked: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const found = findPackage(name);
    if (found === undefined) {
      missing.push(name);
      continue;
    }
    link(found.folder, join(folder, 'node_modules', name), 'junction');
    for (const [command, file] of Object.entries(found.bin))
      linkCommand(join(found.folder, file), join(folder, 'node_modules', '.bin', command));
    linked.push(name);
  }
  return { linked, missing };
}

/** npm on Windows wants its own small scripts there, which `npm install` writes. */
function linkCommand(file: string, path: string): void {
  if (process.platform !== 'win32') link(file, path, 'file');
}

function link(target: string, path: string, type: 'junction' | 'file'): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, type);
}

import type { Dirent } from 'node:fs';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expandHome } from './expand-home.ts';

/** Folders and JavaScript files that a path may become; nothing for a word that is not written as a path. */
export function completePath(end: string): string[] {
  const cut = end.lastIndexOf('/') + 1;
  if (cut === 0) return [];
  const folder = end.slice(0, cut);
  const hidden = end.startsWith('.', cut);
  return entriesOf(expandHome(folder))
    .filter(({ name }) => name.startsWith('.') === hidden && !/\s/.test(name))
    .flatMap((entry) => {
      if (isFolder(entry, expandHome(folder))) return [`${folder}${entry.name}/`];
      return /\.c?js$/.test(entry.name) ? [`${folder}${entry.name}`] : [];
    })
    .sort();
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Not there, or not ours to read: there is nothing to offer.
    return [];
  }
}

function isFolder(entry: Dirent, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() === true;
}

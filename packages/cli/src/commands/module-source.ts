import { relative } from 'node:path';
import { NetError } from '@softnet/contract';
import type { ModuleSource } from '@softnet/kernel';
import { readBundle } from '@softnet/kernel/node';
import { expandHome } from '../session/expand-home.ts';
import type { Session } from '../session/session.ts';

/** What a word at the prompt stands for. */
export interface FoundSource {
  /** A string: a name that the kernel knows. */
  readonly source: ModuleSource | string;
  /** The path of the bundle, where it was read from one. */
  readonly path: string | undefined;
  /** The word that finds it again, from wherever. */
  readonly build: string;
}

/**
 * Finds a module of the catalogue, one that was offered, or a bundle at a path or in an installed package; undefined for a
 * bare word that is none of them.
 * @throws NetError as `readBundle`.
 */
export function findSource(session: Session, word: string): FoundSource | undefined {
  if (Object.hasOwn(session.catalogue, word)) return { source: session.catalogue[word]!, path: undefined, build: word };
  if (session.kernel.offered.includes(word)) return { source: word, path: undefined, build: word };
  try {
    const source = readBundle(expandHome(word));
    return { source, path: shownPath(source.filename), build: source.filename };
  } catch (error) {
    if (!looksLikePath(word) && error instanceof NetError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Was a path meant, and not a name? */
export function looksLikePath(word: string): boolean {
  return /[/\\]|\.[cm]?js$/.test(word);
}

/** Short where it lies below the current folder. */
function shownPath(filename: string): string {
  const path = relative('.', filename);
  return path.startsWith('..') || path === filename ? filename : `./${path}`;
}

import { NetError } from '@softnet/contract';
import type { ModuleSource } from '@softnet/kernel';
import { readBundle } from '@softnet/kernel/node';
import type { Session } from '../session/session.ts';

/**
 * What a word at the prompt stands for: a module of the catalogue, or a bundle at a path or in an installed package; undefined when it can only be a
 * name that the kernel may know.
 * @throws NetError as `readBundle`.
 */
export function moduleSource(session: Session, word: string): ModuleSource | undefined {
  if (Object.hasOwn(session.catalogue, word)) return session.catalogue[word];
  if (session.kernel.offered.includes(word)) return undefined;
  try {
    return readBundle(word);
  } catch (error) {
    if (!looksLikePath(word) && error instanceof NetError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function looksLikePath(word: string): boolean {
  return /[/\\]|\.[cm]?js$/.test(word);
}

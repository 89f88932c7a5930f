import { createRequire } from 'node:module';
import { formatAddress } from '@softnet/wire';
import { repositoryFile } from '../device/tap-rig.ts';
import type { PrefixList } from './internet-prefixes.ts';

/** As much as is wanted of longest-prefix-match, a trie of a node for each bit, in plain JavaScript: prefixes and addresses are texts. */
export interface PlainTrie {
  addPrefix(prefix: string, value: number): void;
  getMatch(address: string): number[];
}

export function plainTrie(): PlainTrie {
  const Trie = createRequire(repositoryFile('test/package.json'))('longest-prefix-match') as new () => PlainTrie;
  return new Trie();
}

/** The texts of addresses of a list. */
export function textsOf(list: PrefixList, words: Int32Array): string[] {
  const { stride } = list;
  return Array.from({ length: words.length / stride }, (_, i) =>
    stride === 1
      ? formatAddress(2, 0, 0, 0xffff, words[i]!)
      : formatAddress(10, words[4 * i]!, words[4 * i + 1]!, words[4 * i + 2]!, words[4 * i + 3]!),
  );
}

export { RouteModule } from './module.ts';
export { PrefixTrie } from './prefix-trie.ts';
export { TABLE } from './rules.ts';

import type { AddressWords } from '@softnet/contract';
import { hasSource } from '@softnet/contract';

/** Addresses of sources, sorted and each there once: how filters, records and queries keep them. Never changed, only replaced. */
export type SourceList = readonly AddressWords[];

/** Below 0, 0, above 0; by words as unsigned numbers. */
export function compareSources(a: AddressWords, b: AddressWords): number {
  for (let i = 0; i < 4; i++) {
    const difference = (a[i]! >>> 0) - (b[i]! >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whatever order they come in, and however often. */
export function sourceList(sources: Iterable<AddressWords>): SourceList {
  const sorted = [...sources].sort(compareSources);
  return sorted.filter((source, i) => i === 0 || compareSources(source, sorted[i - 1]!) !== 0);
}

/** `a` without what is in `b`. */
export function withoutSources(a: SourceList, b: SourceList): SourceList {
  return b.length === 0 ? a : a.filter(([word0, word1, word2, word3]) => !hasSource(b, word0, word1, word2, word3));
}

/** What is in both. */
export function commonSources(a: SourceList, b: SourceList): SourceList {
  return a.filter(([word0, word1, word2, word3]) => hasSource(b, word0, word1, word2, word3));
}

export function areSameSources(a: SourceList, b: SourceList): boolean {
  return a.length === b.length && a.every((source, i) => compareSources(source, b[i]!) === 0);
}

/** A key for maps. */
export function sourceKey([word0, word1, word2, word3]: AddressWords): string {
  return `${word0},${word1},${word2},${word3}`;
}

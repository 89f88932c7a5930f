import type { HolderInfo } from '@softnet/kernel';
import { count, duration } from './count.ts';
import type { Column, TableLook } from './table.ts';
import { table } from './table.ts';

const COLUMNS: readonly Column[] = Object.freeze([
  { title: 'MODULE' },
  { title: 'KIND' },
  { title: 'COUNT', right: true },
  { title: 'OWNER', cuts: true },
  { title: 'PLACE' },
  { title: 'AGE', right: true },
  { title: 'WHAT', cuts: true },
]);

/** Holders as a table; of more than `limit` the rest is only counted. */
export function holderTable(holders: readonly HolderInfo[], look: TableLook, limit = 20): string[] {
  const rows = holders
    .slice(0, limit)
    .map(({ module, kind, sort, count: number, owner, place, ageMs, description }) => [
      module,
      kind,
      String(number),
      owner,
      place,
      sort === 'tally' ? '-' : duration(ageMs),
      description,
    ]);
  const more = holders.length - rows.length;
  return [...table(COLUMNS, rows, look), ...(more > 0 ? [`... and ${more} more`] : [])];
}

/** '3 connections of talk#1: owner alice place talk.open, owner bob place talk.accept', one for each module and kind. */
export function holderGroups(holders: readonly HolderInfo[]): string[] {
  const groups = new Map<string, HolderInfo[]>();
  for (const holder of holders) {
    const key = `${holder.module} ${holder.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), holder]);
  }
  return [...groups.values()].map(groupSentence);
}

/** '3 connections, 1 listener'. */
export function holderCounts(holders: readonly HolderInfo[]): string {
  const counts = new Map<string, number>();
  for (const { kind, count: number } of holders) counts.set(kind, (counts.get(kind) ?? 0) + number);
  return [...counts].map(([kind, number]) => count(number, kind)).join(', ') || 'nothing';
}

function groupSentence(group: readonly HolderInfo[]): string {
  const [{ module, kind }] = group as [HolderInfo];
  const number = group.reduce((sum, holder) => sum + holder.count, 0);
  const who = [...new Set(group.map(({ owner, place }) => `owner ${owner} place ${place}`))];
  const shown = who.slice(0, 2).join(', ');
  return `${count(number, kind)} of ${module}: ${shown}${who.length > 2 ? `, and ${who.length - 2} more` : ''}`;
}

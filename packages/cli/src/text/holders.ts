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

/** How much of a list of holders is shown. */
export interface HolderExtent {
  /** Of more the rest is only counted. Default 20. */
  readonly limit?: number;
  /** They hold no more, so `holders` cannot say more of them. */
  readonly past?: boolean;
}

/** Holders as a table. */
export function holderTable(holders: readonly HolderInfo[], look: TableLook, { limit = 20, past = false }: HolderExtent = {}): string[] {
  const rows = holders
    .slice(0, limit)
    .map(({ module, kind, sort, count: number, owner, place, ageMs, description }) => [
      module,
      kind,
      String(number),
      owner,
      place,
      sort === 'tally' ? '-' : duration(ageMs),
      sort === 'tally' ? count(number, kind) : description,
    ]);
  const modules = new Set(holders.map(({ module }) => module));
  const more = andMore(holders.length - rows.length, modules.size === 1 ? [...modules][0]! : 'NAME', past);
  return [...table(COLUMNS, rows, look), ...(more === '' ? [] : [more])];
}

/** How much of a sentence about holders is said. */
export interface SentenceExtent {
  /** Owners named of each module and kind. Default 2; 0: they are only counted. */
  readonly named?: number;
  readonly past?: boolean;
}

/** '3 connections of talk#1: owner alice place talk.open, owner bob place talk.accept', one for each module and kind. */
export function holderGroups(holders: readonly HolderInfo[], extent: SentenceExtent = {}): string[] {
  const groups = new Map<string, HolderInfo[]>();
  for (const holder of holders) {
    const key = `${holder.module} ${holder.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), holder]);
  }
  return [...groups.values()].map((group) => groupSentence(group, extent));
}

/** '3 connections, 1 listener'. */
export function holderCounts(holders: readonly HolderInfo[]): string {
  const counts = new Map<string, number>();
  for (const { kind, count: number } of holders) counts.set(kind, (counts.get(kind) ?? 0) + number);
  return [...counts].map(([kind, number]) => count(number, kind)).join(', ') || 'nothing';
}

function groupSentence(group: readonly HolderInfo[], { named = 2, past = false }: SentenceExtent): string {
  const [{ module, kind }] = group as [HolderInfo];
  const number = group.reduce((sum, holder) => sum + holder.count, 0);
  const who = [...new Set(group.map(({ owner, place }) => `owner ${owner} place ${place}`))];
  const subject = `${count(number, kind)} of ${module}`;
  if (named === 0) return subject;
  const more = andMore(who.length - named, module, past);
  return `${subject}: ${[...who.slice(0, named), ...(more === '' ? [] : [more])].join(', ')}`;
}

/** 'and 3 more (holders talk#1)'. */
function andMore(number: number, name: string, past: boolean): string {
  return number <= 0 ? '' : `and ${number} more${past ? '' : ` (holders ${name})`}`;
}

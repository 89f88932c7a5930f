import type { Kernel } from '@softnet/kernel';
import type { Column, TableLook } from './table.ts';
import { table } from './table.ts';

/** Counters and drops of a kernel at one moment. */
export interface Readings {
  readonly timeUs: number;
  readonly values: ReadonlyMap<string, number>;
}

const COLUMNS: readonly Column[] = Object.freeze([
  { title: 'COUNTER', cuts: true },
  { title: 'PER SECOND', right: true },
  { title: 'VALUE', right: true },
]);

/** Reads all counters, by 'module counter' and 'drop reason'. */
export function readRates(kernel: Kernel): Readings {
  const counters = kernel.counters().map(({ module, name, value }) => [`${module} ${name}`, value] as const);
  const drops = kernel.dropReasons().map(({ name, count }) => [`drop ${name}`, count] as const);
  return { timeUs: kernel.clock.nowUs, values: new Map([...counters, ...drops]) };
}

/** The counters that moved, the fastest first. */
export function drawRates(before: Readings, now: Readings, look: TableLook): string[] {
  const seconds = (now.timeUs - before.timeUs) / 1e6;
  const rows = [...now.values]
    .map(([name, value]) => ({ name, value, rate: seconds > 0 ? (value - (before.values.get(name) ?? 0)) / seconds : 0 }))
    .filter(({ value }) => value !== 0)
    .sort((a, b) => b.rate - a.rate)
    .map(({ name, value, rate }) => [name, rate.toFixed(rate < 100 ? 1 : 0), String(value)]);
  return rows.length === 0 ? [] : table(COLUMNS, rows, look);
}

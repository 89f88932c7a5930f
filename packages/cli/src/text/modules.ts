import type { ModuleInfo, ModuleState } from '@softnet/kernel';
import type { Style } from './paint.ts';
import type { Column, TableLook } from './table.ts';
import { table } from './table.ts';

const STATES: Readonly<Record<ModuleState, Style>> = Object.freeze({
  starting: 'busy',
  live: 'good',
  withdrawing: 'busy',
  draining: 'busy',
  gone: 'faint',
});

/** The colour that a state has wherever it is shown. */
const stateStyle = (state: string): Style | undefined => STATES[state as ModuleState];

const COLUMNS: readonly Column[] = Object.freeze([
  { title: 'MODULE' },
  { title: 'VERSION' },
  { title: 'STATE', style: stateStyle },
  { title: 'HOLDS', right: true },
  { title: 'OBJECTS', right: true },
  { title: 'NEEDED BY', cuts: true },
  { title: 'SUMMARY', cuts: true },
]);

/** Modules as `lsmod` shows them. */
export function moduleTable(modules: readonly ModuleInfo[], look: TableLook): string[] {
  const rows = modules.map(({ name, generation, version, state, usage, neededBy, summary, trouble }) => [
    `${name}#${generation}`,
    version,
    state,
    String(usage.holds),
    String(usage.objectCount),
    neededBy.join(', ') || '-',
    trouble ?? summary,
  ]);
  return table(COLUMNS, rows, look);
}

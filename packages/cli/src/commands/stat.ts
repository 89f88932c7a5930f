import type { DropReason } from '@softnet/contract';
import type { SessionCommand } from '../session/session-command.ts';
import type { Column, TableLook } from '../text/table.ts';
import { table } from '../text/table.ts';

const COUNTERS: readonly Column[] = Object.freeze([{ title: 'MODULE' }, { title: 'COUNTER', cuts: true }, { title: 'VALUE', right: true }]);
const DROPS: readonly Column[] = Object.freeze([{ title: 'DROPPED' }, { title: 'COUNT', right: true }, { title: 'WHY', cuts: true }]);

function dropLines(drops: readonly DropReason[], look: TableLook): string[] {
  const rows = drops.map(({ name, count, text }) => [name, String(count), text]);
  return table(DROPS, rows, look);
}

export const stat: SessionCommand = Object.freeze({
  name: 'stat',
  aliases: ['dump'],
  parameters: '[module]',
  options: [['--all', 'also reasons for which nothing was dropped yet']],
  summary: 'show the counters, why packets were dropped, and what failed',
  completes: (session, _index, end) => session.loadedNames(end),
  run({ kernel, output }, { words: [name], options: { all } }) {
    const wanted = (module: string): boolean => name === undefined || module === name || module.startsWith(`${name}#`);
    const counters = kernel.counters().filter(({ module }) => wanted(module));
    const reasons = kernel.dropReasons().filter((reason) => name === undefined || reason.name.startsWith(`${name.replace(/#\d+$/, '')}.`));
    const drops = reasons.filter(({ count }) => all === true || count > 0);
    const faults = kernel.faults.filter(({ module }) => wanted(module));
    // Of what is not loaded the kernel says so, unless something is left to tell.
    if (name !== undefined && counters.length + reasons.length + faults.length === 0) kernel.holders(name);
    const lines = [
      ...table(
        COUNTERS,
        counters.map((each) => [each.module, each.name, String(each.value)]),
        output,
      ),
      '',
      ...(drops.length === 0 ? ['nothing was dropped'] : dropLines(drops, output)),
      ...faults.map(({ module, hook, message }) => `fault: ${module} in ${hook}: ${message}`),
    ];
    for (const line of lines) output.print(line);
  },
} satisfies SessionCommand);

import type { LogEntry } from '@softnet/kernel';
import type { SessionCommand } from '../session/session-command.ts';
import { cut } from '../text/table.ts';
import { UsageError } from '../usage-error.ts';

const SHOWN = '20';

export const log: SessionCommand = Object.freeze({
  name: 'log',
  parameters: '[lines]',
  summary: `show the last entries of the kernel's log (${SHOWN}, or as many as asked for)`,
  run({ kernel, output }, { words: [lines = SHOWN] }) {
    if (!/^\d{1,6}$/.test(lines)) throw new UsageError(`log takes a number of lines, got '${lines}'`);
    const entries = Number(lines) === 0 ? [] : kernel.logs.slice(-Number(lines));
    for (const entry of entries) output.print(cut(entryLine(entry), output.width));
    if (entries.length === 0) output.print(`the log of ${kernel.name} is empty`);
  },
} satisfies SessionCommand);

function entryLine({ timeUs, level, module, message, fields }: LogEntry): string {
  const details = Object.entries(fields ?? {}).map(([name, value]) => ` ${name}=${String(value)}`);
  return `${(timeUs / 1e6).toFixed(6).padStart(12)} ${level.padEnd(5)} ${module}: ${message}${details.join('')}`;
}

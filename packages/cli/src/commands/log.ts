import type { LogEntry } from '@softnet/kernel';
import type { SessionCommand } from '../session/session-command.ts';
import type { StateEntry } from '../session/state-log.ts';
import { cut } from '../text/table.ts';
import { UsageError } from '../usage-error.ts';

const SHOWN = '20';

export const log: SessionCommand = Object.freeze({
  name: 'log',
  parameters: '[lines]',
  summary: `show the last entries of the kernel's log (${SHOWN}, or as many as asked for), and what became of modules`,
  run(session, { words: [lines = SHOWN] }) {
    const { kernel, output } = session;
    if (!/^\d{1,6}$/.test(lines)) throw new UsageError(`log takes a number of lines, got '${lines}'`);
    const all = [...kernel.logs.map(logLine), ...session.states().map(stateLine)].sort((a, b) => a.timeUs - b.timeUs);
    const entries = Number(lines) === 0 ? [] : all.slice(-Number(lines));
    for (const { timeUs, text } of entries) output.print(cut(`${(timeUs / 1e6).toFixed(6).padStart(12)} ${text}`, output.width));
    if (entries.length === 0) output.print(`the log of ${kernel.name} is empty`);
  },
} satisfies SessionCommand);

function logLine({ timeUs, level, module, message, fields }: LogEntry): StateEntry {
  const details = Object.entries(fields ?? {}).map(([name, value]) => ` ${name}=${String(value)}`);
  return { timeUs, text: `${level.padEnd(5)} ${module}: ${message}${details.join('')}` };
}

function stateLine({ timeUs, text }: StateEntry): StateEntry {
  return { timeUs, text: `state ${text}` };
}
